// Ollama's own chat: POST {base_url}/api/chat. Beside its OpenAI-compatible endpoint it is worth having
// for options (num_ctx), keep_alive and images. Tested in test/unit/ollama_test.cpp with test/unit/fixtures/ollama,
// fuzzed in test/fuzz/fuzz_ollama_decode.cpp.
#include <algorithm>
#include <array>
#include <string>

#include "core/provider/answer_read.hpp"
#include "core/provider/formats.hpp"
#include "core/provider/http_failure.hpp"
#include "core/provider/openai_shape.hpp"
#include "core/provider/request_write.hpp"
#include "core/provider/streams.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

// ---- request: messages

// The server fetches nothing: images come with the message.
std::optional<Error> append_images(std::string &images, const Json &content) {
  if (!content.is_array()) return std::nullopt;
  for (const Json &part : content) {
    if (!is_image(part)) continue;
    const Result<Image> image = read_image(part);
    if (!image.ok()) return image.error();
    if (!image->url.empty())
      return refuse("Ollama takes no image by its address", "Send the image as a data: URL in base64.");
    images += images.empty() ? "\"" : ",\"";
    images.append(image->base64) += '"';
  }
  return std::nullopt;
}

// {"function": {"name", "arguments": {…}}}: the arguments are an object here.
Result<std::string> own_calls(const Json &calls) {
  std::string own;
  for (const Json &call : calls) {
    const Result<Json> arguments = arguments_of(call);
    if (!arguments.ok()) return arguments.error();
    own += own.empty() ? "[" : ",";
    own += R"({"function":{"name":)" + dump_json(std::string(json_string(function_of(call), "name"))) +
           R"(,"arguments":)" + dump_json(*arguments) + "}}";
  }
  return own + ']';
}

bool is_written_apart_in_message(std::string_view member) {
  return member == "role" || member == "content" || member == "tool_calls" || member == "tool_call_id" ||
         member == "refusal" || member == "name";
}

// What Ollama knows beside (images, thinking) passes as it is.
Result<std::string> own_message(const Json &message, const CalledFunctions &called) {
  std::string own = "{";
  const std::string_view role = json_string(message, "role");
  append_member(own, "role", dump_json(std::string(is_system_role(role) ? "system" : role)));
  append_member(own, "content", dump_json(content_text(message)));
  if (const Json *content = json_member(message, "content")) {
    std::string images;
    if (const auto error = append_images(images, *content)) return *error;
    if (!images.empty()) append_member(own, "images", '[' + images + ']');
  }
  if (const Json *calls = tool_calls_of(message)) {
    Result<std::string> written = own_calls(*calls);
    if (!written.ok()) return written;
    append_member(own, "tool_calls", *written);
  }
  if (role == "tool")
    if (const std::string name = called.name_for(message); !name.empty())
      append_member(own, "tool_name", dump_json(name));
  for (const auto &item : message.items())
    if (!item.value().is_null() && !is_written_apart_in_message(item.key()))
      append_member(own, item.key(), dump_json(item.value()));
  return own + '}';
}

Result<std::string> written_messages(const Prompt &prompt) {
  std::string messages = "[";
  if (!prompt.system.empty()) messages += R"({"role":"system","content":)" + dump_json(prompt.system) + '}';
  CalledFunctions called;
  for (const Json &message : prompt.messages) {
    called.note(message);
    Result<std::string> own = own_message(message, called);
    if (!own.ok()) return own;
    if (messages.size() > 1) messages += ',';
    messages += *own;
  }
  return messages + ']';
}

// ---- request: params

// Params that Ollama wants in `options`.
bool is_option(std::string_view param) {
  constexpr auto kOptions =
      std::to_array<std::string_view>({"temperature", "top_p", "top_k", "min_p", "seed", "stop", "frequency_penalty",
                                       "presence_penalty", "repeat_penalty", "num_ctx"});
  return std::find(kOptions.begin(), kOptions.end(), param) != kOptions.end();
}

Json options_of(const Call &call) {
  const Json &params = params_of(call);
  Json options = Json::object();
  if (Json bound = output_bound(call, {"num_predict", "max_tokens", "max_completion_tokens"}); !bound.is_null())
    options["num_predict"] = std::move(bound);
  for (const auto &item : params.items())
    if (is_option(item.key()) && !item.value().is_null())
      options[item.key()] = item.key() == "stop" ? stop_list(item.value()) : item.value();
  if (const Json *own = given(params, "options"); own != nullptr && own->is_object()) options.update(*own);
  return options;
}

