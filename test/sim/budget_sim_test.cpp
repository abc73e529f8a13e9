// Goal: no order of claims, settles, faults and changes of the configuration spends more than a hard budget allows,
// forgets a hold, or lets a job wait for ever. Method: months of many users, each from one seed (see
// budget_simulation.hpp), judged by the committed rows after every commit.
//
//   AQ_SIM_SEEDS=n        how many seeds (default 10), from AQ_SIM_FIRST_SEED (default 1)
//   AQ_SIM_SEED=n         that seed alone
#include <gtest/gtest.h>

#include <cstdlib>

#include "sim/budget_simulation.hpp"

namespace agent_queue::sim {
namespace {

std::uint64_t env_number(const char *name, std::uint64_t otherwise) {
  const char *text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

TEST(BudgetSim, SpendsNoMoreThanIsAllowed) {
  const bool is_single = std::getenv("AQ_SIM_SEED") != nullptr;
  const std::uint64_t first = is_single ? env_number("AQ_SIM_SEED", 1) : env_number("AQ_SIM_FIRST_SEED", 1);
  const std::uint64_t count = is_single ? 1 : env_number("AQ_SIM_SEEDS", 10);
  for (std::uint64_t seed = first; seed < first + count && !HasFailure(); ++seed) {
    BudgetSimulation simulation(seed);
    simulation.run();
    for (const std::string &problem : simulation.problems())
      ADD_FAILURE() << "seed " << seed << " (replay: AQ_SIM_SEED=" << seed
                    << " ./sim_tests --gtest_filter='BudgetSim.*'): " << problem;
  }
}

// A simulation in which nothing happens proves nothing.
TEST(BudgetSim, IsBusyAndUnderPressure) {
  BudgetCounters sum;
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    BudgetSimulation simulation(seed);
    simulation.run();
    const BudgetCounters &one = simulation.counters();
    for (int BudgetCounters::*counter :
         {&BudgetCounters::begun, &BudgetCounters::parked, &BudgetCounters::held, &BudgetCounters::concurrency,
          &BudgetCounters::refused, &BudgetCounters::aborted, &BudgetCounters::rescued, &BudgetCounters::orphaned,
          &BudgetCounters::adopted, &BudgetCounters::deaths, &BudgetCounters::kills, &BudgetCounters::changes,
          &BudgetCounters::set_back})
      sum.*counter += one.*counter;
  }
  EXPECT_GT(sum.begun, 8000);
  EXPECT_GT(sum.parked, 1000);
  EXPECT_GT(sum.held, 100);
  EXPECT_GT(sum.concurrency, 100);
  EXPECT_GT(sum.refused, 1000);
  EXPECT_GT(sum.aborted, 1000);
  EXPECT_GT(sum.rescued, 100);
  EXPECT_GT(sum.orphaned, 100);
  EXPECT_GT(sum.adopted, 100);
  EXPECT_GT(sum.deaths, 100);
  EXPECT_GT(sum.kills, 20);
  EXPECT_GT(sum.changes, 100);
  EXPECT_GT(sum.set_back, 5);
}

}  // namespace
}  // namespace agent_queue::sim
