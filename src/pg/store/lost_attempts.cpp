#include "pg/store/lost_attempts.hpp"

#include <cstdint>
#include <string>
#include <utility>

#include "pg/shared/workers.hpp"
#include "pg/store/job_rows.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/uuid_text.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using Claims = std::vector<std::optional<UserId>>;  // as the uuids that the tables have

void take_over_jobs(Statements &statements, const Claims &dead, ClaimToken claim, int limit,
                    std::vector<LostAttempt> &taken) {
  DatumValue find[] = {uuid_array(dead), Int32GetDatum(limit)};
  statements.lost.run(find, nullptr, KeptPlan::Mode::read_write);
  std::vector<RowPlace> places;
  for (JobRow &row : read_job_rows()) {
    places.push_back(row.place);
    taken.push_back({std::move(row.job), row.hold, row.cache_key});
  }
  DatumValue take[] = {tid_array(places), uuid_datum(claim_bytes(claim))};
  statements.take_over.run(take, nullptr, KeptPlan::Mode::read_write);
}

// A row of kTakeOverOrphans.
LostAttempt orphan_of(const TextRow &row) {
  LostAttempt orphan;
  orphan.job.id = JobId{whole(row[0])};
  orphan.job.started_at = WallTime{Micros{whole(row[1])}};
  orphan.job.created_at = orphan.job.started_at;
  if (row[2]) orphan.job.user_id = uuid_of(*row[2]);
  orphan.job.agent_type = row[3].value_or(std::string());
  orphan.job.retry_count = static_cast<int>(whole(row[4]));
  orphan.job.request.assign(static_cast<std::size_t>(whole(row[5])), ' ');
  orphan.hold = usd_or_null(row[6]);
  return orphan;
}

void take_over_orphans(Statements &statements, const Claims &dead, ClaimToken claim, int limit,
                       std::vector<LostAttempt> &taken) {
  DatumValue values[] = {uuid_array(dead), Int32GetDatum(limit), uuid_datum(claim_bytes(claim))};
  statements.take_over_orphans.run(values, nullptr, KeptPlan::Mode::read_write);
  for (const TextRow &row : read_text_rows()) taken.push_back(orphan_of(row));
}

}  // namespace

std::vector<ClaimToken> find_dead(Statements &statements) {
  statements.claims.run(nullptr, nullptr, KeptPlan::Mode::read_only);
  std::vector<ClaimToken> dead;
  for (const ClaimToken claim : read_claims())
    if (!shared::is_alive(claim)) dead.push_back(claim);
  return dead;
}

std::vector<LostAttempt> take_over(Statements &statements, const std::vector<ClaimToken> &dead, ClaimToken claim,
                                   int limit) {
  Claims claims;
  for (const ClaimToken of_dead : dead) claims.emplace_back(claim_bytes(of_dead));
  std::vector<LostAttempt> taken;
  take_over_jobs(statements, claims, claim, limit, taken);
  take_over_orphans(statements, claims, claim, limit - static_cast<int>(taken.size()), taken);
  return taken;
}

void forget_orphans(Statements &statements, std::span<const Settlement> settlements, std::span<const SettleFate> fates,
                    ClaimToken claim) {
  std::vector<std::optional<std::int64_t>> ids, started_at;
  for (std::size_t i = 0; i < fates.size(); ++i) {
    if (fates[i] != SettleFate::orphaned) continue;
    ids.emplace_back(settlements[i].id.value);
    started_at.emplace_back(from_wall(settlements[i].started_at));
  }
  if (ids.empty()) return;
  DatumValue values[] = {int8_array(ids), timestamptz_array(started_at), uuid_datum(claim_bytes(claim))};
  statements.remove_orphans.run(values, nullptr, KeptPlan::Mode::read_write);
}

}  // namespace agent_queue::pg
