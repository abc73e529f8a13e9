// The tables of failures (sources: OpenAI's and Anthropic's error pages and SDKs, google.rpc, DeepSeek's error codes).
// Tested in test/unit/provider_test.cpp.
#include "core/provider/http_failure.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "core/wire/retry_after.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

struct Word {
  std::string_view word;
  FailureClass kind;
};

// Codes and types that mean the same under each status.
constexpr auto kCodes = std::to_array<Word>({
    {"insufficient_quota", FailureClass::quota},
    {"credit_balance_exhausted", FailureClass::quota},
    {"organization_spend_limit_exceeded", FailureClass::quota},
    {"project_spend_limit_exceeded", FailureClass::quota},
    {"organization_usage_limit_exceeded", FailureClass::quota},
    {"billing_hard_limit_reached", FailureClass::quota},
    {"billing_not_active", FailureClass::quota},
    {"billing_error", FailureClass::quota},
    {"enforced_spend_limit_reached", FailureClass::quota},
    {"context_length_exceeded", FailureClass::context_length},
    {"exceed_context_size_error", FailureClass::context_length},
    {"model_context_window_exceeded", FailureClass::context_length},
    {"content_filter", FailureClass::content_filter},
    {"content_policy", FailureClass::content_filter},
    {"content_policy_violation", FailureClass::content_filter},
    {"ResponsibleAIPolicyViolation", FailureClass::content_filter},
    // The model wrote a call or a JSON text that the provider could not read: the next answer may be a good one.
    {"tool_use_failed", FailureClass::transient},
    {"json_validate_failed", FailureClass::transient},
    {"invalid_api_key", FailureClass::credential},
    {"account_deactivated", FailureClass::credential},
    {"API_KEY_INVALID", FailureClass::credential},
    {"authentication_error", FailureClass::credential},
    {"permission_error", FailureClass::credential},
});

// Codes that count only beside a 2xx or 5xx: beside another status, that is more precise.
constexpr auto kPassingCodes = std::to_array<Word>({
    {"rate_limit_exceeded", FailureClass::rate_limited},
    {"rate_limit_error", FailureClass::rate_limited},
    {"slow_down", FailureClass::rate_limited},
    {"RESOURCE_EXHAUSTED", FailureClass::rate_limited},
    {"overloaded_error", FailureClass::transient},
    {"server_error", FailureClass::transient},
    {"api_error", FailureClass::transient},
    {"timeout_error", FailureClass::transient},
    {"UNAVAILABLE", FailureClass::transient},
    {"invalid_request_error", FailureClass::invalid},
    {"not_found_error", FailureClass::invalid},
    {"request_too_large", FailureClass::invalid},
});

// What servers without codes say in prose.
constexpr auto kPhrases = std::to_array<Word>({
    {"You have reached your specified API usage limits", FailureClass::quota},
    {"maximum context length", FailureClass::context_length},
    {"prompt is too long", FailureClass::context_length},
    {"exceed context limit", FailureClass::context_length},
    {"exceeds the context length", FailureClass::context_length},
    {"exceeds the maximum number of tokens", FailureClass::context_length},
    {"max_tokens must be at least 1, got -", FailureClass::context_length},  // vLLM: the prompt leaves no room
});

bool is_success(int status) {
  return status >= 200 && status < 300;
}
bool is_redirect(int status) {
  return status >= 300 && status < 400;
}

template <std::size_t N>
std::optional<FailureClass> find_word(const std::array<Word, N> &words, std::string_view word) {
  for (const Word &known : words)
    if (known.word == word) return known.kind;
  return std::nullopt;
}

// Gemini wraps an error of some endpoints in an array.
const Json &unwrap(const Json &body) {
  return body.is_array() && !body.empty() ? body[0] : body;
}

// The object that speaks of the error: `error` where it is one, else the body.
const Json &error_object(const Json &body) {
  const Json *error = json_member(body, "error");
  return error != nullptr && error->is_object() ? *error : body;
}

// Gemini's daily quota of a project: waiting a few seconds, as its RetryInfo says, does not help.
bool names_daily_quota(const Json &details) {
  if (!details.is_array()) return false;
  for (const Json &detail : details) {
    const Json *violations = json_member(detail, "violations");
    if (violations == nullptr || !violations->is_array()) continue;
    for (const Json &violation : *violations)
      if (json_string(violation, "quotaId").find("PerDay") != std::string_view::npos) return true;
  }
  return false;
}

