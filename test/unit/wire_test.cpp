// JSON and text from outside. Each test gives bytes as providers or attackers may send them.
#include <gtest/gtest.h>

#include <chrono>

#include "core/wire/json_read.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

using namespace std::chrono_literals;
using namespace std::string_literals;
using namespace std::string_view_literals;

std::string nested(int depth) {
  return std::string(depth, '[') + std::string(depth, ']');
}

// ---- parse_json

TEST(ParseJson, ReadsAnObject) {
  const Result<Json> json = parse_json(R"({"a": [1, 2.5, "x", null, true]})");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ((*json)["a"].size(), 5U);
}

TEST(ParseJson, RefusesWhatIsNoJsonAndSaysWhere) {
  const Result<Json> json = parse_json(R"({"a": x})");
  ASSERT_FALSE(json.ok());
  EXPECT_EQ(json.error().kind, ErrorKind::invalid_input);
  EXPECT_EQ(json.error().message, "text is not valid JSON (at byte 7)");
}

TEST(ParseJson, RefusesEmptyAndTruncatedText) {
  for (const char *text : {"", " ", "{", "[1,", "\"abc", "{\"a\":", "{\"a\"", "\"\\", "1 2", "// x\n1"})
    EXPECT_FALSE(parse_json(text).ok()) << text;
}

TEST(ParseJson, AcceptsTheDeepestAllowedNesting) {
  EXPECT_TRUE(parse_json(nested(kJsonDepthMax)).ok());
  const Result<Json> deeper = parse_json(nested(kJsonDepthMax + 1));
  ASSERT_FALSE(deeper.ok());
  EXPECT_EQ(deeper.error().kind, ErrorKind::too_large);
}

TEST(ParseJson, RefusesAMillionBracketsWithoutExhaustingTheStack) {
  EXPECT_FALSE(parse_json(std::string(1'000'000, '[')).ok());
  std::string objects;
  for (int i = 0; i < 100'000; ++i) objects += "{\"a\":";
  EXPECT_FALSE(parse_json(objects).ok());
}

TEST(ParseJson, CountsNoBracketsInsideOfStrings) {
  EXPECT_TRUE(parse_json("\"" + std::string(1000, '[') + "\"").ok());
  EXPECT_TRUE(parse_json("[\"\\\"" + std::string(1000, '{') + "\\\\\"]").ok());
}

TEST(ParseJson, CountsBracketsAfterAStringThatEndsWithABackslash) {
  EXPECT_FALSE(parse_json("[\"\\\\\"," + nested(1000) + "]").ok());
}

TEST(ParseJson, RefusesBrokenUtf8) {
  EXPECT_FALSE(parse_json("\"\xFF\"").ok());
  EXPECT_FALSE(parse_json("\"\xC0\x80\"").ok());
  EXPECT_FALSE(parse_json("\"\xED\xA0\x80\"").ok());
  EXPECT_TRUE(parse_json("\"\xE2\x82\xAC\"").ok());
}

TEST(ParseJson, LetsTheLastOfEqualKeysWin) {
  EXPECT_EQ(json_int(*parse_json(R"({"a": 1, "a": 2})"), "a"), 2);
}

TEST(ParseJson, RefusesNumbersBeyondADouble) {
  EXPECT_FALSE(parse_json("1e999").ok());
}

TEST(ParseJsonLeniently, ReplacesBrokenUtf8) {
  const Result<Json> json = parse_json_leniently("{\"a\": \"x\xFFy\"}");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json_string(*json, "a"), "x\xEF\xBF\xBDy");
}

TEST(ParseJsonLeniently, ReplacesLoneSurrogates) {
  for (const char *text : {R"({"a": "x\ud83dy"})", R"({"a": "x\uDE00y"})"}) {
    const Result<Json> json = parse_json_leniently(text);
    ASSERT_TRUE(json.ok()) << text;
    EXPECT_EQ(json_string(*json, "a"), "x\xEF\xBF\xBDy");
  }
}

TEST(ParseJsonLeniently, KeepsSurrogatePairsAndEscapedBackslashes) {
  const Result<Json> json = parse_json_leniently("{\"a\": \"\\ud83d\\ude00 \\\\ud83d \\ud83d\xFF\"}");
  ASSERT_TRUE(json.ok());
  EXPECT_EQ(json_string(*json, "a"), "\xF0\x9F\x98\x80 \\ud83d \xEF\xBF\xBD\xEF\xBF\xBD");
}

