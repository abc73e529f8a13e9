#include <gtest/gtest.h>

#include "core/catalog/limits.hpp"

namespace agent_queue {
namespace {

Usd usd(std::string_view text) {
  return *Usd::parse(text);
}

Catalog two_tiers() {
  Catalog catalog;
  Tier free;
  free.allowance = {.daily_requests = 100,
                    .cost = {.daily = usd("0.10"), .monthly = usd("2")},
                    .concurrency = {},
                    .weight = 100,
                    .is_unlimited = false};
  free.limits.emplace("translate", RateLimit{.max_requests = 20});
  Tier team = free;
  team.limits.emplace("*", RateLimit{.max_requests = 7, .window = std::chrono::seconds(30)});
  Tier boss;
  boss.allowance.is_unlimited = true;
  boss.limits.emplace("translate", RateLimit{.max_requests = 1});
  catalog.tiers.emplace("free", free);
  catalog.tiers.emplace("team", team);
  catalog.tiers.emplace("boss", boss);
  return catalog;
}

TEST(Allowance, IsThatOfFreeWithoutARow) {
  const auto allowance = allowance_of(two_tiers(), nullptr);
  ASSERT_TRUE(allowance);
  EXPECT_EQ(allowance->daily_requests, 100);
  EXPECT_EQ(allowance->cost.daily, usd("0.10"));
}

TEST(Allowance, OfATierThatDoesNotExistIsNone) {
  UserRules rules;
  rules.tier = "gold";
  EXPECT_FALSE(allowance_of(two_tiers(), &rules));
}

TEST(Allowance, OfTheUserWinsOverTheTiers) {
  UserRules rules;
  rules.tier = "free";
  rules.daily_cost = usd("7.5");
  rules.on_limit = OnLimit::park;
  rules.concurrency = 3;
  const auto allowance = allowance_of(two_tiers(), &rules);
  ASSERT_TRUE(allowance);
  EXPECT_EQ(allowance->cost.daily, usd("7.5"));
  EXPECT_EQ(allowance->cost.monthly, usd("2"));
  EXPECT_EQ(allowance->cost.on_limit, OnLimit::park);
  EXPECT_EQ(allowance->concurrency, 3);
  EXPECT_EQ(allowance->daily_requests, 100);
}

TEST(RateLimit, IsTheEndpointsThenTheStarsThenTenAMinute) {
  const Catalog catalog = two_tiers();
  EXPECT_EQ(rate_limit_of(catalog, "free", "translate")->max_requests, 20);
  EXPECT_EQ(*rate_limit_of(catalog, "free", "poem"),
            (RateLimit{.max_requests = 10, .window = std::chrono::seconds(60)}));
  EXPECT_EQ(*rate_limit_of(catalog, "team", "poem"),
            (RateLimit{.max_requests = 7, .window = std::chrono::seconds(30)}));
  EXPECT_EQ(*rate_limit_of(catalog, "gold", "poem"), RateLimit{});
  EXPECT_FALSE(rate_limit_of(catalog, "boss", "translate"));
}

TEST(OnLimit, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(on_limit_of("park"), OnLimit::park);
  EXPECT_EQ(on_limit_of("throttle"), OnLimit::throttle);
  EXPECT_EQ(on_limit_of("alert"), OnLimit::alert);
  EXPECT_EQ(on_limit_of("refuse"), OnLimit::refuse);
  EXPECT_EQ(on_limit_of("?"), OnLimit::refuse);
}

}  // namespace
}  // namespace agent_queue
