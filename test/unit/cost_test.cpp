// Prices by date and exact costs. Costs are compared as decimals, with real prices.
#include <gtest/gtest.h>

#include <limits>

#include "core/cost/price.hpp"

namespace agent_queue {
namespace {

constexpr std::int64_t kManyTokens = std::numeric_limits<std::int64_t>::max();

PricePerMtok mtok(std::string_view text) {
  return *PricePerMtok::parse(text);
}

WallTime at(int seconds) {
  return WallTime(std::chrono::seconds(seconds));
}

Price full_price() {
  Price price;
  price.input = mtok("5");
  price.cached_input = mtok("0.5");
  price.cache_write = mtok("6.25");
  price.output = mtok("30");
  return price;
}

std::string text_of(const std::optional<Usd> &usd) {
  return usd ? usd->to_string() : "unknown";
}

TEST(PricePerMtok, ReadsNanoDollars) {
  EXPECT_EQ(mtok("0.15").nano_usd, 150'000'000);
  EXPECT_EQ(mtok("0.000000001").nano_usd, 1);
  EXPECT_EQ(mtok("0").nano_usd, 0);
  EXPECT_EQ(mtok("9000000000").nano_usd, 9'000'000'000'000'000'000);
}

TEST(PricePerMtok, RefusesWhatIsNoPrice) {
  for (const char *text : {"", "-1", "-0", "1e3", "0.0000000001", "9000000000.000000001", "99999999999999999999", "x"})
    EXPECT_FALSE(PricePerMtok::parse(text).ok()) << text;
}

TEST(PriceTable, FindsThePriceThatIsValidAtTheTime) {
  PriceTable table;
  Price price = full_price();
  price.valid_from = at(200);
  price.output = mtok("2");
  table.add("openai", "gpt", price);
  price.valid_from = at(100);
  price.output = mtok("1");
  table.add("openai", "gpt", price);
  ASSERT_NE(table.find("openai", "gpt", at(150)), nullptr);
  EXPECT_EQ(table.find("openai", "gpt", at(150))->output->nano_usd, mtok("1").nano_usd);
  EXPECT_EQ(table.find("openai", "gpt", at(100))->output->nano_usd, mtok("1").nano_usd);
  EXPECT_EQ(table.find("openai", "gpt", at(200))->output->nano_usd, mtok("2").nano_usd);
  EXPECT_EQ(table.find("openai", "gpt", at(99)), nullptr);
}

TEST(PriceTable, EndsAPriceAtItsValidTo) {
  PriceTable table;
  Price price = full_price();
  price.valid_from = at(100);
  price.valid_to = at(200);
  table.add("openai", "gpt", price);
  EXPECT_NE(table.find("openai", "gpt", at(199)), nullptr);
  EXPECT_EQ(table.find("openai", "gpt", at(200)), nullptr);
}

TEST(PriceTable, FallsBackToAnOlderPriceWhenALaterOneHasEnded) {
  PriceTable table;
  Price price = full_price();
  price.valid_from = at(100);
  table.add("openai", "gpt", price);
  price.valid_from = at(200);
  price.valid_to = at(300);
  table.add("openai", "gpt", price);
  ASSERT_NE(table.find("openai", "gpt", at(400)), nullptr);
  EXPECT_EQ(table.find("openai", "gpt", at(400))->valid_from, at(100));
}

TEST(PriceTable, KeepsProvidersAndModelsApart) {
  PriceTable table;
  table.add("a", "bc", full_price());
  EXPECT_EQ(table.find("ab", "c", at(1)), nullptr);
  EXPECT_EQ(table.find("a", "b", at(1)), nullptr);
  EXPECT_EQ(table.find("b", "bc", at(1)), nullptr);
  EXPECT_NE(table.find("a", "bc", at(1)), nullptr);
}

TEST(CostOf, SumsEachPartAtItsOwnPrice) {
  const Price price = full_price();
  const Usage usage{.input = 214, .cache_read = 1536, .cache_write = 256, .output = 300, .reasoning = 192};
  EXPECT_EQ(text_of(cost_of(usage, &price)), "0.012438");
}

TEST(CostOf, BillsWritesForAnHourAtTheirOwnPrice) {
  Price price;
  price.input = mtok("4");
  price.cache_write = mtok("5");
  const Usage usage{.cache_write = 1'000'000, .cache_write_1h = 400'000};
  EXPECT_EQ(text_of(cost_of(usage, &price)), "5") << "as other writes where they have no price";
  price.cache_write_1h = mtok("8");
  EXPECT_EQ(text_of(cost_of(usage, &price)), "6.2");
  EXPECT_EQ(text_of(worst_case_cost(1'000'000, 0, &price)), "8");
}

TEST(CostOf, IsExactForASingleTokenAtTheSmallestPrice) {
  Price price;
  price.output = mtok("0.000000001");
  EXPECT_EQ(text_of(cost_of(Usage{.output = 1}, &price)), "0.000000000000001");
}

TEST(CostOf, BillsCachedTokensAsInputWhereTheyHaveNoPrice) {
  Price price;
  price.input = mtok("2");
  EXPECT_EQ(text_of(cost_of(Usage{.cache_read = 1'000'000}, &price)), "2");
  EXPECT_EQ(text_of(cost_of(Usage{.cache_write = 500'000}, &price)), "1");
}

TEST(CostOf, IsUnknownWithoutAPrice) {
  EXPECT_EQ(text_of(cost_of(Usage{}, nullptr)), "unknown");
}

TEST(CostOf, IsUnknownWhereAPartThatHasTokensHasNoPrice) {
  Price price;
  price.input = mtok("2");
  EXPECT_EQ(text_of(cost_of(Usage{.input = 1, .output = 1}, &price)), "unknown");
  price = Price{};
  price.output = mtok("2");
  EXPECT_EQ(text_of(cost_of(Usage{.input = 1, .output = 1}, &price)), "unknown");
  EXPECT_EQ(text_of(cost_of(Usage{.cache_read = 1}, &price)), "unknown");
}

TEST(CostOf, NeedsNoPriceForPartsWithoutTokens) {
  Price price;
  price.input = mtok("2");
  EXPECT_EQ(text_of(cost_of(Usage{.input = 1'000'000}, &price)), "2");
}

TEST(CostOf, OfAFreeModelIsZeroAndNotUnknown) {
  Price price;
  price.input = mtok("0");
  price.output = mtok("0");
  EXPECT_EQ(text_of(cost_of(Usage{.input = 5, .output = 5}, &price)), "0");
}

TEST(CostOf, SaturatesInsteadOfOverflowing) {
  Price price;
  price.input = price.output = mtok("9000000000");
  const Usage usage{.input = kManyTokens, .cache_read = kManyTokens, .cache_write = kManyTokens, .output = kManyTokens};
  EXPECT_TRUE(cost_of(usage, &price)->femto() == std::numeric_limits<__int128>::max());
}

TEST(CostOf, TakesNegativeTokensAsNone) {
  const Price price = full_price();
  EXPECT_EQ(text_of(cost_of(Usage{.input = -5, .output = -5}, &price)), "0");
}

TEST(WorstCaseCost, TakesTheDearestOfTheInputPrices) {
  Price price = full_price();
  EXPECT_EQ(text_of(worst_case_cost(1'000'000, 100'000, &price)), "9.25");
  price.cached_input = mtok("7");
  EXPECT_EQ(text_of(worst_case_cost(1'000'000, 0, &price)), "7");
  price = Price{};
  price.input = mtok("3");
  price.output = mtok("1");
  EXPECT_EQ(text_of(worst_case_cost(1'000'000, 1'000'000, &price)), "4");
}

TEST(WorstCaseCost, IsUnknownWhereAPriceIs) {
  Price price = full_price();
  price.output.reset();
  EXPECT_EQ(text_of(worst_case_cost(1, 1, &price)), "unknown");
  price = full_price();
  price.input.reset();
  EXPECT_EQ(text_of(worst_case_cost(1, 1, &price)), "unknown");
  EXPECT_EQ(text_of(worst_case_cost(1, 1, nullptr)), "unknown");
}

TEST(WorstCaseCost, IsNeverBelowTheCostOfTheSameTokens) {
  const Price price = full_price();
  for (const Usage &usage : {Usage{.input = 1000, .output = 10}, Usage{.cache_read = 1000, .output = 10},
                             Usage{.cache_write = 1000, .output = 10}})
    EXPECT_GE(*worst_case_cost(1000, 10, &price), *cost_of(usage, &price));
}

TEST(WorstCaseCost, SaturatesInsteadOfOverflowing) {
  Price price;
  price.input = price.output = mtok("9000000000");
  EXPECT_GT(*worst_case_cost(kManyTokens, kManyTokens, &price), Usd());
}

}  // namespace
}  // namespace agent_queue
