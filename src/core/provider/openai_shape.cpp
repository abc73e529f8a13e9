// OpenAI's shape, read for others. Tested in test/unit/{anthropic,gemini,ollama}_test.cpp.
#include "core/provider/openai_shape.hpp"

#include <algorithm>
#include <array>

#include "core/provider/request_write.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

constexpr std::size_t kCallIdBytesMax = 200;

bool is_base64(std::string_view text) {
  static const auto kAlphabet = [] {
    std::array<bool, 256> table{};
    for (const char c : std::string_view("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="))
      table[static_cast<unsigned char>(c)] = true;
    return table;
  }();
  return !text.empty() &&
         std::all_of(text.begin(), text.end(), [](char c) { return kAlphabet[static_cast<unsigned char>(c)]; });
}

bool is_media_type(std::string_view text) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '/' || c == '.' ||
           c == '+' || c == '-';
  };
  return text.find('/') != std::string_view::npos && std::all_of(text.begin(), text.end(), fits);
}

// "data:image/png;base64,AAAA"
Result<Image> read_data_url(std::string_view url) {
  constexpr std::string_view kMark = ";base64";
  url.remove_prefix(std::string_view("data:").size());
  const std::size_t comma = std::min(url.find(','), url.size());
  const std::string_view head = url.substr(0, comma);
  Image image;
  image.media_type = head.substr(0, head.find(';'));
  image.base64 = url.substr(std::min(comma + 1, url.size()));
  if (head.ends_with(kMark) && is_media_type(image.media_type) && is_base64(image.base64)) return image;
  return refuse("data: URL of an image is not of the form data:image/png;base64,...");
}

std::string_view image_url(const Json &part) {
  const Json *image = json_member(part, "image_url");
  return image != nullptr && image->is_object() ? json_string(*image, "url") : json_string(part, "image_url");
}

}  // namespace

bool is_system_role(std::string_view role) {
  return role == "system" || role == "developer";
}

std::string system_text(const Prompt &prompt) {
  std::string text = prompt.system;
  for (const Json &message : prompt.messages) {
    if (!is_system_role(json_string(message, "role"))) continue;
    const std::string more = content_text(message);
    if (!text.empty() && !more.empty()) text += "\n\n";
    text += more;
  }
  return text;
}

std::string content_text(const Json &message) {
  std::string text(json_string(message, "content"));
  const Json *content = json_member(message, "content");
  if (content != nullptr && content->is_array())
    for (const Json &part : *content) text.append(json_string(part, "text")).append(json_string(part, "refusal"));
  text += json_string(message, "refusal");
  return text;
}

Result<std::vector<std::string>> content_blocks(const Json &message, TextBlock text_block, PartBlock part_block) {
  std::vector<std::string> blocks;
  const Json *content = json_member(message, "content");
  if (!json_string(message, "content").empty()) blocks.push_back(text_block(*content));
  if (content != nullptr && content->is_array()) {
    for (const Json &part : *content) {
      Result<std::string> block = part_block(part);
      if (!block.ok()) return block.error();
      if (!block->empty()) blocks.push_back(std::move(block).value());
    }
  }
  if (!json_string(message, "refusal").empty()) blocks.push_back(text_block(message["refusal"]));
  return blocks;
}

bool is_image(const Json &part) {
  return json_string(part, "type") == "image_url";
}

Result<Image> read_image(const Json &part) {
  const std::string_view url = image_url(part);
  if (url.starts_with("data:")) return read_data_url(url);
  if (url.starts_with("https://")) return Image{{}, {}, url};
  return refuse("image of a message is neither a data: URL nor an https: URL");
}

const Json &function_of(const Json &tool) {
  const Json *function = json_member(tool, "function");
  return function != nullptr && function->is_object() ? *function : tool;
}

bool is_function_tool(const Json &tool) {
  return json_string(tool, "type") == "function" && &function_of(tool) != &tool;
}

const Json *tool_calls_of(const Json &message) {
  const Json *calls = json_member(message, "tool_calls");
  return calls == nullptr || !calls->is_array() || calls->empty() ? nullptr : calls;
}

Result<Json> arguments_of(const Json &tool_call) {
  const Json *arguments = given(function_of(tool_call), "arguments");
  if (arguments == nullptr) return Json(Json::object());
  if (arguments->is_object()) return Json(*arguments);
  const std::string_view text = json_string(function_of(tool_call), "arguments");
  if (arguments->is_string() && text.empty()) return Json(Json::object());
  Result<Json> parsed = parse_json(text);
  if (parsed.ok() && parsed->is_object()) return parsed;
  return refuse("arguments of a tool call in the messages are no JSON object");
}

void CalledFunctions::note(const Json &message) {
  const Json *calls = tool_calls_of(message);
  if (calls == nullptr) return;
  for (const Json &call : *calls)
    name_by_id_.insert_or_assign(std::string(json_string(call, "id")), json_string(function_of(call), "name"));
}

std::string CalledFunctions::name_for(const Json &tool_message) const {
  const std::string *name = find_name(name_by_id_, json_string(tool_message, "tool_call_id"));
  return name != nullptr ? *name : std::string(json_string(tool_message, "name"));
}

Json tool_call(std::string_view id, std::string_view name, Json arguments) {
  clean_json(arguments);
  Json function = Json::object();
  function.emplace("name", name);
  if (arguments.is_string())
    function.emplace("arguments", std::move(arguments));
  else
    function.emplace("arguments", arguments.is_null() ? "{}" : dump_json(arguments));
  Json call = Json::object();
  call.emplace("id", clean_text(id, kCallIdBytesMax));
  call.emplace("type", "function");
  call.emplace("function", std::move(function));
  clean_json(call);
  return call;
}

std::uint64_t hash_text(std::string_view text) {
  std::uint64_t hash = 0xCBF29CE484222325U;  // FNV-1a
  for (const char c : text) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
  return hash;
}

std::string made_call_id(std::string_view name, const Json &arguments, std::size_t index) {
  const std::uint64_t hash = hash_text(std::string(name) + '\n' + dump_json(arguments));
  std::string id = "call_";
  for (int shift = 60; shift >= 0; shift -= 4) id += "0123456789abcdef"[(hash >> shift) & 15U];
  return id + '_' + std::to_string(index);
}

Json stop_list(const Json &stop) {
  return stop.is_string() ? Json::array({stop}) : stop;
}

const Json *response_schema(const Json &response_format) {
  const Json *named = given(response_format, "json_schema");
  return named == nullptr ? nullptr : given(*named, "schema");
}

std::string json_instruction(const Json &response_format) {
  if (const Json *schema = response_schema(response_format))
    return "Answer with a JSON object that fits this JSON schema, and with nothing else: " + dump_json(*schema);
  const std::string_view type = json_string(response_format, "type");
  return type == "json_object" || type == "json_schema" ? "Answer with a JSON object and with nothing else." : "";
}

bool is_openai_only(std::string_view param) {
  constexpr auto kParams =
      std::to_array<std::string_view>({"n", "logit_bias", "logprobs", "top_logprobs", "parallel_tool_calls", "store",
                                       "user", "stream_options", "reasoning_effort", "response_format", "prediction",
                                       "modalities", "audio", "verbosity", "prompt_cache_key", "safety_identifier"});
  return std::find(kParams.begin(), kParams.end(), param) != kParams.end();
}

}  // namespace agent_queue
