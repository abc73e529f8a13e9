// A kept plan of a function of the extension: its text names the extension's schema, so it is made anew when the
// extension was. Regime: guarded C++.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "pg/wrap/installation.hpp"
#include "pg/wrap/spi.hpp"

namespace agent_queue::pg {

class SchemaPlan {
 public:
  // `sql` with "@s@" for the schema; `types`: OIDs of the parameters.
  SchemaPlan(std::string sql, std::vector<unsigned int> types) : sql_(std::move(sql)), types_(std::move(types)) {}

  KeptPlan &at(const Installation &where) {
    if (!plan_ || extension_ != where.extension || schema_ != where.schema_quoted) {
      plan_.reset();
      plan_.emplace(render_sql(sql_, where), types_);
      extension_ = where.extension;
      schema_ = where.schema_quoted;
    }
    return *plan_;
  }

 private:
  std::string sql_;
  std::vector<unsigned int> types_;
  unsigned int extension_ = 0;
  std::string schema_;
  std::optional<KeptPlan> plan_;
};

}  // namespace agent_queue::pg
