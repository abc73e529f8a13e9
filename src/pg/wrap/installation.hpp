// Where the extension lives in this database: its OID, owner and schema, and the OIDs of its tables. Looked up once
// and kept until the catalogs change. Regime: guarded C++.
#pragma once

#include <optional>
#include <string>
#include <string_view>

namespace agent_queue::pg {

struct Installation {
  unsigned int extension = 0;
  unsigned int owner = 0;
  unsigned int schema = 0;
  unsigned int job_table = 0;  // agent_queue
  std::string schema_name;     // as it is
  std::string schema_quoted;   // for SQL text
};

// In a transaction. nullopt: the extension is not installed in this database.
std::optional<Installation> find_installation();

// The same, kept by the process until DDL touches the table agent_queue. Throws 55000 with a hint when it is not there.
const Installation &installation();

// `text` with each "@s@" replaced by the quoted schema.
std::string render_sql(std::string_view text, const Installation &where);

}  // namespace agent_queue::pg
