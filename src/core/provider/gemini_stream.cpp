// Gemini's streams: each event is an answer like a whole one that holds the next parts; counts grow from event to
// event; nothing marks the end but the finishReason and the end of the connection. Without alt=sse, which encode() asks
// for, the events would be the elements of a JSON array; such an array is read when it is whole. Tested in
// test/unit/gemini_stream_test.cpp with test/unit/fixtures/gemini, fuzzed in test/fuzz/fuzz_gemini_stream.cpp.
#include <string>

#include "core/provider/answer_read.hpp"
#include "core/provider/event_reader.hpp"
#include "core/provider/formats.hpp"
#include "core/provider/streams.hpp"

namespace agent_queue {
namespace {

// Of several candidates the first is the answer.
Json *first_candidate(Json &event) {
  Json *candidates = array_member(event, "candidates");
  if (candidates == nullptr) return nullptr;
  for (Json &candidate : *candidates)
    if (candidate.is_object() && json_int(candidate, "index").value_or(0) == 0) return &candidate;
  return nullptr;
}

class GeminiStream : public EventReader {
 public:
  GeminiStream() : EventReader(gemini_format(), Framing::server_events) {}

 protected:
  Brought take(Json &event, std::string_view) override {
    Brought brought;
    if (model_.empty()) model_ = json_string(event, "modelVersion");
    brought.has_usage = take_usage(event);
    if (Json *candidate = first_candidate(event)) take_candidate(*candidate, brought);
    const Json *feedback = json_member(event, "promptFeedback");
    if (feedback != nullptr && !json_string(*feedback, "blockReason").empty()) {
      block_reason_ = json_string(*feedback, "blockReason");
      brought.is_answer = brought.has_reason = true;
    }
    return brought;
  }

  Json assemble(std::string text) override {
    Json body = Json::object({{"modelVersion", std::move(model_)}});
    body["usageMetadata"] = std::move(usage_);
    body["promptFeedback"]["blockReason"] = block_reason_;
    if (!has_candidate_ && !block_reason_.empty()) return body;
    Json parts = Json::array();
    if (!reasoning_.empty()) parts.push_back(Json::object({{"thought", true}, {"text", std::move(reasoning_)}}));
    parts.push_back(Json::object({{"text", std::move(text)}}));
    for (Json &call : calls_) parts.push_back(std::move(call));
    Json candidate = Json::object({{"finishReason", std::move(reason_)}});
    candidate["content"]["parts"] = std::move(parts);
    body["candidates"].push_back(std::move(candidate));
    return body;
  }

  Reply read(Json body, const HttpResponse &response, std::string_view secret) const override {
    return read_gemini_answer(std::move(body), response, secret);
  }

 private:
  bool take_usage(Json &event) {
    const auto usage = event.find("usageMetadata");
    if (usage == event.end() || !usage->is_object() || usage->empty()) return false;
    if (!usage_.is_object()) usage_ = Json::object();
    for (auto &item : usage->items()) usage_[item.key()] = std::move(item.value());
    return true;
  }

  void take_candidate(Json &candidate, Brought &brought) {
    if (const auto content = candidate.find("content"); content != candidate.end() && content->is_object()) {
      brought.is_answer = true;
      if (Json *parts = array_member(*content, "parts"))
        for (Json &part : *parts) take_part(part, brought);
    }
    if (const std::string_view reason = json_string(candidate, "finishReason"); !reason.empty()) {
      reason_ = reason;
      brought.is_answer = brought.has_reason = true;
    }
    has_candidate_ = has_candidate_ || brought.is_answer;
  }

  // Thoughts are begun, but no part of the text.
  void take_part(Json &part, Brought &brought) {
    if (!part.is_object()) return;
    if (part.value("thought", Json()) == Json(true)) {
      brought.is_token = true;
      reasoning_ += agent_queue::take_text(part, "text");
      return;
    }
    const std::string text = agent_queue::take_text(part, "text");
    brought.text += text;
    const Json *call = json_member(part, "functionCall");
    const bool is_call = call != nullptr && call->is_object();
    brought.is_token = brought.is_token || is_call || !text.empty();
    if (is_call) calls_.push_back(std::move(part));
  }

  std::string model_;
  std::string reason_;
  std::string reasoning_;
  std::string block_reason_;
  bool has_candidate_ = false;
  Json calls_ = Json::array();  // parts
  Json usage_;
};

}  // namespace

std::unique_ptr<StreamReader> open_gemini_stream() {
  return std::make_unique<GeminiStream>();
}

}  // namespace agent_queue
