// The cheapest model that will do, and what a route "auto" comes to.
#include "core/catalog/model_choice.hpp"

#include <gtest/gtest.h>

#include "core/catalog/hold.hpp"

namespace agent_queue {
namespace {

const WallTime kAt{std::chrono::sys_days(std::chrono::year(2026) / 11 / 20)};
constexpr std::int64_t kDollar = 1'000'000'000;

struct Model {
  std::optional<Capability> capability = Capability::medium;
  bool reasoning = false;
  std::optional<std::int64_t> context_tokens = {};
  std::optional<std::int64_t> max_output_tokens = {};
};

class ModelChoiceTest : public ::testing::Test {
 protected:
  void add(const char *provider, const char *model, std::optional<std::int64_t> input,
           std::optional<std::int64_t> output, Model about = {}, WallTime from = WallTime{}) {
    catalog_.providers[provider].name = provider;
    Price price;
    if (input) price.input = PricePerMtok{*input};
    if (output) price.output = PricePerMtok{*output};
    price.valid_from = from;
    catalog_.prices.add(provider, model, price);
    catalog_.models.add(provider, model,
                        {.capability = about.capability,
                         .reasoning = about.reasoning,
                         .context_tokens = about.context_tokens,
                         .max_output_tokens = about.max_output_tokens,
                         .valid_from = from});
  }

  std::string chosen(const ModelNeeds &needs = {}, std::string_view provider = kAuto, WallTime at = kAt) const {
    const std::optional<ModelChoice> choice = choose_model(catalog_, needs, provider, at);
    return choice ? std::string(choice->target.provider) + "/" + std::string(choice->target.model) : "none";
  }

