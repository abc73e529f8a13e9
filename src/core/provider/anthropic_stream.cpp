// Anthropic's streams: message_start with the model and what is counted so far, blocks in pieces, message_delta with
// the reason of the end and the final counts, message_stop. Tested in test/unit/anthropic_stream_test.cpp with
// test/unit/fixtures/anthropic, fuzzed in test/fuzz/fuzz_anthropic_stream.cpp.
#include <string>
#include <unordered_map>
#include <vector>

#include "core/provider/answer_read.hpp"
#include "core/provider/event_reader.hpp"
#include "core/provider/formats.hpp"
#include "core/provider/streams.hpp"

namespace agent_queue {
namespace {

Json *object_member(Json &object, const char *key) {
  const auto member = object.find(key);
  return member == object.end() || !member->is_object() ? nullptr : &*member;
}

struct ToolUse {
  Json block;
  std::string input;  // the pieces of its JSON
};

// Where the bound of the output cut the input, it is no JSON: then it is passed on as the text that came.
Json whole_block(ToolUse &use) {
  if (!use.input.empty()) {
    Result<Json> input = parse_json_leniently(use.input);
    use.block["input"] = input.ok() ? std::move(input).value() : Json(std::move(use.input));
  }
  return std::move(use.block);
}

class AnthropicStream : public EventReader {
 public:
  AnthropicStream() : EventReader(anthropic_format(), Framing::server_events) {}

 protected:
  Brought take(Json &event, std::string_view) override {
    Brought brought;
    const std::string_view type = json_string(event, "type");
    if (type == "message_start") {
      take_start(event, brought);
    } else if (type == "content_block_start") {
      take_block(event, brought);
    } else if (type == "content_block_delta") {
      take_block_delta(event, brought);
    } else if (type == "message_delta") {
      take_message_delta(event, brought);
    } else if (type == "message_stop") {
      brought.is_last = true;
    }
    return brought;
  }

  Json assemble(std::string text) override {
    Json content = Json::array();
    if (!reasoning_.empty())
      content.push_back(Json::object({{"type", "thinking"}, {"thinking", std::move(reasoning_)}}));
    content.push_back(Json::object({{"type", "text"}, {"text", std::move(text)}}));
    for (ToolUse &use : uses_) content.push_back(whole_block(use));
    Json body = Json::object({{"model", std::move(model_)}, {"stop_reason", std::move(reason_)}});
    body["content"] = std::move(content);
    body["stop_details"] = std::move(stop_details_);
    body["usage"] = std::move(usage_);
    return body;
  }

  Reply read(Json body, const HttpResponse &response, std::string_view secret) const override {
    return read_anthropic_answer(std::move(body), response, secret);
  }

 private:
  // Its count of the output is a first guess, so it is nothing that an answer could be billed by.
  void take_start(Json &event, Brought &brought) {
    Json *message = object_member(event, "message");
    if (message == nullptr) return;
    brought.is_answer = true;
    model_ = json_string(*message, "model");
    take_stop_details(*message);
    if (Json *usage = object_member(*message, "usage")) usage_ = std::move(*usage);
  }

  // They explain a refusal.
  void take_stop_details(Json &holder) {
    if (Json *details = object_member(holder, "stop_details")) stop_details_ = std::move(*details);
  }

  void take_block(Json &event, Brought &brought) {
    Json *block = object_member(event, "content_block");
    if (block == nullptr) return;
    brought.is_answer = true;
    const std::string_view type = json_string(*block, "type");
    if (type == "text") {
      brought.text = agent_queue::take_text(*block, "text");
      brought.is_token = !brought.text.empty();
      return;
    }
    // Thinking that is not shown has nothing but its start and its signature.
    brought.is_token = !type.empty();
    if (type == "thinking") {
      reasoning_ += agent_queue::take_text(*block, "thinking");
    } else if (type == "tool_use") {
      if (const auto index = json_int(event, "index")) use_by_index_[*index] = uses_.size();
      uses_.push_back({std::move(*block), {}});
    }
  }

  void take_block_delta(Json &event, Brought &brought) {
    Json *delta = object_member(event, "delta");
    if (delta == nullptr) return;
    brought.is_answer = true;
    const std::string_view type = json_string(*delta, "type");
    if (type == "text_delta") {
      brought.text = agent_queue::take_text(*delta, "text");
      brought.is_token = !brought.text.empty();
    } else if (type == "input_json_delta") {
      const std::string_view piece = json_string(*delta, "partial_json");
      const auto use = use_by_index_.find(json_int(event, "index").value_or(-1));
      if (use != use_by_index_.end()) uses_[use->second].input += piece;
      brought.is_token = !piece.empty();
    } else if (type == "thinking_delta") {
      const std::string thinking = agent_queue::take_text(*delta, "thinking");
      brought.is_token = !thinking.empty();
      reasoning_ += thinking;
    } else if (type == "signature_delta") {
      brought.is_token = true;
    }
  }

  // Counts are cumulative, and those that it leaves out are as they were.
  void take_message_delta(Json &event, Brought &brought) {
    brought.is_answer = true;
    if (Json *delta = object_member(event, "delta")) {
      reason_ = json_string(*delta, "stop_reason");
      brought.has_reason = !reason_.empty();
      take_stop_details(*delta);
    }
    Json *usage = object_member(event, "usage");
    if (usage == nullptr) return;
    brought.has_usage = has_count(*usage, {"output_tokens"});
    if (!usage_.is_object()) usage_ = Json::object();
    for (auto &item : usage->items())
      if (!item.value().is_null()) usage_[item.key()] = std::move(item.value());
  }

  std::string model_;
  std::string reason_;
  std::string reasoning_;
  std::vector<ToolUse> uses_;
  std::unordered_map<std::int64_t, std::size_t> use_by_index_;
  Json stop_details_;
  Json usage_;
};

}  // namespace

std::unique_ptr<StreamReader> open_anthropic_stream() {
  return std::make_unique<AnthropicStream>();
}

}  // namespace agent_queue
