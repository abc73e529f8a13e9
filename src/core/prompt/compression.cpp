#include "core/prompt/compression.hpp"

#include <algorithm>
#include <optional>
#include <unordered_set>

#include "core/prompt/letters.hpp"
#include "core/prompt/protected_text.hpp"

namespace agent_queue {

namespace {

constexpr auto kNone = std::string_view::npos;
constexpr std::size_t kRepeatedLettersMin = 20;
constexpr int kPassesMax = 6;

bool is_blank(char c) {
  return c == ' ' || c == '\t' || c == '\r';
}

bool ends_sentence(char c) {
  return c == '.' || c == ';' || c == ':' || c == '!' || c == '?';
}

// Words with one blank between them; empty where the text is anything else.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  std::size_t begin = 0;
  for (std::size_t at = 0; at <= text.size();) {
    const Letter letter = letter_at(text, at);
    if (is_word_letter(letter)) {
      at += letter.bytes;
      continue;
    }
    if (at == begin || (letter.bytes > 0 && letter.code != U' ')) return {};
    words.push_back(text.substr(begin, at - begin));
    begin = ++at;
  }
  return words;
}

bool is_upper(char32_t code) {
  return lower_of(code) != code;
}

// "Info" for "Información", "INFO" for "INFORMACIÓN".
std::string in_case_of(std::string_view model, std::string_view replacement) {
  const Letter first = letter_at(model, 0);
  if (!is_upper(first.code)) return std::string(replacement);
  const bool is_all_upper = model.size() > first.bytes && in_upper_case(model) == model;
  if (is_all_upper) return in_upper_case(replacement);
  const std::size_t bytes = letter_at(replacement, 0).bytes;
  return in_upper_case(replacement.substr(0, bytes)) + std::string(replacement.substr(bytes));
}

// A line of prose, or partly of it, in work.
class LinePass {
 public:
  // `flags`: of the line's bytes from `offset` on, which are protected.
  LinePass(std::string_view line, const std::vector<bool> &flags, std::size_t offset)
      : line_(line), flags_(flags), offset_(offset) {}

  std::string run(const Phrasebook &phrases) && {
    find_words();
    for (std::size_t i = 0; i < words_.size();) i += replace_at(i, phrases);
    out_.append(line_, copied_);
    return std::move(out_);
  }

 private:
  struct Word {
    std::size_t begin;
    std::size_t end;
  };
  struct Match {
    std::size_t words;
    const std::string *replacement;
  };

  bool is_free(std::size_t at) const { return !flags_[offset_ + at]; }

  void find_words() {
    for (std::size_t at = 0; at < line_.size();) {
      const Letter letter = letter_at(line_, at);
      if (is_word_letter(letter) && is_free(at)) {
        const bool goes_on = !words_.empty() && words_.back().end == at;
        if (!goes_on) words_.push_back({at, at});
        words_.back().end = at + letter.bytes;
      }
      at += letter.bytes;
    }
  }

  std::string_view word(std::size_t i) const {
    return std::string_view(line_).substr(words_[i].begin, words_[i].end - words_[i].begin);
  }

  bool are_only_blanks(std::size_t begin, std::size_t end) const {
    return std::all_of(line_.begin() + static_cast<std::ptrdiff_t>(begin),
                       line_.begin() + static_cast<std::ptrdiff_t>(end), is_blank);
  }

  // How many words are dealt with now.
  std::size_t replace_at(std::size_t i, const Phrasebook &phrases) {
    const std::optional<Match> match = find_match(i, phrases);
    if (!match) return 1;
    const std::size_t begin = words_[i].begin;
    const std::size_t end = words_[i + match->words - 1].end;
    if (!match->replacement->empty()) {
      out_.append(line_, copied_, begin - copied_);
      out_ += in_case_of(std::string_view(line_).substr(begin, end - begin), *match->replacement);
      copied_ = end;
      return match->words;
    }
    return remove(begin, end) ? match->words : 1;
  }

  std::optional<Match> find_match(std::size_t i, const Phrasebook &phrases) const {
    const auto *entries = phrases.beginning_with(in_lower_case(word(i)));
    if (entries == nullptr) return std::nullopt;
    for (const Phrasebook::Entry &entry : *entries)
      if (says(i, entry.words) && stands_alone(i, entry)) return Match{entry.words.size(), &entry.replacement};
    return std::nullopt;
  }

  bool says(std::size_t i, const std::vector<std::string> &words) const {
    if (i + words.size() > words_.size()) return false;
    for (std::size_t k = 1; k < words.size(); ++k) {
      if (!are_only_blanks(words_[i + k - 1].end, words_[i + k].begin)) return false;
      if (in_lower_case(word(i + k)) != words[k]) return false;
    }
    return true;
  }

  // Between blanks, but for a sentence's punctuation behind it; an abbreviation also in parentheses or behind ¿ and ¡.
  bool stands_alone(std::size_t i, const Phrasebook::Entry &entry) const {
    const bool is_filler = entry.replacement.empty();
    const std::size_t begin = words_[i].begin;
    const Letter before = letter_before(line_, begin);
    const bool is_begun = before.bytes == 0 || before.code == U' ' || before.code == U'\t' ||
                          (!is_filler && (before.code == U'(' || before.code == U'¿' || before.code == U'¡'));
    if (!is_begun || (begin > 0 && !is_free(begin - 1))) return false;
    std::size_t at = words_[i + entry.words.size() - 1].end;
    while (at < line_.size() && is_free(at) &&
           (line_[at] == ',' || ends_sentence(line_[at]) || (!is_filler && line_[at] == ')')))
      ++at;
    return at == line_.size() || is_blank(line_[at]);
  }

