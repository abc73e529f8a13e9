// Goal: each provider that speaks OpenAI's chat completions gets only what it takes, and whatever it answers is
// understood. Method: encode() in each dialect; decode() of answers and errors as they were reported, in
// fixtures/openai/<dialect>_*.json.
#include <gtest/gtest.h>

#include "core/provider/openai_dialect.hpp"
#include "unit/format_under_test.hpp"

namespace agent_queue {
namespace {

using namespace decoded;
using namespace std::chrono_literals;

constexpr const char *kAll[] = {"openai", "azure", "deepseek", "mistral", "groq", "openrouter", "llamacpp", "vllm"};

FormatUnderTest speaking(const char *dialect) {
  return FormatUnderTest("openai", dialect);
}

AskedCall asked(const char *dialect, const char *messages_json = R"([{"role":"user","content":"hi"}])") {
  return {speaking(dialect), messages_json};
}

std::string param_of(const char *dialect, const char *params_json, const char *name) {
  return asked(dialect).with_params(params_json).member(name);
}

std::string messages_of(const char *dialect, const char *messages_json) {
  return asked(dialect, messages_json).member("messages");
}

// ---- the table

TEST(Dialects, AreAClosedList) {
  EXPECT_EQ(openai_dialects().size(), std::size(kAll) + 1) << "and the plain one";
  for (const char *name : kAll) EXPECT_NE(find_wire_format("openai", name), nullptr) << name;
  EXPECT_EQ(find_wire_format("openai", "esperanto"), nullptr);
  EXPECT_EQ(find_wire_format("anthropic", "mistral"), nullptr) << "only openai has dialects";
}

TEST(Dialects, ThePlainOneChangesNothing) {
  AskedCall call = asked("", R"([{"role":"developer","content":"x","name":"n","reasoning":"r"},
      {"role":"assistant","refusal":"no","tool_calls":[{"id":"1","index":0,"function":{"arguments":{"a":1}}}]}])");
  const Json sent = call.prompt.messages;
  EXPECT_EQ(call.member("messages"), dump_json(sent));
  EXPECT_EQ(call.with_params(R"({"seed":1,"n":2,"logprobs":true,"tool_choice":"required"})").body(),
            R"({"model":"model-1","messages":)" + dump_json(sent) +
                R"(,"max_completion_tokens":100,"logprobs":true,"n":2,"seed":1,"tool_choice":"required"})");
}

TEST(Dialects, AllWriteAPlainConversationAlike) {
  for (const char *name : kAll) {
    AskedCall call = asked(name);
    call.prompt.system = "be brief";
    EXPECT_EQ(call.member("messages"), R"([{"content":"be brief","role":"system"},{"content":"hi","role":"user"}])")
        << name;
  }
}

// ---- encode: address and key

TEST(DialectKey, IsABearerTokenButAtAzure) {
  for (const char *name : kAll) {
    const bool is_azure = std::string_view(name) == "azure";
    EXPECT_EQ(asked(name).header("authorization"), is_azure ? "none" : "Bearer key-of-the-provider-1234") << name;
    EXPECT_EQ(asked(name).header("api-key"), is_azure ? kSecret : "none") << name;
  }
}

TEST(DialectAddress, KeepsAzuresVersionBehindThePath) {
  const std::pair<const char *, const char *> addresses[] = {
      {"https://r.openai.azure.com/openai/v1", "https://r.openai.azure.com/openai/v1/chat/completions"},
      {"https://r.openai.azure.com/openai/deployments/d?api-version=2024-10-21",
       "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21"},
      {"https://r.openai.azure.com/openai/deployments/d/?api-version=2024-10-21",
       "https://r.openai.azure.com/openai/deployments/d/chat/completions?api-version=2024-10-21"}};
  for (const auto &[base, url] : addresses) {
    AskedCall call = asked("azure");
    call.call.base_url = base;
    EXPECT_EQ(call.encoded()->url, url);
  }
}

// ---- encode: params

TEST(DialectBound, HasTheNameThatTheProviderKnows) {
  for (const char *name : kAll) {
    const std::string_view dialect = name;
    const bool is_new = dialect == "openai" || dialect == "azure" || dialect == "groq";
    EXPECT_EQ(asked(name).member(is_new ? "max_completion_tokens" : "max_tokens"), "100") << name;
    EXPECT_EQ(asked(name).member(is_new ? "max_tokens" : "max_completion_tokens"), "missing") << name;
  }
}

TEST(DialectBound, IsTranslatedWhereTheParamsUseTheOtherName) {
  EXPECT_EQ(param_of("mistral", R"({"max_completion_tokens":7})", "max_tokens"), "7");
  EXPECT_EQ(param_of("mistral", R"({"max_completion_tokens":7})", "max_completion_tokens"), "missing");
  EXPECT_EQ(param_of("openai", R"({"max_tokens":7})", "max_completion_tokens"), "7");
  EXPECT_EQ(param_of("deepseek", R"({"max_completion_tokens":7,"max_tokens":5})", "max_tokens"), "5");
}

TEST(DialectBound, KeepsItsNameAtAzureBecauseThatDependsOnTheDeployment) {
  EXPECT_EQ(param_of("azure", R"({"max_tokens":7})", "max_tokens"), "7");
  EXPECT_EQ(param_of("azure", R"({"max_tokens":7})", "max_completion_tokens"), "missing");
}

TEST(DialectBound, StandsWhereTheParamsSayNull) {
  for (const char *name : kAll) {
    AskedCall call = asked(name).with_params(R"({"max_completion_tokens":null,"max_tokens":null})");
    EXPECT_NE(call.body().find("tokens\":100"), std::string::npos) << call.body();
    EXPECT_EQ(call.body().find("null"), std::string::npos) << call.body();
  }
}

TEST(DialectParams, AreRenamedOrLeftOutWhereTheyAreRefused) {
  EXPECT_EQ(param_of("mistral", R"({"seed":3})", "random_seed"), "3");
  EXPECT_EQ(param_of("mistral", R"({"seed":3})", "seed"), "missing");
  EXPECT_EQ(param_of("groq", R"({"seed":3})", "seed"), "3");
  for (const char *name : {"mistral", "groq"})
    for (const char *param : {"logprobs", "top_logprobs", "logit_bias", "store", "prompt_cache_key"}) {
      const std::string params = "{\"" + std::string(param) + "\":1,\"temperature\":0.5}";
      EXPECT_EQ(param_of(name, params.c_str(), param), "missing") << name;
      EXPECT_EQ(param_of(name, params.c_str(), "temperature"), "0.5") << name;
    }
  EXPECT_EQ(param_of("groq", R"({"n":2})", "n"), "missing") << "answers 400 to anything but 1";
  EXPECT_EQ(param_of("mistral", R"({"n":2,"safe_prompt":true})", "safe_prompt"), "true");
}

TEST(DialectParams, NeverReplaceTheCallItself) {
  for (const char *name : kAll)
    EXPECT_EQ(asked(name).with_params(R"({"model":"dear","messages":[],"stream":true,"stream_options":{}})").body(),
              asked(name).body())
        << name;
}

TEST(DialectTools, HaveTheProvidersWordForAnyOfThem) {
  EXPECT_EQ(param_of("mistral", R"({"tool_choice":"required"})", "tool_choice"), R"("any")");
  EXPECT_EQ(param_of("groq", R"({"tool_choice":"required"})", "tool_choice"), R"("required")");
  EXPECT_EQ(param_of("mistral", R"({"tool_choice":"auto"})", "tool_choice"), R"("auto")");
}

TEST(DialectTools, AreOneWhereItCannotBeNamed) {
  constexpr const char *kParams = R"({"tools":[{"type":"function","function":{"name":"f"}},
      {"type":"function","function":{"name":"g"}}],"tool_choice":{"type":"function","function":{"name":"g"}}})";
  EXPECT_EQ(param_of("llamacpp", kParams, "tools"), R"([{"function":{"name":"g"},"type":"function"}])");
  EXPECT_EQ(param_of("llamacpp", kParams, "tool_choice"), R"("required")");
  EXPECT_EQ(param_of("vllm", kParams, "tool_choice"), R"({"function":{"name":"g"},"type":"function"})");
}

