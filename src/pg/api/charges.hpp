// What the running transaction has charged in shared memory, by subtransaction: given back when it, or the savepoint,
// is rolled back, and for good when it commits. A prepared transaction keeps its charges whatever becomes of it: the
// session that ends it does not know of them. Whoever charges something says with a function how it is given back.
// Regime: guarded C++; the callbacks are plain and allocate nothing. Tested in sql/rate_limits.sql.
#pragma once

#include <cstdint>

namespace agent_queue::pg {

// One charge, in the words of whoever made it. Charges that differ by their amount only are noted as one.
struct Charge {
  std::uint64_t place = 0;
  std::uint64_t serial = 0;
  std::int64_t at = 0;
  std::int64_t amount = 0;

  bool is_like(const Charge &other) const { return place == other.place && serial == other.serial && at == other.at; }
};

// Runs in the callbacks of a transaction's end: plain, no errors. `charge.amount` is what comes back.
using GiveBack = void (*)(const Charge &charge) noexcept;

// Makes room for so many notes: before anything is charged. Throws.
void reserve_charges(int count);

// After the charge was made. There must be room.
void note_charge(GiveBack give_back, const Charge &charge) noexcept;

// Gives back at once, of what was noted in this subtransaction, the amount of `part`.
void return_charge(GiveBack give_back, const Charge &part) noexcept;

}  // namespace agent_queue::pg
