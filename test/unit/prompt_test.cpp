// Requests become conversations, answers become results. Each test writes the JSON as a user would.
#include <gtest/gtest.h>

#include "core/prompt/prompt.hpp"

namespace agent_queue {
namespace {

Json json(std::string_view text) {
  return *parse_json(text);
}

std::string rendered(std::string_view source, std::string_view values) {
  const Result<TextTemplate> parsed = TextTemplate::parse(source);
  if (!parsed.ok()) return "not parsed";
  const Result<std::string> text = parsed->render(json(values));
  return text.ok() ? *text : text.error().message;
}

TEST(TextTemplate, FillsItsPlaces) {
  EXPECT_EQ(rendered("Translate {{text}} to {{ lang }}.", R"({"text": "hola", "lang": "en"})"),
            "Translate hola to en.");
}

TEST(TextTemplate, TakesTextWithoutPlacesAsItIs) {
  EXPECT_EQ(rendered("", "{}"), "");
  EXPECT_EQ(rendered("a } b }} {c} { d", "{}"), "a } b }} {c} { d");
}

TEST(TextTemplate, PutsOtherValuesInAsCompactJson) {
  EXPECT_EQ(rendered("{{a}} {{b}} {{c}} {{d}}", R"({"a": 1.5, "b": [1, {"x": "y"}], "c": null, "d": true})"),
            R"(1.5 [1,{"x":"y"}] null true)");
}

TEST(TextTemplate, ReachesIntoObjects) {
  EXPECT_EQ(rendered("{{user.name.first}}", R"({"user": {"name": {"first": "Ada"}}})"), "Ada");
}

TEST(TextTemplate, ReadsFourBracesAsTwoLiteralOnes) {
  EXPECT_EQ(rendered("{{{{x}} {{x}} {{{{{{x}}", R"({"x": "1"})"), "{{x}} 1 {{1");
}

TEST(TextTemplate, DoesNotLookForPlacesInValues) {
  EXPECT_EQ(rendered("{{a}}{{b}}", R"({"a": "{{b}}", "b": "2"})"), "{{b}}2");
}

TEST(TextTemplate, RefusesPlacesThatAreNotClosedOrHaveNoName) {
  for (const char *source :
       {"{{", "{{a", "{{a}", "{{a} }", "x {{a{{b}}", "{{}}", "{{  }}", "{{.a}}", "{{a.}}", "{{a..b}}"})
    EXPECT_FALSE(TextTemplate::parse(source).ok()) << source;
}

TEST(TextTemplate, NamesTheFieldThatIsMissing) {
  EXPECT_EQ(rendered("{{a.b}}", R"({"a": {}})"), "request has no field \"a.b\", which the prompt template names");
  EXPECT_EQ(rendered("{{a.b}}", R"({"a": "text"})"), "request has no field \"a.b\", which the prompt template names");
}

TEST(TextTemplate, ListsItsFieldsOnceInOrderOfAppearance) {
  const Result<TextTemplate> parsed = TextTemplate::parse("{{b.x}} {{a}} {{b.y}} {{a}} {{{{c}}");
  ASSERT_TRUE(parsed.ok());
  EXPECT_EQ(parsed->fields(), (std::vector<std::string>{"b", "a"}));
}

// ---- map_prompt

std::string mapped(std::string_view request, const TextTemplate *user_template = nullptr) {
  const Result<Prompt> prompt = map_prompt(json(request), "", user_template);
  return prompt.ok() ? dump_json(prompt->messages) : prompt.error().message;
}

TEST(MapPrompt, TakesMessagesAsTheyAre) {
  const char *messages = R"([{"content":[{"text":"hi","type":"text"}],"name":"x","role":"user"}])";
  EXPECT_EQ(mapped(R"({"messages": )" + std::string(messages) + R"(, "prompt": "ignored"})"), messages);
}

TEST(MapPrompt, TakesThePromptElseTheText) {
  EXPECT_EQ(mapped(R"({"prompt": "p", "text": "t"})"), R"([{"content":"p","role":"user"}])");
  EXPECT_EQ(mapped(R"({"text": "t"})"), R"([{"content":"t","role":"user"}])");
  EXPECT_EQ(mapped(R"({"prompt": null, "messages": null, "text": "t"})"), R"([{"content":"t","role":"user"}])");
}

TEST(MapPrompt, KeepsTheSystemPromptApart) {
  const Result<Prompt> prompt = map_prompt(json(R"({"text": "t"})"), "be brief", nullptr);
  ASSERT_TRUE(prompt.ok());
  EXPECT_EQ(prompt->system, "be brief");
  EXPECT_EQ(prompt->messages.size(), 1U);
}

TEST(MapPrompt, MakesTheRenderedTemplateTheUsersTurn) {
  const TextTemplate text = *TextTemplate::parse("Say {{word}}");
  EXPECT_EQ(mapped(R"({"word": "hi", "prompt": "ignored"})", &text), R"([{"content":"Say hi","role":"user"}])");
}

TEST(MapPrompt, PutsMessagesBeforeTheTemplatesTurn) {
  const TextTemplate text = *TextTemplate::parse("Say {{word}}");
  EXPECT_EQ(mapped(R"({"word": "hi", "messages": [{"role": "assistant", "content": "a"}]})", &text),
            R"([{"content":"a","role":"assistant"},{"content":"Say hi","role":"user"}])");
}

TEST(MapPrompt, FailsWhereTheTemplateNamesAFieldThatIsMissing) {
  const TextTemplate text = *TextTemplate::parse("Say {{word}}");
  EXPECT_EQ(mapped("{}", &text), "request has no field \"word\", which the prompt template names");
}

TEST(MapPrompt, RefusesARequestThatIsNoObject) {
  for (const char *request : {"[]", "\"x\"", "5", "null"}) EXPECT_EQ(mapped(request), "request is not a JSON object");
}

TEST(MapPrompt, RefusesMessagesOfAnotherShape) {
  for (const char *messages :
       {"[]", "{}", "\"x\"", "[1]", "[{}]", R"([{"role": 1}])", R"([{"role": ""}])", R"([{"role": "user"}, null])"})
    EXPECT_EQ(mapped(R"({"text": "t", "messages": )" + std::string(messages) + "}"),
              "\"messages\" of the request is not a non-empty array of objects with a role")
        << messages;
}

TEST(MapPrompt, RefusesARequestThatSaysNothing) {
  const TextTemplate text = *TextTemplate::parse("{{word}}");
  const std::string expected = "request says nothing: it has no \"messages\", \"prompt\" or \"text\"";
  EXPECT_EQ(mapped("{}"), expected);
  EXPECT_EQ(mapped(R"({"prompt": "", "text": ""})"), expected);
  EXPECT_EQ(mapped(R"({"prompt": 5})"), expected);
  EXPECT_EQ(mapped(R"({"word": ""})", &text), expected);
}

// ---- render_result

AnswerParts answer_with(std::string_view text) {
  AnswerParts answer;
  answer.text = text;
  answer.model = "m-1";
  answer.finish_reason = "stop";
  return answer;
}

std::string result_of(std::string_view template_text, const AnswerParts &answer) {
  const Json source = json(template_text);
  return dump_json(render_result(&source, answer));
}

TEST(RenderResult, IsTheStandardResultWithoutATemplate) {
  const char *expected = R"({"finish_reason":"stop","model":"m-1","text":"hi"})";
  EXPECT_EQ(dump_json(render_result(nullptr, answer_with("hi"))), expected);
  EXPECT_EQ(result_of("null", answer_with("hi")), expected);
}

TEST(RenderResult, HasToolCallsAndRefusalWhereThereAreAny) {
  AnswerParts answer = answer_with("");
  const Json calls = json(R"([{"id": "c"}])");
  answer.tool_calls = &calls;
  answer.refusal = "no";
  EXPECT_EQ(dump_json(render_result(nullptr, answer)),
            R"({"finish_reason":"stop","model":"m-1","refusal":"no","text":"","tool_calls":[{"id":"c"}]})");
}

TEST(RenderResult, HasNoToolCallsWhereTheyAreNull) {
  AnswerParts answer = answer_with("x");
  const Json calls;
  answer.tool_calls = &calls;
  EXPECT_FALSE(render_result(nullptr, answer).contains("tool_calls"));
}

TEST(RenderResult, FillsTheStringsOfTheTemplate) {
  EXPECT_EQ(result_of(R"({"translation": "{{text}}", "note": ["by {{model}}, {{finish_reason}}", 5, null]})",
                      answer_with("hello")),
            R"({"note":["by m-1, stop",5,null],"translation":"hello"})");
}

TEST(RenderResult, GivesAValueItsTypeWhereThePlaceIsAlone) {
  EXPECT_EQ(result_of(R"({"a": "{{json}}", "b": "{{ json }}", "c": "is {{json}}"})", answer_with("[1,2]")),
            R"({"a":[1,2],"b":[1,2],"c":"is [1,2]"})");
}

TEST(RenderResult, TakesTwoPlacesAsTextEvenWhereTheFirstIsEmpty) {
  EXPECT_EQ(result_of(R"("{{refusal}}{{json}}")", answer_with("5")), R"("5")");
}

TEST(RenderResult, ReadsJsonInsideOfAFence) {
  for (const char *text : {"```json\n{\"a\": 1}\n```", "```\n{\"a\": 1}\n```", "  \n```json\n{\"a\": 1}", "{\"a\": 1}",
                           "Here it is:\n```json\n{\"a\": 1}\n```\nEnjoy."})
    EXPECT_EQ(result_of(R"("{{json}}")", answer_with(text)), R"({"a":1})") << text;
}

TEST(RenderResult, GivesNullWhereTheTextIsNoJson) {
  for (const char *text : {"", "hello", "```json", "```json\n{\"a\": \n```", "``````", "{\"a\": 1} trailing"})
    EXPECT_EQ(result_of(R"({"a": "{{json}}"})", answer_with(text)), R"({"a":null})") << text;
}

TEST(RenderResult, ReachesIntoTheJson) {
  EXPECT_EQ(result_of(R"({"a": "{{json.x.y}}", "b": "{{json.none}}"})", answer_with(R"({"x": {"y": [1]}})")),
            R"({"a":[1],"b":null})");
}

TEST(RenderResult, MakesTheJsonOfTheTextStorable) {
  EXPECT_EQ(result_of(R"("{{json}}")", answer_with(R"({"a": "\u0000"})")), "{\"a\":\"\xEF\xBF\xBD\"}");
}

TEST(RenderResult, GivesNullForARefusalOrToolCallsThatAreNotThere) {
  EXPECT_EQ(
      result_of(R"({"a": "{{refusal}}", "b": "{{tool_calls}}", "c": "[{{refusal}}{{tool_calls}}]"})", answer_with("x")),
      R"({"a":null,"b":null,"c":"[]"})");
}

TEST(RenderResult, LeavesUnknownAndBrokenPlacesAsTheyAre) {
  EXPECT_EQ(result_of(R"(["{{other}}", "{{text} {{text}}", "a {{", "{{{{text}}"])", answer_with("x")),
            R"(["{{other}}","{{text} {{text}}","a {{","{{text}}"])");
}

TEST(RenderResult, DoesNotFillPlacesInTheAnswersText) {
  EXPECT_EQ(result_of(R"({"a": "<{{text}}>"})", answer_with("{{model}}")), R"({"a":"<{{model}}>"})");
}

}  // namespace
}  // namespace agent_queue
