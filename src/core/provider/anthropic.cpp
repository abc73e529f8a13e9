// Anthropic's messages: POST {base_url}/messages. OpenAI's params are translated where there is a counterpart and left
// out where there is none. The schema of a response_format becomes output_config.format; a response_format without a
// schema is told in words, because the API has no mode for it.
// Tested in test/unit/anthropic_test.cpp with test/unit/fixtures/anthropic, fuzzed in
// test/fuzz/fuzz_anthropic_decode.cpp.
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

constexpr const char *kApiVersion = "2023-06-01";

// ---- request: messages

std::string text_block(const Json &text) {
  return R"({"type":"text","text":)" + dump_json(text) + '}';
}

Result<std::string> image_block(const Json &part) {
  const Result<Image> image = read_image(part);
  if (!image.ok()) return image.error();
  std::string block = R"({"type":"image","source":{)";
  if (!image->url.empty()) return block + R"("type":"url","url":)" + dump_json(std::string(image->url)) + "}}";
  block += R"("type":"base64","media_type":")";
  block.append(image->media_type).append(R"(","data":")").append(image->base64);
  return block + "\"}}";
}

// Blocks in Anthropic's own shape (documents, thinking, cache_control) pass as they are. Empty texts are refused there.
Result<std::string> part_block(const Json &part) {
  if (is_image(part)) return image_block(part);
  const std::string_view type = json_string(part, "type");
  const bool is_text = type == "text" || type == "refusal";
  if (is_text && json_string(part, type).empty()) return std::string();
  return type == "refusal" ? text_block(part["refusal"]) : dump_json(part);
}

Result<std::string> tool_use_block(const Json &call) {
  Result<Json> input = arguments_of(call);
  if (!input.ok()) return input.error();
  return R"({"type":"tool_use","id":)" + dump_json(std::string(json_string(call, "id"))) + R"(,"name":)" +
         dump_json(std::string(json_string(function_of(call), "name"))) + R"(,"input":)" + dump_json(*input) + '}';
}

std::string tool_result_block(const Json &message, const std::vector<std::string> &blocks) {
  std::string block =
      R"({"type":"tool_result","tool_use_id":)" + dump_json(std::string(json_string(message, "tool_call_id")));
  block += R"(,"content":[)";
  for (std::size_t i = 0; i < blocks.size(); ++i) (block += i == 0 ? "" : ",") += blocks[i];
  return block + "]}";
}

std::optional<Error> add_message(TurnWriter &turns, const Json &message) {
  const std::string_view role = json_string(message, "role");
  const Result<std::vector<std::string>> blocks = content_blocks(message, text_block, part_block);
  if (!blocks.ok()) return blocks.error();
  if (role == "tool") {
    turns.add("user", tool_result_block(message, *blocks));
    return std::nullopt;
  }
  for (const std::string &block : *blocks) turns.add(role, block);
  const Json *calls = tool_calls_of(message);
  if (calls == nullptr) return std::nullopt;
  for (const Json &call : *calls) {
    const Result<std::string> block = tool_use_block(call);
    if (!block.ok()) return block.error();
    turns.add(role, *block);
  }
  return std::nullopt;
}

Result<std::string> written_messages(const Prompt &prompt) {
  TurnWriter turns("content");
  for (const Json &message : prompt.messages) {
    if (is_system_role(json_string(message, "role"))) continue;
    if (const auto error = add_message(turns, message)) return *error;
  }
  if (turns.empty()) return refuse("messages hold nothing but system messages");
  return std::move(turns).finish();
}

// ---- request: params

Json own_tool(const Json &tool) {
  if (!is_function_tool(tool)) return tool;
  const Json &function = function_of(tool);
  Json own = Json::object();
  own["name"] = json_string(function, "name");
  if (const Json *description = given(function, "description")) own["description"] = *description;
  const Json *schema = given(function, "parameters");
  own["input_schema"] = schema != nullptr ? *schema : Json::object({{"type", "object"}});
  if (const Json *strict = given(function, "strict")) own["strict"] = *strict;
  return own;
}