TEST(ParseJsonLeniently, StillRefusesWhatIsNoJson) {
  for (const char *text : {"", "{\"a\": \"x\xFF", "\\", "\"\\u12", "<html>"})
    EXPECT_FALSE(parse_json_leniently(text).ok()) << text;
}

TEST(CleanJson, ReplacesNulInEachStringAndKey) {
  Json json = *parse_json(R"({"a\u0000b": ["x\u0000", {"c": "\u0000"}], "d": 1})");
  clean_json(json);
  EXPECT_EQ(dump_json(json),
            "{\"a\xEF\xBF\xBD"
            "b\":[\"x\xEF\xBF\xBD\",{\"c\":\"\xEF\xBF\xBD\"}],\"d\":1}");
}

TEST(CleanJson, LeavesCleanJsonAsItIs) {
  Json json = *parse_json(R"({"a": ["x", {"c": "\n"}], "d": 1.5})");
  const Json before = json;
  clean_json(json);
  EXPECT_EQ(json, before);
}

TEST(DumpJson, IsCompactAndReplacesBrokenUtf8) {
  EXPECT_EQ(dump_json(Json{{"a", {1, 2}}}), R"({"a":[1,2]})");
  EXPECT_EQ(dump_json(Json("x\xFF")), "\"x\xEF\xBF\xBD\"");
}

TEST(JsonAccess, GivesNothingForAWrongTypeOrAMissingKey) {
  const Json json = *parse_json(R"({"s": "x", "n": 1, "o": {}})");
  EXPECT_EQ(json_member(json, "none"), nullptr);
  EXPECT_EQ(json_member(Json(5), "s"), nullptr);
  EXPECT_EQ(json_member(Json(Json::value_t::discarded), "s"), nullptr);
  EXPECT_EQ(json_string(json, "n"), "");
  EXPECT_EQ(json_string(json, "s"), "x");
  EXPECT_EQ(json_int(json, "s"), std::nullopt);
  EXPECT_EQ(json_int(json, "none"), std::nullopt);
}

TEST(JsonAccess, ReadsWholeNumbersOnly) {
  const Json json = *parse_json(R"({"a": 12.0, "b": 12.5, "c": -3, "d": 18446744073709551615, "e": 1e30,
                                    "f": 9223372036854775807, "g": -9223372036854775808, "h": 9223372036854775808.0})");
  EXPECT_EQ(json_int(json, "a"), 12);
  EXPECT_EQ(json_int(json, "b"), std::nullopt);
  EXPECT_EQ(json_int(json, "c"), -3);
  EXPECT_EQ(json_int(json, "d"), std::nullopt);
  EXPECT_EQ(json_int(json, "e"), std::nullopt);
  EXPECT_EQ(json_int(json, "f"), INT64_MAX);
  EXPECT_EQ(json_int(json, "g"), INT64_MIN);
  EXPECT_EQ(json_int(json, "h"), std::nullopt);
}

// ---- clean_text

constexpr const char *kReplaced = "\xEF\xBF\xBD";

TEST(CleanText, LeavesCleanTextAsItIs) {
  for (const std::string_view text :
       {""sv, "plain ASCII, longer than eight bytes"sv, "\x01\x7F"sv,
        "\xC2\x80 \xE0\xA0\x80 \xED\x9F\xBF \xEE\x80\x80 \xF0\x90\x80\x80 \xF4\x8F\xBF\xBF"sv}) {
    EXPECT_TRUE(is_clean_text(text));
    EXPECT_EQ(clean_text(text), text);
  }
}

TEST(CleanText, ReplacesNulAtEachPosition) {
  for (std::size_t i = 0; i < 20; ++i) {
    std::string text(20, 'x');
    text[i] = '\0';
    EXPECT_FALSE(is_clean_text(text));
    EXPECT_EQ(clean_text(text), std::string(i, 'x') + kReplaced + std::string(19 - i, 'x'));
  }
}

