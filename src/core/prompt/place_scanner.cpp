// See place_scanner.hpp.
#include "core/prompt/place_scanner.hpp"

#include <utility>

namespace agent_queue {
namespace {

std::string_view trim(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kBlanks);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kBlanks) - begin + 1);
}

}  // namespace

std::optional<PlaceScanner::Piece> PlaceScanner::next() {
  if (rest_.empty()) return std::nullopt;
  Piece piece;
  const std::size_t open = rest_.find("{{");
  if (open == std::string_view::npos) {
    piece.literal = std::exchange(rest_, {});
    return piece;
  }
  if (rest_.substr(open).starts_with("{{{{")) {
    piece.literal = rest_.substr(0, open + 2);
    rest_.remove_prefix(open + 4);
    return piece;
  }
  // A brace inside of a place is a forgotten end of it.
  const std::size_t close = rest_.find_first_of("{}", open + 2);
  if (close != std::string_view::npos && rest_.substr(close).starts_with("}}"))
    piece.place = trim(rest_.substr(open + 2, close - open - 2));
  if (split_path(piece.place).empty()) {
    piece.literal = std::exchange(rest_, {});
    piece.place = {};
    piece.broken = true;
    return piece;
  }
  piece.literal = rest_.substr(0, open);
  piece.has_place = true;
  rest_.remove_prefix(close + 2);
  return piece;
}

std::vector<std::string_view> split_path(std::string_view place) {
  std::vector<std::string_view> path;
  while (true) {
    const std::size_t dot = place.find('.');
    path.push_back(trim(place.substr(0, dot)));
    if (path.back().empty()) return {};
    if (dot == std::string_view::npos) return path;
    place.remove_prefix(dot + 1);
  }
}

}  // namespace agent_queue