// A schema, "json", or JSON null for free text.
Json format_of(const Json &response_format) {
  if (const Json *schema = response_schema(response_format)) return *schema;
  const std::string_view type = json_string(response_format, "type");
  return type == "json_object" || type == "json_schema" ? Json("json") : Json();
}

bool is_written_apart(std::string_view param) {
  constexpr auto kApart = std::to_array<std::string_view>(
      {"model", "messages", "stream", "options", "num_predict", "max_tokens", "max_completion_tokens"});
  return std::find(kApart.begin(), kApart.end(), param) != kApart.end() || is_option(param);
}

void append_params(std::string &body, const Json &params) {
  const Json *response_format = given(params, "response_format");
  if (response_format != nullptr && given(params, "format") == nullptr)
    if (const Json format = format_of(*response_format); !format.is_null())
      append_member(body, "format", dump_json(format));
  for (const auto &item : params.items())
    if (!item.value().is_null() && !is_written_apart(item.key()) && !is_openai_only(item.key()))
      append_member(body, item.key(), dump_json(item.value()));
}

Result<std::string> request_body(const Call &call) {
  Result<std::string> messages = written_messages(*call.prompt);
  if (!messages.ok()) return messages;
  std::string body = R"({"model":)" + dump_json(std::string(call.model));
  append_member(body, "messages", *messages);
  append_member(body, "stream", call.stream ? "true" : "false");  // without it, it streams
  if (const Json options = options_of(call); !options.empty()) append_member(body, "options", dump_json(options));
  append_params(body, params_of(call));
  body += '}';
  return body;
}

// ---- answer

void take_calls(Json &message, Answer &answer) {
  Json *calls = array_member(message, "tool_calls");
  if (calls == nullptr || calls->empty()) return;
  answer.tool_calls = Json::array();
  for (Json &call : *calls) {
    const Json &function = function_of(call);
    const std::string name(json_string(function, "name"));
    const Json *member = json_member(function, "arguments");
    Json arguments = member == nullptr ? Json() : *member;
    std::string id(json_string(call, "id"));
    if (id.empty()) id = made_call_id(name, arguments, answer.tool_calls.size());
    answer.tool_calls.push_back(tool_call(id, name, std::move(arguments)));
  }
}

// A prompt that is wholly in the server's memory has no count. Nothing says how many tokens were thinking.
bool read_usage(const Json &body, Usage &usage) {
  usage.input = token_count(&body, "prompt_eval_count");
  usage.output = token_count(&body, "eval_count");
  return has_count(body, {"prompt_eval_count", "eval_count"});
}

Answer take_answer(Json &body, Json &message) {
  Answer answer;
  answer.text = take_text(message, "content");
  answer.reasoning = take_text(message, "thinking");
  take_calls(message, answer);
  answer.model = clean_text(json_string(body, "model"), kNameBytesMax);
  answer.finish_reason = clean_text(json_string(body, "done_reason"), kNameBytesMax);
  if (answer.finish_reason == "stop" && !answer.tool_calls.is_null()) answer.finish_reason = "tool_calls";
  answer.usage_known = read_usage(body, answer.usage);
  return answer;
}

class OllamaFormat : public WireFormat {
 public:
  std::string_view name() const override { return "ollama"; }

  Result<HttpRequest> encode(const Call &call) const override {
    if (const auto error = check_call(call)) return *error;
    Result<std::string> body = request_body(call);
    if (!body.ok()) return body.error();
    HttpRequest request = json_post(call.base_url, "/api/chat", std::move(body).value());
    // Only a server behind a proxy, or Ollama's cloud, wants a key.
    if (!call.api_key.empty()) request.headers.push_back({"authorization", "Bearer " + std::string(call.api_key)});
    return request;
  }

  Reply decode(const HttpResponse &response, std::string_view secret, WallTime now) const override {
    auto body = read_success(response, secret, now);
    if (auto *failure = std::get_if<Failure>(&body)) return std::move(*failure);
    return read_ollama_answer(std::get<Json>(std::move(body)), response, secret);
  }

  std::unique_ptr<StreamReader> open_stream() const override { return open_ollama_stream(); }
};

}  // namespace

Reply read_ollama_answer(Json body, const HttpResponse &response, std::string_view secret) {
  const auto message = body.find("message");
  if (message == body.end() || !message->is_object())
    return garbled_answer(response, "the answer has no message", secret);
  return take_answer(body, *message);
}

const WireFormat &ollama_format() {
  static const OllamaFormat format;
  return format;
}

}  // namespace agent_queue
