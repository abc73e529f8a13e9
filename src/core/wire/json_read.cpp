// JSON from outside, on top of nlohmann's parser (iterative, checks UTF-8, the last of equal keys wins).
// Tested in test/unit/wire_test.cpp, fuzzed in test/fuzz/fuzz_json.cpp.
#include "core/wire/json_read.hpp"

#include <cmath>
#include <cstring>

#include "core/wire/text_clean.hpp"

namespace agent_queue {

std::size_t skip_json_string(std::string_view text, std::size_t at) {
  const std::size_t begin = at;
  while (at < text.size()) {
    const void *found = std::memchr(text.data() + at, '"', text.size() - at);
    if (found == nullptr) return text.size();
    const std::size_t quote = static_cast<std::size_t>(static_cast<const char *>(found) - text.data());
    std::size_t backslashes = 0;
    while (quote - backslashes > begin && text[quote - backslashes - 1] == '\\') ++backslashes;
    if (backslashes % 2 == 0) return quote + 1;
    at = quote + 1;
  }
  return text.size();
}

namespace {

// Brackets outside of strings tell the depth without building anything.
bool is_too_deep(std::string_view text) {
  int depth = 0;
  std::size_t i = 0;
  while (i < text.size()) {
    const char c = text[i++];
    if (c == '"')
      i = skip_json_string(text, i);
    else if ((c == '{' || c == '[') && ++depth > kJsonDepthMax)
      return true;
    else if (c == '}' || c == ']')
      --depth;
  }
  return false;
}

// Reads for the sake of the error's position only.
class ErrorFinder : public nlohmann::json_sax<Json> {
 public:
  std::size_t position = 0;

  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t &) override { return true; }
  bool string(string_t &) override { return true; }
  bool binary(binary_t &) override { return true; }
  bool start_object(std::size_t) override { return true; }
  bool key(string_t &) override { return true; }
  bool end_object() override { return true; }
  bool start_array(std::size_t) override { return true; }
  bool end_array() override { return true; }
  bool parse_error(std::size_t where, const std::string &, const nlohmann::detail::exception &) override {
    position = where;
    return false;
  }
};

Error not_json(std::string_view text) {
  ErrorFinder finder;
  Json::sax_parse(text.begin(), text.end(), &finder);
  return Error{
      ErrorKind::invalid_input, "text is not valid JSON (at byte " + std::to_string(finder.position) + ")", {}};
}

// The code unit of the \uXXXX escape at the start of `text`; -1: there is none.
int escaped_unit(std::string_view text) {
  if (text.size() < 6 || text[0] != '\\' || text[1] != 'u') return -1;
  int unit = 0;
  for (const char c : text.substr(2, 4)) {
    const char lower = static_cast<char>(c | 0x20);
    if (c >= '0' && c <= '9')
      unit = unit * 16 + (c - '0');
    else if (lower >= 'a' && lower <= 'f')
      unit = unit * 16 + (lower - 'a' + 10);
    else
      return -1;
  }
  return unit;
}

std::string mend_json_text(std::string_view broken) {
  const std::string clean = clean_text(broken);
  std::string_view rest = clean;
  std::string mended;
  mended.reserve(clean.size());
  while (!rest.empty()) {
    const std::size_t plain = std::min(rest.find('\\'), rest.size());
    mended += rest.substr(0, plain);
    rest.remove_prefix(plain);
    const int unit = escaped_unit(rest);
    std::size_t length = unit < 0 ? std::min<std::size_t>(2, rest.size()) : 6;
    bool lone = unit >= 0xD800 && unit <= 0xDFFF;
    if (lone && unit < 0xDC00) {
      const int second = escaped_unit(rest.substr(6));
      if (second >= 0xDC00 && second <= 0xDFFF) {
        lone = false;
        length = 12;
      }
    }
    mended += lone ? std::string_view("\\ufffd") : rest.substr(0, length);
    rest.remove_prefix(length);
  }
  return mended;
}

void clean_keys(Json &object) {
  bool clean = true;
  for (const auto &item : object.items()) clean = clean && is_clean_text(item.key());
  if (clean) return;
  Json renamed = Json::object();
  for (auto &item : object.items()) renamed[clean_text(item.key())] = std::move(item.value());
  object = std::move(renamed);
}

}  // namespace

Result<Json> parse_json(std::string_view text) {
  if (is_too_deep(text))
    return Error{ErrorKind::too_large, "JSON is nested deeper than " + std::to_string(kJsonDepthMax) + " levels", {}};
  Json value = Json::parse(text.begin(), text.end(), nullptr, false);
  if (value.is_discarded()) return not_json(text);
  return value;
}

Result<Json> parse_json_leniently(std::string_view text) {
  Result<Json> parsed = parse_json(text);
  if (parsed.ok() || parsed.error().kind == ErrorKind::too_large) return parsed;
  const std::string mended = mend_json_text(text);
  if (mended == text) return parsed;
  return parse_json(mended);
}

void clean_json(Json &value) {
  if (value.is_string()) {
    std::string &text = value.get_ref<std::string &>();
    if (!is_clean_text(text)) text = clean_text(text);
  } else if (value.is_structured()) {
    if (value.is_object()) clean_keys(value);
    for (Json &element : value) clean_json(element);
  }
}

std::string dump_json(const Json &value) {
  return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

const Json *json_member(const Json &value, std::string_view key) {
  if (!value.is_object()) return nullptr;
  const auto it = value.find(key);
  return it == value.end() ? nullptr : &*it;
}

std::string_view json_string(const Json &value, std::string_view key) {
  const Json *member = json_member(value, key);
  if (member == nullptr || !member->is_string()) return {};
  return member->get_ref<const std::string &>();
}

std::optional<std::int64_t> json_int(const Json &value, std::string_view key) {
  const Json *member = json_member(value, key);
  if (member == nullptr || !member->is_number()) return std::nullopt;
  if (member->is_number_unsigned()) {
    const auto number = member->get<std::uint64_t>();
    if (number > static_cast<std::uint64_t>(INT64_MAX)) return std::nullopt;
    return static_cast<std::int64_t>(number);
  }
  if (member->is_number_integer()) return member->get<std::int64_t>();
  const auto number = member->get<double>();
  constexpr double kTwoTo63 = 9223372036854775808.0;
  if (!(number >= -kTwoTo63 && number < kTwoTo63) || number != std::trunc(number)) return std::nullopt;
  return static_cast<std::int64_t>(number);
}

}  // namespace agent_queue
