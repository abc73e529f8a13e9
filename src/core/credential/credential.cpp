#include "core/credential/credential.hpp"

#include <algorithm>
#include <array>
#include <optional>

#include "core/credential/key_text.hpp"
#include "core/wire/json_read.hpp"
#include "core/wire/retry_after.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

constexpr std::string_view kScope = "https://www.googleapis.com/auth/cloud-platform";
constexpr std::string_view kGrantType = "urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer";
constexpr std::chrono::seconds kJwtLifetime{3600};
constexpr std::int64_t kTokenSecondsMax = 43'200;  // twelve hours

constexpr auto kForeignTypes =
    std::to_array<std::string_view>({"authorized_user", "external_account", "external_account_authorized_user",
                                     "impersonated_service_account", "gdch_service_account"});

Error refuse(std::string message, std::string hint = {}) {
  return Error{ErrorKind::invalid_input, std::move(message), std::move(hint)};
}

// The host of `http://host…` where it can be nothing but loopback; the transport judges the address again.
bool is_loopback_url(std::string_view url) {
  for (const std::string_view host : {"http://127.0.0.1", "http://[::1]", "http://localhost"}) {
    if (!url.starts_with(host)) continue;
    const std::string_view rest = url.substr(host.size());
    return rest.empty() || rest[0] == ':' || rest[0] == '/';
  }
  return false;
}

bool is_visible(std::string_view text) {
  return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7F; });
}

std::optional<Error> check_account(const ServiceAccount &account) {
  if (account.client_email.empty()) return refuse("the service account has no client_email");
  if (account.private_key.empty()) return refuse("the service account has no private_key");
  if (account.token_uri.empty()) return refuse("the service account has no token_uri");
  if (!is_visible(account.token_uri) || account.token_uri.find('@') != std::string::npos ||
      (!account.token_uri.starts_with("https://") && !is_loopback_url(account.token_uri)))
    return refuse("the token_uri of the service account is no https address");
  return std::nullopt;
}

// Statuses after which the same request may go through.
FailureClass kind_of(int status) {
  if (status == 429) return FailureClass::rate_limited;
  if (status == 408 || status == 409 || status >= 500) return FailureClass::transient;
  return FailureClass::credential;
}

// {"error": "invalid_grant", "error_description": "…"}; Google's API gateways answer {"error": {"message": "…"}}.
std::string said_in(const Json &body) {
  const Json *error = json_member(body, "error");
  if (error != nullptr && error->is_object()) return std::string(json_string(*error, "message"));
  std::string said(json_string(body, "error"));
  const std::string_view description = json_string(body, "error_description");
  if (!said.empty() && !description.empty()) said += ": ";
  return said.append(description);
}

Failure token_failure(FailureClass kind, int status, std::string_view text) {
  Failure failure;
  failure.kind = kind;
  failure.http_status = status;
  failure.message = clean_text("HTTP " + std::to_string(status) + ": " + std::string(text), kErrorMessageBytesMax);
  return failure;
}

Failure refused_answer(const HttpResponse &response, const Json &body, std::string_view jwt, WallTime now) {
  const std::string said = redact(said_in(body), jwt);
  Failure failure = token_failure(kind_of(response.status), response.status,
                                  said.empty() ? "the answer does not say why" : std::string_view(said));
  if (failure.kind != FailureClass::credential) failure.retry_after = retry_after(response, body, now);
  return failure;
}

bool is_bearer(std::string_view type) {
  constexpr std::string_view kBearer = "bearer";
  return std::equal(type.begin(), type.end(), kBearer.begin(), kBearer.end(),
                    [](char a, char b) { return static_cast<char>(a | 0x20) == b; });
}

}  // namespace

Result<Credential> read_credential(std::string secret) {
  if (!is_key_document(secret)) return Credential(PlainKey{std::move(secret)});
  const Result<Json> json = parse_json(secret);
  if (!json.ok()) return refuse("the key is a JSON document that cannot be read: " + json.error().message);
  const std::string_view type = json_string(*json, "type");
  if (std::find(kForeignTypes.begin(), kForeignTypes.end(), type) != kForeignTypes.end())
    return refuse("credentials of type \"" + std::string(type) + "\" cannot be used",
                  "Make a key of a service account.");
  if (type != "service_account") return Credential(PlainKey{std::move(secret)});
  ServiceAccount account{
      std::string(json_string(*json, "client_email")), std::string(json_string(*json, "private_key")),
      std::string(json_string(*json, "private_key_id")), std::string(json_string(*json, "token_uri"))};
  if (std::optional<Error> error = check_account(account)) return *error;
  return Credential(std::move(account));
}

std::string base64url(std::string_view bytes) {
  constexpr std::string_view kDigits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  std::string text;
  text.reserve((bytes.size() * 4 + 2) / 3);
  unsigned bits = 0;
  int count = 0;
  for (const char byte : bytes) {
    bits = bits << 8 | static_cast<unsigned char>(byte);
    for (count += 8; count >= 6; count -= 6) text += kDigits[bits >> (count - 6) & 63U];
  }
  if (count > 0) text += kDigits[bits << (6 - count) & 63U];
  return text;
}

std::string jwt_signing_input(const ServiceAccount &account, WallTime now) {
  Json header = Json::object({{"alg", "RS256"}, {"typ", "JWT"}});
  if (!account.private_key_id.empty()) header["kid"] = account.private_key_id;
  const auto issued = std::chrono::floor<std::chrono::seconds>(now.time_since_epoch());
  const Json claims = Json::object({{"iss", account.client_email},
                                    {"scope", kScope},
                                    {"aud", account.token_uri},
                                    {"iat", issued.count()},
                                    {"exp", (issued + kJwtLifetime).count()}});
  return base64url(dump_json(header)) + '.' + base64url(dump_json(claims));
}

std::string signed_jwt(std::string_view signing_input, std::string_view signature) {
  return std::string(signing_input) + '.' + base64url(signature);
}

HttpRequest token_request(const ServiceAccount &account, std::string_view jwt) {
  HttpRequest request;
  request.url = account.token_uri;
  request.headers.push_back({"content-type", "application/x-www-form-urlencoded"});
  request.body = "grant_type=" + std::string(kGrantType) + "&assertion=";
  request.body += jwt;  // base64url and dots: nothing to escape
  return request;
}

std::variant<AccessToken, Failure> read_token_answer(const HttpResponse &response, std::string_view jwt, WallTime now) {
  const Result<Json> parsed = parse_json(response.body);
  const Json body = parsed.ok() ? *parsed : Json();
  if (response.status < 200 || response.status >= 300) return refused_answer(response, body, jwt, now);
  const auto garbled = [&](std::string_view what) {
    return token_failure(FailureClass::transient, response.status, what);
  };
  const std::string_view text = json_string(body, "access_token");
  if (text.empty()) return garbled("the answer has no access_token");
  if (text.size() > kKeyBytesMax || !is_visible(text)) return garbled("the access_token cannot be sent");
  const std::string_view type = json_string(body, "token_type");
  if (!type.empty() && !is_bearer(type)) return garbled("the token is no bearer token");
  const auto seconds = json_int(body, "expires_in");
  if (!seconds || *seconds <= 0) return garbled("the answer does not say when the token expires");
  return AccessToken{std::string(text), std::chrono::seconds(std::min(*seconds, kTokenSecondsMax))};
}

}  // namespace agent_queue
