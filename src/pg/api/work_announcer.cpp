#include "pg/api/work_announcer.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "core/base/name_map.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/databases.hpp"
#include "pg/shared/lanes.hpp"
#include "pg/shared/workers.hpp"
#include "pg/store/config_cache.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// Beside the lanes of shared memory (0 and up; -1: the table of lanes is full) four subjects that are no lanes.
constexpr int kSomeLane = -1;
constexpr int kConfiguration = -2;
constexpr int kExtension = -3;
constexpr int kDelayed = -4;  // claim_key: the earliest run_at

// One a subject and subtransaction: as many as a transaction has lanes, not as many as it has jobs.
struct Note {
  int subject;
  int nest_level;
  std::int64_t claim_key;  // of a lane: the lowest
};

// The notes of inner subtransactions lie behind those of outer ones.
std::vector<Note> &notes() {
  static auto *kept = new std::vector<Note>;  // never destroyed: no order at exit
  return *kept;
}

constexpr std::size_t kNotesKept = 64;

// What the commit of the running transaction has yet to do when its invalidations are sent.
bool wake_all_is_due = false;
bool launcher_call_is_due = false;

void forget_all() noexcept {
  std::vector<Note> &all = notes();
  all.clear();
  if (all.capacity() > kNotesKept) std::vector<Note>().swap(all);
}

void announce_all() noexcept {
  bool has_work = false;
  for (const Note &note : notes()) {
    if (note.subject >= 0) shared::offer(shared::Lane{note.subject}, note.claim_key);
    if (note.subject >= kSomeLane || note.subject == kDelayed) has_work = true;
    if (note.subject == kDelayed) shared::offer_due(MyDatabaseId, note.claim_key);
    if (note.subject == kConfiguration) wake_all_is_due = true;
    if (note.subject == kExtension) launcher_call_is_due = true;
  }
  if (has_work) shared::announce_work(MyDatabaseId);
  forget_all();
}

void on_transaction_end(XactEvent event, void *) {
  switch (event) {
    case XACT_EVENT_COMMIT:
      announce_all();
      break;
    case XACT_EVENT_ABORT:
    case XACT_EVENT_PREPARE:
      forget_all();
      break;
    default:
      break;
  }
}

// At XACT_EVENT_COMMIT the relcache invalidations are not sent yet: a worker that was woken there would look, see
// nothing new and sleep again. They are sent when the last phase of the release of resources is reached.
void on_resource_release(ResourceReleasePhase phase, bool is_commit, bool is_top_level, void *) {
  if (phase != RESOURCE_RELEASE_AFTER_LOCKS || !is_commit || !is_top_level) return;
  if (wake_all_is_due) shared::announce_change(MyDatabaseId);
  if (launcher_call_is_due) {
    shared::set_presence(MyDatabaseId, shared::Presence::unknown);  // to be probed anew
    shared::call_launcher();
  }
  wake_all_is_due = false;
  launcher_call_is_due = false;
}

std::size_t first_of_level(int level) noexcept {
  const std::vector<Note> &all = notes();
  std::size_t first = all.size();
  while (first > 0 && all[first - 1].nest_level >= level) --first;
  return first;
}

Note *find_note(std::size_t from, std::size_t to, int subject) noexcept {
  const auto begin = notes().begin();
  const auto end = begin + static_cast<std::ptrdiff_t>(to);
  const auto found = std::find_if(begin + static_cast<std::ptrdiff_t>(from), end,
                                  [subject](const Note &note) { return note.subject == subject; });
  return found == end ? nullptr : &*found;
}

// The subtransaction's notes become its parent's, in place: nothing is allocated in a callback.
void hand_to_parent(int level) noexcept {
  std::vector<Note> &all = notes();
  const std::size_t own = first_of_level(level);
  const std::size_t parents = first_of_level(level - 1);
  std::size_t end = own;
  for (std::size_t i = own; i < all.size(); ++i) {
    if (Note *same = find_note(parents, end, all[i].subject))
      same->claim_key = std::min(same->claim_key, all[i].claim_key);
    else
      all[end++] = Note{all[i].subject, level - 1, all[i].claim_key};
  }
  all.resize(end);
}

void on_subtransaction_end(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
  if (notes().empty()) return;
  const int level = GetCurrentTransactionNestLevel();
  if (event == SUBXACT_EVENT_COMMIT_SUB) hand_to_parent(level);
  if (event == SUBXACT_EVENT_ABORT_SUB) notes().resize(first_of_level(level));
}

// POD only.
void register_callbacks() {
  RegisterXactCallback(on_transaction_end, nullptr);
  RegisterSubXactCallback(on_subtransaction_end, nullptr);
  RegisterResourceReleaseCallback(on_resource_release, nullptr);
}

void note(int subject, std::int64_t claim_key) {
  static bool is_registered = false;
  if (!is_registered) {
    guard(register_callbacks);
    is_registered = true;
  }
  const int level = GetCurrentTransactionNestLevel();
  if (Note *same = find_note(first_of_level(level), notes().size(), subject))
    same->claim_key = std::min(same->claim_key, claim_key);
  else
    notes().push_back(Note{subject, level, claim_key});
}

}  // namespace

// Lanes never move, so this process keeps what it has found: looking one up walks the table.
int lane_index(std::string_view queue, std::string_view agent_type) {
  static auto *kept = new NameMap<NameMap<int>>;
  const NameMap<int> *of_queue = find_name(*kept, queue);
  if (of_queue != nullptr)
    if (const int *known = find_name(*of_queue, agent_type)) return *known;
  const int index = shared::find_lane(MyDatabaseId, queue, agent_type).index;
  (*kept)[std::string(queue)].emplace(agent_type, index);
  return index;
}

void note_job(std::string_view queue, std::string_view agent_type, std::int64_t claim_key) {
  note(lane_index(queue, agent_type), claim_key);
}

void note_delayed_job(std::int64_t run_at) {
  note(kDelayed, run_at);
}

void note_config_change() {
  note(kConfiguration, 0);
}

void note_extension_change() {
  note(kExtension, 0);
}

}  // namespace agent_queue::pg

// The trigger of the configuration tables: AFTER … FOR EACH STATEMENT, or FOR EACH ROW where no statement triggers are
// fired (a subscriber of logical replication).
AQ_SQL_FUNCTION(aq_config_changed) {
  using namespace agent_queue::pg;
  if (!CALLED_AS_TRIGGER(fcinfo))
    raise(sqlstate("39P01"), {.message = "aq_config_changed was not called as a trigger", .detail = {}, .hint = {}});
  const auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
  invalidate_catalog(RelationGetRelid(trigger->tg_relation));
  note_config_change();
  return PointerGetDatum(nullptr);
}

// The trigger of agent_users. Nobody is woken: the rows are read again when they are next needed.
AQ_SQL_FUNCTION(aq_users_changed) {
  using namespace agent_queue::pg;
  if (!CALLED_AS_TRIGGER(fcinfo))
    raise(sqlstate("39P01"), {.message = "aq_users_changed was not called as a trigger", .detail = {}, .hint = {}});
  const auto *trigger = reinterpret_cast<const TriggerData *>(fcinfo->context);
  invalidate_catalog(RelationGetRelid(trigger->tg_relation));
  return PointerGetDatum(nullptr);
}
