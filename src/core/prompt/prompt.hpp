// From a job's request to the conversation that is sent, and from an answer to the job's result. Pure.
// Tested in test/unit/prompt_test.cpp.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

// Text with {{field}} or {{field.sub}} places. "{{{{" stands for a literal "{{".
class TextTemplate {
 public:
  // Errors: an unclosed or empty place.
  static Result<TextTemplate> parse(std::string_view source);

  // The top-level fields named by the places, each once, in order of appearance.
  const std::vector<std::string> &fields() const { return fields_; }

  // How many places there are, repeated ones included: what a request can be multiplied by.
  std::size_t place_count() const;

  // Strings are put in as they are, other values as compact JSON. Error: a field that `values` lacks; it says that
  // `owner` names it.
  Result<std::string> render(const Json &values, std::string_view owner = "the prompt template") const;

  // What it was parsed from.
  const std::string &source() const { return source_; }

 private:
  struct Piece {
    std::string literal;            // before the place
    std::vector<std::string> path;  // empty: no place (the tail)
  };
  std::vector<Piece> pieces_;
  std::vector<std::string> fields_;
  std::string source_;
};

struct Prompt {
  std::string system;  // may be empty
  Json messages;       // array of {"role", "content", …} as the OpenAI format has them
};

// `messages` of the request as they are; else `prompt`, else `text` as the user's turn; with a template, the
// rendered template as the user's turn (and `messages`, if any, before it).
// Errors: request no object, `messages` no non-empty array of objects with a role, nothing to say.
Result<Prompt> map_prompt(const Json &request, std::string_view system_prompt, const TextTemplate *user_template);

// What an answer offers to the result.
struct AnswerParts {
  std::string_view text;
  std::string_view model;
  std::string_view finish_reason;
  std::string_view refusal;          // empty: none
  std::string_view reasoning;        // empty: none
  const Json *tool_calls = nullptr;  // null: none
};

// The standard result: {"text", "finish_reason", "model"} and, where there are any, "tool_calls", "refusal".
// With a template: its strings have {{text}}, {{model}}, {{finish_reason}}, {{refusal}}, {{reasoning}}, {{tool_calls}}
// and {{json}} (the text read as JSON, with or without a ```json fence; null if it is none) replaced; a string that is
// nothing but one place takes the value itself with its type. `template_json` null: the standard result.
Json render_result(const Json *template_json, const AnswerParts &answer);

}  // namespace agent_queue
