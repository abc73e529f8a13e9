// Any bytes as a provider's answer: a clean answer or a clean failure, never anything else. The first byte picks the
// status, the second the x-should-retry header. Seeds: corpus/fuzz_openai_decode.
#include <array>
#include <cstdint>
#include <cstdlib>

#include "core/provider/wire_format.hpp"
#include "core/wire/text_clean.hpp"

namespace {

using namespace agent_queue;

constexpr std::string_view kSecret = "QQ-secret-QQ";
constexpr std::array<int, 16> kStatuses = {200, 200, 200, 200, 201, 302, 400, 401,
                                           402, 404, 408, 413, 429, 500, 503, 0};

void check(bool holds) {
  if (!holds) std::abort();
}

void check_answer(const Answer &answer) {
  for (const std::string &text : {answer.text, answer.finish_reason, answer.model, answer.refusal})
    check(is_clean_text(text));
  const std::string calls = dump_json(answer.tool_calls);
  const auto again = parse_json(calls);
  check(is_clean_text(calls) && again.ok());
  const Usage &usage = answer.usage;
  for (const std::int64_t part : {usage.input, usage.cache_read, usage.cache_write, usage.output, usage.reasoning})
    check(part >= 0 && part <= 1'000'000'000);
  check(usage.reasoning <= usage.output && usage.input_total() <= 1'000'000'000);
}

void check_failure(const Failure &failure) {
  check(is_clean_text(failure.message) && failure.message.size() <= kErrorMessageBytesMax);
  check(failure.message.starts_with("HTTP ") && failure.message.find(kSecret) == std::string::npos);
  if (failure.retry_after) check(*failure.retry_after >= Micros::zero());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  if (size < 2) return 0;
  HttpResponse response;
  response.status = kStatuses[bytes[0] % kStatuses.size()];
  if (bytes[1] % 4 == 1) response.headers.push_back({"x-should-retry", "true"});
  if (bytes[1] % 4 == 2) response.headers.push_back({"x-should-retry", "false"});
  response.body.assign(reinterpret_cast<const char *>(bytes) + 2, size - 2);
  const Reply reply = find_wire_format("openai")->decode(response, kSecret, WallTime());
  if (const auto *answer = std::get_if<Answer>(&reply))
    check_answer(*answer);
  else
    check_failure(std::get<Failure>(reply));
  return 0;
}