TEST(DialectSchema, IsToldInWordsWhereItCannotBeSet) {
  constexpr const char *kParams =
      R"({"response_format":{"type":"json_schema","json_schema":{"name":"n","schema":{"type":"object"}}}})";
  AskedCall call = asked("deepseek").with_params(kParams);
  EXPECT_EQ(call.member("response_format"), R"({"type":"json_object"})");
  EXPECT_EQ(call.member("messages"),
            R"([{"content":"Answer with a JSON object that fits this JSON schema, and with nothing else: )"
            R"({\"type\":\"object\"}","role":"system"},{"content":"hi","role":"user"}])");
  call.prompt.system = "be brief";
  EXPECT_NE(call.member("messages").find(R"("be brief\n\nAnswer with)"), std::string::npos) << call.body();
  for (const char *name : {"openai", "azure", "mistral", "groq", "openrouter", "llamacpp", "vllm"})
    EXPECT_NE(param_of(name, kParams, "response_format").find("json_schema"), std::string::npos) << name;
}

// ---- encode: messages

TEST(DialectMessages, CallTheDeveloperSystemWhereOnlyThatIsKnown) {
  for (const char *name : kAll) {
    const std::string_view dialect = name;
    const bool knows = dialect == "openai" || dialect == "azure" || dialect == "openrouter";
    EXPECT_EQ(messages_of(name, R"([{"role":"developer","content":"x"}])"),
              knows ? R"([{"content":"x","role":"developer"}])" : R"([{"content":"x","role":"system"}])")
        << name;
  }
}

