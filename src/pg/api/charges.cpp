#include "pg/api/charges.hpp"

#include <algorithm>
#include <cassert>
#include <vector>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

struct Note {
  GiveBack give_back;
  int nest_level;
  Charge charge;

  bool is_like(const Note &other) const {
    return give_back == other.give_back && nest_level == other.nest_level && charge.is_like(other.charge);
  }
};

// The notes of inner subtransactions lie behind those of outer ones.
std::vector<Note> &notes() {
  static auto *kept = new std::vector<Note>;  // never destroyed: no order at exit
  return *kept;
}

constexpr std::size_t kNotesKept = 64;

// How far back a like note is looked for: rows of one statement charge the same few things in turn.
constexpr std::size_t kLookBack = 8;

void forget_all() noexcept {
  std::vector<Note> &all = notes();
  all.clear();
  if (all.capacity() > kNotesKept) std::vector<Note>().swap(all);
}

void give_back_from(std::size_t first) noexcept {
  std::vector<Note> &all = notes();
  for (std::size_t i = first; i < all.size(); ++i) all[i].give_back(all[i].charge);
  all.resize(first);
}

std::size_t first_of_level(int level) noexcept {
  const std::vector<Note> &all = notes();
  std::size_t first = all.size();
  while (first > 0 && all[first - 1].nest_level >= level) --first;
  return first;
}

void on_transaction_end(XactEvent event, void *) {
  switch (event) {
    case XACT_EVENT_ABORT:
      give_back_from(0);
      forget_all();
      break;
    case XACT_EVENT_COMMIT:
    case XACT_EVENT_PREPARE:
      forget_all();
      break;
    default:
      break;
  }
}

void on_subtransaction_end(SubXactEvent event, SubTransactionId, SubTransactionId, void *) {
  if (notes().empty()) return;
  const int level = GetCurrentTransactionNestLevel();
  const std::size_t first = first_of_level(level);
  if (event == SUBXACT_EVENT_ABORT_SUB) give_back_from(first);
  if (event == SUBXACT_EVENT_COMMIT_SUB)
    for (std::size_t i = first; i < notes().size(); ++i) notes()[i].nest_level = level - 1;
}

// POD only.
void register_callbacks() {
  RegisterXactCallback(on_transaction_end, nullptr);
  RegisterSubXactCallback(on_subtransaction_end, nullptr);
}

}  // namespace

void reserve_charges(int count) {
  static bool is_registered = false;
  if (!is_registered) {
    guard(register_callbacks);
    is_registered = true;
  }
  std::vector<Note> &all = notes();
  const std::size_t wanted = all.size() + static_cast<std::size_t>(count);
  if (all.capacity() < wanted) all.reserve(std::max(2 * all.capacity(), wanted));
}

void note_charge(GiveBack give_back, const Charge &charge) noexcept {
  std::vector<Note> &all = notes();
  const Note note{give_back, GetCurrentTransactionNestLevel(), charge};
  const auto last = all.rbegin() + static_cast<std::ptrdiff_t>(std::min(kLookBack, all.size()));
  const auto like = std::find_if(all.rbegin(), last, [&](const Note &other) { return other.is_like(note); });
  if (like != last) {
    like->charge.amount += charge.amount;
    return;
  }
  assert(all.size() < all.capacity());
  all.push_back(note);
}

void return_charge(GiveBack give_back, const Charge &part) noexcept {
  std::vector<Note> &all = notes();
  const Note wanted{give_back, GetCurrentTransactionNestLevel(), part};
  const auto found = std::find_if(all.rbegin(), all.rend(), [&](const Note &note) { return note.is_like(wanted); });
  if (found == all.rend()) return;
  Charge returned = part;
  returned.amount = std::min(part.amount, found->charge.amount);
  give_back(returned);
  found->charge.amount -= returned.amount;
  if (found->charge.amount == 0) all.erase(std::next(found).base());
}

}  // namespace agent_queue::pg
