#include "pg/store/notifier.hpp"

#include <string>

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

void send(const EndedJob &job, settings::Notify mode) {
  const std::string payload = payload_of(job, mode == settings::Notify::full);
  const char *text = payload.c_str();
  guard([&] { Async_Notify("agent_queue", pg_any_to_server(text, static_cast<int>(strlen(text)), PG_UTF8)); });
}

}  // namespace

void notify_of(const EndedJob &job) {
  const settings::Notify mode = settings::notify_mode();
  if (mode == settings::Notify::off || is_queue_nearly_full()) return;
  send(job, mode);
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
  for (const EndedJob &job : ended) send(job, mode);
}

}  // namespace agent_queue::pg
