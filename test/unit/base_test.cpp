// Money, mixing and maps by name. Money is tested by round trips and at the ends of its range, because every cost
// that users see passes through it.
#include <gtest/gtest.h>

#include <set>

#include "core/base/mix.hpp"
#include "core/base/name_map.hpp"
#include "core/base/usd.hpp"

namespace agent_queue {
namespace {

constexpr __int128 kFemto = 1'000'000'000'000'000;
constexpr const char *kHighest = "170141183460469231731687.303715884105727";
constexpr const char *kLowest = "-170141183460469231731687.303715884105728";

std::string round_trip(std::string_view text) {
  const Result<Usd> usd = Usd::parse(text);
  return usd.ok() ? usd->to_string() : "refused";
}

TEST(Usd, ReadsWholeDollars) {
  EXPECT_TRUE(Usd::parse("12")->femto() == 12 * kFemto);
}

TEST(Usd, ReadsTheSmallestUnit) {
  EXPECT_TRUE(Usd::parse("0.000000000000001")->femto() == 1);
}

TEST(Usd, ReadsNegativeAmounts) {
  EXPECT_TRUE(Usd::parse("-3.5")->femto() == -3 * kFemto - kFemto / 2);
}

TEST(Usd, WritesTheShortestExactDecimal) {
  EXPECT_EQ(round_trip("12.50"), "12.5");
  EXPECT_EQ(round_trip("0.0001285"), "0.0001285");
  EXPECT_EQ(round_trip("100"), "100");
  EXPECT_EQ(round_trip("10.010"), "10.01");
  EXPECT_EQ(round_trip("-2"), "-2");
  EXPECT_EQ(round_trip("-0.5"), "-0.5");
}

TEST(Usd, WritesZeroWithoutSign) {
  EXPECT_EQ(round_trip("0.000"), "0");
  EXPECT_EQ(round_trip("-0"), "0");
}

TEST(Usd, KeepsBothEndsOfItsRange) {
  EXPECT_EQ(round_trip(kHighest), kHighest);
  EXPECT_EQ(round_trip(kLowest), kLowest);
}

TEST(Usd, RefusesWhatLiesBeyondItsRange) {
  EXPECT_EQ(round_trip("170141183460469231731687.303715884105728"), "refused");
  EXPECT_EQ(round_trip("-170141183460469231731687.303715884105729"), "refused");
  EXPECT_EQ(round_trip(std::string(400, '9')), "refused");
}

TEST(Usd, RefusesMoreThanFifteenDecimals) {
  EXPECT_EQ(round_trip("0.0000000000000010"), "refused");
}

TEST(Usd, RefusesWhatIsNoPlainDecimal) {
  for (const char *text : {"", "-", ".", ".5", "5.", "1e3", "+1", " 1", "1 ", "1,5", "--1", "1.2.3", "NaN", "0x1"})
    EXPECT_EQ(round_trip(text), "refused") << text;
}

TEST(Usd, SaysWhatIsExpectedWhenItRefuses) {
  const Result<Usd> usd = Usd::parse("abc");
  ASSERT_FALSE(usd.ok());
  EXPECT_EQ(usd.error().kind, ErrorKind::invalid_input);
  EXPECT_FALSE(usd.error().hint.empty());
}

TEST(Usd, AddsAndSubtractsExactly) {
  const Usd a = *Usd::parse("0.1");
  const Usd b = *Usd::parse("0.2");
  EXPECT_EQ((a + b).to_string(), "0.3");
  EXPECT_EQ((a - b).to_string(), "-0.1");
  EXPECT_LT(a, b);
}

TEST(Mix, GivesTheReferenceValuesOfSplitmix64) {
  EXPECT_EQ(mix(0), 0xe220a8397b1dcdafU);
  EXPECT_EQ(mix(1234567), 0x599ed017fb08fc85U);
}

TEST(Mix, TellsNeighboursApart) {
  std::set<std::uint64_t> seen;
  for (std::uint64_t a = 0; a < 100; ++a)
    for (std::uint64_t b = 0; b < 100; ++b) seen.insert(mix(a, b));
  EXPECT_EQ(seen.size(), 10'000U);
}

TEST(NameMap, FindsByAViewThatIsPartOfALargerText) {
  NameMap<int> map;
  map["openai"] = 7;
  const std::string_view text = "provider openai!";
  ASSERT_NE(find_name(map, text.substr(9, 6)), nullptr);
  EXPECT_EQ(*find_name(map, text.substr(9, 6)), 7);
  EXPECT_EQ(find_name(map, text), nullptr);
}

}  // namespace
}  // namespace agent_queue
