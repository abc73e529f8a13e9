// Any bytes as a key and as the answer of a token endpoint: an account that can be used or a refusal, a token that can
// be sent or a failure, and nothing secret in either. The first byte picks the status. Seeds: corpus/fuzz_credential.
#include <cstdint>
#include <cstdlib>

#include "core/credential/credential.hpp"
#include "core/credential/key_text.hpp"
#include "core/wire/json_read.hpp"
#include "core/wire/text_clean.hpp"

namespace {

using namespace agent_queue;

constexpr std::string_view kJwt = "QQ.secret.QQ";

void check(bool holds) {
  if (!holds) std::abort();
}

void check_credential(const std::string &bytes) {
  const Result<Credential> credential = read_credential(bytes);
  if (!credential.ok()) return check(!credential.error().message.empty());
  if (const auto *key = std::get_if<PlainKey>(&*credential)) return check(key->text == bytes);
  const auto &account = std::get<ServiceAccount>(*credential);
  check(!account.client_email.empty() && !account.private_key.empty());
  check(account.token_uri.starts_with("https://") || account.token_uri.starts_with("http://"));
  const std::string input = jwt_signing_input(account, WallTime(std::chrono::seconds(1'800'000'000)));
  const HttpRequest request = token_request(account, signed_jwt(input, "signature"));
  check(request.body.find_first_of("\r\n ") == std::string::npos);
}

void check_answer(int status, const std::string &bytes) {
  const auto answer = read_token_answer({status, {}, bytes}, kJwt, WallTime());
  if (const auto *token = std::get_if<AccessToken>(&answer)) {
    check(!token->text.empty() && token->text.size() <= kKeyBytesMax && token->lifetime > Micros{0});
    check(token->text.find_first_of(std::string_view("\r\n \0", 4)) == std::string::npos);
    return;
  }
  const auto &failure = std::get<Failure>(answer);
  check(is_clean_text(failure.message) && failure.message.size() <= kErrorMessageBytesMax);
  check(failure.message.find(kJwt) == std::string::npos);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *bytes, std::size_t size) {
  constexpr int kStatuses[] = {200, 200, 400, 401, 429, 500, 302, 0};
  if (size < 1) return 0;
  const std::string text(reinterpret_cast<const char *>(bytes) + 1, size - 1);
  check_credential(text);
  check_answer(kStatuses[bytes[0] % 8], text);
  return 0;
}
