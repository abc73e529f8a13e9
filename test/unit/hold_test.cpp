// Goal: no attempt can cost more than its hold. Method: one kind of cost a test.
#include "core/catalog/hold.hpp"

#include <gtest/gtest.h>

namespace agent_queue {
namespace {

const WallTime kAt{std::chrono::sys_days(std::chrono::year(2026) / 11 / 20)};

Price price(std::int64_t input_dollars, std::int64_t output_dollars) {
  Price made;
  made.input = PricePerMtok{input_dollars * 1'000'000'000};
  made.output = PricePerMtok{output_dollars * 1'000'000'000};
  made.valid_from = WallTime{};
  return made;
}

Catalog priced_catalog() {
  Catalog catalog;
  catalog.prices.add("p", "cheap", price(1, 2));
  catalog.prices.add("p", "dear", price(10, 20));
  return catalog;
}

AgentType type_with(std::initializer_list<const char *> models) {
  AgentType type;
  type.system_prompt = std::string(100, 's');
  type.template_bytes = 50;
  type.max_output_tokens = 1000;
  for (const char *model : models) type.routes.push_back({.provider = "p", .model = model});
  return type;
}

Target target_of(const AgentType &type) {
  return {type.routes[0].provider, type.routes[0].model};
}

Usd usd(const char *text) {
  return *Usd::parse(text);
}

TEST(Hold, CountsEveryByteOfThePrompt) {
  AgentType type = type_with({"cheap"});
  EXPECT_EQ(prompt_bytes_bound(type, 850), 1000u);
  type.params = *parse_json(R"({"tools":[1]})");
  EXPECT_EQ(prompt_bytes_bound(type, 850), 1013u) << "tools are sent, and billed as input";
}

TEST(Hold, IsBytesAsInputAndTheBoundAsOutput) {
  // 1000 bytes at 1 $ and 1000 tokens at 2 $ a million.
  EXPECT_EQ(worst_case_hold(priced_catalog(), type_with({"cheap"}), 850, kAt), usd("0.003"));
}

TEST(Hold, TakesTheDearestRoute) {
  EXPECT_EQ(worst_case_hold(priced_catalog(), type_with({"cheap", "dear"}), 850, kAt), usd("0.03"));
}

TEST(Hold, IsUnknownWhereOneRouteHasNoPrice) {
  EXPECT_FALSE(worst_case_hold(priced_catalog(), type_with({"cheap", "unknown"}), 850, kAt).has_value());
}

TEST(Hold, IsNothingWithoutARoute) {
  EXPECT_EQ(worst_case_hold(priced_catalog(), type_with({}), 850, kAt), Usd());
}

TEST(Hold, FollowsTheBoundInParamsBecauseThatIsSent) {
  AgentType type = type_with({"cheap"});
  type.params = *parse_json(R"({"max_tokens":100000})");
  const Estimate estimate = estimate_attempt(priced_catalog(), type, target_of(type), 850, kAt);
  EXPECT_EQ(estimate.usage.output, 100000);
  type.params = *parse_json(R"({"max_tokens":null})");
  EXPECT_EQ(estimate_attempt(priced_catalog(), type, target_of(type), 850, kAt).usage.output, 1000);
}

TEST(Hold, MultipliesTheOutputByTheChoicesThatAreAskedFor) {
  AgentType type = type_with({"cheap"});
  type.params = *parse_json(R"({"n":3})");
  EXPECT_EQ(estimate_attempt(priced_catalog(), type, target_of(type), 850, kAt).usage.output, 3000);
}

TEST(Hold, FollowsTheBoundsAndChoicesInTheShapesOfOtherFormats) {
  for (const char *params :
       {R"({"generationConfig": {"maxOutputTokens": 4000}})", R"({"options": {"num_predict": 4000}})",
        R"({"num_predict": 4000})", R"({"generationConfig": {"candidateCount": 4}})"}) {
    AgentType type = type_with({"cheap"});
    type.params = *parse_json(params);
    EXPECT_EQ(estimate_attempt(priced_catalog(), type, target_of(type), 0, kAt).cost,
              worst_case_cost(static_cast<std::int64_t>(prompt_bytes_bound(type, 0)), 4000,
                              priced_catalog().prices.find("p", "cheap", kAt)))
        << params;
  }
}

TEST(Hold, IsUnknownWhereOllamaIsToldToHaveNoBound) {
  AgentType type = type_with({"cheap"});
  type.params = *parse_json(R"({"options": {"num_predict": -1}})");
  EXPECT_EQ(worst_case_hold(priced_catalog(), type, 0, kAt), std::nullopt);
}

TEST(Hold, CountsAFieldAsOftenAsTheTemplateSaysIt) {
  AgentType type = type_with({"cheap"});
  type.prompt_template = *TextTemplate::parse("{{text}} and again {{text}}");
  EXPECT_EQ(prompt_bytes_bound(type, 850), 1700 + type.system_prompt.size() + type.template_bytes);
}

TEST(Hold, IsUnknownWhereNothingBoundsTheOutput) {
  AgentType type = type_with({"cheap"});
  type.max_output_tokens = 0;
  EXPECT_FALSE(worst_case_hold(priced_catalog(), type, 850, kAt).has_value());
  type.max_output_tokens = 1000;
  type.params = *parse_json(R"({"max_tokens":"many"})");
  EXPECT_FALSE(worst_case_hold(priced_catalog(), type, 850, kAt).has_value());
}

TEST(Hold, SurvivesAbsurdNumbers) {
  AgentType type = type_with({"dear"});
  type.params = *parse_json(R"({"max_tokens":9000000000000000000,"n":9000000000000000000})");
  const auto hold = worst_case_hold(priced_catalog(), type, 850, kAt);
  ASSERT_TRUE(hold.has_value());
  EXPECT_GT(*hold, usd("1000000000"));
}

}  // namespace
}  // namespace agent_queue
