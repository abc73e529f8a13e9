// Conversations and params come in OpenAI's shape whoever answers: what the other formats read out of it, and the tool
// calls that they write back in it. Tested in test/unit/{anthropic,gemini,ollama}_test.cpp.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/name_map.hpp"
#include "core/base/result.hpp"
#include "core/prompt/prompt.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

// ---- messages

// "system", and "developer" as newer models of OpenAI call it.
bool is_system_role(std::string_view role);

// The prompt's system text and the system messages of the conversation, with an empty line between them.
std::string system_text(const Prompt &prompt);

// The texts of `content`, whether it is a string or a list of parts. Refusals are texts that were said.
std::string content_text(const Json &message);

// The blocks of `content` and `refusal` as JSON texts: a string by `text_block`, each part by `part_block`, which may
// say that a part is not to be sent by an empty text.
using TextBlock = std::string (*)(const Json &text);
using PartBlock = Result<std::string> (*)(const Json &part);
Result<std::vector<std::string>> content_blocks(const Json &message, TextBlock text_block, PartBlock part_block);

// ---- images

// Either bytes in base64 with their type, or an address.
struct Image {
  std::string_view media_type;
  std::string_view base64;
  std::string_view url;  // https
};

bool is_image(const Json &part);

// Views into `part`. Bytes and type hold nothing that JSON would have to escape.
Result<Image> read_image(const Json &part);

// ---- tools

// The members of a tool call or of a tool's description stand in `function`; `tool` itself where it has none.
const Json &function_of(const Json &tool);
bool is_function_tool(const Json &tool);

// The calls in an assistant's message; nullptr: none.
const Json *tool_calls_of(const Json &message);

// A call's arguments as the object that they describe; `{}` where there are none.
Result<Json> arguments_of(const Json &tool_call);

// A tool's result names the call that it answers; which function that was, earlier messages know.
class CalledFunctions {
 public:
  void note(const Json &message);
  std::string name_for(const Json &tool_message) const;  // empty: unknown

 private:
  NameMap<std::string> name_by_id_;
};

// {"id", "type", "function": {"name", "arguments"}}; the arguments become JSON text, as OpenAI has them; a
// string is that text. Clean.
Json tool_call(std::string_view id, std::string_view name, Json arguments);

// Not for secrets: equal texts give equal numbers, others hardly ever.
std::uint64_t hash_text(std::string_view text);

// For providers that give calls no id: always the same for the same answer, and hardly ever the same for another.
std::string made_call_id(std::string_view name, const Json &arguments, std::size_t index);

// ---- params

// `stop` may be one string.
Json stop_list(const Json &stop);

// The schema of a response_format of type json_schema; nullptr: it has none.
const Json *response_schema(const Json &response_format);

// A response_format in words, for providers that can be told it in no other way; empty: it asks for free text.
std::string json_instruction(const Json &response_format);

// Params of OpenAI's that have no counterpart elsewhere. They are left out, so that an agent type can have routes to
// providers of several formats.
bool is_openai_only(std::string_view param);

}  // namespace agent_queue
