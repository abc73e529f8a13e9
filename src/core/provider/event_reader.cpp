// Events to answers. Tested in test/unit/*_stream_test.cpp.
#include "core/provider/event_reader.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "core/provider/http_failure.hpp"

namespace agent_queue {
namespace {

constexpr int kStatusOk = 200;
constexpr std::string_view kBlank = " \t\r\n";

bool is_blank(std::string_view text) {
  return text.find_first_not_of(kBlank) == std::string_view::npos;
}

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlank);
  return first == std::string_view::npos ? std::string_view()
                                         : text.substr(first, text.find_last_not_of(kBlank) - first + 1);
}

// OpenAI's end of a stream. Proxies put it under others' streams as well.
bool is_done_mark(std::string_view data) {
  return trimmed(data) == "[DONE]";
}

// How a stream of server-sent events may start, after a BOM.
constexpr auto kEventStarts = std::to_array<std::string_view>({"data:", "event:", "id:", "retry:", ":"});

HttpResponse response_of(std::string_view body) {
  HttpResponse response;
  response.status = kStatusOk;
  response.body = body;
  return response;
}

Failure failure_of(FailureClass kind, const char *message) {
  Failure failure;
  failure.kind = kind;
  failure.http_status = kStatusOk;
  failure.message = std::string("HTTP 200: ") + message;
  return failure;
}

// The members by which every format counts.
Json counts_of(const Json &body) {
  Json counts = Json::object();
  for (const char *name : {"usage", "usageMetadata", "timings"})
    if (const Json *member = json_member(body, name)) counts[name] = *member;
  return counts;
}

}  // namespace

EventReader::EventReader(const WireFormat &format, Framing framing)
    : format_(format), framing_(framing), form_(framing == Framing::json_lines ? Form::events : Form::unknown) {}

void EventReader::feed(std::string_view bytes) {
  if (is_finished()) return;
  if (form_ == Form::events) return feed_events(bytes);
  if (kept_.empty()) bytes.remove_prefix(std::min(bytes.find_first_not_of(kBlank), bytes.size()));
  kept_ += bytes;
  if (form_ == Form::unknown) find_form();
}

std::string EventReader::take_text() {
  std::string text = text_.substr(text_taken_);
  text_taken_ = text_.size();
  return text;
}

// The first bytes tell a stream from a document; they may be too few yet.
void EventReader::find_form() {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string_view start = kept_;
  if (start.starts_with(kByteOrderMark)) start.remove_prefix(kByteOrderMark.size());
  const bool may_be_mark = kByteOrderMark.starts_with(start);
  for (const std::string_view known : kEventStarts) {
    if (start.starts_with(known)) {
      form_ = Form::events;
      return feed_events(std::exchange(kept_, {}));
    }
    if (may_be_mark || known.starts_with(start)) return;
  }
  form_ = Form::document;
  has_begun_ = true;
}

void EventReader::feed_events(std::string_view bytes) {
  if (framing_ == Framing::json_lines) return feed_lines(bytes);
  ServerEvent event;
  while (!is_finished() && events_.next(bytes, event)) take_data(event.data, event.name);
  if (events_.is_overlong()) stop(End::overlong, {});
}

// A first line that is no JSON is the start of a document that has several.
void EventReader::feed_lines(std::string_view bytes) {
  while (!is_finished()) {
    const auto line = lines_.next(bytes);
    if (!line) break;
    if (!is_answer_ && !is_blank(*line) && !parse_json_leniently(*line).ok()) {
      form_ = Form::document;
      has_begun_ = true;
      kept_.append(*line).append("\n").append(bytes);
      return;
    }
    take_data(*line, {});
  }
  if (lines_.is_overlong()) stop(End::overlong, {});
}

// After the last byte: an event that is whole but for the end of its line. One that was cut is no JSON.
void EventReader::feed_unfinished() {
  ServerEvent event;
  if (framing_ == Framing::json_lines)
    event.data = lines_.unfinished();
  else if (!events_.last(event))
    return;
  if (is_done_mark(event.data) || parse_json_leniently(event.data).ok()) take_data(event.data, event.name);
}