TEST(DialectMessages, LeaveOutTheReasoningOfOthersAndKeepTheirOwn) {
  constexpr const char *kSaid = R"([{"role":"assistant","content":"a","reasoning_content":"r"}])";
  for (const char *name : {"openai", "azure", "mistral", "groq"})
    EXPECT_EQ(messages_of(name, kSaid), R"([{"content":"a","role":"assistant"}])") << name;
  for (const char *name : {"deepseek", "openrouter", "llamacpp", "vllm"})
    EXPECT_NE(messages_of(name, kSaid).find(R"("reasoning_content":"r")"), std::string::npos) << name;
}

TEST(DialectMessages, LeaveOutTheNamesOfSpeakersWhereTheyAreRefused) {
  constexpr const char *kNamed = R"([{"role":"user","name":"ann","content":"a"}])";
  EXPECT_EQ(messages_of("groq", kNamed), R"([{"content":"a","role":"user"}])");
  EXPECT_EQ(messages_of("mistral", kNamed), R"([{"content":"a","role":"user"}])");
  EXPECT_NE(messages_of("openai", kNamed).find("ann"), std::string::npos);
}

TEST(DialectMessages, SayARefusalAsATextWhereRefusalsAreNotKnown) {
  constexpr const char *kRefused = R"([{"role":"assistant","content":null,"refusal":"I cannot."}])";
  for (const char *name : {"mistral", "deepseek", "groq", "llamacpp", "vllm"})
    EXPECT_EQ(messages_of(name, kRefused), R"([{"content":"I cannot.","role":"assistant"}])") << name;
  EXPECT_NE(messages_of("openai", kRefused).find(R"("refusal":"I cannot.")"), std::string::npos);
}

TEST(DialectMessages, KeepPartsAndImages) {
  constexpr const char *kParts = R"([{"content":[{"text":"a","type":"text"},)"
                                 R"({"image_url":{"url":"https://x/y.png"},"type":"image_url"}],"role":"user"}])";
  for (const char *name : kAll) EXPECT_EQ(messages_of(name, kParts), kParts) << name;
}

TEST(DialectMessages, WriteToolCallsAsTextAndWithOpenAisMembersOnly) {
  constexpr const char *kCalls = R"([{"role":"assistant","tool_calls":[
      {"id":"abcDEF123","index":0,"extra_content":{"google":{}},"function":{"name":"f","arguments":{"a":1}}},
      {"id":"ABCdef456","type":"function","function":{"name":"g"}}]}])";
  for (const char *name : kAll)
    EXPECT_EQ(messages_of(name, kCalls),
              R"([{"role":"assistant","tool_calls":[)"
              R"({"function":{"arguments":"{\"a\":1}","name":"f"},"id":"abcDEF123","type":"function"},)"
              R"({"function":{"arguments":"{}","name":"g"},"id":"ABCdef456","type":"function"}]}])")
        << name;
}

TEST(DialectMessages, RefuseToolCallsWithoutArgumentsThatCouldBeAny) {
  AskedCall call = asked("openai", R"([{"role":"assistant","tool_calls":[{"function":{"name":"f","arguments":5}}]}])");
  EXPECT_EQ(call.error(), "arguments of a tool call in the messages are no JSON object");
  EXPECT_EQ(call.error_kind(), ErrorKind::invalid_input);
}