// google.rpc.ErrorInfo.reason: Gemini says 400 INVALID_ARGUMENT of a bad key, and only here that it is the key.
std::string_view info_reason(const Json &details) {
  if (!details.is_array()) return {};
  for (const Json &detail : details)
    if (const std::string_view reason = json_string(detail, "reason"); !reason.empty()) return reason;
  return {};
}

// The texts that may be codes, most telling first.
std::array<std::string_view, 6> codes_of(const Json &error) {
  const Json *details = json_member(error, "details");
  const Json *inner = json_member(error, "innererror");
  return {details == nullptr ? std::string_view() : json_string(*details, "error_code"),
          details == nullptr ? std::string_view() : info_reason(*details),
          inner == nullptr ? std::string_view() : json_string(*inner, "code"),
          json_string(error, "code"),
          json_string(error, "type"),
          json_string(error, "status")};
}

// A member that is a text, or pydantic's list of what is wrong with which field: [{"loc": ["body", "n"], "msg": "…"}].
std::string told_in(const Json &object, std::string_view key) {
  const Json *told = json_member(object, key);
  if (told != nullptr && told->is_object())
    told = json_member(*told, "detail");  // Mistral's {"message": {"detail": []}}
  if (told == nullptr || !told->is_array()) return std::string(json_string(object, key));
  std::string text;
  for (const Json &problem : *told) {
    const std::string_view message = json_string(problem, "msg");
    if (message.empty()) continue;
    if (!text.empty()) text += "; ";
    const Json *place = json_member(problem, "loc");
    if (place != nullptr && place->is_array() && !place->empty() && place->back().is_string())
      text += place->back().get_ref<const std::string &>() + ": ";
    text += message;
  }
  return text;
}

// OpenRouter quotes what the upstream provider said.
std::string with_upstream(std::string message, const Json &error) {
  const Json *metadata = json_member(error, "metadata");
  const std::string_view raw = metadata == nullptr ? std::string_view() : json_string(*metadata, "raw");
  if (!raw.empty()) message.append(": ").append(raw);
  return message;
}

std::string message_in(const Json &body) {
  const Json *error = json_member(body, "error");
  if (error != nullptr && error->is_string()) return error->get_ref<const std::string &>();
  if (error != nullptr)
    if (std::string message = told_in(*error, "message"); !message.empty())
      return with_upstream(std::move(message), *error);
  std::string message = told_in(body, "message");
  return message.empty() ? told_in(body, "detail") : message;
}

// ---- what a request that is too large is told

// The number behind "word " in prose.
std::optional<std::int64_t> number_behind(std::string_view text, std::string_view word) {
  const std::size_t at = text.find(word);
  if (at == std::string_view::npos) return std::nullopt;
  std::int64_t number = 0;
  const char *begin = text.data() + at + word.size();
  if (std::from_chars(begin, text.data() + text.size(), number).ec != std::errc()) return std::nullopt;
  return number;
}

// "tokens per minute (TPM): Limit 6000, Requested 12328": no waiting makes room for this one.
bool exceeds_its_limit(std::string_view message) {
  const auto limit = number_behind(message, "Limit ");
  const auto requested = number_behind(message, "Requested ");
  return limit && requested && *requested > *limit;
}

bool is_rate_limit(const Json &error) {
  return json_string(error, "code") == "rate_limit_exceeded" || json_string(error, "type") == "rate_limit_exceeded";
}

// OpenRouter's 403 is about the content where it says what was flagged, not about the key.
bool is_moderation(const Json &error) {
  const Json *metadata = json_member(error, "metadata");
  return metadata != nullptr &&
         (json_member(*metadata, "flagged_input") != nullptr || json_member(*metadata, "reasons") != nullptr);
}

// What the body says so precisely that neither status nor headers matter.
std::optional<FailureClass> precise_kind(int status, const Json &body) {
  const Json &error = error_object(body);
  for (const std::string_view code : codes_of(error))
    if (const auto kind = find_word(kCodes, code)) return kind;
  const Json *details = json_member(error, "details");
  if (details != nullptr && names_daily_quota(*details)) return FailureClass::quota;
  if (is_moderation(error)) return FailureClass::content_filter;
  if (status >= 500) return std::nullopt;
  const std::string message = message_in(body);
  if ((status == 413 || status == 429) && exceeds_its_limit(message)) return FailureClass::context_length;
  for (const Word &phrase : kPhrases)
    if (message.find(phrase.word) != std::string::npos) return phrase.kind;
  return std::nullopt;
}

