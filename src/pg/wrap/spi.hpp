// Statements through SPI. Regime: guarded C++; results are read either as text rows (configuration) or by leaf
// functions of the caller (the hot path).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct _SPI_plan;

namespace agent_queue::pg {

// SPI_connect … SPI_finish for SQL functions and triggers. When an exception leaves the scope, the (sub)transaction's
// abort cleans up instead.
class SpiScope {
 public:
  SpiScope();
  ~SpiScope();
  SpiScope(const SpiScope &) = delete;
  SpiScope &operator=(const SpiScope &) = delete;

 private:
  int uncaught_;
};

// A statement that is prepared at its first use and kept for the life of the process, with a generic plan.
class KeptPlan {
 public:
  // `types`: OIDs of the parameters.
  KeptPlan(std::string sql, std::vector<unsigned int> types);
  ~KeptPlan();
  KeptPlan(KeptPlan &&other) noexcept;
  KeptPlan(const KeptPlan &) = delete;
  KeptPlan &operator=(const KeptPlan &) = delete;
  KeptPlan &operator=(KeptPlan &&) = delete;

  enum class Mode { read_only, read_write };

  // Runs it; rows are in SPI_tuptable, their number is returned. `nulls` as for SPI: ' ' or 'n' each; may be null.
  // SPI must be connected.
  std::uint64_t run(std::uintptr_t *values, const char *nulls, Mode mode);

 private:
  void prepare();

  std::string sql_;
  std::vector<unsigned int> types_;
  _SPI_plan *plan_ = nullptr;
};

using TextRow = std::vector<std::optional<std::string>>;

// The rows of the statement that ran last as text, in UTF-8. For small results.
std::vector<TextRow> read_text_rows();

// Runs one statement without parameters and copies the result in the same way.
std::vector<TextRow> query_rows(const std::string &sql);

// Runs one statement without parameters or result, DDL included.
void execute_sql(const std::string &sql);

}  // namespace agent_queue::pg
