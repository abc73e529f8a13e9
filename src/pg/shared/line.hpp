// Places in line: start-time fair queueing between the users of a lane. A job's place is its user's virtual start time:
// the time of its enqueue, or, where the user has jobs waiting, one step after the user's last one. So a user who
// enqueues a thousand jobs at once stands in line with the first of them, not with all, and the others' jobs go in
// between. A lane that was found empty ends the accounts: who has used an idle system owes nobody anything.
// Goyal, Vin, Cheng: Start-time Fair Queueing (1996); here virtual time is real time, so that age still wins in the
// end.
//
// Remembered for a bounded number of users; who is forgotten stands in line with the next job at once. Plain functions,
// no errors. Tested in sql/fairness.sql.
#pragma once

#include <cstdint>

#include "core/base/ids.hpp"
#include "pg/shared/lanes.hpp"

namespace agent_queue::pg::shared {

// To be given back with leave_line().
struct Place {
  int slot = -1;
  std::uint64_t key = 0;
  std::int64_t step = 0;
};

// The place of a job that is enqueued at `now` (TimestampTz), in a line of its own for each priority; `step`: how far
// apart the user's jobs stand, in microseconds. Never before `now`, at most an hour after it.
std::int64_t stand_in_line(Lane lane, const UserId &user, int priority, std::int64_t now, std::int64_t step,
                           Place &place);
// The job was not enqueued after all.
void leave_line(const Place &place);

// A claim has found nothing more in the lane.
void note_drained(Lane lane);

}  // namespace agent_queue::pg::shared
