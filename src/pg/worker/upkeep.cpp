#include "pg/worker/upkeep.hpp"

#include <algorithm>

#include "pg/worker/pg_clock.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kWait{std::chrono::seconds(1)};  // while something is in the way

}  // namespace

Upkeep::Upkeep(shared::DatabaseOid database, Log &log)
    : store_(database, log),
      expiry_(store_),
      retention_(store_),
      usage_(store_),
      fold_(store_),
      cache_(store_),
      turns_{Turn{&expiry_}, Turn{&retention_}, Turn{&usage_}, Turn{&fold_}, Turn{&cache_}} {}

SteadyTime Upkeep::Turn::next() const {
  return is_in_pass ? rest_until : std::max(rest_until, task->next_pass());
}

SteadyTime Upkeep::next() const {
  SteadyTime first = turns_.front().next();
  for (const Turn &turn : turns_) first = std::min(first, turn.next());
  return first;
}

bool Upkeep::run_due(Now now, Load load) {
  Turn &turn =
      *std::min_element(turns_.begin(), turns_.end(), [](const Turn &a, const Turn &b) { return a.next() < b.next(); });
  if (turn.next() > now.steady) return false;
  turn.is_in_pass = true;  // also after a cancel, which ends the slice and not the pass
  const UpkeepTask::Report report = turn.task->run_slice(now);
  turn.is_in_pass = report.next != UpkeepTask::Report::Next::pass_is_over;

  const SteadyTime after = read_clocks().steady;
  const Micros took = after - now.steady;
  Micros rest = rest_after(took, load, report.has_changed ? SliceKind::changed : SliceKind::looked);
  if (report.next == UpkeepTask::Report::Next::wait) rest = std::max(rest, kWait);
  if (report.next == UpkeepTask::Report::Next::go_on) turn.task->note_time(took);
  turn.rest_until = after + rest;
  return true;
}

}  // namespace agent_queue::pg