TEST(CleanText, ReplacesEachBrokenSequenceOnce) {
  const std::pair<std::string_view, std::string> cases[] = {
      {"\xFF"sv, kReplaced},
      {"\x80"sv, kReplaced},
      {"\xE2\x82"sv, kReplaced},                                           // cut short
      {"\xE2\x82x"sv, kReplaced + "x"s},                                   // cut short by another character
      {"\xF0\x9F\x98"sv, kReplaced},                                       // an emoji cut short
      {"\xC0\x80"sv, kReplaced + std::string(kReplaced)},                  // overlong NUL
      {"\xED\xA0\x80"sv, kReplaced + std::string(kReplaced) + kReplaced},  // a surrogate
      {"\xF4\x90\x80\x80"sv, kReplaced + std::string(kReplaced) + kReplaced + kReplaced},  // beyond U+10FFFF
      {"\xE0\x80\xAF"sv, kReplaced + std::string(kReplaced) + kReplaced},                  // overlong
  };
  for (const auto &[raw, expected] : cases) {
    EXPECT_FALSE(is_clean_text(raw));
    EXPECT_EQ(clean_text(raw), expected);
  }
}

TEST(CleanText, CutsAtTheBoundWithAnEllipsis) {
  EXPECT_EQ(clean_text("0123456789", 10), "0123456789");
  EXPECT_EQ(clean_text("0123456789a", 10), "0123456\xE2\x80\xA6");
}

TEST(CleanText, CutsOnACharacterBoundary) {
  const std::string euros = "\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC\xE2\x82\xAC";
  EXPECT_EQ(clean_text(euros, 12), euros);
  EXPECT_EQ(clean_text(euros, 11), "\xE2\x82\xAC\xE2\x82\xAC\xE2\x80\xA6");
  EXPECT_EQ(clean_text(euros, 8), "\xE2\x82\xAC\xE2\x80\xA6");
}

TEST(CleanText, NeverPassesABoundHoweverSmall) {
  const std::string raw = "ab\xFF\xE2\x82\xAC\0cdefgh"s;
  for (std::size_t bound = 0; bound <= 30; ++bound) {
    const std::string text = clean_text(raw, bound);
    EXPECT_LE(text.size(), bound);
    EXPECT_TRUE(is_clean_text(text));
  }
}

TEST(CleanText, CountsReplacementsAgainstTheBound) {
  EXPECT_EQ(clean_text("\xFF\xFF\xFF\xFF"sv, 6), kReplaced + "\xE2\x80\xA6"s);
}

// ---- redact

TEST(Redact, TakesOutTheSecretWhereverItIs) {
  EXPECT_EQ(redact("abcdefgh x abcdefgh", "abcdefgh"), "[redacted] x [redacted]");
}

TEST(Redact, IgnoresSecretsTooShortToBeOne) {
  EXPECT_EQ(redact("a cat sat", "a"), "a cat sat");
  EXPECT_EQ(redact("a cat sat", ""), "a cat sat");
}

TEST(Redact, TakesOutBearerTokens) {
  EXPECT_EQ(redact("authorization: Bearer abc123def", ""), "authorization: Bearer [redacted]");
  EXPECT_EQ(redact("BEARER eyJhbGciOiJIUzI1NiJ9.e30.x-y_z= is bad", ""), "BEARER [redacted] is bad");
}

TEST(Redact, LeavesProseAboutBearersAlone) {
  for (const char *text :
       {"Missing bearer or basic authentication in header.", "the bearer token is missing", "bearer"})
    EXPECT_EQ(redact(text, ""), text);
}

TEST(Redact, TakesOutApiKeys) {
  EXPECT_EQ(redact("Incorrect API key provided: sk-abcd****wxyz.", ""), "Incorrect API key provided: [redacted]");
  EXPECT_EQ(redact("GET /v1?key=AIzaSyD-9tSrke72&x=1", ""), "GET /v1?key=[redacted]&x=1");
  EXPECT_EQ(redact("api_key=0123456789abcdef", ""), "api_key=[redacted]");
}

TEST(Redact, LeavesWordsThatLookAlikeAlone) {
  for (const char *text : {"a task-force-of-many", "disk-controller-failure", "sk-1", "key=5", "monkeys eat key=s"})
    EXPECT_EQ(redact(text, ""), text);
}

TEST(Redact, TakesTextThatIsNotThere) {
  EXPECT_EQ(redact({}, "abcdefgh"), "");
}

TEST(Redact, StaysLinearOnHostileText) {
  std::string hostile;
  for (int i = 0; i < 200'000; ++i) hostile += "bearer ";
  const auto start = std::chrono::steady_clock::now();
  redact(hostile, std::string(50, 'b') + "earer ");
  redact(std::string(2'000'000, 'a'), std::string(1000, 'a') + "b");
  EXPECT_LT(std::chrono::steady_clock::now() - start, 5s);
}

}  // namespace
}  // namespace agent_queue