Json own_tools(const Json &tools) {
  if (!tools.is_array()) return tools;
  Json own = Json::array();
  for (const Json &tool : tools) own.push_back(own_tool(tool));
  return own;
}

Json own_tool_choice(const Json &choice) {
  if (choice == "required") return Json::object({{"type", "any"}});
  if (choice.is_string()) return Json::object({{"type", choice}});
  if (!is_function_tool(choice)) return choice;
  return Json::object({{"type", "tool"}, {"name", json_string(function_of(choice), "name")}});
}

// JSON null: none is to be sent.
Json tool_choice(const Json &params) {
  const Json *choice = given(params, "tool_choice");
  Json own = choice == nullptr ? Json() : own_tool_choice(*choice);
  const Json *parallel = given(params, "parallel_tool_calls");
  if (parallel == nullptr || *parallel != Json(false) || given(params, "tools") == nullptr) return own;
  if (own.is_null()) own = Json::object({{"type", "auto"}});
  if (own.is_object() && json_string(own, "type") != "none") own.emplace("disable_parallel_tool_use", true);
  return own;
}

// Written from what the call is, or from several params together.
bool is_written_apart(std::string_view param) {
  constexpr auto kApart =
      std::to_array<std::string_view>({"model", "messages", "system", "stream", "max_tokens", "max_completion_tokens",
                                       "tools", "tool_choice", "stop", "output_config"});
  return std::find(kApart.begin(), kApart.end(), param) != kApart.end();
}

bool has_no_counterpart(std::string_view param) {
  return is_openai_only(param) || param == "seed" || param == "frequency_penalty" || param == "presence_penalty";
}

// The params' own output_config, with the schema of response_format where it has no format. JSON null: neither.
Json output_config(const Json &params) {
  const Json *own = given(params, "output_config");
  Json config = own == nullptr ? Json() : *own;
  const Json *format = given(params, "response_format");
  const Json *schema = format == nullptr ? nullptr : response_schema(*format);
  if (schema != nullptr && (config.is_null() || config.is_object()) && json_member(config, "format") == nullptr)
    config["format"] = Json::object({{"type", "json_schema"}, {"schema", *schema}});
  return config;
}

std::string system_of(const Call &call) {
  std::string system = system_text(*call.prompt);
  const Json *format = given(params_of(call), "response_format");
  if (format == nullptr || response_schema(*format) != nullptr) return system;
  const std::string instruction = json_instruction(*format);
  if (!system.empty() && !instruction.empty()) system += "\n\n";
  return system + instruction;
}

void append_params(std::string &body, const Json &params) {
  if (const Json *tools = given(params, "tools")) append_member(body, "tools", dump_json(own_tools(*tools)));
  if (const Json choice = tool_choice(params); !choice.is_null()) append_member(body, "tool_choice", dump_json(choice));
  if (const Json config = output_config(params); !config.is_null())
    append_member(body, "output_config", dump_json(config));
  const Json *stop = given(params, "stop");
  if (stop != nullptr && given(params, "stop_sequences") == nullptr)
    append_member(body, "stop_sequences", dump_json(stop_list(*stop)));
  const Json *user = given(params, "user");
  if (user != nullptr && given(params, "metadata") == nullptr)
    append_member(body, "metadata", dump_json(Json::object({{"user_id", *user}})));
  for (const auto &item : params.items())
    if (!item.value().is_null() && !is_written_apart(item.key()) && !has_no_counterpart(item.key()))
      append_member(body, item.key(), dump_json(item.value()));
}

Result<std::string> request_body(const Call &call) {
  const Json bound = output_bound(call, {"max_tokens", "max_completion_tokens"});
  if (bound.is_null())
    return misconfigured("the API of Anthropic needs a bound of the output", "Set agent_types.max_output_tokens.");
  Result<std::string> messages = written_messages(*call.prompt);
  if (!messages.ok()) return messages;
  std::string body = R"({"model":)" + dump_json(std::string(call.model));
  append_member(body, "max_tokens", dump_json(bound));
  if (const std::string system = system_of(call); !system.empty()) append_member(body, "system", dump_json(system));
  append_member(body, "messages", *messages);
  if (call.stream) append_member(body, "stream", "true");
  append_params(body, params_of(call));
  body += '}';
  return body;
}

