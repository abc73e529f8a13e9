// The oracle about money: knows every call that was made, how it ended and who heard of it, and so can say for each
// settlement and each usage row whether it tells the truth. Broken rules become problems, each a sentence.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/base/ids.hpp"
#include "core/base/time.hpp"
#include "core/job/job.hpp"

namespace agent_queue::sim {

enum class AnswerKind {
  good,
  good_without_usage,
  refused,             // 4xx that no repetition mends
  rate_limited_timed,  // 429 with Retry-After
  rate_limited,        // 429 without
  server_error,        // 5xx, perhaps with Retry-After
  broken_before,       // nothing was sent
  garbage,             // 200 that nobody understands
  broken_after,        // sent, no whole answer
  timed_out,           // sent, no answer in time
  cancelled_before,    // broken off because the job was cancelled; nothing was sent
  cancelled_after,     // the same, sent
  error_event,         // a stream that tells of an error after its first tokens
};
const char *answer_kind_name(AnswerKind kind);
// The attempt was billed, or may have been.
bool is_billed(AnswerKind kind);

// retry_agent() gives a job another life, in which attempts count from 1 again.
struct AttemptKey {
  std::int64_t job = 0;
  int attempt = 0;
  int life = 0;

  auto operator<=>(const AttemptKey &) const = default;
};

struct CallRecord {
  AnswerKind kind = AnswerKind::good;
  std::uint64_t worker = 0;
  bool delivered = false;              // the engine has seen the end
  bool settled = false;                // its settlement was committed
  bool lost = false;                   // the worker died before that
  bool has_spoken = false;             // cancelled when its stream had begun to come: its usage may be known
  std::optional<WallTime> not_before;  // the provider's appointment, once delivered
};

class Problems {
 public:
  void add(std::string sentence) { sentences_.push_back(std::move(sentence)); }
  const std::vector<std::string> &sentences() const { return sentences_; }

 private:
  std::vector<std::string> sentences_;
};

class CallLedger {
 public:
  explicit CallLedger(Problems &problems) : problems_(problems) {}

  void on_submit(AttemptKey key, std::uint64_t worker, AnswerKind planned);
  void on_delivered(AttemptKey key, std::optional<WallTime> not_before);
  void on_crash(std::uint64_t worker);
  void on_removed(JobId id, int life) { removed_.insert({id.value, life}); }  // deleted or cancelled by a user
  void on_cancelled(AttemptKey key, bool is_sent, bool has_spoken);           // its call was broken off

  // A settlement of a job that is still its worker's; `local`: the answer came from inside the worker.
  void on_settle(const Settlement &settlement, AttemptKey key, int max_retries, bool local);
  // The usage of a settlement whose job is not its worker's any more.
  void on_orphan(const Settlement &settlement, AttemptKey key) const;
  // That settlement is committed, with usage or without.
  void on_orphan_settled(AttemptKey key);
  // The job of a dead worker has a new owner, who is to settle that attempt as uncertain.
  void on_rescue(AttemptKey key);
  bool was_removed(JobId id, int life) const { return removed_.contains({id.value, life}); }

  // After the end of all work: every call that was or may have been billed is in `accounted`.
  void check_complete(const std::set<AttemptKey> &accounted) const;

  std::uint64_t calls() const { return calls_; }
  std::uint64_t cancelled() const { return cancelled_; }

 private:
  void check_rescued(const Settlement &settlement, AttemptKey key, bool local) const;
  void check_answered(const Settlement &settlement, const CallRecord &call, AttemptKey key, int max_retries);
  void problem(AttemptKey key, const std::string &what) const;

  Problems &problems_;
  std::map<AttemptKey, CallRecord> records_;  // the latest call of each attempt
  std::set<AttemptKey> rescued_;
  std::set<std::pair<std::int64_t, int>> removed_;
  std::uint64_t calls_ = 0;
  std::uint64_t cancelled_ = 0;
};

}  // namespace agent_queue::sim
