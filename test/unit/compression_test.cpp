// Shorter prompts: what goes, and what has to stay.
#include "core/prompt/compression.hpp"

#include <gtest/gtest.h>

#include <random>

#include "core/prompt/letters.hpp"
#include "core/prompt/protected_text.hpp"

namespace agent_queue {
namespace {

const Phrasebook &phrases() {
  static const Phrasebook book = [] {
    Phrasebook made;
    for (const char *filler : {"please", "it is important that", "it is important", "keep in mind that", "Por favor",
                               "Es importante que", "Asegúrate de"})
      made.add(filler, "");
    made.add("information", "info");
    made.add("description", "desc");
    made.add("información", "info");
    made.add("descripción", "desc");
    made.add("for the purpose of", "for");
    return made;
  }();
  return book;
}

std::string compressed(std::string_view text) {
  const std::string once = compress_text(text, phrases());
  EXPECT_EQ(compress_text(once, phrases()), once) << "not idempotent: " << text;
  return once;
}

void expect_unchanged(std::string_view text) {
  EXPECT_EQ(compressed(text), text);
}

// ---- letters

TEST(Letters, KnowTheTwoCasesOfLatin1) {
  EXPECT_EQ(in_lower_case("ASEGÚRATE Ñ ß ÿ ×"), "asegúrate ñ ß ÿ ×");
  EXPECT_EQ(in_upper_case("información ÷ ÿ"), "INFORMACIÓN ÷ ÿ");
}

TEST(Letters, CountsCodePoints) {
  EXPECT_EQ(count_letters("año €"), 5u);
}

// ---- fillers

TEST(Compression, TakesFillersOutAndTidiesTheBlanksThere) {
  EXPECT_EQ(compressed("Could you please translate this?"), "Could you translate this?");
  EXPECT_EQ(compressed("two  blanks  stay please  but here"), "two  blanks  stay but here");
}

TEST(Compression, GivesTheCapitalOfASentenceToItsNextWord) {
  EXPECT_EQ(compressed("Please translate this."), "Translate this.");
  EXPECT_EQ(compressed("Asegúrate de traducirlo. Por favor, élite."), "Traducirlo. Élite.");
  EXPECT_EQ(compressed("Por favor 3 frases"), "3 frases");
  EXPECT_EQ(compressed("and Please go"), "and go");
}

TEST(Compression, KeepsTheCapitalWhereFillersFollowEachOther) {
  EXPECT_EQ(compressed("Please keep in mind that it is late. Por favor please, go."), "It is late. Go.");
  EXPECT_EQ(compressed("Please please please check."), "Check.");
  EXPECT_EQ(compressed("Por favor información."), "Info.");
}

TEST(Compression, TakesTheCommaOfAFiller) {
  EXPECT_EQ(compressed("Please, translate."), "Translate.");
  EXPECT_EQ(compressed("Translate this, please."), "Translate this.");
  EXPECT_EQ(compressed("Translate this please"), "Translate this");
}

TEST(Compression, LeavesAFillerThatSaysASentenceAlone) {
  expect_unchanged("Please.");
  expect_unchanged("please");
  expect_unchanged("Translate it. Please!");
}

TEST(Compression, TakesTheLongestPhrase) {
  EXPECT_EQ(compressed("it is important that you answer"), "you answer");
  EXPECT_EQ(compressed("it is important to answer"), "to answer");
}

TEST(Compression, FindsWhatARemovalBringsTogether) {
  EXPECT_EQ(compressed("por please favor responde"), "responde");
}

// ---- abbreviations

TEST(Compression, AbbreviatesInTheCaseOfTheWord) {
  EXPECT_EQ(compressed("information Information INFORMATION"), "info Info INFO");
  EXPECT_EQ(compressed("La descripción, la Información (información) y ¿información?"),
            "La desc, la Info (info) y ¿info?");
}

TEST(Compression, FindsWholeWordsOnly) {
  expect_unchanged("informational pleased displease informationen información2 _information");
  expect_unchanged("informaciónñ ñinformación");
}

TEST(Compression, LeavesPathsAddressesAndNamesAlone) {
  expect_unchanged("https://example.org/information information.txt a/information my-information information-desk");
  expect_unchanged("--description=x description@example.org information.field");
}

TEST(Compression, KeepsAccentsApart) {
  expect_unchanged("informacion");  // another word than información: whoever means it adds it
}

// ---- what is protected

TEST(Compression, NeverTouchesCode) {
  expect_unchanged(
      "```\nplease information\nplease information, over and over\nplease information, over and over\n```");
  expect_unchanged("~~~ text\nplease\n```\nplease\n~~~");
  expect_unchanged("```\nnever closed: please");
  expect_unchanged("    please indented information\n\tplease too");
  expect_unchanged("Run `please information` and ``please ` information``.");
}

TEST(Compression, GoesOnBehindAFence) {
  EXPECT_EQ(compressed("```\nplease\n```\nand please go"), "```\nplease\n```\nand go");
}

TEST(Compression, LeavesNoFenceAtTheBeginningOfALine) {
  expect_unchanged("please ```\ncode\n```\nx");
}

TEST(Compression, NeverTouchesQuotes) {
  expect_unchanged("\"please information\" 'please information' «please information» “please information” ‘please x’");
  expect_unchanged("> please information");
  EXPECT_EQ(compressed("it's the dogs' information, isn't it"), "it's the dogs' info, isn't it");
  EXPECT_EQ(compressed("5\" please and\n\n\"never closed please and"), "5\" and\n\n\"never closed and");
}

TEST(Compression, NeverTouchesJson) {
  expect_unchanged(R"({"description": "please", "information": ["please", {"description": 1}]})");
  expect_unchanged("{\n\"please\": 1,\n\n\"information\": 2\n}");
  EXPECT_EQ(compressed("{please go} [information here]"), "{please go} [information here]");
  EXPECT_EQ(compressed("{ please go } [ the information here ]"), "{ go } [ the info here ]");
}

TEST(Compression, NeverTouchesPlaces) {
  expect_unchanged("{{ information }} {{information}}");
}

// ---- lines

TEST(Compression, TakesOutALineThatIsSaidTwiceInARow) {
  EXPECT_EQ(compressed("Be brief.\nBe brief.\nBe brief.\nBe kind.\nBe brief."), "Be brief.\nBe kind.\nBe brief.");
}

TEST(Compression, TakesOutALongLineThatWasSaidBefore) {
  EXPECT_EQ(compressed("Answer in one short sentence.\nOther.\nAnswer in one short sentence.\nEnd."),
            "Answer in one short sentence.\nOther.\nEnd.");
}

TEST(Compression, LeavesOneEmptyLineWhereALineWent) {
  EXPECT_EQ(compressed("Answer in one short sentence.\n\nAnswer in one short sentence.\n\nEnd."),
            "Answer in one short sentence.\n\nEnd.");
}

TEST(Compression, FindsLinesThatHaveBecomeTheSame) {
  EXPECT_EQ(compressed("Please answer.\nAnswer.\n"), "Answer.\n");
}

TEST(Compression, KeepsDataAndEmptyLines) {
  expect_unchanged("0\n0\n0\n1,0,0,1,0,0,1,0,0,1,0,0\n1,0,0,1,0,0,1,0,0,1,0,0\n\n\n\n---\n---");
}

TEST(Compression, KeepsRepeatedLinesWithSomethingProtected) {
  expect_unchanged("{\"a\": \"the same example again\"}\n{\"a\": \"the same example again\"}");
}

TEST(Compression, KeepsTheEndsOfLinesAsTheyAre) {
  EXPECT_EQ(compressed("Please go on\r\nand on please\r\n"), "Go on\r\nand on\r\n");
  expect_unchanged("");
  expect_unchanged("\n\n");
}

// ---- the phrasebook

TEST(Phrasebook, LeavesOutWhatIsNoPhraseOrIsNotMadeShorter) {
  Phrasebook book;
  for (const char *phrase : {"", " ", "two  blanks", " before", "after ", "it's", "a.b", "`", "a\nb"})
    book.add(phrase, "");
  book.add("go", "walk");
  book.add("go", "to");
  book.add("walk", "g-o");
  book.add("four", "ñññ");  // fewer letters, but more bytes
  for (const char *word : {"", "two", "before", "after", "it", "a", "go", "walk", "four"})
    EXPECT_EQ(book.beginning_with(word), nullptr) << word;
}

TEST(Phrasebook, KeepsTheFirstOfTwoEqualPhrases) {
  Phrasebook book;
  book.add("Word", "w");
  book.add("word", "x");
  EXPECT_EQ(compress_text("a word", book), "a w");
}

// ---- properties

TEST(Compression, SettlesAndKeepsWhatIsProtectedInRandomTexts) {
  const std::vector<std::string> pieces = {"please",
                                           "Por",
                                           "favor",
                                           " ",
                                           " ",
                                           ", ",
                                           ".",
                                           "\n",
                                           "\n\n",
                                           "\"",
                                           "'",
                                           "`",
                                           "```",
                                           "{",
                                           "}",
                                           "[",
                                           "]",
                                           ":",
                                           "1",
                                           "«",
                                           "»",
                                           "{{",
                                           "}}",
                                           "é",
                                           "    ",
                                           "> ",
                                           "it is important that",
                                           "information",
                                           "The same line of a good length.\n"};
  std::mt19937 random(7);
  for (int round = 0; round < 20'000; ++round) {
    std::string text;
    const auto count = random() % 24;
    for (unsigned i = 0; i < count; ++i) text += pieces[random() % pieces.size()];
    const std::string once = compress_text(text, phrases());
    ASSERT_EQ(compress_text(once, phrases()), once) << text;
    ASSERT_LE(once.size(), text.size()) << text;
  }
}

TEST(Compression, IsLinearInHostileText) {
  constexpr std::size_t kSize = 1 << 20;
  for (const char *unit : {"{", "[", "`", "\"", "\" a", " '", "'a", "{{", "[1,", "{\"a\":", "` `` ", "«", "a\n",
                           "please ", "por ", "[[1],", "\n\n", "> ", "~~~\n"}) {
    std::string text;
    while (text.size() < kSize) text += unit;
    const auto start = std::chrono::steady_clock::now();
    const std::string shorter = compress_text(text, phrases());
    const auto took = std::chrono::steady_clock::now() - start;
    EXPECT_LE(shorter.size(), text.size());
    EXPECT_LT(took, std::chrono::seconds(30)) << unit;  // quadratic would be hours
    RecordProperty(unit, static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(took).count()));
  }
}

}  // namespace
}  // namespace agent_queue
