#include "pg/store/notifier.hpp"

#include <algorithm>
#include <string>

#include "core/wire/json_read.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/guc.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kSilence{std::chrono::seconds(10)};
constexpr Micros kLookInterval{std::chrono::seconds(1)};
constexpr double kNearlyFull = 0.8;
constexpr std::size_t kPayloadMax = 7900;  // Postgres' limit is 7999 bytes

std::string payload_of(const EndedJob &job, bool with_result) {
  std::string payload = "{\"id\": " + std::to_string(job.id.value) + ", \"status\": \"" + job.status + "\"";
  if (with_result && !job.result.empty() && job.result.size() < kPayloadMax - payload.size() - 20)
    payload.append(", \"result\": ").append(job.result);
  return payload + "}";
}

bool is_queue_nearly_full() {
  return guard([] { return DatumGetFloat8(OidFunctionCall0(F_PG_NOTIFICATION_QUEUE_USAGE)); }) >= kNearlyFull;
}

std::string payload_of(const StreamPart &part, bool with_text) {
  std::string payload = "{\"id\": " + std::to_string(part.id.value) +
                        ", \"status\": \"processing\", \"chars\": " + std::to_string(part.chars);
  if (with_text) {
    const std::string text = dump_json(Json(part.text));
    if (text.size() < kPayloadMax - payload.size() - 20) payload.append(", \"text\": ").append(text);
  }
  return payload + "}";
}

void send(const std::string &payload) {
  const char *text = payload.c_str();
  guard([&] { Async_Notify("agent_queue", pg_any_to_server(text, static_cast<int>(strlen(text)), PG_UTF8)); });
}

}  // namespace

void notify_of(const EndedJob &job) {
  const settings::Notify mode = settings::notify_mode();
  if (mode == settings::Notify::off || is_queue_nearly_full()) return;
  send(payload_of(job, mode == settings::Notify::full));
}

bool Notifier::is_silent(Now now) {
  if (now.steady < silent_until_) return true;
  if (now.steady < next_look_) return false;
  next_look_ = now.steady + kLookInterval;
  if (!is_queue_nearly_full()) return false;
  on_queue_full(now);
  return true;
}

void Notifier::on_queue_full(Now now) {
  silent_until_ = now.steady + kSilence;
}

void Notifier::notify(const std::vector<EndedJob> &ended, Now now) {
  const settings::Notify mode = settings::notify_mode();
  if (mode == settings::Notify::off || ended.empty() || is_silent(now)) return;
  for (const EndedJob &job : ended) send(payload_of(job, mode == settings::Notify::full));
}

void Notifier::notify_progress(const std::vector<const StreamPart *> &parts, Now now) {
  const settings::Notify mode = settings::notify_mode();
  const bool is_any_told =
      std::any_of(parts.begin(), parts.end(), [](const StreamPart *part) { return part->is_told; });
  if (mode == settings::Notify::off || !is_any_told || is_silent(now)) return;
  for (const StreamPart *part : parts)
    if (part->is_told) send(payload_of(*part, mode == settings::Notify::full));
}

}  // namespace agent_queue::pg