void EventReader::take_data(std::string_view data, std::string_view name) {
  if (is_blank(data)) return;
  if (is_done_mark(data)) {
    end_ = End::said;
    return;
  }
  Result<Json> event = parse_json_leniently(data);
  if (name == "error" || (event.ok() && has_error(*event))) return stop(End::error, data);
  if (!event.ok() || !event->is_object()) return stop(End::garbled, data);
  note(take(*event, name), data);
}

void EventReader::note(const Brought &brought, std::string_view data) {
  if (brought.is_error) return stop(End::error, data);
  text_ += brought.text;
  is_answer_ = is_answer_ || brought.is_answer;
  if (brought.is_token) {
    // Whoever goes on has not ended, whatever was said before.
    has_begun_ = true;
    has_reason_ = false;
    has_final_usage_ = false;
  }
  has_reason_ = has_reason_ || brought.has_reason;
  has_usage_ = has_usage_ || brought.has_usage;
  has_final_usage_ = has_final_usage_ || (has_reason_ && brought.has_usage);
  if (brought.is_last) end_ = End::said;
}

void EventReader::stop(End end, std::string_view data) {
  end_ = end;
  kept_ = data;
}

// The mark of the end and the reason of the end say the same; some servers send only one of them.
bool EventReader::has_answer() const {
  return is_answer_ && (end_ == End::said || (end_ == End::open && has_reason_));
}

StreamEnd EventReader::finish(bool is_cut, std::string_view secret, WallTime now) {
  if (form_ == Form::document && !take_array()) return finish_document(is_cut, secret, now);
  if (!is_finished()) feed_unfinished();
  Json body = assemble(text_);
  // A prompt that was blocked, or an answer that the provider gave up, is billed all the same.
  const Json counts = counts_of(body);
  Reply reply = read(std::move(body), response_of({}), secret);
  auto *answer = std::get_if<Answer>(&reply);
  if (has_answer()) {
    if (answer == nullptr) return {std::move(reply), format_.billed_usage(response_of(dump_json(counts)))};
    // What was counted before the end is less than what will be billed.
    const bool is_whole = end_ == End::said || !is_cut;
    if (!has_final_usage_ && !(is_whole && has_usage_)) {
      answer->usage = {};
      answer->usage_known = false;
    }
    return {std::move(reply), std::nullopt};
  }
  StreamEnd end{failure(is_cut, secret, now), std::nullopt};
  if (answer != nullptr && answer->usage_known) end.usage = answer->usage;
  return end;
}

// Gemini's other way to stream, as a proxy may choose it: an array with the events as its elements.
bool EventReader::take_array() {
  const Result<Json> body = parse_json_leniently(kept_);
  if (!body.ok() || !body->is_array() || body->empty()) return false;
  has_begun_ = false;
  for (const Json &event : *body)
    if (!is_finished()) take_data(dump_json(event), {});
  return true;
}

StreamEnd EventReader::finish_document(bool is_cut, std::string_view secret, WallTime now) {
  if (is_cut && !parse_json_leniently(kept_).ok())
    return {failure_of(FailureClass::uncertain, "the answer was cut"), std::nullopt};
  StreamEnd end{format_.decode(response_of(kept_), secret, now), std::nullopt};
  if (const auto *answer = std::get_if<Answer>(&end.reply)) {
    text_ = answer->text;
  } else {
    has_begun_ = false;
    end.usage = format_.billed_usage(response_of(kept_));
  }
  return end;
}

Failure EventReader::failure(bool is_cut, std::string_view secret, WallTime now) const {
  switch (end_) {
    case End::open:
      return failure_of(FailureClass::uncertain,
                        is_cut ? "the streamed answer was cut" : "the streamed answer stopped before its end");
    case End::said:
      return failure_of(FailureClass::garbled, "the stream holds no answer");
    case End::overlong:
      return failure_of(FailureClass::garbled, "an event of the stream is larger than 16 MB");
    case End::garbled:
      return garbled_answer(response_of(kept_), "an event of the stream is no JSON object", secret);
    case End::error:
      break;
  }
  const Result<Json> body = parse_json_leniently(kept_);
  return http_failure(response_of(kept_), body.ok() ? *body : Json(), secret, now);
}

}  // namespace agent_queue
