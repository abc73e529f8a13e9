// The wire formats that there are. Each lives as long as the process.
#pragma once

#include "core/provider/wire_format.hpp"

namespace agent_queue {

// OpenAI chat completions, and the many servers that speak it (provider/openai.cpp).
const WireFormat &openai_format();

// As one of them takes it (provider/openai_dialect.cpp); nullptr: the dialect is unknown.
const WireFormat *openai_format_of(std::string_view dialect);

// Anthropic's messages (provider/anthropic.cpp).
const WireFormat &anthropic_format();

// Gemini's generateContent, with an API key (provider/gemini.cpp).
const WireFormat &gemini_format();

// Ollama's own /api/chat (provider/ollama.cpp).
const WireFormat &ollama_format();

// Answers with what was asked, without network; for tests and first steps (provider/echo.cpp).
const WireFormat &echo_format();

}  // namespace agent_queue