// ---- answer

std::string_view common_finish_reason(std::string_view reason) {
  if (reason == "end_turn" || reason == "stop_sequence") return "stop";
  if (reason == "max_tokens" || reason == "model_context_window_exceeded") return "length";
  if (reason == "tool_use") return "tool_calls";
  return reason;
}

void read_written(const Json &reported, std::int64_t most, Usage &usage) {
  const Json *by_time = json_member(reported, "cache_creation");
  const std::int64_t hour = token_count(by_time, "ephemeral_1h_input_tokens");
  const bool is_summed = has_count(reported, {"cache_creation_input_tokens"});
  usage.cache_write = is_summed ? token_count(&reported, "cache_creation_input_tokens", most)
                                : std::min(token_count(by_time, "ephemeral_5m_input_tokens") + hour, most);
  usage.cache_write_1h = std::min(hour, usage.cache_write);
}

// Unlike elsewhere, input_tokens holds no cached tokens; output_tokens holds those of the thinking.
bool read_usage(const Json &body, Usage &usage) {
  const Json *reported = json_member(body, "usage");
  if (reported == nullptr) return false;
  usage.input = token_count(reported, "input_tokens");
  usage.cache_read = token_count(reported, "cache_read_input_tokens", kTokensMax - usage.input);
  read_written(*reported, kTokensMax - usage.input - usage.cache_read, usage);
  usage.output = token_count(reported, "output_tokens");
  usage.reasoning = token_count(json_member(*reported, "output_tokens_details"), "thinking_tokens", usage.output);
  return has_count(*reported, {"input_tokens", "output_tokens"});
}

// The blocks of the server's own tools are no part of the answer.
void take_block(Json &block, Answer &answer) {
  const std::string_view type = json_string(block, "type");
  if (type == "text") {
    answer.text += take_text(block, "text");
  } else if (type == "thinking") {
    answer.reasoning += take_text(block, "thinking");
  } else if (type == "tool_use") {
    if (answer.tool_calls.is_null()) answer.tool_calls = Json::array();
    Json input = block.contains("input") ? std::move(block["input"]) : Json();
    answer.tool_calls.push_back(tool_call(json_string(block, "id"), json_string(block, "name"), std::move(input)));
  }
}

class AnthropicFormat : public WireFormat {
 public:
  std::string_view name() const override { return "anthropic"; }

  Result<HttpRequest> encode(const Call &call) const override {
    if (const auto error = check_call(call)) return *error;
    Result<std::string> body = request_body(call);
    if (!body.ok()) return body.error();
    HttpRequest request = json_post(call.base_url, "/messages", std::move(body).value());
    request.headers.push_back({"anthropic-version", kApiVersion});
    if (!call.api_key.empty()) request.headers.push_back({"x-api-key", std::string(call.api_key)});
    return request;
  }

  Reply decode(const HttpResponse &response, std::string_view secret, WallTime now) const override {
    auto body = read_success(response, secret, now);
    if (auto *failure = std::get_if<Failure>(&body)) return std::move(*failure);
    return read_anthropic_answer(std::get<Json>(std::move(body)), response, secret);
  }

  std::unique_ptr<StreamReader> open_stream() const override { return open_anthropic_stream(); }
};

}  // namespace

Reply read_anthropic_answer(Json message, const HttpResponse &response, std::string_view secret) {
  Json *content = array_member(message, "content");
  if (content == nullptr) return garbled_answer(response, "the answer is no message with content", secret);
  Answer answer;
  for (Json &block : *content) take_block(block, answer);
  answer.model = clean_text(json_string(message, "model"), kNameBytesMax);
  answer.finish_reason = clean_text(common_finish_reason(json_string(message, "stop_reason")), kNameBytesMax);
  if (const Json *details = json_member(message, "stop_details"); answer.finish_reason == "refusal" && details)
    answer.refusal = clean_text(json_string(*details, "explanation"), kErrorMessageBytesMax);
  answer.usage_known = read_usage(message, answer.usage);
  return answer;
}

const WireFormat &anthropic_format() {
  static const AnthropicFormat format;
  return format;
}

}  // namespace agent_queue
