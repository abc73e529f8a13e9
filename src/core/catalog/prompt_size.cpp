#include "core/catalog/prompt_size.hpp"

#include <algorithm>
#include <cmath>

#include "core/cost/token_ratio.hpp"
#include "core/prompt/letters.hpp"

namespace agent_queue {

namespace {

constexpr double kLettersPerTokenMin = 2;

bool is_ours(const Json &message) {
  const std::string_view role = json_string(message, "role");
  return role == "system" || role == "developer" || role == "user";
}

// Calls visit(text) for each text of the message; false: there is something else in it.
template <typename Visit>
bool each_text(Json &message, Visit visit) {
  const bool calls_tools = message.contains("tool_calls") || message.contains("function_call");
  const auto content = message.find("content");
  if (content == message.end() || content->is_null()) return !calls_tools;
  if (content->is_string()) {
    visit(content->get_ref<std::string &>());
    return !calls_tools;
  }
  if (!content->is_array()) return false;
  bool is_text_only = !calls_tools;
  for (Json &part : *content) {
    const auto text = part.is_object() ? part.find("text") : part.end();
    if (part.is_object() && json_string(part, "type") == "text" && text != part.end() && text->is_string())
      visit(text->get_ref<std::string &>());
    else
      is_text_only = false;
  }
  return is_text_only;
}

std::int64_t letters_of(std::string_view text) {
  return static_cast<std::int64_t>(count_letters(text));
}

}  // namespace

PromptSize shrink_prompt(Prompt &prompt, const AgentType &type, const Catalog &catalog) {
  PromptSize size{.is_compressed = type.compress};
  const Phrasebook &phrases = catalog.phrases_of(type.compress_language);
  const auto take_in = [&](std::string &text, bool may_shrink) {
    const std::int64_t before = letters_of(text);
    if (may_shrink) text = compress_text(text, phrases);
    const std::int64_t after = may_shrink ? letters_of(text) : before;
    size.letters += after;
    size.letters_saved += before - after;
  };
  take_in(prompt.system, type.compress);
  for (Json &message : prompt.messages) {
    const bool may_shrink = type.compress && is_ours(message);
    size.is_sample &= each_text(message, [&](std::string &text) { take_in(text, may_shrink); });
  }
  size.is_sample &= json_member(type.params, "tools") == nullptr;
  return size;
}

void note_prompt(UsageRecord &record, const PromptSize &size) {
  const std::int64_t counted = record.estimated ? 0 : record.usage.input_total();
  if (counted > 0 && size.is_sample) record.prompt_letters = size.letters;
  if (!size.is_compressed) return;
  const double letters_per_token =
      counted > 0 ? std::max(kLettersPerTokenMin, static_cast<double>(size.letters) / static_cast<double>(counted))
                  : kLettersPerToken;
  record.compressed_tokens = std::llround(static_cast<double>(size.letters_saved) / letters_per_token);
}

}  // namespace agent_queue
