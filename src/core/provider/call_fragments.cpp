// Fragments of tool calls. Tested in test/unit/openai_stream_test.cpp.
#include "core/provider/call_fragments.hpp"

#include <algorithm>
#include <string>

namespace agent_queue {
namespace {

bool has_name(const Json &call) {
  const Json *function = json_member(call, "function");
  return function != nullptr && !json_string(*function, "name").empty();
}

// Of a function's call and of a custom tool's. These come in pieces; all else comes whole, and perhaps again.
bool comes_in_pieces(std::string_view member) {
  return member == "arguments" || member == "input";
}

bool is_empty_text(const Json &value) {
  return value.is_string() && value.get_ref<const std::string &>().empty();
}

void merge(Json &call, Json &fragment) {
  for (auto &item : fragment.items()) {
    Json &more = item.value();
    if (more.is_null()) continue;
    Json &known = call[item.key()];
    if (known.is_null() || is_empty_text(known))
      known = std::move(more);
    else if (known.is_object() && more.is_object())
      merge(known, more);
    else if (known.is_string() && more.is_string() && comes_in_pieces(item.key()))
      known.get_ref<std::string &>() += more.get_ref<const std::string &>();
  }
}

}  // namespace

void CallFragments::add(Json &fragment) {
  if (!fragment.is_object()) return;
  Call &call = call_of(fragment);
  fragment.erase("index");
  merge(call.json, fragment);
}

CallFragments::Call &CallFragments::call_of(const Json &fragment) {
  const std::string_view id = json_string(fragment, "id");
  if (const auto index = json_int(fragment, "index")) {
    const auto known = place_by_index_.find(*index);
    if (known == place_by_index_.end()) return open_call(fragment);
    Call &call = calls_[known->second];
    const std::string_view known_id = json_string(call.json, "id");
    return id.empty() || known_id.empty() || id == known_id ? call : open_call(fragment);
  }
  if (!id.empty()) {
    const std::size_t *known = find_name(place_by_id_, id);
    return known != nullptr ? calls_[*known] : open_call(fragment);
  }
  const bool begins = calls_.empty() || (has_name(fragment) && has_name(calls_.back().json));
  return begins ? open_call(fragment) : calls_.back();
}

CallFragments::Call &CallFragments::open_call(const Json &fragment) {
  const auto index = json_int(fragment, "index");
  const std::size_t place = calls_.size();
  if (index)
    place_by_index_[*index] = place;
  else if (const std::string_view id = json_string(fragment, "id"); !id.empty())
    place_by_id_.emplace(id, place);
  const std::int64_t last = calls_.empty() ? 0 : calls_.back().index;
  calls_.push_back({index.value_or(last), Json::object()});
  return calls_.back();
}

Json CallFragments::take() {
  if (calls_.empty()) return nullptr;
  std::stable_sort(calls_.begin(), calls_.end(), [](const Call &a, const Call &b) { return a.index < b.index; });
  Json calls = Json::array();
  for (Call &call : calls_) {
    if (call.json.contains("function")) call.json.emplace("type", "function");
    calls.push_back(std::move(call.json));
  }
  return calls;
}

}  // namespace agent_queue
