// The network of the simulator.
#include "sim/fake_transport.hpp"

#include <algorithm>
#include <charconv>
#include <iterator>
#include <utility>

namespace agent_queue::sim {

namespace {

using std::chrono::milliseconds;

constexpr AnswerKind kTroubles[] = {
    AnswerKind::good_without_usage, AnswerKind::refused,       AnswerKind::rate_limited_timed,
    AnswerKind::rate_limited_timed, AnswerKind::rate_limited,  AnswerKind::server_error,
    AnswerKind::server_error,       AnswerKind::broken_before, AnswerKind::garbage,
    AnswerKind::broken_after,       AnswerKind::timed_out};

HttpResponse json_response(int status, std::string body) {
  HttpResponse response;
  response.status = status;
  response.headers.push_back({"content-type", "application/json"});
  response.body = std::move(body);
  return response;
}

}  // namespace

JobId marked_job(const std::string &text) {
  const std::size_t first = text.find('#');
  if (first == std::string::npos) return {};
  JobId id;
  std::from_chars(text.data() + first + 1, text.data() + text.size(), id.value);
  return id;
}

std::string job_mark(std::int64_t id) {
  return "#" + std::to_string(id) + "#";
}

void FakeTransport::submit(CallId id, HttpRequest request) {
  faults_.crash_point();
  const JobId job = marked_job(request.body);
  check_allowed(request, job);
  Planned planned;
  planned.kind = choose_kind(request.stream);
  if (planned.kind == AnswerKind::rate_limited_timed ||
      (planned.kind == AnswerKind::server_error && random_.chance(40)))
    planned.retry_after = random_.duration(milliseconds(1), milliseconds(20000));
  const JobRow *row = database_.find(job);
  planned.key = row == nullptr ? AttemptKey{job.value} : row->attempt();
  planned.at = database_.now.steady + random_.duration(milliseconds(0), weather_.delay_max);
  planned.end = make_end(id, planned.kind, planned.retry_after);
  planned.end.time_total = planned.at - database_.now.steady;
  planned.sent_at = database_.now.steady;
  if (request.stream) plan_stream(planned);
  database_.ledger().on_submit(planned.key, claim_.incarnation + (claim_.epoch << 20), planned.kind);
  calls_.emplace(id.value, std::move(planned));
  if (in_flight() > limit_) database_.problems().add("more calls in flight than max_in_flight");
  faults_.crash_point();
}

// A call goes out only for a job that is ours, committed as such, due and not expired.
void FakeTransport::check_allowed(const HttpRequest &request, JobId id) {
  const std::string name = "job " + std::to_string(id.value);
  const JobRow *row = database_.find(id);
  if (row == nullptr || row->claim != claim_)
    return database_.problems().add(name + " was called by who does not own it");
  if (row->expires_at && *row->expires_at <= database_.now.wall)
    database_.problems().add(name + " was called after it expired");
  if (request.url.empty() || request.body.empty()) database_.problems().add(name + " was called with an empty request");
}

// A good status comes with its body piece by piece. Some of the answers begin with keep-alives, some connections do not
// end after the last word, and a stream that times out has nothing but keep-alives.
void FakeTransport::plan_stream(Planned &planned) {
  const bool is_good_status = planned.end.response.status == 200;
  const bool is_silent = planned.kind == AnswerKind::timed_out;
  if (!is_good_status && planned.kind != AnswerKind::broken_after && !is_silent) return;
  planned.end.response.body.clear();
  planned.is_endless = is_silent || (planned.kind == AnswerKind::good && random_.chance(15));
  if (is_silent) {
    for (int i = 1; i <= 40; ++i)
      planned.pieces.emplace_back(planned.sent_at + milliseconds(250) * i, ": keep-alive\n\n");
    return;
  }
  std::string events = make_events(planned.kind);
  if (planned.kind == AnswerKind::broken_after) events.resize(events.size() / 2);
  // The first token comes before the engine loses its patience.
  const Micros first =
      std::min<Micros>(planned.at - planned.sent_at, random_.duration(milliseconds(0), milliseconds(3000)));
  SteadyTime at = planned.sent_at + first;
  while (!events.empty()) {
    const auto size = static_cast<std::size_t>(random_.between(1, 120));
    planned.pieces.emplace_back(at, events.substr(0, size));
    events.erase(0, size);
    at = std::min(planned.at, at + random_.duration(milliseconds(0), milliseconds(400)));
  }
}

std::string FakeTransport::make_events(AnswerKind kind) {
  constexpr const char *kPieces[] = {"hello ", "w\u00f6rld ", "\xC3\xA9t\xC3\xA9 ", "nul \\u0000 ", "and more "};
  if (kind == AnswerKind::garbage) return random_.chance(50) ? "" : "data: {\"choices\":\n\n";
  std::string events = random_.chance(30) ? ": keep-alive\n\n" : "";
  for (int i = random_.between(1, 12); i > 0; --i) {
    events += R"(data: {"model":"m-1","choices":[{"index":0,"delta":{"content":")";
    events += kPieces[random_.below(static_cast<int>(std::size(kPieces)))];
    events += "\"},\"finish_reason\":null}]}\n\n";
  }
  if (kind == AnswerKind::error_event)
    return events + "data: {\"error\":{\"message\":\"overloaded\",\"type\":\"server_error\"}}\n\n";
  events += "data: {\"model\":\"m-1\",\"choices\":[{\"index\":0,\"delta\":{},\"finish_reason\":\"stop\"}]}\n\n";
  if (kind != AnswerKind::good_without_usage)
    events += "data: {\"model\":\"m-1\",\"choices\":[],\"usage\":{\"prompt_tokens\":11,\"completion_tokens\":7}}\n\n";
  return events + "data: [DONE]\n\n";
}

