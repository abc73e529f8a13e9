// From a request to the conversation that is sent. Tested in test/unit/prompt_test.cpp.
#include <algorithm>

#include "core/prompt/prompt.hpp"

namespace agent_queue {
namespace {

Error invalid(std::string message, std::string hint) {
  return Error{ErrorKind::invalid_input, std::move(message), std::move(hint)};
}

bool is_message(const Json &value) {
  return !json_string(value, "role").empty();
}

// A member that is JSON null counts as missing: SQL's jsonb_build_object writes such members.
const Json *present(const Json &request, std::string_view key) {
  const Json *member = json_member(request, key);
  return member == nullptr || member->is_null() ? nullptr : member;
}

Json user_turn(std::string text) {
  Json turn = Json::object();
  turn.emplace("role", "user");
  turn.emplace("content", std::move(text));
  return turn;
}

// What the user says without a template.
std::string plain_text(const Json &request) {
  std::string_view text = json_string(request, "prompt");
  if (text.empty()) text = json_string(request, "text");
  return std::string(text);
}

}  // namespace

Result<Prompt> map_prompt(const Json &request, std::string_view system_prompt, const TextTemplate *user_template) {
  if (!request.is_object()) return invalid("request is not a JSON object", {});
  Prompt prompt;
  prompt.system = system_prompt;
  prompt.messages = Json::array();
  const Json *messages = present(request, "messages");
  if (messages != nullptr) {
    if (!messages->is_array() || messages->empty() || !std::all_of(messages->begin(), messages->end(), is_message))
      return invalid("\"messages\" of the request is not a non-empty array of objects with a role",
                     "Write [{\"role\": \"user\", \"content\": \"...\"}].");
    prompt.messages = *messages;
  }
  std::string text;
  if (user_template != nullptr) {
    Result<std::string> rendered = user_template->render(request);
    if (!rendered.ok()) return rendered.error();
    text = std::move(rendered).value();
  } else if (messages == nullptr) {
    text = plain_text(request);
  }
  if (!text.empty()) prompt.messages.push_back(user_turn(std::move(text)));
  if (prompt.messages.empty())
    return invalid("request says nothing: it has no \"messages\", \"prompt\" or \"text\"",
                   "Give one of them, or give the agent type a prompt template.");
  return prompt;
}

}  // namespace agent_queue
