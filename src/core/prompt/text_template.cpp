// Prompt templates: {{field}} places filled from the request. Tested in test/unit/prompt_test.cpp.
#include <algorithm>

#include "core/prompt/place_scanner.hpp"
#include "core/prompt/prompt.hpp"

namespace agent_queue {

Result<TextTemplate> TextTemplate::parse(std::string_view source) {
  TextTemplate parsed;
  parsed.source_ = source;
  PlaceScanner scanner(source);
  while (const auto scanned = scanner.next()) {
    if (scanned->broken)
      return Error{ErrorKind::invalid_input, "template has a {{place}} that is not closed or has no name",
                   "Write {{field}} or {{field.sub}}; write {{{{ for two literal braces."};
    Piece piece;
    piece.literal = scanned->literal;
    if (scanned->has_place) {
      for (const std::string_view name : split_path(scanned->place)) piece.path.emplace_back(name);
      if (std::find(parsed.fields_.begin(), parsed.fields_.end(), piece.path[0]) == parsed.fields_.end())
        parsed.fields_.push_back(piece.path[0]);
    }
    parsed.pieces_.push_back(std::move(piece));
  }
  return parsed;
}

namespace {

const Json *walk(const Json &values, const std::vector<std::string> &path) {
  const Json *at = &values;
  for (const std::string &name : path) {
    at = json_member(*at, name);
    if (at == nullptr) return nullptr;
  }
  return at;
}

Error missing_field(const std::vector<std::string> &path, std::string_view owner) {
  std::string name;
  for (const std::string &part : path) name += (name.empty() ? "" : ".") + part;
  return Error{
      ErrorKind::invalid_input, "request has no field \"" + name + "\", which " + std::string(owner) + " names", {}};
}

}  // namespace

Result<std::string> TextTemplate::render(const Json &values, std::string_view owner) const {
  std::string text;
  for (const Piece &piece : pieces_) {
    text += piece.literal;
    if (piece.path.empty()) continue;
    const Json *value = walk(values, piece.path);
    if (value == nullptr) return missing_field(piece.path, owner);
    if (value->is_string())
      text += value->get_ref<const std::string &>();
    else
      text += dump_json(*value);
  }
  return text;
}

std::size_t TextTemplate::place_count() const {
  std::size_t count = 0;
  for (const Piece &piece : pieces_) count += piece.path.empty() ? 0 : 1;
  return count;
}

}  // namespace agent_queue
