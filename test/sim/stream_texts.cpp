#include "sim/stream_texts.hpp"

#include <algorithm>

#include "core/wire/json_read.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue::sim {

void StreamTexts::problem(JobId id, const std::string &what) const {
  problems_.add("text so far of job " + std::to_string(id.value) + ": " + what);
}

void StreamTexts::write(const StreamPart &part, Micros interval, SteadyTime now) {
  ++written_;
  Text &text = texts_[{part.id.value, part.started_at}];
  if (text.parts > 0 && now - text.last_write < interval) problem(part.id, "written too often");
  if (part.number != text.parts + 1) problem(part.id, "a part is missing");
  if (part.text.empty() || !is_clean_text(part.text)) problem(part.id, "a part that text refuses");
  const auto is_first_byte = [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; };
  text.chars += std::count_if(part.text.begin(), part.text.end(), is_first_byte);
  if (part.chars != text.chars) problem(part.id, "its characters are counted wrongly");
  text.parts = part.number;
  text.text += part.text;
  text.last_write = now;
}

void StreamTexts::end(const Settlement &settlement) {
  const auto it = texts_.find({settlement.id.value, settlement.started_at});
  if (it == texts_.end()) return;
  if (!settlement.has_parts) problem(settlement.id, "its settlement knows of none");
  const Result<Json> result = parse_json(settlement.result);
  if (settlement.outcome == Outcome::completed && result && !json_string(*result, "text").starts_with(it->second.text))
    problem(settlement.id, "it is no beginning of the final text");
  texts_.erase(it);
}

void StreamTexts::sweep(const std::function<bool(JobId id, WallTime started_at)> &is_under_way) {
  std::erase_if(texts_, [&](const auto &entry) { return !is_under_way(JobId{entry.first.first}, entry.first.second); });
}

void StreamTexts::check_empty() const {
  for (const auto &[attempt, text] : texts_) problem(JobId{attempt.first}, "it is still there");
}

}  // namespace agent_queue::sim
