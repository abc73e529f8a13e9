// OpenAI chat completions: POST {base_url}/chat/completions. Also spoken by DeepSeek, vLLM, llama.cpp, Ollama and
// others. Tested in test/unit/provider_test.cpp with test/unit/fixtures/openai, fuzzed in
// test/fuzz/fuzz_openai_decode.cpp.
#include <algorithm>
#include <array>
#include <string>

#include "core/provider/answer_read.hpp"
#include "core/provider/formats.hpp"
#include "core/provider/http_failure.hpp"
#include "core/provider/request_write.hpp"
#include "core/provider/streams.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

// ---- request

// Not a user's to set: the first two are the call itself (and its price), the others are how its answer comes.
bool is_reserved(std::string_view param) {
  constexpr std::array<std::string_view, 4> kReserved = {"model", "messages", "stream", "stream_options"};
  return std::find(kReserved.begin(), kReserved.end(), param) != kReserved.end();
}

// Text values are appended as they were dumped; no copy of the conversation as JSON is made.
void append_messages(std::string &body, const Prompt &prompt) {
  body += "\"messages\":";
  const std::string turns = dump_json(prompt.messages);
  if (prompt.system.empty()) {
    body += turns;
    return;
  }
  body += R"([{"role":"system","content":)";
  body += dump_json(prompt.system);
  body += '}';
  if (!prompt.messages.empty()) body += ',';
  body.append(turns, 1);  // its opening bracket is written
}

bool bounds_output(const Json &params) {
  return json_member(params, "max_completion_tokens") != nullptr || json_member(params, "max_tokens") != nullptr;
}

void append_params(std::string &body, const Json &params) {
  for (const auto &item : params.items()) {
    if (item.value().is_null() || is_reserved(item.key())) continue;
    body += ',';
    body += dump_json(item.key());
    body += ':';
    body += dump_json(item.value());
  }
}

std::string request_body(const Call &call) {
  const Json &params = params_of(call);
  std::string body = R"({"model":)" + dump_json(std::string(call.model)) + ',';
  append_messages(body, *call.prompt);
  if (call.max_output_tokens > 0 && !bounds_output(params))
    body += R"(,"max_completion_tokens":)" + std::to_string(call.max_output_tokens);
  // Without the option a stream says nothing of its usage.
  if (call.stream) body += R"(,"stream":true,"stream_options":{"include_usage":true})";
  append_params(body, params);
  body += '}';
  return body;
}

// ---- answer

std::string_view common_finish_reason(std::string_view reason) {
  if (reason == "function_call" || reason == "tool_use") return "tool_calls";
  if (reason == "max_tokens" || reason == "model_length") return "length";
  if (reason == "eos" || reason == "end_turn" || reason == "stop_sequence") return "stop";
  return reason;
}

// Cached and written tokens are parts of the prompt, reasoning is a part of the completion.
bool read_usage(const Json &body, Usage &usage) {
  const Json *reported = json_member(body, "usage");
  if (reported == nullptr) return false;
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

Json *first_message(Json &body) {
  const auto choices = body.find("choices");
  if (choices == body.end() || !choices->is_array() || choices->empty()) return nullptr;
  Json &choice = (*choices)[0];
  if (!choice.is_object()) return nullptr;
  const auto message = choice.find("message");
  return message == choice.end() || !message->is_object() ? nullptr : &*message;
}

// `message` is a part of `body`; both are taken apart.
Answer take_answer(Json &body, Json &message) {
  Answer answer;
  answer.text = take_openai_content(message);
  answer.refusal = take_text(message, "refusal");
  answer.model = clean_text(json_string(body, "model"), kNameBytesMax);
  const std::string_view reason = common_finish_reason(json_string(body["choices"][0], "finish_reason"));
  answer.finish_reason = clean_text(reason, kNameBytesMax);
  if (!answer.refusal.empty() && answer.finish_reason == "stop") answer.finish_reason = "refusal";
  if (const auto calls = message.find("tool_calls"); calls != message.end() && calls->is_array() && !calls->empty()) {
    answer.tool_calls = std::move(*calls);
    clean_json(answer.tool_calls);
  }
  answer.usage_known = read_usage(body, answer.usage);
  return answer;
}

class OpenAiFormat : public WireFormat {
 public:
  std::string_view name() const override { return "openai"; }

  Result<HttpRequest> encode(const Call &call) const override {
    if (const auto error = check_call(call)) return *error;
    HttpRequest request = json_post(call.base_url, "/chat/completions", request_body(call));
    if (!call.api_key.empty()) request.headers.push_back({"authorization", "Bearer " + std::string(call.api_key)});
    return request;
  }

  Reply decode(const HttpResponse &response, std::string_view secret, WallTime now) const override {
    auto body = read_success(response, secret, now);
    if (auto *failure = std::get_if<Failure>(&body)) return std::move(*failure);
    return read_openai_answer(std::get<Json>(std::move(body)), response, secret);
  }

  std::unique_ptr<StreamReader> open_stream() const override { return open_openai_stream(); }
};

}  // namespace

std::string take_openai_content(Json &message) {
  const auto content = message.find("content");
  if (content == message.end() || !content->is_array()) return take_text(message, "content");
  std::string text;
  for (Json &part : *content)
    if (part.is_object()) text += take_text(part, "text");
  return text;
}

Reply read_openai_answer(Json body, const HttpResponse &response, std::string_view secret) {
  Json *message = first_message(body);
  if (message == nullptr) return garbled_answer(response, "the answer has no choice with a message", secret);
  return take_answer(body, *message);
}

const WireFormat &openai_format() {
  static const OpenAiFormat format;
  return format;
}

}  // namespace agent_queue