  Catalog catalog_;
};

TEST_F(ModelChoiceTest, TakesTheCheapestByThreeTokensOfOutputToFourOfInput) {
  add("a", "cheap-input", 1 * kDollar, 20 * kDollar);
  add("a", "cheap-output", 3 * kDollar, 4 * kDollar);
  EXPECT_EQ(chosen(), "a/cheap-output");
  // (4 × 3 + 3 × 4) / 7 dollars a million tokens.
  EXPECT_EQ(choose_model(catalog_, {}, kAuto, kAt)->per_1k_tokens.to_string(), "0.003428571428571");
}

TEST_F(ModelChoiceTest, TakesWhatIsCapableEnough) {
  add("a", "low", 1, 1, {.capability = Capability::low});
  add("a", "medium", 2, 2, {.capability = Capability::medium});
  add("a", "high", 3, 3, {.capability = Capability::high});
  EXPECT_EQ(chosen({.capability = Capability::low}), "a/low");
  EXPECT_EQ(chosen({.capability = Capability::medium}), "a/medium");
  EXPECT_EQ(chosen({.capability = Capability::high}), "a/high");
}

TEST_F(ModelChoiceTest, TakesADearerOneForReasoning) {
  add("a", "quick", 1, 1);
  add("a", "thinking", 2, 2, {.reasoning = true});
  EXPECT_EQ(chosen({.reasoning = true}), "a/thinking");
  EXPECT_EQ(chosen({.reasoning = false}), "a/quick");
}

TEST_F(ModelChoiceTest, NeverTakesAModelOfUnknownCapability) {
  add("a", "unknown", 1, 1, {.capability = std::nullopt});
  EXPECT_EQ(chosen({.capability = Capability::low}), "none");
}

TEST_F(ModelChoiceTest, NeverTakesAnUnknownPriceForAFreeOne) {
  add("a", "half-known", 1, std::nullopt);
  EXPECT_EQ(chosen(), "none");
  add("a", "free", 0, 0);
  EXPECT_EQ(chosen(), "a/free");
}

TEST_F(ModelChoiceTest, PassesOverProvidersThatAreDisabledOrUnknown) {
  add("a", "m", 1, 1);
  add("b", "m", 2, 2);
  add("c", "m", 1, 1);
  catalog_.providers["a"].enabled = false;
  catalog_.providers.erase("c");
  EXPECT_EQ(chosen(), "b/m");
}

TEST_F(ModelChoiceTest, StaysWithTheProviderThatIsNamed) {
  add("a", "m", 1, 1);
  add("b", "m", 2, 2);
  EXPECT_EQ(chosen({}, "b"), "b/m");
  EXPECT_EQ(chosen({}, "c"), "none");
}

TEST_F(ModelChoiceTest, GoesByThePriceOfTheTime) {
  add("a", "m", 5, 5);
  add("b", "m", 9, 9);
  add("b", "m", 1, 1, {}, kAt);
  EXPECT_EQ(chosen({}, kAuto, kAt - Micros{1}), "a/m");
  EXPECT_EQ(chosen({}, kAuto, kAt), "b/m");
}

TEST_F(ModelChoiceTest, LetsTheNameDecideAmongEquals) {
  for (const char *provider : {"c", "a", "b"})
    for (const char *model : {"z", "y"}) add(provider, model, 1, 1);
  EXPECT_EQ(chosen(), "a/y");
}

TEST_F(ModelChoiceTest, HoldsTheTokensAgainstWhatTheModelSays) {
  add("a", "m", 1, 1, {.context_tokens = 100'000, .max_output_tokens = 10'000});
  EXPECT_EQ(chosen({.output_tokens = 10'000}), "a/m");
  EXPECT_EQ(chosen({.output_tokens = 10'001}), "none");
}

TEST_F(ModelChoiceTest, HoldsTheTokensAgainstTheContext) {
  add("a", "m", 1, 1, {.context_tokens = 2000});
  EXPECT_EQ(chosen({.output_tokens = 2000}), "a/m");
  EXPECT_EQ(chosen({.output_tokens = 2001}), "none");
}

TEST_F(ModelChoiceTest, TrustsASilentModelWithWhatAllModelsWrite) {
  add("a", "m", 1, 1);
  EXPECT_EQ(chosen({.output_tokens = kOutputTokensOfAll}), "a/m");
  EXPECT_EQ(chosen({.output_tokens = kOutputTokensOfAll + 1}), "none");
}

// ---- names

TEST_F(ModelChoiceTest, FindsWhatANameMeans) {
  add("a", "m", 1, 1);
  add("b", "m", 2, 2);
  add("b", "org/m", 2, 2);
  const auto named = [this](std::string_view name) {
    std::string found;
    for (const Target &target : models_named(catalog_, name, kAt))
      found += std::string(target.provider) + ":" + std::string(target.model) + " ";
    return found;
  };
  EXPECT_EQ(named("a/m"), "a:m ");
  EXPECT_EQ(named("m"), "a:m b:m ");
  EXPECT_EQ(named("org/m"), "b:org/m ");
  EXPECT_EQ(named("b/org/m"), "b:org/m ");
  EXPECT_EQ(named("c/m"), "");
  EXPECT_EQ(named(""), "");
  add("c", "x", std::nullopt, std::nullopt);
  add("d", "x", std::nullopt, std::nullopt);
  EXPECT_EQ(named("x"), "c:x d:x ");
  add("e", "x", 1, 1);
  EXPECT_EQ(named("x"), "e:x ") << "the others have no price";
}

// ---- routes

class AutoRouteTest : public ModelChoiceTest {
 protected:
  AutoRouteTest() {
    add("a", "cheap", 1 * kDollar, 1 * kDollar);
    add("b", "dear", 10 * kDollar, 10 * kDollar);
    type_.name = "t";
    type_.max_output_tokens = 1000;
  }

  void route(const char *provider, const char *model, int position = 1) {
    type_.routes.push_back({.position = position, .provider = provider, .model = model});
  }

  std::string target() const {
    const std::optional<Target> found = choose_target(catalog_, type_, JobId{1}, 1, kAt);
    return found ? std::string(found->provider) + "/" + std::string(found->model) : "none";
  }

  AgentType type_;
};

TEST_F(AutoRouteTest, LeadsToTheCheapestOfAllProviders) {
  route("auto", "auto");
  EXPECT_EQ(target(), "a/cheap");
}

TEST_F(AutoRouteTest, LeadsToTheCheapestOfTheNamedProvider) {
  route("b", "auto");
  EXPECT_EQ(target(), "b/dear");
}

TEST_F(AutoRouteTest, RegardsWhatTheAgentTypeNeeds) {
  route("auto", "auto");
  add("c", "thinker", 20 * kDollar, 20 * kDollar,
      {.capability = Capability::high, .reasoning = true, .max_output_tokens = 50'000});
  type_.complexity = Capability::high;
  EXPECT_EQ(target(), "c/thinker");
  type_.complexity = Capability::low;
  EXPECT_EQ(target(), "a/cheap");
  type_.requires_reasoning = true;
  EXPECT_EQ(target(), "c/thinker");
  type_.requires_reasoning = false;
  type_.params = *parse_json(R"({"max_tokens": 50000})");
  EXPECT_EQ(target(), "c/thinker");
}

TEST_F(AutoRouteTest, GivesWayToTheNextPositionWhereNothingFits) {
  route("auto", "auto");
  route("b", "named", 2);
  type_.complexity = Capability::high;
  EXPECT_EQ(target(), "b/named");
}

TEST_F(AutoRouteTest, SaysWhatWasLookedFor) {
  route("auto", "auto");
  type_.complexity = Capability::high;
  type_.requires_reasoning = true;
  EXPECT_EQ(target(), "none");
  EXPECT_EQ(explain_no_target(type_),
            "agent type \"t\" has no route to an enabled provider; for model \"auto\" a model was looked for with a "
            "known price, capability high or higher, reasoning, and 1000 output tokens, of a provider that is enabled");
}

TEST_F(AutoRouteTest, IsHeldAtThePriceOfTheModelThatItComesTo) {
  route("auto", "auto");
  // 1000 bytes and 1000 tokens at a dollar a million.
  EXPECT_EQ(worst_case_hold(catalog_, type_, 1000, kAt), Usd::parse("0.002").value());
  add("a", "cheap", 20 * kDollar, 20 * kDollar, {}, kAt);
  EXPECT_EQ(worst_case_hold(catalog_, type_, 1000, kAt), Usd::parse("0.02").value());
}

TEST_F(AutoRouteTest, HoldsNothingWhereItLeadsNowhere) {
  route("auto", "auto");
  type_.complexity = Capability::high;
  EXPECT_EQ(worst_case_hold(catalog_, type_, 1000, kAt), Usd());
  route("a", "cheap", 2);
  EXPECT_EQ(worst_case_hold(catalog_, type_, 1000, kAt), Usd::parse("0.002").value());
}

}  // namespace
}  // namespace agent_queue
