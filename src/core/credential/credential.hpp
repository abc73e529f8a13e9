// What api_key_ref gave: a key that is sent as it is, or a Google service account, for which access tokens are got
// (RFC 7523: a signed JWT is exchanged for one). Parsing and writing only; engine/token_keeper does it. Pure.
// Tested in test/unit/credential_test.cpp, fuzzed in test/fuzz/fuzz_credential.cpp.
#pragma once

#include <string>
#include <string_view>
#include <variant>

#include "core/base/failure.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/wire/http.hpp"

namespace agent_queue {

struct PlainKey {
  std::string text;  // empty: none
};

// The key file that Google gives for a service account, as far as it is needed.
struct ServiceAccount {
  std::string client_email;
  std::string private_key;  // PEM
  std::string private_key_id;
  std::string token_uri;  // https, or http to the loopback interface

  bool operator==(const ServiceAccount &) const = default;
};

using Credential = std::variant<PlainKey, ServiceAccount>;

// Only a JSON object whose `type` is "service_account" is an account. Google's other types, which would have the worker
// call a metadata server or a program, are refused. Errors name no part of the secret.
Result<Credential> read_credential(std::string secret);

// What is to be signed with RS256: header and claims of a JWT that is valid for an hour.
std::string jwt_signing_input(const ServiceAccount &account, WallTime now);

// `signature`: raw bytes.
std::string signed_jwt(std::string_view signing_input, std::string_view signature);

// The POST that exchanges the JWT for a token.
HttpRequest token_request(const ServiceAccount &account, std::string_view jwt);

struct AccessToken {
  std::string text;
  Micros lifetime{0};
};

// The token, or: `credential` where the answer is no for good, `transient` or `rate_limited` where it is not. Any bytes
// at all. `jwt` is redacted from what is quoted, and a success is never quoted.
std::variant<AccessToken, Failure> read_token_answer(const HttpResponse &response, std::string_view jwt, WallTime now);

std::string base64url(std::string_view bytes);

}  // namespace agent_queue