// By status; a 2xx with an error in it may hold the status that it should have had, or a code.
FailureClass general_kind(int status, const Json &body) {
  const Json &error = error_object(body);
  const bool overload = is_success(status) || status >= 500;
  for (const std::string_view code : codes_of(error)) {
    const auto kind = overload ? find_word(kPassingCodes, code) : std::nullopt;
    if (kind && (is_success(status) || *kind == FailureClass::rate_limited)) return *kind;
  }
  if (!is_success(status)) return classify_status(status);
  const auto code = json_int(error, "code");
  return code && *code >= 400 && *code < 600 ? classify_status(static_cast<int>(*code)) : FailureClass::transient;
}

FailureClass obey_should_retry(FailureClass kind, std::string_view should_retry) {
  const bool retried = kind == FailureClass::transient || kind == FailureClass::rate_limited;
  if (should_retry == "true" && !retried) return FailureClass::transient;
  if (should_retry == "false" && retried) return FailureClass::invalid;
  return kind;
}

FailureClass classify(const HttpResponse &response, const Json &body) {
  if (const auto precise = precise_kind(response.status, body)) return *precise;
  // Groq's 413: of a rate limit where it says when to come back, else of a request that is too large for ever.
  if (response.status == 413 && is_rate_limit(error_object(body)) && !response.header("retry-after").empty())
    return FailureClass::rate_limited;
  return obey_should_retry(general_kind(response.status, body), response.header("x-should-retry"));
}

std::string excerpt(std::string_view body, std::string_view secret) {
  if (body.find_first_not_of(" \t\r\n") == std::string_view::npos) return "(empty answer)";
  return clean_text(redact(body, secret), kExcerptBytesMax);
}

std::string prefixed(int status, std::string_view text) {
  return clean_text("HTTP " + std::to_string(status) + ": " + std::string(text), kErrorMessageBytesMax);
}

std::string message_for(const HttpResponse &response, const Json &body, std::string_view secret) {
  if (is_redirect(response.status)) {
    const std::string target = clean_text(redact(response.header("location"), secret), kExcerptBytesMax);
    return prefixed(response.status, "the provider redirects" + (target.empty() ? "" : " to " + target) +
                                         ", and redirects are not followed; correct the provider's base_url");
  }
  const std::string said = message_in(body);
  return prefixed(response.status, said.empty() ? excerpt(response.body, secret) : redact(said, secret));
}

}  // namespace

FailureClass classify_status(int status) {
  if (status == 401 || status == 403) return FailureClass::credential;
  if (status == 402) return FailureClass::quota;
  if (status == 408 || status == 409 || status >= 500) return FailureClass::transient;
  if (status == 429 || status == 498) return FailureClass::rate_limited;  // 498: Groq's, its capacity is used up
  return FailureClass::invalid;
}

bool has_error(const Json &body) {
  const Json *error = json_member(unwrap(body), "error");
  if (error == nullptr || error->is_null()) return false;
  if (error->is_boolean()) return error->get<bool>();
  if (error->is_string()) return !error->get_ref<const std::string &>().empty();
  return !error->empty();
}

Failure http_failure(const HttpResponse &response, const Json &body, std::string_view secret, WallTime now) {
  const Json &content = unwrap(body);
  Failure failure;
  failure.kind = classify(response, content);
  failure.http_status = response.status;
  failure.message = message_for(response, content, secret);
  if (failure.kind == FailureClass::rate_limited || failure.kind == FailureClass::transient ||
      failure.kind == FailureClass::quota)
    failure.retry_after = retry_after(response, content, now);
  return failure;
}

Failure garbled_answer(const HttpResponse &response, std::string_view why, std::string_view secret) {
  Failure failure;
  failure.kind = FailureClass::garbled;
  failure.http_status = response.status;
  failure.message = prefixed(response.status, std::string(why) + ": " + excerpt(response.body, secret));
  return failure;
}

}  // namespace agent_queue
