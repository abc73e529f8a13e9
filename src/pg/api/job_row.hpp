// A row of agent_queue on its way into the table: columns by name, whatever a user added to the table.
// Regime: guarded C++; Datums are in the current memory context.
#pragma once

#include <cstdint>
#include <string_view>

struct HeapTupleData;
struct TriggerData;
struct TupleDescData;

namespace agent_queue::pg {

enum class Column {
  id,
  user_id,
  created_at,
  run_at,
  expires_at,
  started_at,
  completed_at,
  priority,
  retry_count,
  max_retries,
  cached,
  stale,
  status,
  queue,
  agent_type,
  request_data,
  result,
  error_code,
  error_message,
  wait_reason,
  idempotency_key,
  provider,
  model,
  input_tokens,
  output_tokens,
  cost_usd,
  hold_usd,
  claim,
  claim_key,
  cache_key,
};
inline constexpr int kColumnCount = static_cast<int>(Column::cache_key) + 1;

class JobRow {
 public:
  // NEW of a BEFORE INSERT trigger. 55000: a column is missing; 42804: it has another type.
  explicit JobRow(const TriggerData &trigger);

  bool is_null(Column column) const { return nulls_[at(column)]; }
  // Only where it is not null.
  std::uintptr_t get(Column column) const { return values_[at(column)]; }
  std::int32_t get_int32(Column column) const { return static_cast<std::int32_t>(get(column)); }
  std::int64_t get_int64(Column column) const { return static_cast<std::int64_t>(get(column)); }
  // In the server's encoding; lives as long as the memory context.
  std::string_view get_text(Column column) const;

  void set_null(Column column) { nulls_[at(column)] = true; }
  void set(Column column, std::uintptr_t value) {
    values_[at(column)] = value;
    nulls_[at(column)] = false;
  }
  void set_int32(Column column, std::int32_t value) { set(column, static_cast<std::uintptr_t>(value)); }
  void set_int64(Column column, std::int64_t value) { set(column, static_cast<std::uintptr_t>(value)); }
  void set_bool(Column column, bool value) { set(column, value ? 1 : 0); }
  // `value` in the server's encoding.
  void set_text(Column column, std::string_view value);

  HeapTupleData *make_tuple() const;

 private:
  int at(Column column) const { return shape_[static_cast<int>(column)]; }

  TupleDescData *description_ = nullptr;
  const int *shape_ = nullptr;  // where each column is
  std::uintptr_t *values_ = nullptr;
  bool *nulls_ = nullptr;
};

}  // namespace agent_queue::pg
