// One text for all spellings of a JSON value: numbers, members, Unicode, and what is refused.
#include <gtest/gtest.h>

#include "core/cache/canonical_json.hpp"
#include "core/cache/number_text.hpp"

namespace agent_queue {
namespace {

std::string canonical(std::string_view json) {
  const Result<std::string> text = canonical_json(json);
  return text.ok() ? *text : "error: " + text.error().message;
}

constexpr const char *kComposed = "\xC3\xA9";     // é in one letter
constexpr const char *kDecomposed = "e\xCC\x81";  // e and an accent

TEST(CanonicalNumber, GivesAllSpellingsOfAValueOneText) {
  for (const char *one : {"1", "1.0", "1e0", "1E+0", "10e-1", "0.1e1", "0.001e3", "1.000", "1000e-3", "1e-0"})
    EXPECT_EQ(canonical_number(one), "1") << one;
  for (const char *zero : {"0", "-0", "0.0", "-0.00", "0e5", "-0e-99999999999999999999"})
    EXPECT_EQ(canonical_number(zero), "0") << zero;
  for (const char *number : {"-1200", "-1.2e3", "-12e2", "-0.0012E6", "-120000e-2"})
    EXPECT_EQ(canonical_number(number), "-12e2") << number;
}

TEST(CanonicalNumber, TellsValuesApartThatADoubleDoesNot) {
  EXPECT_EQ(canonical_number("0.1"), "1e-1");
  EXPECT_EQ(canonical_number("0.10000000000000000001"), "10000000000000000001e-20");
  EXPECT_EQ(canonical_number("9007199254740993"), "9007199254740993");
  EXPECT_EQ(canonical_number("9007199254740993.5"), "90071992547409935e-1");
}

TEST(CanonicalNumber, CountsExponentsOfAnySize) {
  EXPECT_EQ(canonical_number("1e999999999999999999"), "1e999999999999999999");
  EXPECT_EQ(canonical_number("10e999999999999999999"), "1e1000000000000000000");
  EXPECT_EQ(canonical_number("0.1e1000000000000000000"), "1e999999999999999999");
  EXPECT_EQ(canonical_number("1e0000000000000000000000000007"), "1e7");
  EXPECT_EQ(canonical_number("100e99999999999999999999999"), "1e100000000000000000000001");
  EXPECT_EQ(canonical_number("0.01e100000000000000000000001"), "1e99999999999999999999999");
  EXPECT_EQ(canonical_number("100e-100000000000000000000001"), "1e-99999999999999999999999");
  EXPECT_EQ(canonical_number("0.01e-99999999999999999999999"), "1e-100000000000000000000001");
}

TEST(CanonicalNumber, KeepsEveryDigitOfALongOne) {
  const std::string digits = std::string(399, '7') + "1";
  EXPECT_EQ(canonical_number(digits), digits);
  EXPECT_EQ(canonical_number(digits + "000.000"), digits + "e3");
  EXPECT_EQ(canonical(digits), digits);
  EXPECT_NE(canonical(digits), canonical(std::string(399, '7') + "2"));
}

TEST(CanonicalJson, IgnoresOrderOfMembersAndWhiteSpace) {
  EXPECT_EQ(canonical("{\"b\" : [ 1 , true,null ],\n\"a\":\t{\"d\":\"x\",\"c\":false}}"),
            R"({"a":{"c":false,"d":"x"},"b":[1,true,null]})");
  EXPECT_NE(canonical("[1,2]"), canonical("[2,1]"));
  EXPECT_EQ(canonical("{}"), "{}");
  EXPECT_EQ(canonical(" [] "), "[]");
}

TEST(CanonicalJson, SpellsNumbersByTheirValue) {
  EXPECT_EQ(canonical(R"({"a":[1.0,-0.0,1e2,100,1.5,-7,1E400]})"), R"({"a":[1,0,1e2,1e2,15e-1,-7,1e400]})");
  EXPECT_EQ(canonical("18446744073709551615"), "18446744073709551615");
  EXPECT_EQ(canonical("18446744073709551616"), "18446744073709551616");
  EXPECT_EQ(canonical("-9223372036854775808"), "-9223372036854775808");
  EXPECT_EQ(canonical("-9223372036854775809"), "-9223372036854775809");
  EXPECT_EQ(canonical("1e-99999999999999999999999"), "1e-99999999999999999999999");
}

TEST(CanonicalJson, TellsANumberFromTheStringOfItsDigits) {
  EXPECT_NE(canonical("1"), canonical("\"1\""));
  EXPECT_NE(canonical("1.5"), canonical("\"15e-1\""));
  EXPECT_NE(canonical("1.5"), canonical(R"({"bytes":[49,53,101,45,49],"subtype":null})"));
}

TEST(CanonicalJson, SpellsEscapesOneWay) {
  EXPECT_EQ(canonical(R"("\u0041\/\n\u00e9\ud83d\ude00\"\\")"), "\"A/\\n\xC3\xA9\xF0\x9F\x98\x80\\\"\\\\\"");
  EXPECT_EQ(canonical(R"("\u0001")"), R"("\u0001")");
}

TEST(CanonicalJson, ComposesStringsAndNames) {
  EXPECT_EQ(canonical(std::string("{\"caf") + kDecomposed + "\":\"" + kDecomposed + "\"}"),
            std::string("{\"caf") + kComposed + "\":\"" + kComposed + "\"}");
  EXPECT_EQ(canonical(R"("e\u0301")"), std::string("\"") + kComposed + "\"");
}

TEST(CanonicalJson, LetsTheLaterOfTwoEqualNamesHold) {
  EXPECT_EQ(canonical(R"({"a":1,"a":2})"), R"({"a":2})");
  EXPECT_EQ(canonical(R"({"a":{"b":1},"a":{"c":2}})"), R"({"a":{"c":2}})");
  EXPECT_EQ(canonical(R"({"a":[1,2],"a":[]})"), R"({"a":[]})");
  const std::string composed_last = std::string("{\"") + kDecomposed + "\":1,\"" + kComposed + "\":2}";
  const std::string decomposed_last = std::string("{\"") + kComposed + "\":1,\"" + kDecomposed + "\":2}";
  EXPECT_EQ(canonical(composed_last), std::string("{\"") + kComposed + "\":2}");
  EXPECT_EQ(canonical(decomposed_last), canonical(composed_last));
}

TEST(CanonicalJson, OrdersNamesByTheirBytes) {
  EXPECT_EQ(canonical("{\"\xC3\xA9\":1,\"z\":2,\"aa\":3,\"b\":4,\"\":5}"),
            "{\"\":5,\"aa\":3,\"b\":4,\"z\":2,\"\xC3\xA9\":1}");
}

TEST(CanonicalJson, RefusesWhatIsNoJson) {
  for (const char *broken : {"",
                             "{",
                             "[1",
                             "1.2.3",
                             "01",
                             "1.",
                             "-",
                             "1-2",
                             ".5",
                             "1e",
                             "+1",
                             "[1 2]",
                             "nul",
                             "1,2",
                             "\"\\ud800\"",
                             "\"\xC3\"",
                             "{\"a\":1e400,}",
                             "{1:2}",
                             "--1",
                             "0x10"})
    EXPECT_TRUE(canonical(broken).starts_with("error: text is not valid JSON")) << broken << " " << canonical(broken);
}

TEST(CanonicalJson, TakesTheDepthThatTheParserTakes) {
  const auto nested = [](int depth) {
    return std::string(static_cast<std::size_t>(depth), '[') + std::string(static_cast<std::size_t>(depth), ']');
  };
  EXPECT_EQ(canonical(nested(kJsonDepthMax)), nested(kJsonDepthMax));
  EXPECT_EQ(canonical(nested(kJsonDepthMax + 1)), "error: JSON is nested deeper than 128 levels");
}

TEST(CanonicalJson, IsAFixedPoint) {
  for (const char *json : {R"({"b":[1.50,"\u00e9",{}],"a":-12000})", "1e400", R"(["\u212b","\u0344","\uac00\u11a8"])"})
    EXPECT_EQ(canonical(canonical(json)), canonical(json)) << json;
}

TEST(TakeNumbers, LeavesStringsAndWhatIsNoNumber) {
  const NumberText taken = take_numbers(R"({"a1":"2\"3","b":-4.5e6,"c":[7,1.2.3]})");
  EXPECT_EQ(taken.rest, R"({"a1":"2\"3","b":0,"c":[0,1.2.3]})");
  EXPECT_EQ(taken.numbers, (std::vector<std::string_view>{"-4.5e6", "7"}));
}

TEST(NormalizeText, ComposesWhatIsAboveLatin) {
  EXPECT_EQ(normalize_text("plain"), "plain");
  EXPECT_EQ(normalize_text(kComposed), kComposed);
  EXPECT_EQ(normalize_text(kDecomposed), kComposed);
  EXPECT_EQ(normalize_text("\xE1\x84\x80\xE1\x85\xA1"), "\xEA\xB0\x80");                    // Hangul
  EXPECT_EQ(normalize_text("\xE2\x84\xAB"), "\xC3\x85");                                    // the angstrom sign
  EXPECT_EQ(normalize_text("a\xCC\xA3\xCC\x82"), normalize_text("a\xCC\x82\xCC\xA3"));      // the order of two accents
  EXPECT_EQ(normalize_text(std::string("e\0\xCC\x81", 4)), std::string("e\0\xCC\x81", 4));  // NUL is a letter
}

TEST(NormalizeText, LeavesBytesThatAreNoUtf8) {
  for (const char *broken : {"\xFF", "e\xCC\x81\xFF", "\xED\xA0\x80", "\xC3"})
    EXPECT_EQ(normalize_text(broken), broken);
}

}  // namespace
}  // namespace agent_queue
