#include "core/prompt/protected_text.hpp"

#include <algorithm>
#include <array>
#include <iterator>
#include <optional>
#include <unordered_map>

#include "core/prompt/letters.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kIndentOfCode = 4;
constexpr std::size_t kFenceMin = 3;
// Bytes that may be read in search of JSON, as a multiple of the text's: braces that never close must not make it
// quadratic. When they are used up, all the rest is protected.
constexpr std::size_t kJsonWork = 2;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

// An iterator that leaves word of how far it came.
class Probe {
 public:
  using iterator_category = std::forward_iterator_tag;
  using value_type = char;
  using difference_type = std::ptrdiff_t;
  using pointer = const char *;
  using reference = const char &;

  Probe(const char *at, const char **furthest) : at_(at), furthest_(furthest) {}
  reference operator*() const { return *at_; }
  Probe &operator++() {
    ++at_;
    *furthest_ = std::max(*furthest_, at_);
    return *this;
  }
  Probe operator++(int) {
    Probe before = *this;
    ++*this;
    return before;
  }
  bool operator==(const Probe &other) const { return at_ == other.at_; }

 private:
  const char *at_;
  const char **furthest_;
};

// Accepts everything down to a depth.
class Acceptor : public nlohmann::json_sax<Json> {
 public:
  bool null() override { return true; }
  bool boolean(bool) override { return true; }
  bool number_integer(number_integer_t) override { return true; }
  bool number_unsigned(number_unsigned_t) override { return true; }
  bool number_float(number_float_t, const string_t &) override { return true; }
  bool string(string_t &) override { return true; }
  bool binary(binary_t &) override { return true; }
  bool start_object(std::size_t) override { return ++depth_ <= kJsonDepthMax; }
  bool key(string_t &) override { return true; }
  bool end_object() override { return --depth_ >= 0; }
  bool start_array(std::size_t) override { return ++depth_ <= kJsonDepthMax; }
  bool end_array() override { return --depth_ >= 0; }
  bool parse_error(std::size_t, const std::string &, const nlohmann::json::exception &) override { return false; }

 private:
  int depth_ = 0;
};

// One kind of quotation mark. Whether one can open or close depends on its neighbours alone.
struct Quote {
  char32_t open;
  char32_t close;
  std::vector<std::size_t> closers = {};  // positions
  std::size_t next = 0;                   // of those, the first that is not passed
};

class Finder {
 public:
  explicit Finder(std::string_view text) : text_(text), flags_(text.size()) {}

  std::vector<bool> find() && {
    mark_lines();
    note_closers();
    for (std::size_t at = 0; at < text_.size();) at = flags_[at] ? at + 1 : step(at);
    return std::move(flags_);
  }

 private:
  void mark(std::size_t begin, std::size_t end) {
    std::fill(flags_.begin() + static_cast<std::ptrdiff_t>(begin), flags_.begin() + static_cast<std::ptrdiff_t>(end),
              true);
  }

  std::size_t run_length(std::size_t at) const {
    const std::size_t end = text_.find_first_not_of(text_[at], at);
    return (end == kNone ? text_.size() : end) - at;
  }

  // Fences, indented lines and quoted lines; and where paragraphs end.
  void mark_lines() {
    std::optional<std::string_view> fence;
    for (std::size_t begin = 0; begin < text_.size();) {
      const std::size_t newline = text_.find('\n', begin);
      const std::size_t end = newline == kNone ? text_.size() : newline;
      const std::size_t next = newline == kNone ? end : end + 1;
      const std::string_view line = text_.substr(begin, end - begin);
      const std::size_t first = std::min(line.find_first_not_of(" \t\r"), line.size());
      const bool has_tab = line.substr(0, first).find('\t') != kNone;
      const bool is_indented = first >= kIndentOfCode || has_tab;
      const bool is_empty = first == line.size();
      bool is_protected = true;
      if (fence)
        fence = is_indented || is_empty || !closes(line.substr(first), *fence) ? fence : std::nullopt;
      else if (is_empty)
        is_protected = false;
      else if (!is_indented && (fence = fence_of(line.substr(first))))
        is_protected = true;
      else
        is_protected = is_indented || line[first] == '>';
      if (is_protected) mark(begin, next);
      if (is_protected || is_empty) paragraph_ends_.push_back(begin);
      begin = next;
    }
  }

  static std::optional<std::string_view> fence_of(std::string_view line) {
    if (line[0] != '`' && line[0] != '~') return std::nullopt;
    const std::size_t length = std::min(line.find_first_not_of(line[0]), line.size());
    const bool is_inline = line[0] == '`' && line.find('`', length) != kNone;
    if (length < kFenceMin || is_inline) return std::nullopt;
    return line.substr(0, length);
  }

  static bool closes(std::string_view line, std::string_view fence) {
    if (line[0] != fence[0]) return false;
    const std::size_t length = std::min(line.find_first_not_of(line[0]), line.size());
    return length >= fence.size() &&
           std::all_of(line.begin() + static_cast<std::ptrdiff_t>(length), line.end(), is_blank);
  }

