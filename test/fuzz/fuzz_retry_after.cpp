// Any bytes as headers and body that say how long to wait: the wait is never negative and never too long. Lines are
// "name: value"; what follows an empty line is the body. Seeds: corpus/fuzz_retry_after.
#include <cstdint>
#include <cstdlib>

#include "core/wire/retry_after.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  using namespace agent_queue;
  std::string_view rest(reinterpret_cast<const char *>(bytes), size);
  HttpResponse response;
  while (!rest.empty()) {
    const std::string_view line = rest.substr(0, rest.find('\n'));
    rest.remove_prefix(std::min(rest.size(), line.size() + 1));
    if (line.empty()) break;
    const std::size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    response.headers.push_back({std::string(line.substr(0, colon)), std::string(line.substr(colon + 2))});
    parse_http_date(response.headers.back().value);
    parse_rfc3339(response.headers.back().value);
    const auto duration = parse_go_duration(response.headers.back().value);
    if (duration && *duration < Micros::zero()) std::abort();
  }
  const auto body = parse_json(rest);
  const WallTime now{std::chrono::seconds(1'800'000'000)};
  const auto wait = retry_after(response, body.ok() ? *body : Json(), now);
  if (wait && (*wait < Micros::zero() || *wait > kRetryAfterMax)) std::abort();
  return 0;
}
