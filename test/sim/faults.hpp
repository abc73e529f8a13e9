// What can go wrong inside a port, decided by chance or by a plan: a crash of the worker at the n-th point it passes,
// a busy store, a claim that cannot be written.
#pragma once

#include "sim/random.hpp"

namespace agent_queue::sim {

// Thrown out of a fake port in the middle of a step: the worker is dead. No std::exception, so that nobody who
// catches those can survive it.
struct SimulatedCrash {};

class Faults {
 public:
  explicit Faults(Random &random) : random_(random) {}

  int busy_percent = 0;              // of the store's transactions
  int unstorable_claim_percent = 0;  // of the rounds that claim
  int crash_countdown = 0;           // 0: no crash is planned; 1: at the next point

  void crash_point() {
    if (crash_countdown > 0 && --crash_countdown == 0) throw SimulatedCrash{};
  }
  bool is_busy() { return random_.chance(busy_percent); }
  bool is_claim_unstorable() { return random_.chance(unstorable_claim_percent); }

 private:
  Random &random_;
};

}  // namespace agent_queue::sim
