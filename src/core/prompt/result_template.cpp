// From an answer to the job's result. Tested in test/unit/prompt_test.cpp.
#include "core/prompt/place_scanner.hpp"
#include "core/prompt/prompt.hpp"

namespace agent_queue {
namespace {

// The inside of the first code fence that begins the text or says that it is JSON; else the text itself.
std::string_view without_fence(std::string_view text) {
  const std::size_t begin = text.find_first_not_of(" \t\r\n");
  if (begin == std::string_view::npos) return {};
  text.remove_prefix(begin);
  const std::size_t fence = text.starts_with("```") ? 0 : text.find("```json");
  if (fence == std::string_view::npos) return text;
  const std::size_t line_end = text.find('\n', fence);
  if (line_end == std::string_view::npos) return text;
  const std::string_view inside = text.substr(line_end + 1);
  return inside.substr(0, inside.rfind("```"));
}

// The text read as JSON; null where it is none.
Json read_json(std::string_view text) {
  Result<Json> whole = parse_json(text);
  if (!whole.ok()) whole = parse_json(without_fence(text));
  if (!whole.ok()) return nullptr;
  clean_json(*whole);
  return std::move(whole).value();
}

Json string_or_null(std::string_view text) {
  return text.empty() ? Json(nullptr) : Json(std::string(text));
}

class ResultRenderer {
 public:
  explicit ResultRenderer(const AnswerParts &answer) : answer_(answer) {}

  Json render(const Json &value) {
    if (value.is_string()) return render_string(value.get_ref<const std::string &>());
    if (!value.is_structured()) return value;
    Json rendered = value.is_array() ? Json::array() : Json::object();
    if (value.is_array())
      for (const Json &element : value) rendered.push_back(render(element));
    else
      for (const auto &item : value.items()) rendered.emplace(item.key(), render(item.value()));
    return rendered;
  }

 private:
  Json render_string(const std::string &source) {
    if (source.find("{{") == std::string::npos) return source;
    if (const auto place = only_place(source))
      if (std::optional<Json> value = value_of(*place)) return *std::move(value);
    std::string text;
    PlaceScanner scanner(source);
    while (const auto piece = scanner.next()) {
      text += piece->literal;
      if (piece->has_place) append(text, piece->place, value_of(piece->place));
    }
    return text;
  }

  static std::optional<std::string_view> only_place(std::string_view source) {
    PlaceScanner scanner(source);
    const auto piece = scanner.next();
    if (!piece || !piece->has_place || !piece->literal.empty() || scanner.next()) return std::nullopt;
    return piece->place;
  }

  // What the answer has nothing of is null; a name that means nothing here gives nothing.
  std::optional<Json> value_of(std::string_view place) {
    const std::vector<std::string_view> path = split_path(place);
    std::optional<Json> value = part(path[0]);
    for (std::size_t i = 1; value && i < path.size(); ++i) {
      const Json *member = json_member(*value, path[i]);
      Json next = member == nullptr ? Json(nullptr) : *member;
      value = std::move(next);
    }
    return value;
  }

  std::optional<Json> part(std::string_view name) {
    if (name == "text") return Json(std::string(answer_.text));
    if (name == "model") return Json(std::string(answer_.model));
    if (name == "finish_reason") return Json(std::string(answer_.finish_reason));
    if (name == "refusal") return string_or_null(answer_.refusal);
    if (name == "reasoning") return string_or_null(answer_.reasoning);
    if (name == "tool_calls") return answer_.tool_calls == nullptr ? Json(nullptr) : *answer_.tool_calls;
    if (name != "json") return std::nullopt;
    if (!json_) json_ = read_json(answer_.text);
    return *json_;
  }

  // Unknown places stay as they are, so that the mistake can be seen in the result.
  static void append(std::string &text, std::string_view place, const std::optional<Json> &value) {
    if (!value)
      text.append("{{").append(place).append("}}");
    else if (value->is_string())
      text += value->get_ref<const std::string &>();
    else if (!value->is_null())
      text += dump_json(*value);
  }

  const AnswerParts &answer_;
  std::optional<Json> json_;  // read once, when it is first asked for
};

Json standard_result(const AnswerParts &answer) {
  Json result = Json::object();
  result.emplace("text", std::string(answer.text));
  result.emplace("finish_reason", std::string(answer.finish_reason));
  result.emplace("model", std::string(answer.model));
  if (answer.tool_calls != nullptr && !answer.tool_calls->is_null()) result.emplace("tool_calls", *answer.tool_calls);
  if (!answer.refusal.empty()) result.emplace("refusal", std::string(answer.refusal));
  return result;
}

}  // namespace

Json render_result(const Json *template_json, const AnswerParts &answer) {
  if (template_json == nullptr || template_json->is_null()) return standard_result(answer);
  return ResultRenderer(answer).render(*template_json);
}

}  // namespace agent_queue
