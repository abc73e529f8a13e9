// What the two readers of a format have of each other: the one of whole bodies (openai.cpp and so on) and the one of
// streams (openai_stream.cpp and so on), which puts a whole body together and has it read by the first.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "core/provider/stream_reader.hpp"

namespace agent_queue {

struct OpenAiDialect;

// decode(), from where the body is known to be an object without an error. `response`: for what a failure says.
Reply read_openai_answer(Json body, const OpenAiDialect &dialect, const HttpResponse &response, std::string_view secret,
                         WallTime now);
Reply read_anthropic_answer(Json body, const HttpResponse &response, std::string_view secret);
Reply read_gemini_answer(Json body, const HttpResponse &response, std::string_view secret);
Reply read_ollama_answer(Json body, const HttpResponse &response, std::string_view secret);

// The text of a message or of a piece of one: `content` is a string, or parts of which those with a text count.
std::string take_openai_content(Json &message);
// What it shows of the model's thinking. Before the content is taken.
std::string take_openai_reasoning(Json &message);

std::unique_ptr<StreamReader> open_openai_stream(const OpenAiDialect &dialect);
std::unique_ptr<StreamReader> open_anthropic_stream();
std::unique_ptr<StreamReader> open_gemini_stream();
std::unique_ptr<StreamReader> open_ollama_stream();

}  // namespace agent_queue
