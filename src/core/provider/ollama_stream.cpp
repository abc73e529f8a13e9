// Ollama's streams: lines of JSON, each with the next piece of the message; the last says `done`, why, and the counts.
// Tested in test/unit/ollama_stream_test.cpp with test/unit/fixtures/ollama, fuzzed in
// test/fuzz/fuzz_ollama_stream.cpp.
#include <string>

#include "core/provider/answer_read.hpp"
#include "core/provider/event_reader.hpp"
#include "core/provider/formats.hpp"
#include "core/provider/streams.hpp"

namespace agent_queue {
namespace {

class OllamaStream : public EventReader {
 public:
  OllamaStream() : EventReader(ollama_format(), Framing::json_lines) {}

 protected:
  Brought take(Json &event, std::string_view) override {
    Brought brought;
    const auto message = event.find("message");
    if (message != event.end() && message->is_object()) take_message(*message, brought);
    const Json *done = json_member(event, "done");
    if (done == nullptr || *done != Json(true)) return brought;
    brought.has_reason = brought.is_last = true;
    brought.has_usage = has_count(event, {"prompt_eval_count", "eval_count"});
    last_ = std::move(event);
    return brought;
  }

  // The last line has all that belongs to the whole.
  Json assemble(std::string text) override {
    Json body = std::move(last_);
    body["message"] = Json::object({{"content", std::move(text)}, {"thinking", std::move(reasoning_)}});
    body["message"]["tool_calls"] = std::move(calls_);
    return body;
  }

  Reply read(Json body, const HttpResponse &response, std::string_view secret) const override {
    return read_ollama_answer(std::move(body), response, secret);
  }

 private:
  void take_message(Json &message, Brought &brought) {
    brought.is_answer = true;
    brought.text = agent_queue::take_text(message, "content");
    const std::string thinking = agent_queue::take_text(message, "thinking");
    reasoning_ += thinking;
    brought.is_token = !brought.text.empty() || !thinking.empty();
    Json *calls = array_member(message, "tool_calls");
    if (calls == nullptr || calls->empty()) return;
    brought.is_token = true;
    for (Json &call : *calls) calls_.push_back(std::move(call));
  }

  std::string reasoning_;
  Json last_ = Json::object();
  Json calls_ = Json::array();
};

}  // namespace

std::unique_ptr<StreamReader> open_ollama_stream() {
  return std::make_unique<OllamaStream>();
}

}  // namespace agent_queue
