// OpenAI chat completions: POST {base_url}/chat/completions. Also spoken by DeepSeek, vLLM, llama.cpp, Ollama and
// others. Tested in test/unit/provider_test.cpp with test/unit/fixtures/openai, fuzzed in
// test/fuzz/fuzz_openai_decode.cpp.
#include <algorithm>
#include <array>
#include <string>

#include "core/provider/formats.hpp"
#include "core/provider/http_failure.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

constexpr std::int64_t kTokensMax = 1'000'000'000;  // more in one call is a provider's mistake; fits an integer column
constexpr std::size_t kNameBytesMax = 200;          // of a model or a finish reason

// ---- request

// Not a user's to set: the first two are the call itself (and its price), the others need a reader of streams.
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
  if (!params.is_object()) return;
  for (const auto &item : params.items()) {
    if (item.value().is_null() || is_reserved(item.key())) continue;
    body += ',';
    body += dump_json(item.key());
    body += ':';
    body += dump_json(item.value());
  }
}

std::string request_body(const Call &call) {
  static const Json kNoParams;
  const Json &params = call.params == nullptr ? kNoParams : *call.params;
  std::string body = R"({"model":)" + dump_json(std::string(call.model)) + ',';
  append_messages(body, *call.prompt);
  if (call.max_output_tokens > 0 && !bounds_output(params))
    body += R"(,"max_completion_tokens":)" + std::to_string(call.max_output_tokens);
  append_params(body, params);
  body += '}';
  return body;
}

// A line break in a header would begin another header.
bool fits_header(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

Error refuse(std::string message, std::string hint) {
  return Error{ErrorKind::invalid_input, std::move(message), std::move(hint)};
}

// ---- answer

std::string cleaned(std::string text) {
  return is_clean_text(text) ? std::move(text) : clean_text(text);
}

// Takes a string member out of `object`, clean; empty where there is none.
std::string take_text(Json &object, const char *key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return {};
  return cleaned(std::move(it->get_ref<std::string &>()));
}

// `content` is a string, or parts of which those with a text count.
std::string take_content(Json &message) {
  const auto content = message.find("content");
  if (content == message.end() || !content->is_array()) return take_text(message, "content");
  std::string text;
  for (Json &part : *content)
    if (part.is_object()) text += take_text(part, "text");
  return text;
}

std::string_view common_finish_reason(std::string_view reason) {
  if (reason == "function_call" || reason == "tool_use") return "tool_calls";
  if (reason == "max_tokens" || reason == "model_length") return "length";
  if (reason == "eos" || reason == "end_turn" || reason == "stop_sequence") return "stop";
  return reason;
}

std::int64_t tokens(const Json *object, std::string_view key, std::int64_t most) {
  const auto count = object == nullptr ? std::nullopt : json_int(*object, key);
  return std::clamp<std::int64_t>(count.value_or(0), 0, most);
}

// Cached and written tokens are parts of the prompt, reasoning is a part of the completion.
bool read_usage(const Json &body, Usage &usage) {
  const Json *reported = json_member(body, "usage");
  if (reported == nullptr) return false;
  const Json *input_details = json_member(*reported, "prompt_tokens_details");
  const Json *output_details = json_member(*reported, "completion_tokens_details");
  const bool counts_input = json_int(*reported, "prompt_tokens").has_value();

  // DeepSeek's own pair of counters.
  const std::int64_t hit = tokens(reported, "prompt_cache_hit_tokens", kTokensMax);
  const std::int64_t miss = tokens(reported, "prompt_cache_miss_tokens", kTokensMax);
  const std::int64_t prompt =
      counts_input ? tokens(reported, "prompt_tokens", kTokensMax) : std::min(hit + miss, kTokensMax);

  const std::int64_t cached = tokens(input_details, "cached_tokens", prompt);
  usage.cache_read = cached > 0 ? cached : std::min(hit, prompt);
  usage.cache_write = tokens(input_details, "cache_write_tokens", prompt - usage.cache_read);
  usage.input = prompt - usage.cache_read - usage.cache_write;
  usage.output = tokens(reported, "completion_tokens", kTokensMax);
  usage.reasoning = tokens(output_details, "reasoning_tokens", usage.output);
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
  answer.text = take_content(message);
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

Reply decode_success(const HttpResponse &response, std::string_view secret, WallTime now) {
  Result<Json> body = parse_json_leniently(response.body);
  if (!body.ok()) return garbled_answer(response, "the answer is not JSON", secret);
  if (has_error(*body)) return http_failure(response, *body, secret, now);
  if (!body->is_object()) return garbled_answer(response, "the answer is no JSON object", secret);
  Json *message = first_message(*body);
  if (message == nullptr) return garbled_answer(response, "the answer has no choice with a message", secret);
  return take_answer(*body, *message);
}

class OpenAiFormat : public WireFormat {
 public:
  std::string_view name() const override { return "openai"; }

  Result<HttpRequest> encode(const Call &call) const override {
    if (call.base_url.empty()) return refuse("provider has no base_url", "Set agent_providers.base_url.");
    if (call.model.empty()) return refuse("route has no model", "Set agent_routes.model.");
    if (call.prompt == nullptr || !call.prompt->messages.is_array()) return refuse("call has no messages", {});
    if (!fits_header(call.api_key))
      return refuse("API key holds a line break or another control character", "Look at what api_key_ref refers to.");
    HttpRequest request;
    request.url = call.base_url;
    if (request.url.ends_with('/')) request.url.pop_back();
    request.url += "/chat/completions";
    request.headers.push_back({"content-type", "application/json"});
    if (!call.api_key.empty()) request.headers.push_back({"authorization", "Bearer " + std::string(call.api_key)});
    request.body = request_body(call);
    return request;
  }

  Reply decode(const HttpResponse &response, std::string_view secret, WallTime now) const override {
    if (response.status >= 200 && response.status < 300) return decode_success(response, secret, now);
    static const Json kNoBody;
    const Result<Json> body = parse_json_leniently(response.body);
    return http_failure(response, body.ok() ? *body : kNoBody, secret, now);
  }
};

}  // namespace

const WireFormat &openai_format() {
  static const OpenAiFormat format;
  return format;
}

}  // namespace agent_queue