AnswerKind FakeTransport::choose_kind(bool is_streamed) {
  if (!random_.chance(weather_.trouble_percent)) return AnswerKind::good;
  if (is_streamed && random_.chance(20)) return AnswerKind::error_event;
  return kTroubles[random_.below(static_cast<int>(std::size(kTroubles)))];
}

CallEnd FakeTransport::make_end(CallId id, AnswerKind kind, Micros retry_after) {
  CallEnd end;
  end.id = id;
  end.request_sent = kind != AnswerKind::broken_before;
  switch (kind) {
    case AnswerKind::broken_before:
      end.error = TransportError::connect;
      break;
    case AnswerKind::broken_after:
      end.error = TransportError::broken;
      break;
    case AnswerKind::timed_out:
      end.error = TransportError::first_byte_timeout;
      break;
    default:
      end.response = make_response(kind, retry_after);
  }
  if (end.error != TransportError::none) end.message = "the network is not what it was";
  return end;
}

HttpResponse FakeTransport::make_response(AnswerKind kind, Micros retry_after) {
  constexpr const char *kGarbage[] = {"", "<html>all is well</html>", "{\"choices\":[]}", "{\"choices\":", "[1,2"};
  constexpr const char *kTexts[] = {"hello", "nul \\u0000 inside", "{\\\"a\\\":\\\"\\\\u0000\\\"}", "\xFF broken", ""};
  switch (kind) {
    case AnswerKind::good:
    case AnswerKind::good_without_usage: {
      std::string body = R"({"model":"m-1","choices":[{"index":0,"finish_reason":"stop","message":{"content":")";
      body += kTexts[random_.chance(70) ? 0 : random_.below(static_cast<int>(std::size(kTexts)))];
      body += R"("}}])";
      if (kind == AnswerKind::good) body += R"(,"usage":{"prompt_tokens":11,"completion_tokens":7})";
      return json_response(200, body + "}");
    }
    case AnswerKind::refused:
      return json_response(random_.chance(50) ? 400 : 401,
                           R"({"error":{"message":"no","type":"invalid_request_error"}})");
    case AnswerKind::rate_limited_timed:
    case AnswerKind::rate_limited:
    case AnswerKind::server_error: {
      HttpResponse response =
          json_response(kind == AnswerKind::server_error ? 500 : 429, R"({"error":{"message":"later"}})");
      if (retry_after > Micros{0})
        response.headers.push_back({"retry-after-ms", std::to_string(retry_after.count() / 1000)});
      else if (random_.chance(30))
        response.headers.push_back({"retry-after", "0"});  // no appointment at all
      return response;
    }
    default:
      return json_response(200, kGarbage[random_.below(static_cast<int>(std::size(kGarbage)))]);
  }
}

// What has ended by now keeps its end.
void FakeTransport::cancel(CallId id) {
  faults_.crash_point();
  const auto it = calls_.find(id.value);
  if (it == calls_.end() || it->second.has_ended(database_.now.steady)) return;
  Planned &planned = it->second;
  planned.at = database_.now.steady;
  planned.is_endless = false;
  planned.pieces.clear();
  planned.retry_after = Micros{0};
  planned.end = CallEnd{};
  planned.end.id = id;
  planned.end.error = TransportError::cancelled;
  planned.end.request_sent = planned.has_spoken || (planned.kind != AnswerKind::broken_before && random_.chance(70));
  planned.end.message = "broken off";
  database_.ledger().on_cancelled(planned.key, planned.end.request_sent, planned.has_spoken);
}

// The engine has decided how the call ended.
void FakeTransport::forget(CallId id) {
  const auto it = calls_.find(id.value);
  if (it == calls_.end()) return;
  database_.ledger().on_delivered(it->second.key, std::nullopt);
  calls_.erase(it);
}

void FakeTransport::take_progress(std::vector<CallProgress> &progress) {
  std::move(progress_.begin(), progress_.end(), std::back_inserter(progress));
  progress_.clear();
}

void FakeTransport::poll(std::vector<CallEnd> &ended) {
  faults_.crash_point();
  for (auto it = calls_.begin(); it != calls_.end();) {
    Planned &planned = it->second;
    while (!planned.pieces.empty() && planned.pieces.front().first <= database_.now.steady) {
      auto &[at, bytes] = planned.pieces.front();
      progress_.push_back({CallId{it->first}, std::move(bytes), at, planned.sent_at});
      planned.pieces.pop_front();
      planned.has_spoken = true;
    }
    if (!planned.has_ended(database_.now.steady)) {
      ++it;
      continue;
    }
    std::optional<WallTime> not_before;
    if (planned.retry_after > Micros{0})
      not_before = database_.now.wall + std::chrono::floor<milliseconds>(planned.retry_after);
    database_.ledger().on_delivered(planned.key, not_before);
    ended.push_back(std::move(planned.end));
    it = calls_.erase(it);
  }
  faults_.crash_point();
}

std::optional<SteadyTime> FakeTransport::next_event() const {
  std::optional<SteadyTime> next;
  const auto sooner = [&next](SteadyTime at) { next = next ? std::min(*next, at) : at; };
  for (const auto &[id, planned] : calls_) {
    if (!planned.pieces.empty()) sooner(planned.pieces.front().first);
    if (!planned.is_endless) sooner(planned.at);
  }
  return next;
}

}  // namespace agent_queue::sim
