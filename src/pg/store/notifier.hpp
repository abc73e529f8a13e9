// NOTIFY agent_queue for each job that ended, and for the progress of streamed ones, inside the round's transaction. A
// full notification queue never fails a settle: it is looked at first, and notifications are left out while it is
// nearly full. Regime: guarded C++.
#pragma once

#include <vector>

#include "core/base/time.hpp"
#include "pg/store/settler.hpp"

namespace agent_queue::pg {

// NOTIFY of one job in a session's transaction, as agent_queue.notify says; left out while the queue of notifications
// is nearly full, because the commit might fail.
void notify_of(const EndedJob &job);

class Notifier {
 public:
  void notify(const std::vector<EndedJob> &ended, Now now);
  // Of those parts that are to be told.
  void notify_progress(const std::vector<const StreamPart *> &parts, Now now);
  // A commit failed with "too many notifications": send none for a while.
  void on_queue_full(Now now);

 private:
  bool is_silent(Now now);

  SteadyTime silent_until_{};
  SteadyTime next_look_{};
};

}  // namespace agent_queue::pg