TEST(DialectMessages, ShortenCallIdsForMistralSoThatResultsStillFindTheirCalls) {
  const Json sent = *parse_json(messages_of("mistral", R"([
      {"role":"assistant","tool_calls":[{"id":"call_PTLP8xhu3uwZk4l3nlnrrJha","function":{"name":"f"}},
                                        {"id":"call_1","function":{"name":"f"}}]},
      {"role":"tool","tool_call_id":"call_PTLP8xhu3uwZk4l3nlnrrJha","content":"1"}])"));
  const std::string first = sent[0]["tool_calls"][0]["id"];
  const std::string second = sent[0]["tool_calls"][1]["id"];
  for (const std::string &id : {first, second}) {
    EXPECT_EQ(id.size(), 9U);
    EXPECT_TRUE(std::all_of(id.begin(), id.end(), [](unsigned char c) { return std::isalnum(c) != 0; })) << id;
  }
  EXPECT_NE(first, second);
  EXPECT_EQ(sent[1]["tool_call_id"], first);
}

TEST(DialectMessages, SurviveWhatIsNoMessage) {
  for (const char *name : kAll)
    EXPECT_EQ(messages_of(name, R"([5,{},{"tool_calls":7},{"content":null}])"),
              R"([5,{},{"tool_calls":7},{"content":null}])")
        << name;
}

// ---- decode: answers

Answer answered(const char *dialect, const char *file) {
  return speaking(dialect).answer(file);
}

TEST(DialectAnswer, TellsTheReasoningFromTheText) {
  struct Case {
    const char *dialect, *file, *text, *reasoning;
  };
  for (const Case &known :
       {Case{"deepseek", "deepseek.json", "9.8 is greater.", "Compare the decimals."},
        Case{"mistral", "mistral_thinking.json", "After **2 hours**.", "Combined speed is 150 mph. 300 / 150 = 2."},
        Case{"groq", "groq_usage.json", "Low latency matters.", "The user asks about latency."},
        Case{"openrouter", "openrouter_cost.json", "Hi.", "A greeting."},
        Case{"llamacpp", "llamacpp_timings.json", "Four.", "2 + 2"}}) {
    EXPECT_EQ(answered(known.dialect, known.file).text, known.text);
    EXPECT_EQ(answered(known.dialect, known.file).reasoning, known.reasoning);
  }
}

TEST(DialectAnswer, ReadsUsageWhereverItStands) {
  EXPECT_EQ(answered("groq", "groq_usage.json").usage,
            (Usage{.input = 18, .cache_read = 100, .output = 61, .reasoning = 24}));
  EXPECT_EQ(answered("llamacpp", "llamacpp_timings.json").usage, (Usage{.input = 1, .cache_read = 236, .output = 35}));
  EXPECT_TRUE(answered("llamacpp", "llamacpp_timings.json").usage_known);
  EXPECT_EQ(answered("openrouter", "openrouter_cost.json").usage,
            (Usage{.input = 94, .cache_write = 100, .output = 12, .reasoning = 4}));
}

TEST(DialectAnswer, CompletesToolCallsThatAreNotWhole) {
  const Answer answer = answered("vllm", "vllm_tool_call.json");
  EXPECT_EQ(answer.finish_reason, "tool_calls") << "the server said stop";
  ASSERT_EQ(answer.tool_calls.size(), 1U);
  const Json &call = answer.tool_calls[0];
  EXPECT_TRUE(json_string(call, "id").starts_with("call_"));
  EXPECT_EQ(json_string(call, "type"), "function");
  EXPECT_EQ(json_string(call["function"], "arguments"), R"({"city":"Oslo"})");
}

TEST(DialectAnswer, FilteredAtAzureHasNoMessageAndIsBilled) {
  const Answer answer = answered("azure", "azure_content_filter.json");
  EXPECT_EQ(answer.finish_reason, "content_filter");
  EXPECT_EQ(answer.text, "");
  EXPECT_EQ(answer.usage, (Usage{.input = 21, .output = 5}));
}

TEST(DialectCost, IsTheProvidersOwnStatementToTheLastDigit) {
  EXPECT_EQ(answered("openrouter", "openrouter_cost.json").cost, *Usd::parse("0.00042315"));
  EXPECT_EQ(answered("", "openrouter_cost.json").cost, std::nullopt) << "elsewhere nobody knows in which currency";
}

std::optional<Usd> cost_in(const std::string &usage) {
  return answer_of(speaking("openrouter").decode(200, R"({"choices":[{"message":{}}],"usage":)" + usage + "}")).cost;
}

TEST(DialectCost, HoldsWhatTheUpstreamProviderBillsToAKeyOfOnesOwn) {
  EXPECT_EQ(cost_in(R"({"cost":0.95,"is_byok":true,"cost_details":{"upstream_inference_cost":19}})"),
            *Usd::parse("19.95"));
  EXPECT_EQ(cost_in(R"({"cost":0.95,"is_byok":true})"), std::nullopt) << "unknown, not nearly free";
}

