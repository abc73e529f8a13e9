// OpenAI's chat completions as others take them: what differs is one row of a table for each dialect, and how a
// conversation and its params are written by that row. Sources: the providers' API references and error pages.
// Tested in test/unit/openai_dialect_test.cpp.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/provider/wire_format.hpp"

namespace agent_queue {

struct OpenAiDialect {
  struct Rename {
    std::string_view openai;
    std::string_view own;
  };

  std::string_view name;                                   // agent_providers.dialect; empty: plain
  bool is_plain = false;                                   // conversation and params pass as they are
  std::string_view key_header = "authorization";           // gets "Bearer KEY"; any other header gets the key alone
  std::string_view bound = "max_completion_tokens";        // what the bound of the output is called
  bool knows_both_bounds = false;                          // params keep the name that they use
  bool knows_developer = false;                            // else the role is "system"
  bool knows_schemas = true;                               // else a schema is told in words and JSON is asked for
  bool knows_named_tools = true;                           // else the named tool is the only one that is sent
  bool has_short_call_ids = false;                         // exactly nine letters and digits
  bool knows_stream_options = true;                        // else usage comes unasked
  bool reports_cost = false;                               // usage.cost, in US dollars
  std::string_view some_tool = "required";                 // the tool_choice that wants a call of any tool
  std::span<const Rename> renamed = {};                    // params
  std::span<const std::string_view> unknown_params = {};   // refused there: left out
  std::span<const std::string_view> unknown_members = {};  // of messages; refused there: left out
};

// All of them. They live as long as the process.
std::span<const OpenAiDialect> openai_dialects();

// The JSON array of the conversation, the system prompt first. Error: tool calls whose arguments are none.
Result<std::string> written_messages(const OpenAiDialect &dialect, const Call &call);

// Appends the bound of the output and the params to `body`, which ends behind a member.
void append_params(std::string &body, const OpenAiDialect &dialect, const Call &call);

}  // namespace agent_queue
