#include "pg/api/place_in_line.hpp"

#include "pg/api/charges.hpp"
#include "pg/api/work_announcer.hpp"
#include "pg/shared/line.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// Between two jobs of a user of weight 1.
constexpr std::int64_t kStepOfWeightOne = INT64CONST(100'000'000);  // µs

// Runs when the transaction has been rolled back.
void give_place_back(const Charge &charge) noexcept {
  shared::leave_line({.slot = static_cast<int>(charge.place), .key = charge.serial, .step = charge.amount});
}

}  // namespace

std::int64_t stand_in_line(const shared::Payer &payer, std::string_view queue, std::string_view agent_type,
                           int priority, std::int64_t now) {
  if (!payer.user) return now;
  reserve_charges(1);
  shared::Place place;
  const std::int64_t start = shared::stand_in_line(shared::Lane{lane_index(queue, agent_type)}, *payer.user, priority,
                                                   now, kStepOfWeightOne / payer.weight, place);
  if (place.slot >= 0)
    note_charge(give_place_back,
                {.place = static_cast<std::uint64_t>(place.slot), .serial = place.key, .at = 0, .amount = place.step});
  return start;
}

}  // namespace agent_queue::pg
