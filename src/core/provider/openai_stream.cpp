// OpenAI's streams: chunks with a `delta` of the message; one with the usage and without choices near the end; the mark
// [DONE]. Servers that leave out the one or the other are understood.
// Tested in test/unit/openai_stream_test.cpp with test/unit/fixtures/openai, fuzzed in
// test/fuzz/fuzz_openai_stream.cpp.
#include <string>

#include "core/provider/answer_read.hpp"
#include "core/provider/call_fragments.hpp"
#include "core/provider/event_reader.hpp"
#include "core/provider/formats.hpp"
#include "core/provider/http_failure.hpp"
#include "core/provider/openai_dialect.hpp"
#include "core/provider/streams.hpp"

namespace agent_queue {
namespace {

// vLLM's own shape, and Groq's of a stream that it breaks off.
bool is_own_error(const Json &event) {
  const Json *groq = json_member(event, "x_groq");
  return json_string(event, "object") == "error" || (groq != nullptr && has_error(*groq));
}

// Of several choices the first is the answer.
Json *first_choice(Json &event) {
  Json *choices = array_member(event, "choices");
  if (choices == nullptr) return nullptr;
  for (Json &choice : *choices)
    if (choice.is_object() && json_int(choice, "index").value_or(0) == 0) return &choice;
  return nullptr;
}

// A server that streams nothing but its framing sends the whole message.
Json *delta_of(Json &choice) {
  for (const char *name : {"delta", "message"})
    if (const auto delta = choice.find(name); delta != choice.end() && delta->is_object()) return &*delta;
  return nullptr;
}

// Reasoning has no place in OpenAI's shape; each server gave it one of its own. Of the deprecated function_call only
// that it came is read.
bool has_unread_token(const Json &delta) {
  for (const char *name : {"reasoning_content", "reasoning"})
    if (!json_string(delta, name).empty()) return true;
  for (const char *name : {"reasoning_details", "content"})
    if (const Json *parts = json_member(delta, name); parts != nullptr && parts->is_array() && !parts->empty())
      return true;
  const Json *call = json_member(delta, "function_call");
  return call != nullptr && call->is_object();
}

class OpenAiStream : public EventReader {
 public:
  explicit OpenAiStream(const OpenAiDialect &dialect)
      : EventReader(*openai_format_of(dialect.name), Framing::server_events), dialect_(dialect) {}

 protected:
  Brought take(Json &event, std::string_view) override {
    Brought brought;
    brought.is_error = is_own_error(event);
    if (model_.empty()) model_ = json_string(event, "model");
    const auto groq = event.find("x_groq");
    brought.has_usage = take_usage(event) || (groq != event.end() && groq->is_object() && take_usage(*groq));
    Json *choice = first_choice(event);
    if (choice == nullptr) return brought;
    if (Json *delta = delta_of(*choice)) take_delta(*delta, brought);
    if (const std::string_view reason = json_string(*choice, "finish_reason"); !reason.empty()) {
      reason_ = reason;
      brought.has_reason = true;
    }
    return brought;
  }

  Json assemble(std::string text) override {
    Json message = Json::object({{"content", std::move(text)}, {"refusal", std::move(refusal_)}});
    message["tool_calls"] = calls_.take();
    message["reasoning_content"] = std::move(reasoning_);
    Json choice = Json::object({{"finish_reason", std::move(reason_)}});
    choice["message"] = std::move(message);
    Json body = Json::object({{"model", std::move(model_)}, {"usage", std::move(usage_)}});
    if (!timings_.is_null()) body["timings"] = std::move(timings_);
    body["choices"].push_back(std::move(choice));
    return body;
  }

  Reply read(Json body, const HttpResponse &response, std::string_view secret) const override {
    return read_openai_answer(std::move(body), dialect_, response, secret, WallTime{});
  }

 private:
  // Servers that count with each chunk count from the start: the last one holds.
  bool take_usage(Json &holder) {
    if (const auto timings = holder.find("timings"); timings != holder.end() && timings->is_object())
      timings_ = std::move(*timings);
    const auto usage = holder.find("usage");
    if (usage == holder.end() || !usage->is_object() || usage->empty()) return !timings_.is_null();
    usage_ = std::move(*usage);
    return true;
  }

  void take_delta(Json &delta, Brought &brought) {
    brought.is_answer = true;
    brought.is_token = has_unread_token(delta);
    reasoning_ += take_openai_reasoning(delta);
    brought.text = take_openai_content(delta);
    const std::string refusal = agent_queue::take_text(delta, "refusal");
    refusal_ += refusal;
    Json *calls = array_member(delta, "tool_calls");
    if (calls != nullptr)
      for (Json &fragment : *calls) calls_.add(fragment);
    brought.is_token =
        brought.is_token || !brought.text.empty() || !refusal.empty() || (calls != nullptr && !calls->empty());
  }

  const OpenAiDialect &dialect_;
  std::string model_;
  std::string reasoning_;
  std::string refusal_;
  std::string reason_;
  CallFragments calls_;
  Json usage_;
  Json timings_;  // llama.cpp's way to say usage
};

}  // namespace

std::unique_ptr<StreamReader> open_openai_stream(const OpenAiDialect &dialect) {
  return std::make_unique<OpenAiStream>(dialect);
}

}  // namespace agent_queue
