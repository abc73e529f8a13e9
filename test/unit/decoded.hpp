// For tests of wire formats: the fixtures of OpenAI's format, and what decode() makes of them.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/provider/wire_format.hpp"

namespace agent_queue::decoded {

inline const WallTime kNow{std::chrono::seconds(1'800'000'000)};
inline constexpr const char *kSecret = "key-of-the-provider-1234";

inline const WireFormat &openai() {
  return *find_wire_format("openai");
}

inline std::string fixture(const std::string &name) {
  std::ifstream file(std::string(AQ_TEST_DIR) + "/unit/fixtures/openai/" + name);
  EXPECT_TRUE(file.good()) << name;
  std::ostringstream text;
  text << file.rdbuf();
  return text.str();
}

inline Reply decode(int status, std::string body, std::vector<HttpHeader> headers = {}) {
  HttpResponse response;
  response.status = status;
  response.headers = std::move(headers);
  response.body = std::move(body);
  return openai().decode(response, kSecret, kNow);
}

inline Answer answer_of(const Reply &reply) {
  if (const auto *failure = std::get_if<Failure>(&reply)) {
    ADD_FAILURE() << "a failure: " << failure->message;
    return {};
  }
  return std::get<Answer>(reply);
}

inline Failure failure_of(const Reply &reply) {
  if (!std::holds_alternative<Failure>(reply)) {
    ADD_FAILURE() << "an answer: " << std::get<Answer>(reply).text;
    return {};
  }
  return std::get<Failure>(reply);
}

inline FailureClass kind_of(int status, const std::string &body, std::vector<HttpHeader> headers = {}) {
  return failure_of(decode(status, body, std::move(headers))).kind;
}

inline std::string error_body(const std::string &code, const std::string &message = "m") {
  return R"({"error":{"message":")" + message + R"(","code":")" + code + "\"}}";
}

}  // namespace agent_queue::decoded
