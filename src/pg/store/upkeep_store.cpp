#include "pg/store/upkeep_store.hpp"

#include "pg/boundary/errors.hpp"
#include "pg/store/fold_sql.hpp"
#include "pg/store/job_store_sql.hpp"
#include "pg/store/trouble.hpp"
#include "pg/store/upkeep_sql.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Oid kTidArray = 1010;
constexpr int kBlockedMost = 3;
constexpr Micros kComplaintInterval{std::chrono::minutes(1)};

}  // namespace

UpkeepStatements::UpkeepStatements(const Installation &where)
    : newest_job(render_sql(sql::kNewestJob, where), {}),
      is_history_adopted(render_sql(sql::kIsHistoryAdopted, where), {}),
      finished(render_sql(sql::kFinished, where), {INT8OID, INT8OID, BOOLOID, INT4OID}),
      remove(render_sql(sql::kRemove, where), {kTidArray}),
      next_lane(render_sql(sql::kNextLane, where), {TEXTOID, TEXTOID}),
      look_at_lane(render_sql(sql::kLookAtLane, where), {TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID}),
      lock_expired_in_lane(render_sql(sql::kLockExpiredInLane, where),
                           {TEXTOID, TEXTOID, INT8OID, INT8OID, TIMESTAMPTZOID, INT8ARRAYOID, INT4OID}),
      look_at_scheduled(render_sql(sql::kLookAtScheduled, where), {TIMESTAMPTZOID, INT8OID, TIMESTAMPTZOID}),
      lock_expired_scheduled(render_sql(sql::kLockExpiredScheduled, where),
                             {TIMESTAMPTZOID, TIMESTAMPTZOID, TIMESTAMPTZOID, INT8ARRAYOID, INT4OID}),
      expire(sql::kExpire, sql::kExpiredRows, {TIMESTAMPTZOID}, where),
      usage_blocks(render_sql(sql::kUsageBlocks, where), {}),
      remove_old_usage(render_sql(sql::kRemoveOldUsage, where), {INT8OID, INT8OID, TIMESTAMPTZOID}),
      fold_place(render_sql(sql::kFoldPlace, where), {}),
      lock_folded(render_sql(sql::kLockFolded, where), {}),
      begin_folding(render_sql(sql::kBeginFolding, where), {}),
      fold(render_sql(sql::kFold, where), {INT8OID, INT8OID}),
      move_folded(render_sql(sql::kMoveFolded, where), {INT8OID}),
      walk_cache(render_sql(sql::kWalkCache, where), {TEXTOID, INT4OID, TIMESTAMPTZOID}),
      drop_cached(render_sql(sql::kDropCached, where), {TEXTARRAYOID, TEXTARRAYOID, TIMESTAMPTZOID}) {}

UpkeepStatements &UpkeepStore::open(Transaction &transaction) {
  const Installation &where = installation();
  if (statements_ == nullptr || statements_of_ != where.extension || statements_in_ != where.schema_quoted) {
    statements_ = std::make_unique<UpkeepStatements>(where);
    statements_of_ = where.extension;
    statements_in_ = where.schema_quoted;
  }
  transaction.become(where.owner);
  return *statements_;
}

UpkeepStore::Trouble UpkeepStore::judge(const PgError &error) {
  const int state = error.sqlstate();
  log_.write(LogLevel::debug, std::string("a slice of upkeep failed: ") + error.what());
  // A lock on the table passes. One that stays is a row's (a foreign key's, say): it must not hold up the others.
  if (state == ERRCODE_LOCK_NOT_AVAILABLE && ++blocked_ < kBlockedMost) return Trouble::passing;
  // The extension was dropped or altered: the store's next round finds out.
  const bool is_gone = state == ERRCODE_UNDEFINED_TABLE || state == ERRCODE_UNDEFINED_SCHEMA ||
                       state == ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE;
  return is_gone || is_passing_trouble(state) ? Trouble::passing : Trouble::refused;
}

void UpkeepStore::complain(const PgError &error, Now now) {
  if (now.steady < next_complaint_) return;
  next_complaint_ = now.steady + kComplaintInterval;
  log_.write(LogLevel::warning, std::string("upkeep has to wait: ") + error.what());
}

}  // namespace agent_queue::pg
