// OpenAI chat completions: POST {base_url}/chat/completions. Also spoken by DeepSeek, vLLM, llama.cpp, Ollama and
// others. What their requests want differently is in openai_dialect.cpp; answers are read in all their variants at
// once. Tested in test/unit/{provider,openai_dialect}_test.cpp with test/unit/fixtures/openai, fuzzed in
// test/fuzz/fuzz_openai_decode.cpp.
#include <algorithm>
#include <cmath>
#include <string>

#include "core/base/name_map.hpp"
#include "core/provider/answer_read.hpp"
#include "core/provider/formats.hpp"
#include "core/provider/http_failure.hpp"
#include "core/provider/openai_dialect.hpp"
#include "core/provider/openai_shape.hpp"
#include "core/provider/request_write.hpp"
#include "core/provider/streams.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

// ---- request

Result<std::string> request_body(const OpenAiDialect &dialect, const Call &call) {
  Result<std::string> messages = written_messages(dialect, call);
  if (!messages.ok()) return messages;
  std::string body = R"({"model":)" + dump_json(std::string(call.model));
  append_member(body, "messages", *messages);
  if (call.stream) append_member(body, "stream", "true");
  // Without the option a stream says nothing of its usage; who refuses it says so unasked.
  if (call.stream && dialect.knows_stream_options) append_member(body, "stream_options", R"({"include_usage":true})");
  append_params(body, dialect, call);
  body += '}';
  return body;
}

// ---- answer: message

// The texts of a list of parts. Mistral's thinking is a part with a list of its own.
std::string take_parts(Json &parts, const char *key) {
  std::string text;
  for (Json &part : parts)
    if (part.is_object()) text += take_text(part, key);
  return text;
}

// Some servers leave out the id or the type, or give the arguments as the object that they describe.
void complete_call(Json &call, std::size_t index) {
  const auto function = call.is_object() ? call.find("function") : call.end();
  if (!call.is_object() || function == call.end() || !function->is_object()) return;
  const Json *arguments = json_member(*function, "arguments");
  if (json_string(call, "id").empty())
    call["id"] = made_call_id(json_string(*function, "name"), arguments == nullptr ? Json() : *arguments, index);
  if (json_string(call, "type").empty()) call["type"] = "function";
  if (arguments == nullptr || arguments->is_null())
    (*function)["arguments"] = "{}";
  else if (!arguments->is_string())
    (*function)["arguments"] = dump_json(*arguments);
}

void take_calls(Json &message, Answer &answer) {
  Json *calls = array_member(message, "tool_calls");
  if (calls == nullptr || calls->empty()) return;
  clean_json(*calls);
  for (std::size_t i = 0; i < calls->size(); ++i) complete_call((*calls)[i], i);
  answer.tool_calls = std::move(*calls);
}

// ---- answer: why it ended

std::string_view common_finish_reason(std::string_view reason) {
  if (reason == "function_call" || reason == "tool_use") return "tool_calls";
  if (reason == "max_tokens" || reason == "model_length") return "length";
  if (reason == "eos" || reason == "end_turn" || reason == "stop_sequence") return "stop";
  return reason;
}

// Words of servers that gave up in the middle, without saying more.
bool is_given_up(std::string_view reason) {
  return reason == "error" || reason == "abort" || reason == "insufficient_system_resource";
}

std::string finish_reason(const Answer &answer, const Json &choice) {
  std::string reason = clean_text(common_finish_reason(json_string(choice, "finish_reason")), kNameBytesMax);
  if (reason != "stop") return reason;
  if (!answer.refusal.empty()) return "refusal";
  return answer.tool_calls.is_null() ? reason : "tool_calls";
}

// ---- answer: usage

const Json *usage_member(const Json &body) {
  const Json *usage = given(body, "usage");
  const Json *groq = usage == nullptr ? given(body, "x_groq") : nullptr;
  return groq == nullptr ? usage : given(*groq, "usage");
}

