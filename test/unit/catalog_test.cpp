// Questions to the configuration: lookups and the choice of a route.
#include <gtest/gtest.h>

#include <map>

#include "core/catalog/catalog.hpp"

namespace agent_queue {
namespace {

Catalog catalog_with(std::initializer_list<const char *> providers) {
  Catalog catalog;
  for (const char *name : providers) {
    catalog.providers[name].name = name;
    catalog.providers[name].enabled = true;
  }
  return catalog;
}

Route route(int position, std::string provider, int weight = 100) {
  Route made;
  made.position = position;
  made.provider = std::move(provider);
  made.weight = weight;
  return made;
}

std::string chosen(const Catalog &catalog, const AgentType &type, std::int64_t id = 1, int attempt = 1) {
  const std::optional<Target> found = choose_target(catalog, type, JobId{id}, attempt, WallTime{});
  return found ? std::string(found->provider) : "none";
}

TEST(Catalog, FindsByNameAndSaysWhatItDoesNotHave) {
  Catalog catalog = catalog_with({"a"});
  catalog.agent_types["translate"].name = "translate";
  ASSERT_NE(catalog.agent_type("translate"), nullptr);
  EXPECT_EQ(catalog.agent_type("translate")->name, "translate");
  EXPECT_EQ(catalog.agent_type("other"), nullptr);
  ASSERT_NE(catalog.provider("a"), nullptr);
  EXPECT_EQ(catalog.provider("a")->name, "a");
  EXPECT_EQ(catalog.provider("b"), nullptr);
}

TEST(Catalog, ClosesAQueueThatIsPaused) {
  Catalog catalog;
  catalog.queues["agents"].paused = true;
  EXPECT_FALSE(catalog.is_open("agents"));
  catalog.queues["agents"].paused = false;
  EXPECT_TRUE(catalog.is_open("agents"));
}

TEST(Catalog, HoldsAQueueOpenThatHasNoRow) {
  EXPECT_TRUE(Catalog().is_open("nowhere"));
}

TEST(ChooseTarget, TakesTheFirstPosition) {
  const Catalog catalog = catalog_with({"a", "b"});
  AgentType type;
  type.routes = {route(1, "a"), route(2, "b")};
  for (std::int64_t id = 0; id < 100; ++id) EXPECT_EQ(chosen(catalog, type, id), "a");
}

TEST(ChooseTarget, DoesNotDependOnTheOrderOfTheRoutes) {
  const Catalog catalog = catalog_with({"a", "b", "c"});
  AgentType type;
  type.routes = {route(2, "b"), route(1, "a"), route(3, "c")};
  for (std::int64_t id = 0; id < 100; ++id) EXPECT_EQ(chosen(catalog, type, id), "a");
}

TEST(ChooseTarget, SkipsDisabledAndUnknownProviders) {
  Catalog catalog = catalog_with({"a", "b"});
  catalog.providers["a"].enabled = false;
  AgentType type;
  type.routes = {route(1, "unknown"), route(1, "a"), route(2, "b")};
  EXPECT_EQ(chosen(catalog, type), "b");
}

TEST(ChooseTarget, SharesAPositionByWeight) {
  const Catalog catalog = catalog_with({"a", "b", "c"});
  AgentType type;
  type.routes = {route(1, "a", 10), route(1, "b", 30), route(2, "c", 1000)};
  std::map<std::string, int> counts;
  for (std::int64_t id = 0; id < 10'000; ++id) ++counts[chosen(catalog, type, id)];
  EXPECT_NEAR(counts["a"], 2500, 200);
  EXPECT_NEAR(counts["b"], 7500, 200);
  EXPECT_EQ(counts["c"], 0);
}

TEST(ChooseTarget, IsTheSameForTheSameJobAndAttempt) {
  const Catalog catalog = catalog_with({"a", "b"});
  AgentType type;
  type.routes = {route(1, "a"), route(1, "b")};
  for (std::int64_t id = 0; id < 100; ++id) EXPECT_EQ(chosen(catalog, type, id, 2), chosen(catalog, type, id, 2));
}

TEST(ChooseTarget, DrawsAnewForAnotherAttempt) {
  const Catalog catalog = catalog_with({"a", "b"});
  AgentType type;
  type.routes = {route(1, "a"), route(1, "b")};
  int changed = 0;
  for (std::int64_t id = 0; id < 1000; ++id) changed += chosen(catalog, type, id, 1) != chosen(catalog, type, id, 2);
  EXPECT_NEAR(changed, 500, 100);
}

TEST(ChooseTarget, NeverTakesARouteWithoutWeight) {
  const Catalog catalog = catalog_with({"a", "b"});
  AgentType type;
  type.routes = {route(1, "a", 0), route(1, "b", 1)};
  for (std::int64_t id = 0; id < 100; ++id) EXPECT_EQ(chosen(catalog, type, id), "b");
  type.routes = {route(1, "a", 0), route(1, "b", -1)};
  EXPECT_EQ(chosen(catalog, type), "none");
}

TEST(ChooseTarget, FindsNothingWithoutAUsableRoute) {
  EXPECT_EQ(chosen(catalog_with({"a"}), AgentType()), "none");
  Catalog catalog = catalog_with({"a"});
  catalog.providers["a"].enabled = false;
  AgentType type;
  type.routes = {route(1, "a")};
  EXPECT_EQ(chosen(catalog, type), "none");
}

}  // namespace
}  // namespace agent_queue
