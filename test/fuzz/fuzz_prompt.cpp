// A template, a request and a result template from any bytes, each ended by a NUL: parsed, rendered and mapped without
// a crash, and what comes out can be written as JSON. Seeds: corpus/fuzz_prompt.
#include <cstdint>
#include <cstdlib>

#include "core/prompt/prompt.hpp"

namespace {

std::string_view take_part(std::string_view &rest) {
  const std::string_view part = rest.substr(0, rest.find('\0'));
  rest.remove_prefix(std::min(rest.size(), part.size() + 1));
  return part;
}

void check_json(const agent_queue::Json &value) {
  if (!agent_queue::Json::accept(agent_queue::dump_json(value))) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  using namespace agent_queue;
  std::string_view rest(reinterpret_cast<const char *>(bytes), size);
  const auto text_template = TextTemplate::parse(take_part(rest));
  const std::string_view request_text = take_part(rest);
  const auto request = parse_json(request_text);
  if (request.ok()) {
    const auto prompt = map_prompt(*request, "system", text_template.ok() ? &*text_template : nullptr);
    if (prompt.ok()) {
      if (prompt->messages.empty()) std::abort();
      check_json(prompt->messages);
    }
  }
  const auto result_template = parse_json(take_part(rest));
  AnswerParts answer;
  answer.text = request_text;
  answer.refusal = rest;
  if (result_template.ok()) check_json(render_result(&*result_template, answer));
  check_json(render_result(nullptr, answer));
  return 0;
}