  // Takes a filler out, with a comma behind it or before it. False: it has to stay.
  bool remove(std::size_t begin, std::size_t end) {
    std::size_t next = end;
    if (next < line_.size() && line_[next] == ',') ++next;
    while (next < line_.size() && is_blank(line_[next])) ++next;
    if (next == line_.size() || (next == end && ends_sentence(line_[end]))) return remove_at_end(begin, end);
    // What has come to stand at the beginning of a line must not begin a block of code there.
    if (are_only_blanks(0, begin) && (line_[next] == '`' || line_[next] == '~')) return false;
    out_.append(line_, copied_, begin - copied_);
    copied_ = next;
    if (begins_sentence(begin) && is_upper(letter_at(line_, begin).code) && is_free(next)) capitalise(next);
    return true;
  }

  bool begins_sentence(std::size_t at) const {
    if (at == capitalised_) return true;
    while (at > 0 && is_blank(line_[at - 1])) --at;
    return at == 0 || ends_sentence(line_[at - 1]);
  }

  // "Do this, please." is "Do this."
  bool remove_at_end(std::size_t begin, std::size_t end) {
    if (end < line_.size() && line_[end] == ',') return false;
    std::size_t last = begin;
    while (last > copied_ && is_blank(line_[last - 1])) --last;
    if (last > copied_ && line_[last - 1] == ',' && is_free(last - 1)) --last;
    if (last <= copied_ || !is_free(last - 1) || !is_word_letter(letter_before(line_, last))) return false;
    out_.append(line_, copied_, last - copied_);
    copied_ = end;
    return true;
  }

  // Both cases take as many bytes: the words stay where they are.
  void capitalise(std::size_t at) {
    const std::size_t bytes = letter_at(line_, at).bytes;
    capitalised_ = at;
    line_.replace(at, bytes, in_upper_case(std::string_view(line_).substr(at, bytes)));
  }

  std::string line_;
  const std::vector<bool> &flags_;
  std::size_t offset_;
  std::vector<Word> words_;
  std::string out_;
  std::size_t capitalised_ = kNone;  // where a sentence begins since the filler before it went
  std::size_t copied_ = 0;           // of line_: what is in out_ already, or taken out
};

bool has_letter(std::string_view line) {
  for (std::size_t at = 0; at < line.size();) {
    const Letter letter = letter_at(line, at);
    if (is_word_letter(letter) && !(letter.code >= U'0' && letter.code <= U'9') && letter.code != U'_') return true;
    at += letter.bytes;
  }
  return false;
}

bool is_empty_line(std::string_view line) {
  return line.find_first_not_of(" \t\r") == kNone;
}

// The lines that are kept, in order.
class Lines {
 public:
  void add(std::string line, bool is_prose) {
    const bool is_empty = is_empty_line(line);
    if (is_prose && !is_empty && is_repeated(line)) {
      is_gap_ = is_any_ && is_last_empty_;
      return;
    }
    // Of the empty lines around a line that went one is enough.
    const bool is_superfluous = is_gap_ && is_empty && is_prose;
    is_gap_ = false;
    if (is_superfluous) return;
    if (is_any_) text_.push_back('\n');
    text_ += line;
    if (is_prose && count_letters(line) >= kRepeatedLettersMin) seen_.insert(line);
    is_any_ = true;
    is_last_empty_ = is_empty && is_prose;
    last_ = is_prose ? std::move(line) : std::string();
  }

  std::string take() && { return std::move(text_); }

 private:
  bool is_repeated(const std::string &line) const {
    return has_letter(line) && ((is_any_ && line == last_) || seen_.contains(line));
  }

  std::string text_;
  std::unordered_set<std::string> seen_;
  std::string last_;  // empty: it was not prose
  bool is_any_ = false;
  bool is_last_empty_ = false;
  bool is_gap_ = false;  // a line went behind an empty one
};

std::string compress_once(std::string_view text, const Phrasebook &phrases) {
  const std::vector<bool> flags = find_protected(text);
  Lines lines;
  for (std::size_t begin = 0; begin <= text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const auto flag = [&](std::size_t at) { return flags.begin() + static_cast<std::ptrdiff_t>(at); };
    const bool is_prose = std::find(flag(begin), flag(end), true) == flag(end);
    lines.add(LinePass(text.substr(begin, end - begin), flags, begin).run(phrases), is_prose);
    begin = end + 1;
  }
  return std::move(lines).take();
}

}  // namespace

void Phrasebook::add(std::string_view phrase, std::string_view replacement) {
  const std::vector<std::string_view> words = words_of(phrase);
  // In bytes too: what a request may cost at most is reckoned by those it has before.
  const bool is_shorter = count_letters(replacement) < count_letters(phrase) && replacement.size() <= phrase.size();
  if (words.empty() || !is_shorter || (!replacement.empty() && words_of(replacement).empty())) return;
  Entry entry;
  for (const std::string_view word : words) entry.words.push_back(in_lower_case(word));
  entry.replacement = replacement;
  std::vector<Entry> &entries = entries_[entry.words.front()];
  const auto is_same = [&](const Entry &other) { return other.words == entry.words; };
  if (std::any_of(entries.begin(), entries.end(), is_same)) return;
  const auto is_longer = [](const Entry &a, const Entry &b) { return a.words.size() > b.words.size(); };
  entries.insert(std::upper_bound(entries.begin(), entries.end(), entry, is_longer), std::move(entry));
}

// What one pass leaves may have become a phrase, or a repeated line. A text that finds no rest stays as it is.
std::string compress_text(std::string_view text, const Phrasebook &phrases) {
  std::string shorter(text);
  for (int pass = 0; pass < kPassesMax; ++pass) {
    std::string again = compress_once(shorter, phrases);
    if (again == shorter) return shorter;
    shorter = std::move(again);
  }
  return std::string(text);
}

}  // namespace agent_queue