  void note_closers() {
    std::vector<std::size_t> runs;
    for (std::size_t at = 0; at < text_.size();) {
      const Letter letter = letter_at(text_, at);
      if (letter.code == U'`' && !flags_[at]) {
        runs.push_back(at);
        at += run_length(at);
        continue;
      }
      const bool is_behind_word = !is_blank_before(at);
      for (Quote &quote : quotes_)
        if (letter.code == quote.close && !is_word_letter(letter_at(text_, at + letter.bytes)) &&
            (quote.close != U'\'' || is_behind_word))
          quote.closers.push_back(at);
      at += letter.bytes;
    }
    std::unordered_map<std::size_t, std::size_t> of_length;
    for (auto run = runs.rbegin(); run != runs.rend(); ++run) {
      const std::size_t length = run_length(*run);
      const auto later = of_length.find(length);
      if (later != of_length.end()) closing_run_[*run] = later->second;
      of_length[length] = *run;
    }
  }

  bool is_blank_before(std::size_t at) const { return at == 0 || text_[at - 1] == '\n' || is_blank(text_[at - 1]); }

  std::size_t paragraph_end(std::size_t at) {
    while (paragraph_ < paragraph_ends_.size() && paragraph_ends_[paragraph_] <= at) ++paragraph_;
    return paragraph_ < paragraph_ends_.size() ? paragraph_ends_[paragraph_] : text_.size();
  }

  // Protects what begins here, if anything does; the place to go on at.
  std::size_t step(std::size_t at) {
    const char c = text_[at];
    std::size_t end = at;
    if (c == '{' && text_.substr(at).starts_with("{{")) end = place_end(at);
    if (end == at && may_be_json(at)) end = json_end(at);
    if (c == '`') end = inline_code_end(at);
    const Letter letter = letter_at(text_, at);
    if (end == at) end = quote_end(at, letter);
    if (end > at) {
      mark(at, end);
      return end;
    }
    return at + (c == '`' ? run_length(at) : letter.bytes);
  }

  std::size_t place_end(std::size_t at) {
    if (place_close_ != kNone && place_close_ < at + 2) place_close_ = text_.find("}}", at + 2);
    if (line_end_ <= at) line_end_ = std::min(text_.find('\n', at), text_.size());
    return place_close_ == kNone || place_close_ >= line_end_ ? at : place_close_ + 2;
  }

  // A parser is not set up for every brace.
  bool may_be_json(std::size_t at) const {
    if (text_[at] != '{' && text_[at] != '[') return false;
    const std::size_t next = text_.find_first_not_of(" \t\r\n", at + 1);
    const std::string_view beginnings = text_[at] == '{' ? "\"}" : "\"{[]-0123456789tfn";
    return next != kNone && beginnings.find(text_[next]) != kNone;
  }

  std::size_t json_end(std::size_t at) {
    if (json_work_ > kJsonWork * text_.size()) return text_.size();
    const char *begin = text_.data() + at;
    const char *furthest = begin;
    const char *end = text_.data() + text_.size();
    Acceptor acceptor;
    const bool is_json = Json::sax_parse(Probe(begin, &furthest), Probe(end, &furthest), &acceptor,
                                         nlohmann::json::input_format_t::json, false);
    json_work_ += static_cast<std::size_t>(furthest - begin);
    return is_json ? static_cast<std::size_t>(furthest - text_.data()) : at;
  }

  std::size_t inline_code_end(std::size_t at) {
    const auto closing = closing_run_.find(at);
    if (closing == closing_run_.end() || closing->second >= paragraph_end(at)) return at;
    return closing->second + run_length(closing->second);
  }

  std::size_t quote_end(std::size_t at, Letter letter) {
    for (Quote &quote : quotes_) {
      if (letter.code != quote.open || is_word_letter(letter_before(text_, at))) continue;
      while (quote.next < quote.closers.size() && quote.closers[quote.next] <= at) ++quote.next;
      if (quote.next == quote.closers.size()) continue;
      const std::size_t close = quote.closers[quote.next];
      if (close < paragraph_end(at)) return close + letter_at(text_, close).bytes;
    }
    return at;
  }

  std::string_view text_;
  std::vector<bool> flags_;
  std::vector<std::size_t> paragraph_ends_;                   // where lines begin that belong to no paragraph
  std::size_t paragraph_ = 0;                                 // of those, the first that is not passed
  std::unordered_map<std::size_t, std::size_t> closing_run_;  // of backticks: the next of the same length
  std::size_t place_close_ = 0;                               // the next "}}"; kNone: there are no more
  std::size_t line_end_ = 0;
  std::size_t json_work_ = 0;
  std::array<Quote, 5> quotes_{Quote{U'"', U'"'}, Quote{U'\'', U'\''}, Quote{U'«', U'»'}, Quote{U'“', U'”'},
                               Quote{U'‘', U'’'}};
};

}  // namespace

std::vector<bool> find_protected(std::string_view text) {
  return Finder(text).find();
}

}  // namespace agent_queue
