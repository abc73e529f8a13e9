// Answers from outside. Tested in test/unit/{anthropic,gemini,ollama}_test.cpp.
#include "core/provider/answer_read.hpp"

#include <algorithm>

#include "core/provider/http_failure.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {

std::variant<Json, Failure> read_success(const HttpResponse &response, std::string_view secret, WallTime now) {
  static const Json kNoBody;
  Result<Json> body = parse_json_leniently(response.body);
  if (response.status < 200 || response.status >= 300)
    return http_failure(response, body.ok() ? *body : kNoBody, secret, now);
  if (!body.ok()) return garbled_answer(response, "the answer is not JSON", secret);
  if (has_error(*body)) return http_failure(response, *body, secret, now);
  if (!body->is_object()) return garbled_answer(response, "the answer is no JSON object", secret);
  return std::move(body).value();
}

std::string take_text(Json &object, const char *key) {
  const auto it = object.find(key);
  if (it == object.end() || !it->is_string()) return {};
  std::string text = std::move(it->get_ref<std::string &>());
  return is_clean_text(text) ? text : clean_text(text);
}

Json *array_member(Json &object, const char *key) {
  const auto it = object.find(key);
  return it == object.end() || !it->is_array() ? nullptr : &*it;
}

std::int64_t token_count(const Json *object, std::string_view key, std::int64_t most) {
  const auto count = object == nullptr ? std::nullopt : json_int(*object, key);
  return std::clamp<std::int64_t>(count.value_or(0), 0, most);
}

bool has_count(const Json &object, std::initializer_list<std::string_view> keys) {
  return std::any_of(keys.begin(), keys.end(),
                     [&object](std::string_view key) { return json_int(object, key).has_value(); });
}

}  // namespace agent_queue
