#include "pg/api/cancel_announcer.hpp"

#include <vector>

#include "pg/boundary/guard.hpp"
#include "pg/shared/cancels.hpp"
#include "pg/shared/waiters.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

struct Note {
  int nest_level;
  bool has_claim;
  ClaimToken claim;
  shared::CancelledCall call;
};

// The notes of inner subtransactions lie behind those of outer ones.
std::vector<Note> &notes() {
  static auto *kept = new std::vector<Note>;  // never destroyed: no order at exit
  return *kept;
}

constexpr std::size_t kNotesKept = 64;

void forget_all() noexcept {
  std::vector<Note> &all = notes();
  all.clear();
  if (all.capacity() > kNotesKept) std::vector<Note>().swap(all);
}

void on_transaction_end(XactEvent event, void *) {
  if (event == XACT_EVENT_COMMIT)
    for (const Note &note : notes()) {
      if (note.has_claim) shared::report_cancel(note.claim, note.call);
      shared::wake_waiters(MyDatabaseId, JobId{note.call.job});
    }
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT || event == XACT_EVENT_PREPARE) forget_all();
}

void on_subtransaction_end(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
  std::vector<Note> &all = notes();
  const int level = GetCurrentTransactionNestLevel();
  if (event == SUBXACT_EVENT_ABORT_SUB)
    while (!all.empty() && all.back().nest_level >= level) all.pop_back();
  if (event == SUBXACT_EVENT_COMMIT_SUB)
    for (auto note = all.rbegin(); note != all.rend() && note->nest_level >= level; ++note)
      note->nest_level = level - 1;
}

// POD only.
void register_callbacks() {
  RegisterXactCallback(on_transaction_end, nullptr);
  RegisterSubXactCallback(on_subtransaction_end, nullptr);
}

}  // namespace

void note_cancelled(JobId id, const std::optional<ClaimToken> &claim, std::int64_t started_at) {
  static bool is_registered = false;
  if (!is_registered) {
    guard(register_callbacks);
    is_registered = true;
  }
  notes().push_back(
      {GetCurrentTransactionNestLevel(), claim.has_value(), claim.value_or(ClaimToken{}), {id.value, started_at}});
}

}  // namespace agent_queue::pg
