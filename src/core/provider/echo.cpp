// A provider inside the worker: the answer is the last thing that the user said. It writes and reads OpenAI's format,
// so that a job takes the same path as with a real provider. An agent type's params steer it towards failures:
//   echo_status, echo_retry_after, echo_error (a message), echo_body (raw bytes).
// Tested in test/unit/provider_test.cpp.
#include <algorithm>
#include <string>

#include "core/provider/formats.hpp"

namespace agent_queue {
namespace {

constexpr std::size_t kBytesPerToken = 4;

std::size_t tokens_for(std::size_t bytes) {
  return (bytes + kBytesPerToken - 1) / kBytesPerToken;
}

// `content` as a string, or the texts of its parts.
std::string content_text(const Json &message) {
  const Json *content = json_member(message, "content");
  if (content == nullptr || !content->is_array()) return std::string(json_string(message, "content"));
  std::string text;
  for (const Json &part : *content) text += json_string(part, "text");
  return text;
}

struct Conversation {
  std::string last_said;  // by the user
  std::size_t bytes = 0;  // of all turns
};

Conversation read_conversation(const Json &request) {
  Conversation conversation;
  const Json *messages = json_member(request, "messages");
  if (messages == nullptr || !messages->is_array()) return conversation;
  for (const Json &message : *messages) {
    std::string text = content_text(message);
    conversation.bytes += text.size();
    if (json_string(message, "role") == "user") conversation.last_said = std::move(text);
  }
  return conversation;
}

std::string answer_body(const Json &request) {
  const Conversation conversation = read_conversation(request);
  const std::size_t input = tokens_for(conversation.bytes);
  const std::size_t output = tokens_for(conversation.last_said.size());
  return R"({"object":"chat.completion","model":)" + dump_json(std::string(json_string(request, "model"))) +
         R"(,"choices":[{"index":0,"message":{"role":"assistant","content":)" + dump_json(conversation.last_said) +
         R"(},"finish_reason":"stop"}],"usage":{"prompt_tokens":)" + std::to_string(input) +
         R"(,"completion_tokens":)" + std::to_string(output) + R"(,"total_tokens":)" + std::to_string(input + output) +
         "}}";
}

class EchoFormat : public WireFormat {
 public:
  std::string_view name() const override { return "echo"; }
  bool is_local() const override { return true; }

  // Nothing is called, so an address may be left out.
  Result<HttpRequest> encode(const Call &call) const override {
    Call local = call;
    if (local.base_url.empty()) local.base_url = "echo:";
    return openai_format().encode(local);
  }

  Reply decode(const HttpResponse &response, std::string_view secret, WallTime now) const override {
    return openai_format().decode(response, secret, now);
  }

  HttpResponse answer_locally(const HttpRequest &request) const override {
    static const Json kNoBody;
    const Result<Json> parsed = parse_json(request.body);
    const Json &body = parsed.ok() ? *parsed : kNoBody;
    HttpResponse response;
    response.status = static_cast<int>(std::clamp<std::int64_t>(json_int(body, "echo_status").value_or(200), 100, 599));
    response.headers.push_back({"content-type", "application/json"});
    if (const auto wait = json_string(body, "echo_retry_after"); !wait.empty())
      response.headers.push_back({"retry-after", std::string(wait)});
    const std::string error(json_string(body, "echo_error"));
    if (json_member(body, "echo_body") != nullptr)
      response.body = json_string(body, "echo_body");
    else if (!error.empty())
      response.body = R"({"error":{"message":)" + dump_json(error) + "}}";
    else if (response.status < 300)
      response.body = answer_body(body);
    return response;
  }
};

}  // namespace

const WireFormat &echo_format() {
  static const EchoFormat format;
  return format;
}

}  // namespace agent_queue
