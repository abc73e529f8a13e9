// What the formats share when they write a request: the checks of a call, the frame of a POST, and turns with their
// blocks. Bodies are put together as text, so that no second copy of a conversation is made as JSON.
// Tested in test/unit/{anthropic,gemini,ollama}_test.cpp.
#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>

#include "core/provider/wire_format.hpp"

namespace agent_queue {

// The request is to blame: the job fails as invalid_request.
Error refuse(std::string message, std::string hint = {});

// What an administrator set up is to blame: the job fails as configuration.
Error misconfigured(std::string message, std::string hint = {});

// What no format can send: a call without address, model or messages, or with a key that would break its header.
std::optional<Error> check_call(const Call &call);

// The params of a call; JSON null where there are none.
const Json &params_of(const Call &call);

// The member of that name; nullptr also where it is JSON null, which means "not given".
const Json *given(const Json &object, std::string_view key);

// The bound of the output: the first of `names` that the params give, else the call's own, else JSON null.
Json output_bound(const Call &call, std::initializer_list<std::string_view> names);

// A POST of JSON to base_url + path, without credentials. A query of base_url stays at the end.
HttpRequest json_post(std::string_view base_url, std::string_view path, std::string body);

// `,"key":json` where `body` holds a member already, else without the comma. `json` is JSON text.
void append_member(std::string &body, std::string_view key, std::string_view json);

// A list of turns {"role", LIST: [block, …]}. Neighbours of the same role become one turn, because some providers
// refuse two turns of one role in a row.
class TurnWriter {
 public:
  // `list_name`: "content" or "parts".
  explicit TurnWriter(std::string_view list_name) : list_name_(list_name) {}

  void add(std::string_view role, std::string_view block_json);
  bool empty() const { return text_.empty(); }
  std::string finish() &&;  // the JSON array

 private:
  std::string_view list_name_;
  std::string text_;
  std::string role_;  // of the turn that is open
};

}  // namespace agent_queue
