#include "pg/store/statements.hpp"

#include "pg/store/job_store_sql.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

// Array types without a macro of their own in pg_type_d.h of all versions.
static constexpr Oid kTidArray = 1010;
static constexpr Oid kUuidArray = 2951;

Statements::Statements(const Installation &where)
    : claim_lane(render_sql(sql::kClaimLane, where), {TEXTOID, TEXTOID, INT8OID, INT4OID, INT8ARRAYOID}),
      mark_claimed(sql::kMarkClaimed, sql::kClaimedRows, {UUIDOID, TIMESTAMPTZOID}, where),
      end_uncalled(sql::kEndUncalled, sql::kUncalledRows, {TIMESTAMPTZOID}, where),
      park(sql::kPark, sql::kParkedRows, {}, where),
      waiting_lanes(render_sql(sql::kWaitingLanes, where), {}),
      lock_settled(render_sql(sql::kLockSettled, where), {INT8ARRAYOID, UUIDOID}),
      still_ours(render_sql(sql::kStillOurs, where), {INT8ARRAYOID, UUIDOID}),
      settle(sql::kSettle, sql::kSettledRows, {UUIDOID}, where),
      usage(sql::kUsage, sql::kUsageRows, {}, where),
      write_parts(render_sql(sql::kWriteParts, where),
                  {INT8ARRAYOID, TIMESTAMPTZARRAYOID, INT4ARRAYOID, TEXTARRAYOID, UUIDOID}),
      remove_parts(render_sql(sql::kRemoveParts, where), {INT8ARRAYOID, TIMESTAMPTZARRAYOID}),
      sweep_parts(render_sql(sql::kSweepParts, where), {}),
      claims(render_sql(sql::kClaims, where), {}),
      lost(render_sql(sql::kLost, where), {kUuidArray, INT4OID}),
      take_over(render_sql(sql::kTakeOver, where), {kTidArray, UUIDOID}),
      take_over_orphans(render_sql(sql::kTakeOverOrphans, where), {kUuidArray, INT4OID, UUIDOID}),
      remove_orphans(render_sql(sql::kRemoveOrphans, where), {INT8ARRAYOID, TIMESTAMPTZARRAYOID, UUIDOID}),
      due(render_sql(sql::kDue, where), {TIMESTAMPTZOID, INT4OID, INT8ARRAYOID}),
      promote(render_sql(sql::kPromote, where), {kTidArray}),
      next_due(render_sql(sql::kNextDue, where), {INT8ARRAYOID}),
      backlog(render_sql(sql::kBacklog, where), {INT4OID}) {}

}  // namespace agent_queue::pg
