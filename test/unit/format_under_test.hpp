// For tests of one wire format: its fixtures, what it makes of a call, and what it reads in an answer.
#pragma once

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "core/provider/wire_format.hpp"
#include "unit/decoded.hpp"

namespace agent_queue {

class FormatUnderTest {
 public:
  explicit FormatUnderTest(const char *name, const char *dialect = "")
      : name_(name), format_(*find_wire_format(name, dialect)) {}

  const WireFormat &format() const { return format_; }

  std::string fixture(const std::string &file) const {
    std::ifstream stream(std::string(AQ_TEST_DIR) + "/unit/fixtures/" + name_ + "/" + file);
    EXPECT_TRUE(stream.good()) << file;
    std::ostringstream text;
    text << stream.rdbuf();
    return text.str();
  }

  Reply decode(int status, std::string body, std::vector<HttpHeader> headers = {}) const {
    HttpResponse response;
    response.status = status;
    response.headers = std::move(headers);
    response.body = std::move(body);
    return format_.decode(response, decoded::kSecret, decoded::kNow);
  }

  // Of a fixture.
  Answer answer(const std::string &file) const { return decoded::answer_of(decode(200, fixture(file))); }
  Failure failure(int status, const std::string &file, std::vector<HttpHeader> headers = {}) const {
    return decoded::failure_of(decode(status, fixture(file), std::move(headers)));
  }
  FailureClass kind(int status, const std::string &file) const { return failure(status, file).kind; }

 private:
  std::string name_;
  const WireFormat &format_;
};

// A call with one turn of the user; what differs is set by the test.
struct AskedCall {
  Prompt prompt{"", Json::array({{{"role", "user"}, {"content", "hi"}}})};
  Json params;
  Call call;

  explicit AskedCall(const FormatUnderTest &format) : format_(&format.format()) {
    call.base_url = "https://api.example.com/v1";
    call.api_key = decoded::kSecret;
    call.model = "model-1";
    call.max_output_tokens = 100;
  }
  AskedCall(const FormatUnderTest &format, const char *messages_json) : AskedCall(format) {
    prompt.messages = *parse_json(messages_json);
  }
  AskedCall &with_params(const char *json) {
    params = *parse_json(json);
    return *this;
  }

  Result<HttpRequest> encoded() {
    call.prompt = &prompt;
    call.params = &params;
    return format_->encode(call);
  }
  // Only where it is refused.
  ErrorKind error_kind() { return encoded().error().kind; }
  // The body, or one member of it, as JSON text; "missing" where there is none.
  std::string body() { return encoded()->body; }
  std::string member(const char *name) {
    const Result<Json> parsed = parse_json(body());
    EXPECT_TRUE(parsed.ok()) << body();
    const Json *found = parsed.ok() ? json_member(*parsed, name) : nullptr;
    return found == nullptr ? "missing" : dump_json(*found);
  }
  std::string error() {
    const Result<HttpRequest> request = encoded();
    return request.ok() ? "no error: " + request->body : request.error().message;
  }
  std::string header(std::string_view name) {
    const Result<HttpRequest> request = encoded();
    for (const HttpHeader &header : request->headers)
      if (header.name == name) return header.value;
    return "none";
  }

 private:
  const WireFormat *format_;
};

}  // namespace agent_queue
