#include "pg/wrap/spi.hpp"

#include <exception>
#include <utility>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

static void connect() {
  if (SPI_connect() != SPI_OK_CONNECT) elog(ERROR, "SPI_connect failed");
}

SpiScope::SpiScope() : uncaught_(std::uncaught_exceptions()) {
  guard(connect);
}

SpiScope::~SpiScope() {
  if (std::uncaught_exceptions() == uncaught_) guard_noexcept("leave SPI", [] { SPI_finish(); });
}

KeptPlan::KeptPlan(std::string sql, std::vector<unsigned int> types) : sql_(std::move(sql)), types_(std::move(types)) {}

KeptPlan::KeptPlan(KeptPlan &&other) noexcept
    : sql_(std::move(other.sql_)), types_(std::move(other.types_)), plan_(std::exchange(other.plan_, nullptr)) {}

KeptPlan::~KeptPlan() {
  if (plan_ != nullptr) guard_noexcept("free a plan", [this] { SPI_freeplan(plan_); });
}

// The generic plan: planning anew for each set of arrays would cost more than running it.
static SPIPlanPtr prepare_kept(const char *sql, int count, unsigned int *types) {
  SPIPlanPtr plan = SPI_prepare_cursor(sql, count, types, CURSOR_OPT_GENERIC_PLAN);
  if (plan == nullptr) elog(ERROR, "SPI_prepare failed: %s", SPI_result_code_string(SPI_result));
  SPI_keepplan(plan);
  return plan;
}

void KeptPlan::prepare() {
  const char *sql = sql_.c_str();
  unsigned int *types = types_.data();
  const int count = static_cast<int>(types_.size());
  plan_ = guard([&] { return prepare_kept(sql, count, types); });
}

static uint64 run_plan(SPIPlanPtr plan, Datum *values, const char *nulls, bool read_only) {
  const int code = SPI_execute_plan(plan, values, nulls, read_only, 0);
  if (code < 0) elog(ERROR, "SPI_execute_plan failed: %s", SPI_result_code_string(code));
  return SPI_processed;
}

std::uint64_t KeptPlan::run(std::uintptr_t *values, const char *nulls, Mode mode) {
  if (plan_ == nullptr) prepare();
  SPIPlanPtr plan = plan_;
  const bool read_only = mode == Mode::read_only;
  return guard([&] { return run_plan(plan, values, nulls, read_only); });
}

namespace {

// POD: the rows as C strings in SPI's memory.
struct RawRows {
  char **cells;  // row by row; null: NULL
  uint64 rows;
  int columns;
};

}  // namespace

static RawRows read_rows() {
  RawRows raw = {nullptr, SPI_processed, SPI_tuptable == nullptr ? 0 : SPI_tuptable->tupdesc->natts};
  raw.cells = static_cast<char **>(palloc0(sizeof(char *) * (raw.rows * static_cast<uint64>(raw.columns) + 1)));
  for (uint64 row = 0; row < raw.rows; ++row)
    for (int column = 0; column < raw.columns; ++column) {
      char *value = SPI_getvalue(SPI_tuptable->vals[row], SPI_tuptable->tupdesc, column + 1);
      raw.cells[row * static_cast<uint64>(raw.columns) + static_cast<uint64>(column)] =
          value == nullptr ? nullptr : pg_server_to_any(value, static_cast<int>(strlen(value)), PG_UTF8);
    }
  SPI_freetuptable(SPI_tuptable);
  return raw;
}

std::vector<TextRow> read_text_rows() {
  const RawRows raw = guard([] { return read_rows(); });
  std::vector<TextRow> rows(raw.rows);
  for (uint64 row = 0; row < raw.rows; ++row)
    for (int column = 0; column < raw.columns; ++column) {
      const char *cell = raw.cells[row * static_cast<uint64>(raw.columns) + static_cast<uint64>(column)];
      rows[row].push_back(cell == nullptr ? std::optional<std::string>() : std::string(cell));
    }
  return rows;
}

static void query_plain(const char *sql) {
  const int code = SPI_execute(sql, true, 0);
  if (code < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(code));
}

std::vector<TextRow> query_rows(const std::string &sql) {
  const char *text = sql.c_str();
  guard([&] { query_plain(text); });
  return read_text_rows();
}

static void execute_plain(const char *sql) {
  const int code = SPI_execute(sql, false, 0);
  if (code < 0) elog(ERROR, "SPI_execute failed: %s", SPI_result_code_string(code));
}

void execute_sql(const std::string &sql) {
  const char *text = sql.c_str();
  guard([&] { execute_plain(text); });
}

}  // namespace agent_queue::pg
