// Requests as text. Tested in test/unit/{anthropic,gemini,ollama}_test.cpp.
#include "core/provider/request_write.hpp"

#include <algorithm>

namespace agent_queue {
namespace {

// A line break in a header would begin another header.
bool fits_header(std::string_view value) {
  return std::all_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x20 && c != 0x7F; });
}

}  // namespace

Error refuse(std::string message, std::string hint) {
  return Error{ErrorKind::invalid_input, std::move(message), std::move(hint)};
}

Error misconfigured(std::string message, std::string hint) {
  return Error{ErrorKind::misconfigured, std::move(message), std::move(hint)};
}

std::optional<Error> check_call(const Call &call) {
  if (call.base_url.empty()) return misconfigured("provider has no base_url", "Set agent_providers.base_url.");
  if (call.model.empty()) return misconfigured("route has no model", "Set agent_routes.model.");
  if (call.prompt == nullptr || !call.prompt->messages.is_array()) return refuse("call has no messages");
  if (!fits_header(call.api_key))
    return misconfigured("API key holds a line break or another control character",
                         "Look at what api_key_ref refers to.");
  return std::nullopt;
}

const Json &params_of(const Call &call) {
  static const Json kNone;
  return call.params == nullptr || !call.params->is_object() ? kNone : *call.params;
}

const Json *given(const Json &object, std::string_view key) {
  const Json *member = json_member(object, key);
  return member == nullptr || member->is_null() ? nullptr : member;
}

Json output_bound(const Call &call, std::initializer_list<std::string_view> names) {
  for (const std::string_view name : names)
    if (const Json *bound = given(params_of(call), name)) return *bound;
  return call.max_output_tokens > 0 ? Json(call.max_output_tokens) : Json(nullptr);
}

HttpRequest json_post(std::string_view base_url, std::string_view path, std::string body) {
  HttpRequest request;
  const std::size_t query = std::min(base_url.find('?'), base_url.size());
  request.url = base_url.substr(0, query);
  if (request.url.ends_with('/')) request.url.pop_back();
  request.url.append(path);
  if (std::string_view rest = base_url.substr(query); !rest.empty()) {
    rest.remove_prefix(1);
    const bool has_query = path.find('?') != std::string_view::npos;
    if (!rest.empty()) (request.url += has_query ? '&' : '?').append(rest);
  }
  request.headers.push_back({"content-type", "application/json"});
  request.body = std::move(body);
  return request;
}

void append_member(std::string &body, std::string_view key, std::string_view json) {
  if (!body.ends_with('{')) body += ',';
  body += dump_json(std::string(key));
  body += ':';
  body += json;
}

void TurnWriter::add(std::string_view role, std::string_view block_json) {
  if (!text_.empty() && role == role_) {
    text_ += ',';
  } else {
    text_ += text_.empty() ? "[" : "]},";
    role_ = role;
    text_ += R"({"role":)" + dump_json(role_) + ",\"";
    text_ += list_name_;
    text_ += "\":[";
  }
  text_ += block_json;
}

std::string TurnWriter::finish() && {
  text_ += text_.empty() ? "[]" : "]}]";
  return std::move(text_);
}

}  // namespace agent_queue
