// Reading the many ways in which providers say "later". Nothing here trusts its input; what is not understood is as
// if it were not there. Tested in test/unit/wire_test.cpp, fuzzed in test/fuzz/fuzz_retry_after.cpp.
#include "core/wire/retry_after.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <cmath>

namespace agent_queue {
namespace {

using std::chrono::days;
using std::chrono::hours;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr double kMicrosMax = 9.2e18;  // below 2^63, so that the conversion is defined

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::string_view trim(std::string_view text) {
  const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && is_blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_blank(text.back())) text.remove_suffix(1);
  return text;
}

Micros to_micros(double micros) {
  if (!(micros < kMicrosMax)) return Micros::max();
  return Micros(std::llround(std::max(micros, 0.0)));
}

// Takes a number without sign or exponent from the front of `text`.
std::optional<double> take_number(std::string_view &text) {
  if (text.empty() || !(is_digit(text[0]) || (text[0] == '.' && text.size() > 1 && is_digit(text[1]))))
    return std::nullopt;
  double number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, std::chars_format::fixed);
  if (error == std::errc::result_out_of_range) {
    // Hundreds of digits: either far too long, or so small that it is nothing.
    number = text[0] == '0' || text[0] == '.' ? 0 : kMicrosMax;
  } else if (error != std::errc()) {
    return std::nullopt;
  }
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return number;
}

std::optional<Micros> plain_number(std::string_view text, double unit_micros) {
  text = trim(text);
  const std::optional<double> number = take_number(text);
  if (!number || !text.empty()) return std::nullopt;
  return to_micros(*number * unit_micros);
}

// Takes exactly `digits` digits.
std::optional<int> take_int(std::string_view &text, std::size_t digits) {
  if (text.size() < digits) return std::nullopt;
  int value = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    if (!is_digit(text[i])) return std::nullopt;
    value = value * 10 + (text[i] - '0');
  }
  text.remove_prefix(digits);
  return value;
}

bool take(std::string_view &text, std::string_view expected) {
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}

std::optional<int> take_month(std::string_view &text) {
  constexpr std::string_view kMonths = "JanFebMarAprMayJunJulAugSepOctNovDec";
  if (text.size() < 3) return std::nullopt;
  const std::size_t at = kMonths.find(text.substr(0, 3));
  if (at == std::string_view::npos || at % 3 != 0) return std::nullopt;
  text.remove_prefix(3);
  return static_cast<int>(at / 3) + 1;
}