TEST(DialectCost, IsNotBelievedWhereItIsAbsurd) {
  for (const char *usage : {R"({"cost":-1})", R"({"cost":1e300})", R"({"cost":"1"})", R"({"cost":null})", "{}"})
    EXPECT_EQ(cost_in(usage), std::nullopt) << usage;
  EXPECT_EQ(cost_in(R"({"cost":0})"), Usd());
}

// ---- decode: errors

struct ErrorCase {
  const char *dialect;
  int status;
  const char *file;
  FailureClass kind;
};

class DialectErrors : public testing::TestWithParam<ErrorCase> {};

TEST_P(DialectErrors, AreWhatTheirBodiesSay) {
  EXPECT_EQ(speaking(GetParam().dialect).kind(GetParam().status, GetParam().file), GetParam().kind) << GetParam().file;
}

INSTANTIATE_TEST_SUITE_P(
    OfEachProvider, DialectErrors,
    testing::Values(ErrorCase{"azure", 400, "azure_error_content_filter.json", FailureClass::content_filter},
                    ErrorCase{"deepseek", 402, "deepseek_error_balance.json", FailureClass::quota},
                    ErrorCase{"mistral", 422, "mistral_error_extra.json", FailureClass::invalid},
                    ErrorCase{"mistral", 429, "mistral_error_rate_limit.json", FailureClass::rate_limited},
                    ErrorCase{"groq", 400, "groq_error_tool_use.json", FailureClass::transient},
                    ErrorCase{"groq", 413, "groq_error_too_large.json", FailureClass::context_length},
                    ErrorCase{"groq", 429, "groq_error_rate_limit.json", FailureClass::rate_limited},
                    ErrorCase{"openrouter", 402, "openrouter_error_credits.json", FailureClass::quota},
                    ErrorCase{"openrouter", 200, "openrouter_error_credits.json", FailureClass::quota},
                    ErrorCase{"openrouter", 403, "openrouter_error_moderation.json", FailureClass::content_filter},
                    ErrorCase{"openrouter", 200, "openrouter_error_choice.json", FailureClass::transient},
                    ErrorCase{"llamacpp", 400, "llamacpp_error_context.json", FailureClass::context_length},
                    ErrorCase{"vllm", 400, "vllm_error_no_room.json", FailureClass::context_length},
                    ErrorCase{"vllm", 400, "vllm_error_context.json", FailureClass::context_length}));

TEST(DialectError, NamesTheFieldThatIsWrong) {
  EXPECT_EQ(speaking("mistral").failure(422, "mistral_error_extra.json").message,
            "HTTP 422: max_completion_tokens: Extra inputs are not permitted");
}

TEST(DialectError, QuotesTheUpstreamProvider) {
  EXPECT_EQ(speaking("openrouter").failure(200, "openrouter_error_choice.json").message,
            "HTTP 200: Provider returned error: upstream connect error");
}

TEST(DialectError, InTheMiddleOfAnAnswerIsBilledAsItSays) {
  const FormatUnderTest format = speaking("openrouter");
  HttpResponse response;
  response.body = format.fixture("openrouter_error_choice.json");
  EXPECT_EQ(format.format().billed_usage(response), (Usage{.input = 14, .output = 2}));
  response.body = format.fixture("openrouter_error_credits.json");
  EXPECT_EQ(format.format().billed_usage(response), std::nullopt);
}

TEST(DialectError, IsWhereTheServerGaveUpInTheMiddle) {
  for (const char *reason : {"insufficient_system_resource", "error", "abort"}) {
    const std::string body =
        R"({"choices":[{"message":{"content":"half an ans"},"finish_reason":")" + std::string(reason) + "\"}]}";
    EXPECT_EQ(failure_of(speaking("deepseek").decode(200, body)).kind, FailureClass::transient) << reason;
  }
}

TEST(DialectError, OfALimitWaitsWhereWaitingHelps) {
  const FormatUnderTest groq = speaking("groq");
  EXPECT_EQ(groq.failure(429, "groq_error_rate_limit.json", {{"retry-after", "5"}}).retry_after, 5s);
  const Reply small = groq.decode(413, error_body("rate_limit_exceeded", "too many tokens"), {{"retry-after", "9"}});
  EXPECT_EQ(failure_of(small).kind, FailureClass::rate_limited);
  EXPECT_EQ(failure_of(small).retry_after, 9s);
  EXPECT_EQ(groq.failure(413, "groq_error_too_large.json", {{"retry-after", "9"}}).kind, FailureClass::context_length);
}

}  // namespace
}  // namespace agent_queue
