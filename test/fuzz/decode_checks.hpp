// For the fuzz targets of wire formats: any bytes as a provider's answer, and what has to hold of whatever decode()
// makes of them: a clean answer or a clean failure, never anything else. The first byte picks the status, the second
// the x-should-retry header.
#pragma once

#include <array>
#include <cstdint>
#include <cstdlib>

#include "core/provider/wire_format.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue::fuzz {

inline constexpr std::string_view kSecret = "QQ-secret-QQ";
inline constexpr std::array<int, 16> kStatuses = {200, 200, 200, 200, 201, 302, 400, 401,
                                                  402, 404, 408, 413, 429, 500, 529, 0};

inline void check(bool holds) {
  if (!holds) std::abort();
}

inline void check_answer(const Answer &answer) {
  for (const std::string &text : {answer.text, answer.finish_reason, answer.model, answer.refusal, answer.reasoning})
    check(is_clean_text(text));
  check(answer.finish_reason.size() <= 200 && answer.model.size() <= 200);
  const std::string calls = dump_json(answer.tool_calls);
  check(is_clean_text(calls) && calls.find("\\u0000") == std::string::npos && parse_json(calls).ok());
  const Usage &usage = answer.usage;
  for (const std::int64_t part : {usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning})
    check(part >= 0 && part <= 1'000'000'000);
  check(usage.reasoning <= usage.output && usage.input_total() <= 1'000'000'000);
  check(usage.cache_write_1h >= 0 && usage.cache_write_1h <= usage.cache_write);
  if (answer.cost) check(*answer.cost >= Usd());
}

inline void check_failure(const Failure &failure) {
  check(is_clean_text(failure.message) && failure.message.size() <= kErrorMessageBytesMax);
  check(failure.message.starts_with("HTTP ") && failure.message.find(kSecret) == std::string::npos);
  if (failure.retry_after) check(*failure.retry_after >= Micros::zero());
}

inline void check_decode(const char *format, const std::uint8_t *bytes, std::size_t size, const char *dialect = "") {
  if (size < 2) return;
  HttpResponse response;
  response.status = kStatuses[bytes[0] % kStatuses.size()];
  if (bytes[1] % 4 == 1) response.headers.push_back({"x-should-retry", "true"});
  if (bytes[1] % 4 == 2) response.headers.push_back({"x-should-retry", "false"});
  response.body.assign(reinterpret_cast<const char *>(bytes) + 2, size - 2);
  const Reply reply = find_wire_format(format, dialect)->decode(response, kSecret, WallTime());
  if (const auto *answer = std::get_if<Answer>(&reply))
    check_answer(*answer);
  else
    check_failure(std::get<Failure>(reply));
}

// The same bytes, where they are JSON, as the messages of a request: refused, or a body that is JSON.
inline void check_encode(const char *format, const std::uint8_t *bytes, std::size_t size, const char *dialect = "") {
  if (size < 2) return;
  const auto json = parse_json(std::string_view(reinterpret_cast<const char *>(bytes) + 2, size - 2));
  if (!json.ok()) return;
  Prompt prompt{"system", json->is_array() ? *json : Json::array({*json})};
  Call call;
  call.base_url = "https://api.example.com";
  call.model = "model";
  call.prompt = &prompt;
  call.params = &*json;
  call.max_output_tokens = 100;
  const Result<HttpRequest> request = find_wire_format(format, dialect)->encode(call);
  check(!request.ok() || Json::accept(request->body));
}

}  // namespace agent_queue::fuzz