// llama.cpp's, in tokens; its prompt_n holds no cached ones.
bool read_timings(const Json &body, Usage &usage) {
  const Json *timings = given(body, "timings");
  if (timings == nullptr) return false;
  usage.input = token_count(timings, "prompt_n");
  usage.cache_read = token_count(timings, "cache_n", kTokensMax - usage.input);
  usage.output = token_count(timings, "predicted_n");
  return has_count(*timings, {"prompt_n", "predicted_n"});
}

// Cached and written tokens are parts of the prompt, reasoning is a part of the completion.
bool read_usage(const Json &body, Usage &usage) {
  const Json *reported = usage_member(body);
  if (reported == nullptr) return read_timings(body, usage);
  const Json *input_details = json_member(*reported, "prompt_tokens_details");
  const Json *output_details = json_member(*reported, "completion_tokens_details");
  const bool counts_input = json_int(*reported, "prompt_tokens").has_value();

  // DeepSeek's own pair of counters.
  const std::int64_t hit = token_count(reported, "prompt_cache_hit_tokens");
  const std::int64_t miss = token_count(reported, "prompt_cache_miss_tokens");
  const std::int64_t prompt = counts_input ? token_count(reported, "prompt_tokens") : std::min(hit + miss, kTokensMax);

  const std::int64_t cached = token_count(input_details, "cached_tokens", prompt);
  usage.cache_read = cached > 0 ? cached : std::min(hit, prompt);
  usage.cache_write = token_count(input_details, "cache_write_tokens", prompt - usage.cache_read);
  usage.input = prompt - usage.cache_read - usage.cache_write;
  usage.output = token_count(reported, "completion_tokens");
  usage.reasoning = token_count(output_details, "reasoning_tokens", usage.output);
  return counts_input || prompt > 0 || json_int(*reported, "completion_tokens").has_value();
}

// JSON has the decimal as a binary fraction: twelve digits behind the point give back what was written.
std::optional<Usd> stated_usd(const Json &object, std::string_view key) {
  constexpr double kUsdMax = 1e6;
  const Json *member = json_member(object, key);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  const auto usd = member->get<double>();
  if (!(usd >= 0) || usd > kUsdMax) return std::nullopt;
  constexpr double kPicoPerUsd = 1e12;
  return Usd::from_femto(static_cast<__int128>(std::llround(usd * kPicoPerUsd)) * 1000);
}

// With a key of one's own at the upstream provider (is_byok), `cost` is the fee alone.
std::optional<Usd> read_cost(const Json &body) {
  const Json *usage = usage_member(body);
  std::optional<Usd> cost = usage == nullptr ? std::nullopt : stated_usd(*usage, "cost");
  const Json *byok = cost ? json_member(*usage, "is_byok") : nullptr;
  if (byok == nullptr || *byok != Json(true)) return cost;
  const Json *details = json_member(*usage, "cost_details");
  const auto upstream = details == nullptr ? std::nullopt : stated_usd(*details, "upstream_inference_cost");
  if (!upstream) return std::nullopt;
  return *cost + *upstream;
}

// ---- answer

Json *first_choice(Json &body) {
  Json *choices = array_member(body, "choices");
  return choices == nullptr || choices->empty() || !(*choices)[0].is_object() ? nullptr : &(*choices)[0];
}

// Azure leaves out the message of a choice that was filtered.
Json message_of(Json &choice) {
  const auto message = choice.find("message");
  if (message != choice.end() && message->is_object()) return std::move(*message);
  return json_string(choice, "finish_reason") == "content_filter" ? Json::object() : Json();
}

// OpenRouter reports the failure of an upstream provider inside the choice.
std::optional<Failure> failure_of(const HttpResponse &response, const Json &choice, std::string_view secret,
                                  WallTime now) {
  if (has_error(choice)) return http_failure(response, choice, secret, now);
  const std::string_view reason = json_string(choice, "finish_reason");
  if (!is_given_up(reason)) return std::nullopt;
  const std::string message = "the provider gave up in the middle of the answer (" + std::string(reason) + ")";
  return http_failure(response, Json::object({{"error", message}}), secret, now);
}

