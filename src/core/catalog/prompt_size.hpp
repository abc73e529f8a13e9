// A prompt before it is sent: made shorter where its agent type says so, and measured, so that what the provider counts
// can be held against what was sent. Pure. Tested in test/unit/prompt_size_test.cpp.
#pragma once

#include <cstdint>

#include "core/catalog/catalog.hpp"
#include "core/job/job.hpp"
#include "core/prompt/prompt.hpp"

namespace agent_queue {

struct PromptSize {
  std::int64_t letters = 0;        // of text, as it is sent
  std::int64_t letters_saved = 0;  // by compression
  bool is_compressed = false;      // the agent type asks for it
  bool is_sample = true;           // what is counted as input says how many letters a token takes: no image, no tool
};

// Compresses the system prompt and the turns of system, developer and user; what the model or a tool said stays.
PromptSize shrink_prompt(Prompt &prompt, const AgentType &type, const Catalog &catalog);

// What the record says of the prompt. Tokens saved are letters saved by the letters that a token took in this very
// call: at least two, because what else is billed makes them look fewer; four where the provider did not say.
void note_prompt(UsageRecord &record, const PromptSize &size);

}  // namespace agent_queue