// "08:49:37"; second 60 is a leap second.
std::optional<Micros> take_clock(std::string_view &text) {
  const auto hour = take_int(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_int(text, 2);
  if (!minute || !take(text, ":")) return std::nullopt;
  const auto second = take_int(text, 2);
  if (!second || *hour > 23 || *minute > 59 || *second > 60) return std::nullopt;
  return hours(*hour) + minutes(*minute) + seconds(*second);
}

std::optional<WallTime> wall_time(int year, int month, int day, Micros clock) {
  const std::chrono::year_month_day date{std::chrono::year(year), std::chrono::month(static_cast<unsigned>(month)),
                                         std::chrono::day(static_cast<unsigned>(day))};
  if (!date.ok()) return std::nullopt;
  return WallTime(std::chrono::sys_days(date)) + clock;
}

// "06 Nov 1994 08:49:37 GMT" and "06-Nov-94 08:49:37 GMT", after the name of the day.
std::optional<WallTime> date_after_comma(std::string_view text) {
  const auto day = take_int(text, 2);
  const bool obsolete = text.starts_with('-');
  if (!day || !take(text, obsolete ? "-" : " ")) return std::nullopt;
  const auto month = take_month(text);
  if (!month || !take(text, obsolete ? "-" : " ")) return std::nullopt;
  auto year = take_int(text, obsolete ? 2 : 4);
  if (!year || !take(text, " ")) return std::nullopt;
  if (obsolete) *year += *year < 70 ? 2000 : 1900;  // as POSIX reads two digits
  const auto clock = take_clock(text);
  if (!clock || (text != " GMT" && text != " UTC")) return std::nullopt;
  return wall_time(*year, *month, *day, *clock);
}

// "Nov  6 08:49:37 1994", after the name of the day.
std::optional<WallTime> date_of_asctime(std::string_view text) {
  const auto month = take_month(text);
  if (!month || !take(text, " ")) return std::nullopt;
  const auto day = take(text, " ") ? take_int(text, 1) : take_int(text, 2);
  if (!day || !take(text, " ")) return std::nullopt;
  const auto clock = take_clock(text);
  if (!clock || !take(text, " ")) return std::nullopt;
  const auto year = take_int(text, 4);
  if (!year || !text.empty()) return std::nullopt;
  return wall_time(*year, *month, *day, *clock);
}

// ".123456789" as microseconds, rounded down; false: a point without digits.
bool take_fraction(std::string_view &text, Micros &fraction) {
  if (!take(text, ".")) return true;
  if (text.empty() || !is_digit(text[0])) return false;
  int unit = 100'000;
  for (; !text.empty() && is_digit(text[0]); text.remove_prefix(1), unit /= 10)
    fraction += Micros((text[0] - '0') * unit);
  return true;
}

// "Z" or "+02:00"
std::optional<Micros> take_offset(std::string_view &text) {
  if (take(text, "Z") || take(text, "z")) return Micros::zero();
  const bool west = text.starts_with('-');
  if (!take(text, west ? "-" : "+")) return std::nullopt;
  const auto hour = take_int(text, 2);
  if (!hour || !take(text, ":")) return std::nullopt;
  const auto minute = take_int(text, 2);
  if (!minute || *hour > 23 || *minute > 59) return std::nullopt;
  const Micros offset = hours(*hour) + minutes(*minute);
  return west ? -offset : offset;
}

// 0: not a unit. `text` starts after the number.
double take_unit(std::string_view &text) {
  struct Unit {
    std::string_view name;
    double micros;
  };
  // "ms" before "m".
  constexpr std::array<Unit, 8> kUnits{
      {{"ns", 1e-3}, {"us", 1}, {"\xC2\xB5s", 1}, {"\xCE\xBCs", 1}, {"ms", 1e3}, {"s", 1e6}, {"m", 6e7}, {"h", 3.6e9}}};
  for (const Unit &unit : kUnits)
    if (take(text, unit.name)) return unit.micros;
  return 0;
}

std::optional<Micros> from_retry_after_header(std::string_view value, WallTime now) {
  value = trim(value);
  if (const auto wait = plain_number(value, 1e6)) return wait;
  if (const auto date = parse_http_date(value)) return std::max(*date - now, Micros::zero());
  return std::nullopt;
}

// google.rpc.RetryInfo in error.details; Gemini may wrap its error in an array.
std::optional<Micros> from_retry_info(const Json &body) {
  if (body.is_array()) return body.empty() || !body[0].is_object() ? std::nullopt : from_retry_info(body[0]);
  const Json *error = json_member(body, "error");
  const Json *details = error == nullptr ? nullptr : json_member(*error, "details");
  if (details == nullptr || !details->is_array()) return std::nullopt;
  for (const Json &detail : *details) {
    if (!json_string(detail, "@type").ends_with("google.rpc.RetryInfo")) continue;
    if (const auto wait = parse_go_duration(json_string(detail, "retryDelay"))) return wait;
  }
  return std::nullopt;
}

bool is_used_up(std::string_view remaining) {
  const auto number = plain_number(remaining, 1);
  return number && *number == Micros::zero();
}

void lengthen(std::optional<Micros> &wait, std::optional<Micros> other) {
  if (other && (!wait || *other > *wait)) wait = other;
}

std::optional<Micros> from_openai_windows(const HttpResponse &response) {
  std::optional<Micros> wait;
  for (const std::string_view what : {"requests", "tokens"}) {
    const std::string_view remaining = response.header("x-ratelimit-remaining-" + std::string(what));
    if (!is_used_up(remaining)) continue;
    const std::string_view reset = response.header("x-ratelimit-reset-" + std::string(what));
    const auto duration = parse_go_duration(trim(reset));
    lengthen(wait, duration ? duration : plain_number(reset, 1e6));
  }
  return wait;
}

std::optional<Micros> from_anthropic_windows(const HttpResponse &response, WallTime now) {
  constexpr std::string_view kReset = "-reset";
  std::optional<Micros> wait;
  for (const HttpHeader &header : response.headers) {
    if (!header.name.starts_with("anthropic-ratelimit-") || !header.name.ends_with(kReset)) continue;
    const std::string window = header.name.substr(0, header.name.size() - kReset.size());
    if (!is_used_up(response.header(window + "-remaining"))) continue;
    if (const auto date = parse_rfc3339(trim(header.value))) lengthen(wait, std::max(*date - now, Micros::zero()));
  }
  return wait;
}

}  // namespace

std::optional<WallTime> parse_http_date(std::string_view text) {
  text = trim(text);
  const std::size_t name_end = text.find_first_of(", ");
  if (name_end < 3 || name_end > 9 || name_end == std::string_view::npos) return std::nullopt;
  const bool comma = text[name_end] == ',';
  text.remove_prefix(name_end + 1);
  if (!comma) return date_of_asctime(text);
  if (!take(text, " ")) return std::nullopt;
  return date_after_comma(text);
}

std::optional<WallTime> parse_rfc3339(std::string_view text) {
  const auto year = take_int(text, 4);
  if (!year || !take(text, "-")) return std::nullopt;
  const auto month = take_int(text, 2);
  if (!month || !take(text, "-")) return std::nullopt;
  const auto day = take_int(text, 2);
  if (!day || !(take(text, "T") || take(text, "t") || take(text, " "))) return std::nullopt;
  const auto clock = take_clock(text);
  Micros fraction{0};
  if (!clock || !take_fraction(text, fraction)) return std::nullopt;
  const auto offset = take_offset(text);
  if (!offset || !text.empty()) return std::nullopt;
  return wall_time(*year, *month, *day, *clock + fraction - *offset);
}

std::optional<Micros> parse_go_duration(std::string_view text) {
  if (text == "0") return Micros::zero();
  if (text.empty()) return std::nullopt;
  double micros = 0;
  while (!text.empty()) {
    const std::optional<double> number = take_number(text);
    const double unit = number ? take_unit(text) : 0;
    if (unit == 0) return std::nullopt;
    micros += *number * unit;
  }
  return to_micros(micros);
}

std::optional<Micros> retry_after(const HttpResponse &response, const Json &body, WallTime now) {
  std::optional<Micros> wait = plain_number(response.header("retry-after-ms"), 1e3);
  if (!wait) wait = from_retry_after_header(response.header("retry-after"), now);
  if (!wait) wait = from_retry_info(body);
  if (!wait) wait = from_openai_windows(response);
  if (!wait) wait = from_anthropic_windows(response, now);
  if (wait) wait = std::min(*wait, kRetryAfterMax);
  return wait;
}

}  // namespace agent_queue