Answer take_answer(const Json &body, const Json &choice, Json &message, const OpenAiDialect &dialect) {
  Answer answer;
  answer.reasoning = take_openai_reasoning(message);
  answer.text = take_openai_content(message);
  answer.refusal = take_text(message, "refusal");
  answer.model = clean_text(json_string(body, "model"), kNameBytesMax);
  take_calls(message, answer);
  answer.finish_reason = finish_reason(answer, choice);
  answer.usage_known = read_usage(body, answer.usage);
  if (dialect.reports_cost) answer.cost = read_cost(body);
  return answer;
}

class OpenAiFormat : public WireFormat {
 public:
  explicit OpenAiFormat(const OpenAiDialect &dialect) : dialect_(dialect) {}

  std::string_view name() const override { return "openai"; }

  Result<HttpRequest> encode(const Call &call) const override {
    if (const auto error = check_call(call)) return *error;
    Result<std::string> body = request_body(dialect_, call);
    if (!body.ok()) return body.error();
    HttpRequest request = json_post(call.base_url, "/chat/completions", std::move(body).value());
    const bool is_bearer = dialect_.key_header == "authorization";
    if (!call.api_key.empty())
      request.headers.push_back(
          {std::string(dialect_.key_header), (is_bearer ? "Bearer " : "") + std::string(call.api_key)});
    return request;
  }

  Reply decode(const HttpResponse &response, std::string_view secret, WallTime now) const override {
    auto body = read_success(response, secret, now);
    if (auto *failure = std::get_if<Failure>(&body)) return std::move(*failure);
    return read_openai_answer(std::get<Json>(std::move(body)), dialect_, response, secret, now);
  }

  std::unique_ptr<StreamReader> open_stream() const override { return open_openai_stream(dialect_); }

  std::optional<Usage> billed_usage(const HttpResponse &response) const override {
    const Result<Json> body = parse_json_leniently(response.body);
    Usage usage;
    return body.ok() && read_usage(*body, usage) ? std::optional(usage) : std::nullopt;
  }

 private:
  const OpenAiDialect &dialect_;
};

}  // namespace

std::string take_openai_content(Json &message) {
  Json *parts = array_member(message, "content");
  return parts == nullptr ? take_text(message, "content") : take_parts(*parts, "text");
}

std::string take_openai_reasoning(Json &message) {
  std::string reasoning = take_text(message, "reasoning_content");
  if (reasoning.empty()) reasoning = take_text(message, "reasoning");
  if (Json *parts = array_member(message, "content"); parts != nullptr && reasoning.empty())
    for (Json &part : *parts)
      if (Json *thoughts = part.is_object() ? array_member(part, "thinking") : nullptr)
        reasoning += take_parts(*thoughts, "text");
  return reasoning;
}

Reply read_openai_answer(Json body, const OpenAiDialect &dialect, const HttpResponse &response, std::string_view secret,
                         WallTime now) {
  Json *choice = first_choice(body);
  if (choice == nullptr) return garbled_answer(response, "the answer has no choice with a message", secret);
  if (auto failure = failure_of(response, *choice, secret, now)) return *std::move(failure);
  Json message = message_of(*choice);
  if (!message.is_object()) return garbled_answer(response, "the answer has no choice with a message", secret);
  return take_answer(body, *choice, message, dialect);
}

const WireFormat *openai_format_of(std::string_view dialect) {
  static const NameMap<OpenAiFormat> formats = [] {
    NameMap<OpenAiFormat> made;
    for (const OpenAiDialect &known : openai_dialects()) made.emplace(std::string(known.name), OpenAiFormat(known));
    return made;
  }();
  return find_name(formats, dialect);
}

const WireFormat &openai_format() {
  static const WireFormat &format = *openai_format_of("");
  return format;
}

}  // namespace agent_queue
