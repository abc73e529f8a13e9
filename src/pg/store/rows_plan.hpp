// A statement over rows that are given as arrays, one per column, with two plans: one for many rows (unnest), and one
// for a single row, which reads the arrays' only elements as scalars. An idle queue has one row a statement, and there
// the function scan and the join of unnest are most of its time. Regime: guarded C++.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <vector>

#include "pg/wrap/arrays.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/spi.hpp"

namespace agent_queue::pg {

struct RowColumn {
  const char *name;
  const char *type;  // of an element: tid, text, int4, int8, float8, bool, timestamptz, uuid
};

class RowsPlan {
 public:
  // "@rows@" in `sql` becomes the rows under the name r. Their columns are the first parameters, as arrays of equal
  // length; `others`: OIDs of those that follow. `where` gives the schema.
  RowsPlan(const char *sql, std::span<const RowColumn> columns, std::initializer_list<unsigned int> others,
           const Installation &where);

  // Runs it for `rows` rows; as KeptPlan::run().
  std::uint64_t run(DatumValue *values, std::size_t rows);

 private:
  KeptPlan many_;
  KeptPlan one_;
};

}  // namespace agent_queue::pg
