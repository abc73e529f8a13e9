#include "core/cache/canonical_json.hpp"

#include <utf8proc.h>

#include <algorithm>
#include <cassert>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "core/cache/number_text.hpp"

namespace agent_queue {
namespace {

// The first byte of U+0300. Nothing below it is composed with anything or decomposed by form C.
constexpr unsigned char kFirstToCompose = 0xCC;

struct Freed {
  void operator()(utf8proc_uint8_t *bytes) const noexcept { std::free(bytes); }
};

template <typename T>
Json whole_or_null(std::string_view digits) {
  T whole{};
  const auto [end, failure] = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
  return failure == std::errc() && end == digits.data() + digits.size() ? Json(whole) : Json(nullptr);
}

// Null: no integer of 64 bits. `digits`: those of an integer.
Json whole_number(std::string_view digits) {
  Json whole = whole_or_null<std::uint64_t>(digits);
  if (whole.is_null()) whole = whole_or_null<std::int64_t>(digits);
  return whole;
}

Json exact_number(std::string_view spelled) {
  if (spelled == "-0") return 0;
  Json whole = whole_number(spelled);
  if (!whole.is_null()) return whole;
  const std::string canonical = canonical_number(spelled);
  const std::size_t e = std::min(canonical.find('e'), canonical.size());
  int zeros = 0;
  if (e < canonical.size()) std::from_chars(canonical.data() + e + 1, canonical.data() + canonical.size(), zeros);
  constexpr int kZerosMax = 19;  // in 64 bits
  // More than an int can say are left at 0, with the "e" still there.
  if (e == canonical.size() || (zeros > 0 && zeros <= kZerosMax))
    whole = whole_number(canonical.substr(0, e) + std::string(static_cast<std::size_t>(zeros), '0'));
  if (!whole.is_null()) return whole;
  return Json::binary(Json::binary_t::container_type(canonical.begin(), canonical.end()));
}

// Builds the value out of the parser's events; `numbers` in the order in which they come.
class ValueBuilder : public nlohmann::json_sax<Json> {
 public:
  explicit ValueBuilder(std::span<const std::string_view> numbers) : numbers_(numbers) {}

  bool null() override { return put(nullptr); }
  bool boolean(bool value) override { return put(value); }
  bool number_integer(number_integer_t) override { return put_number(); }
  bool number_unsigned(number_unsigned_t) override { return put_number(); }
  bool number_float(number_float_t, const string_t &) override { return put_number(); }
  bool string(string_t &value) override { return put(normalize_text(value)); }
  bool binary(binary_t &) override { return false; }
  bool start_object(std::size_t) override { return open(Json::object()); }
  bool key(string_t &name) override {
    place_ = &(*open_.back())[normalize_text(name)];
    return true;
  }
  bool end_object() override { return close(); }
  bool start_array(std::size_t) override { return open(Json::array()); }
  bool end_array() override { return close(); }
  bool parse_error(std::size_t, const std::string &, const nlohmann::detail::exception &) override { return false; }

  Json take() { return std::move(root_); }

 private:
  // Where the next value belongs. What is open is the last element of its parent, so no push_back() moves it.
  Json &place() {
    if (!open_.empty() && open_.back()->is_array()) {
      open_.back()->push_back(nullptr);
      return open_.back()->back();
    }
    return *place_;
  }

  bool put(Json value) {
    place() = std::move(value);
    return true;
  }

  // Out of numbers: the text goes on with what is none, such as "1-2".
  bool put_number() {
    if (numbers_.empty()) return false;
    put(exact_number(numbers_.front()));
    numbers_ = numbers_.subspan(1);
    return true;
  }

  bool open(Json empty) {
    if (open_.size() >= static_cast<std::size_t>(kJsonDepthMax)) return false;
    Json &opened = place();
    opened = std::move(empty);
    open_.push_back(&opened);
    return true;
  }

  bool close() {
    open_.pop_back();
    return true;
  }

  std::span<const std::string_view> numbers_;  // that are still to come
  Json root_;
  Json *place_ = &root_;      // of a member's value, or of the whole
  std::vector<Json *> open_;  // objects and arrays, the innermost last
};

void write_string(const std::string &value, std::string &text) {
  const auto is_special = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == '"' || c == '\\'; };
  if (std::any_of(value.begin(), value.end(), is_special))
    text += dump_json(value);
  else
    text.append("\"").append(value).append("\"");
}

void write(const Json &value, std::string &text) {
  char separator = '\0';
  switch (value.type()) {
    case Json::value_t::object:
      text += '{';
      for (const auto &[name, member] : value.get_ref<const Json::object_t &>()) {
        if (std::exchange(separator, ',') != '\0') text += ',';
        write_string(name, text);
        text += ':';
        write(member, text);
      }
      text += '}';
      break;
    case Json::value_t::array:
      text += '[';
      for (const Json &element : value) {
        if (std::exchange(separator, ',') != '\0') text += ',';
        write(element, text);
      }
      text += ']';
      break;
    case Json::value_t::string:
      write_string(value.get_ref<const std::string &>(), text);
      break;
    case Json::value_t::binary:
      text.append(value.get_binary().begin(), value.get_binary().end());
      break;
    case Json::value_t::number_integer:
    case Json::value_t::number_unsigned:
    case Json::value_t::number_float:
      text += canonical_number(dump_json(value));
      break;
    default:
      text += dump_json(value);
  }
}

}  // namespace

std::string normalize_text(std::string_view utf8) {
  const auto may_change = [](char c) { return static_cast<unsigned char>(c) >= kFirstToCompose; };
  if (std::none_of(utf8.begin(), utf8.end(), may_change)) return std::string(utf8);
  utf8proc_uint8_t *composed = nullptr;
  const utf8proc_ssize_t length =
      utf8proc_map(reinterpret_cast<const utf8proc_uint8_t *>(utf8.data()), static_cast<utf8proc_ssize_t>(utf8.size()),
                   &composed, static_cast<utf8proc_option_t>(UTF8PROC_STABLE | UTF8PROC_COMPOSE));
  const std::unique_ptr<utf8proc_uint8_t, Freed> owner(composed);
  if (length == UTF8PROC_ERROR_NOMEM) throw std::bad_alloc();
  if (length < 0) return std::string(utf8);
  return {reinterpret_cast<const char *>(composed), static_cast<std::size_t>(length)};
}

Result<Json> canonical_value(std::string_view json) {
  const NumberText taken = take_numbers(json);
  ValueBuilder builder(taken.numbers);
  if (Json::sax_parse(taken.rest, &builder)) return builder.take();
  // Whatever is refused here is refused there, and said with its place in the text as it was given.
  Result<Json> refused = parse_json(json);
  assert(!refused.ok());
  return refused.error();
}

std::string canonical_text(const Json &value) {
  std::string text;
  write(value, text);
  return text;
}

Result<std::string> canonical_json(std::string_view json) {
  const Result<Json> value = canonical_value(json);
  if (!value.ok()) return value.error();
  return canonical_text(*value);
}

}  // namespace agent_queue
