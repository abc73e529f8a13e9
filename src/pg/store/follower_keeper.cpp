#include "pg/store/follower_keeper.hpp"

#include "pg/shared/lanes.hpp"
#include "pg/store/answer_cache_sql.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/uuid_text.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

void append(std::vector<LaneKey> &all, std::vector<LaneKey> more) {
  all.insert(all.end(), std::make_move_iterator(more.begin()), std::make_move_iterator(more.end()));
}

// Followers carry the ordinary key, also of one that is being refreshed.
DatumValue followers_key(JobCacheKey key) {
  key.kind = JobCacheKey::Kind::ordinary;
  return bytea_datum(pack(key));
}

}  // namespace

FollowerKeeper::Statements::Statements(const Installation &where)
    : followers(render_sql(sql::kFollowers, where), {TIMESTAMPTZOID, BYTEAOID, INT4OID}),
      promote(render_sql(sql::kPromoteFollower, where), {TIMESTAMPTZOID, BYTEAOID, INT4OID}),
      release(render_sql(sql::kReleaseFollowers, where), {}) {}

void FollowerKeeper::open(const Installation &where) {
  if (statements_ != nullptr && statements_of_ == where.extension && statements_in_ == where.schema_quoted) return;
  statements_ = std::make_unique<Statements>(where);
  statements_of_ = where.extension;
  statements_in_ = where.schema_quoted;
}

std::vector<Follower> FollowerKeeper::find() {
  const LeadEnd &end = ends_.front();
  DatumValue values[] = {TimestampTzGetDatum(from_wall(end.until)), followers_key(end.key), Int32GetDatum(kBatch)};
  statements_->followers.run(values, nullptr, KeptPlan::Mode::read_write);
  std::vector<Follower> followers;
  for (const TextRow &row : read_text_rows()) {
    Follower follower;
    follower.job = JobId{whole(row[0])};
    if (row[1]) follower.user = uuid_of(*row[1]);
    follower.agent_type = row[2].value_or("");
    follower.attempt = static_cast<int>(whole(row[3])) + 1;
    followers.push_back(std::move(follower));
  }
  return followers;
}

int FollowerKeeper::promote() {
  const LeadEnd &end = ends_.front();
  DatumValue values[] = {TimestampTzGetDatum(from_wall(end.until)), followers_key(end.key),
                         Int32GetDatum(end.has_no_answer ? kBatch : 1)};
  statements_->promote.run(values, nullptr, KeptPlan::Mode::read_write);
  std::vector<LaneKey> lanes = read_lane_keys();
  const int count = static_cast<int>(lanes.size());
  append(woken_, std::move(lanes));
  return count;
}

void FollowerKeeper::release_old() {
  if (!shared::take_old_followers(database_)) return;
  has_taken_old_ = true;
  statements_->release.run(nullptr, nullptr, KeptPlan::Mode::read_write);
  append(woken_, read_lane_keys());
}

void FollowerKeeper::on_commit() {
  for (const LaneKey &lane : woken_)
    shared::offer(shared::find_lane(database_, lane.lane.queue, lane.lane.agent_type), lane.claim_key);
  if (!woken_.empty()) shared::announce_work(database_);
  if (is_finished_) ends_.pop_front();
  has_looked_ = true;
  woken_.clear();
  is_finished_ = has_taken_old_ = false;
}

void FollowerKeeper::give_up() {
  has_looked_ = true;
  if (!ends_.empty()) ends_.pop_front();
}

void FollowerKeeper::on_abort() {
  if (has_taken_old_) shared::leave_old_followers(database_);
  woken_.clear();
  is_finished_ = has_taken_old_ = false;
}

}  // namespace agent_queue::pg
