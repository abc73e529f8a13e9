#include "engine/attempt.hpp"

#include <algorithm>
#include <utility>

#include "core/catalog/hold.hpp"
#include "core/catalog/model_choice.hpp"
#include "core/retry/retry_policy.hpp"
#include "core/wire/json_read.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {

namespace {

Settlement failed(const ClaimedJob &job, JobErrorCode code, const std::string &message, Now now) {
  Settlement settlement;
  settlement.id = job.id;
  settlement.started_at = job.started_at;
  settlement.outcome = Outcome::failed;
  settlement.error_code = code;
  settlement.error_message = clean_text(message, kErrorMessageBytesMax);
  settlement.ended_at = now.wall;
  return settlement;
}

UsageRecord usage_record(const ClaimedJob &job, std::string_view provider, std::string_view model, Micros latency) {
  UsageRecord record;
  record.attempt = job.retry_count + 1;
  record.user_id = job.user_id;
  record.agent_type = job.agent_type;
  record.provider = provider;
  record.model = model;
  record.latency = latency;
  record.started_at = job.started_at;
  return record;
}

// What the provider counted, at the price of its own statement or of the list.
UsageRecord reported_usage(const Attempt &attempt, const Usage &usage, const std::optional<Usd> &stated,
                           Micros latency) {
  const Target &target = attempt.target;
  UsageRecord record = usage_record(attempt.job, target.provider, target.model, latency);
  record.usage = usage;
  record.cost =
      stated ? stated
             : cost_of(usage, attempt.catalog->prices.find(target.provider, target.model, attempt.job.started_at));
  return record;
}

UsageRecord estimated_usage(const ClaimedJob &job, const Catalog &catalog, const AgentType &type, const Target &target,
                            std::size_t request_bytes, Micros latency) {
  UsageRecord record = usage_record(job, target.provider, target.model, latency);
  const Estimate estimate = estimate_attempt(catalog, type, target, request_bytes, job.started_at);
  record.usage = estimate.usage;
  record.cost = estimate.cost;
  record.estimated = true;
  return record;
}

// Of a stream that broke off: what the provider had reported is exact, the rest is booked at its worst.
UsageRecord broken_stream_usage(const Attempt &attempt, const std::optional<Usage> &reported, Micros latency) {
  UsageRecord record =
      estimated_usage(attempt.job, *attempt.catalog, *attempt.type, attempt.target, attempt.request_bytes, latency);
  if (!reported) return record;
  const std::int64_t worst_output = record.usage.output;
  const std::int64_t worst_input = record.usage.input;
  record.usage = *reported;
  if (reported->input_total() == 0) record.usage.input = worst_input;
  record.usage.output = std::max(reported->output, worst_output);
  // Without a cost the estimate says that nothing bounds the output.
  if (record.cost)
    record.cost = cost_of(record.usage, attempt.catalog->prices.find(attempt.target.provider, attempt.target.model,
                                                                     attempt.job.started_at));
  return record;
}

// Of an attempt whose target is not known any more: it counts, at an unknown price.
UsageRecord targetless_usage(const ClaimedJob &job, const AgentType *type) {
  UsageRecord record = usage_record(job, {}, {}, Micros{0});
  const std::size_t bytes = type == nullptr ? job.request.size() : prompt_bytes_bound(*type, job.request.size());
  record.usage.input = static_cast<std::int64_t>(bytes);
  record.usage.output = type == nullptr ? 0 : type->max_output_tokens;
  record.estimated = true;
  return record;
}

// What a failure means for the job, before retries and expiry are looked at.
struct Verdict {
  bool may_retry = false;
  bool costs_attempt = true;
  bool billed = false;  // book the worst case
  JobErrorCode code = JobErrorCode::provider_error;
  WaitReason wait_reason = WaitReason::backoff;
};

// "Retry-After: 0" is no appointment: taken as one, it would cost no attempt and repeat without an end.
bool has_appointment(const Failure &failure) {
  return failure.retry_after.has_value() && *failure.retry_after > Micros{0};
}

Verdict judge(const Failure &failure, OnUncertain on_uncertain) {
  switch (failure.kind) {
    case FailureClass::transient:
      return {.may_retry = true};
    case FailureClass::rate_limited:
      // A stated time is an appointment, not a failure; without one it is backed off like any other error.
      return {.may_retry = true, .costs_attempt = !has_appointment(failure), .wait_reason = WaitReason::rate_limited};
    case FailureClass::credential:
    case FailureClass::quota:
      return {.code = JobErrorCode::provider_error};
    case FailureClass::context_length:
    case FailureClass::content_filter:
    case FailureClass::invalid:
      return {.code = JobErrorCode::invalid_request};
    case FailureClass::uncertain:
      return {.may_retry = on_uncertain == OnUncertain::retry, .billed = true, .code = JobErrorCode::uncertain};
    case FailureClass::garbled:
      return {.may_retry = true, .billed = true};
  }
  return {};
}

Micros wait_after(const ClaimedJob &job, const AgentType &type, const Failure &failure) {
  const Micros stated = failure.retry_after.value_or(Micros{0});
  if (!judge(failure, type.on_uncertain).costs_attempt) return stated;
  return std::max(backoff(type.retry_base, job.retry_count + 1, job.id), stated);
}

// A retry after `wait` where the verdict, the retries left and the expiry allow it; else the failure that stands.
// Only a retry counts as one: an attempt after which nothing follows leaves retry_count as it is.
Settlement settle_failure(const ClaimedJob &job, const AgentType &type, const Failure &failure, Micros wait, Now now) {
  const Verdict verdict = judge(failure, type.on_uncertain);
  Settlement settlement = failed(job, verdict.code, failure.message, now);
  if (!verdict.may_retry) return settlement;
  if (verdict.costs_attempt && job.retry_count >= job.max_retries) return settlement;

  const WallTime run_at = now.wall + wait;
  if (job.expires_at && run_at >= *job.expires_at) {
    settlement.error_message =
        clean_text(failure.message + "; the job expires before the next retry", kErrorMessageBytesMax);
    return settlement;
  }
  settlement.outcome = Outcome::retry;
  settlement.costs_attempt = verdict.costs_attempt;
  settlement.run_at = run_at;
  settlement.wait_reason = verdict.wait_reason;
  return settlement;
}

Failure from_transport(const CallEnd &end) {
  Failure failure;
  failure.message = end.message.empty() ? transport_error_name(end.error) : end.message;
  switch (end.error) {
    case TransportError::blocked_address:
    case TransportError::bad_url:
      failure.kind = FailureClass::invalid;
      break;
    case TransportError::too_large:
      failure.kind = FailureClass::garbled;
      break;
    default:
      failure.kind = end.request_sent ? FailureClass::uncertain : FailureClass::transient;
  }
  return failure;
}

// Of a stream that was cut the transport knows better than the reader why.
Reply reply_of(const Attempt &attempt, const CallEnd &end, std::string_view secret, Now now,
               std::optional<StreamedEnd> &streamed) {
  if (streamed && streamed->end) {
    const Failure *failure = std::get_if<Failure>(&streamed->end->reply);
    const bool is_cut = failure != nullptr && failure->kind == FailureClass::uncertain;
    if (end.error == TransportError::none || !is_cut) return std::move(streamed->end->reply);
  }
  if (end.error != TransportError::none) return from_transport(end);
  return attempt.wire_format->decode(end.response, secret, now.wall);
}

Settlement completed(const Attempt &attempt, const Answer &answer, Micros latency, Now now) {
  Settlement settlement;
  settlement.id = attempt.job.id;
  settlement.started_at = attempt.job.started_at;
  settlement.outcome = Outcome::completed;
  settlement.is_reusable = answer.is_finished();
  settlement.ended_at = now.wall;

  AnswerParts parts;
  parts.text = answer.text;
  parts.model = answer.model.empty() ? std::string_view(attempt.target.model) : std::string_view(answer.model);
  parts.finish_reason = answer.finish_reason;
  parts.refusal = answer.refusal;
  parts.reasoning = answer.reasoning;
  parts.tool_calls = answer.tool_calls.is_null() ? nullptr : &answer.tool_calls;
  const std::optional<Json> &result_template = attempt.type->result_template;
  settlement.result = dump_json(render_result(result_template ? &*result_template : nullptr, parts));

  if (!answer.usage_known) {
    settlement.usage =
        estimated_usage(attempt.job, *attempt.catalog, *attempt.type, attempt.target, attempt.request_bytes, latency);
    return settlement;
  }
  settlement.usage = reported_usage(attempt, answer.usage, answer.cost, latency);
  return settlement;
}

// The two are measured from two clocks' starts, a hair apart: no token comes after the end.
std::optional<Micros> first_token_of(const std::optional<StreamedEnd> &streamed, const CallEnd &end) {
  if (!streamed || !streamed->first_token) return std::nullopt;
  return std::min(*streamed->first_token, end.time_total);
}

// The job has its end already, so this will find nobody's row: what was sent is booked, and what the job held is free.
Settlement cancelled(const Attempt &attempt, const CallEnd &end, Now now, const std::optional<StreamedEnd> &streamed) {
  Settlement settlement = failed(attempt.job, JobErrorCode::cancelled, end.message, now);
  if (end.request_sent) {
    const Answer *answer = streamed && streamed->end ? std::get_if<Answer>(&streamed->end->reply) : nullptr;
    const std::optional<Usage> reported = streamed && streamed->end ? streamed->end->usage : std::nullopt;
    // The answer may have been whole, with its connection still open.
    settlement.usage = answer != nullptr && answer->usage_known
                           ? reported_usage(attempt, answer->usage, answer->cost, end.time_total)
                           : broken_stream_usage(attempt, reported, end.time_total);
    settlement.usage->first_token = first_token_of(streamed, end);
    note_prompt(*settlement.usage, attempt.prompt_size);
  }
  settlement.has_parts = streamed && streamed->has_parts;
  settlement.provider = attempt.target.provider;
  settlement.model = attempt.target.model;
  return settlement;
}

// The names in an error message say which row of which table to mend.
Settlement misconfigured(const ClaimedJob &job, const std::string &message, Now now) {
  return failed(job, JobErrorCode::configuration, message, now);
}

bool is_expired(const ClaimedJob &job, Now now) {
  return job.expires_at && *job.expires_at <= now.wall;
}

Settlement expired(const ClaimedJob &job, Now now) {
  return failed(job, JobErrorCode::expired, "the job expired before it was called", now);
}

// Without its key no call is made; where the store of keys is busy, later.
Settlement keyless(const ClaimedJob &job, const AgentType &type, const Provider &provider, const Error &error,
                   Now now) {
  Failure failure;
  failure.message = "provider \"" + provider.name + "\": " + error.message;
  if (error.kind != ErrorKind::busy) return misconfigured(job, failure.message, now);
  failure.kind = FailureClass::transient;
  return settle_failure(job, type, failure, wait_after(job, type, failure), now);
}

// Whether the request or the configuration has to be mended.
JobErrorCode code_of(const Error &error) {
  return error.kind == ErrorKind::misconfigured ? JobErrorCode::configuration : JobErrorCode::invalid_request;
}

}  // namespace

std::variant<PreparedCall, Settlement> prepare_call(ClaimedJob job, std::shared_ptr<const Catalog> catalog,
                                                    Secrets &secrets, Now now) {
  if (is_expired(job, now)) return expired(job, now);

  const AgentType *type = catalog->agent_type(job.agent_type);
  if (type == nullptr) return misconfigured(job, "agent type \"" + job.agent_type + "\" does not exist any more", now);
  const std::optional<Target> target = choose_target(*catalog, *type, job.id, job.retry_count + 1, job.started_at);
  if (!target) return misconfigured(job, explain_no_target(*type), now);
  const Provider *provider = catalog->provider(target->provider);  // a usable route has one
  const WireFormat *wire_format = find_wire_format(provider->wire_format, provider->dialect);
  if (wire_format == nullptr)
    return misconfigured(job,
                         "provider \"" + provider->name + "\" has the unknown wire format \"" + provider->wire_format +
                             "\" or its unknown dialect \"" + provider->dialect + "\"",
                         now);
  Result<std::string> key = secrets.resolve(provider->api_key_ref);
  if (!key) return keyless(job, *type, *provider, key.error(), now);
  Result<Credential> credential = read_credential(std::move(*key));
  if (!credential) return keyless(job, *type, *provider, credential.error(), now);
  PlainKey *plain_key = std::get_if<PlainKey>(&*credential);
  if (!type->prompt_template_error.empty())
    return misconfigured(job, "prompt_template of agent type \"" + type->name + "\": " + type->prompt_template_error,
                         now);

  Result<Json> request_json = parse_json(job.request);
  if (!request_json) return failed(job, JobErrorCode::invalid_request, request_json.error().message, now);
  Result<Prompt> prompt =
      map_prompt(*request_json, type->system_prompt, type->prompt_template ? &*type->prompt_template : nullptr);
  if (!prompt) return failed(job, JobErrorCode::invalid_request, prompt.error().message, now);
  const PromptSize prompt_size = shrink_prompt(*prompt, *type, *catalog);

  Call call;
  call.base_url = provider->base_url;
  if (plain_key != nullptr) call.api_key = plain_key->text;
  call.model = target->model;
  call.prompt = &*prompt;
  call.params = &type->params;
  call.max_output_tokens = type->max_output_tokens;
  call.stream = type->stream;
  Result<HttpRequest> request = wire_format->encode(call);
  if (!request) return failed(job, code_of(request.error()), request.error().message, now);

  request->headers.insert(request->headers.end(), provider->headers.begin(), provider->headers.end());
  request->timeouts = provider->timeouts;
  request->timeouts.total = type->request_timeout;

  PreparedCall prepared;
  prepared.request = std::move(*request);
  if (type->stream) prepared.reader = wire_format->open_stream();
  prepared.request.stream = prepared.reader != nullptr;
  prepared.attempt.request_bytes = job.request.size();
  prepared.attempt.prompt_size = prompt_size;
  prepared.attempt.prompt_size.is_sample &= !wire_format->is_local();  // that one counts as we do
  std::string().swap(job.request);  // thousands of these wait for answers: the bytes are not needed any more
  prepared.attempt.job = std::move(job);
  prepared.attempt.catalog = std::move(catalog);
  prepared.attempt.type = type;
  prepared.attempt.target = *target;
  prepared.attempt.provider = provider;
  prepared.attempt.wire_format = wire_format;
  prepared.attempt.uses_token = plain_key == nullptr;
  if (plain_key != nullptr)
    prepared.attempt.secret = std::move(plain_key->text);
  else
    prepared.account = std::move(std::get<ServiceAccount>(*credential));
  return prepared;
}

Settlement conclude(const Attempt &attempt, const CallEnd &end, std::string_view secret, Now now,
                    std::optional<StreamedEnd> streamed) {
  const std::optional<Usage> reported = streamed && streamed->end ? streamed->end->usage : std::nullopt;
  const std::optional<Micros> first_token = first_token_of(streamed, end);
  if (end.error == TransportError::cancelled) return cancelled(attempt, end, now, streamed);
  Reply reply = reply_of(attempt, end, secret, now, streamed);
  Settlement settlement;
  if (const Answer *answer = std::get_if<Answer>(&reply)) {
    settlement = completed(attempt, *answer, end.time_total, now);
  } else {
    Failure &failure = std::get<Failure>(reply);
    failure.message = redact(failure.message, secret);
    // The token was at fault, not the account: the next one is tried at once.
    const bool is_token_stale = attempt.is_token_stale && failure.kind == FailureClass::credential;
    if (is_token_stale) failure.kind = FailureClass::transient;
    const Micros wait = is_token_stale ? Micros{0} : wait_after(attempt.job, *attempt.type, failure);
    settlement = settle_failure(attempt.job, *attempt.type, failure, wait, now);
    const bool is_blocked = end.error == TransportError::blocked_address || end.error == TransportError::bad_url;
    if (is_blocked) settlement.error_code = JobErrorCode::configuration;
    // Tokens that have come are billed, whatever broke off the rest.
    if (reported && failure.kind == FailureClass::content_filter)
      settlement.usage = reported_usage(attempt, *reported, std::nullopt, end.time_total);
    else if (judge(failure, attempt.type->on_uncertain).billed || first_token || reported)
      settlement.usage = broken_stream_usage(attempt, reported, end.time_total);
    else if (const auto billed = attempt.wire_format->billed_usage(end.response))
      settlement.usage = reported_usage(attempt, *billed, std::nullopt, end.time_total);
  }
  if (settlement.usage) {
    settlement.usage->first_token = first_token;
    note_prompt(*settlement.usage, attempt.prompt_size);
  }
  settlement.has_parts = streamed && streamed->has_parts;
  settlement.provider = attempt.target.provider;
  settlement.model = attempt.target.model;
  return settlement;
}

Settlement conclude_unsent(const Attempt &attempt, const Failure &failure, Now now) {
  if (is_expired(attempt.job, now)) return expired(attempt.job, now);
  Failure named = failure;
  named.message = "provider \"" + attempt.provider->name + "\": " + failure.message;
  if (failure.kind == FailureClass::credential) return misconfigured(attempt.job, named.message, now);
  return settle_failure(attempt.job, *attempt.type, named, wait_after(attempt.job, *attempt.type, named), now);
}

Settlement conclude_lost(const ClaimedJob &job, const Catalog &catalog, Now now) {
  Failure failure;
  failure.kind = FailureClass::uncertain;
  failure.message = "the worker died during the call: whether the provider answered is not known";
  const AgentType *type = catalog.agent_type(job.agent_type);
  // Nobody is overloaded here: there is nothing to back off from.
  Settlement settlement = type == nullptr ? failed(job, JobErrorCode::uncertain, failure.message, now)
                                          : settle_failure(job, *type, failure, Micros{0}, now);

  const std::optional<Target> target =
      type == nullptr ? std::nullopt : choose_target(catalog, *type, job.id, job.retry_count + 1, job.started_at);
  if (!target) {
    settlement.usage = targetless_usage(job, type);
    return settlement;
  }
  settlement.provider = target->provider;
  settlement.model = target->model;
  const Provider *provider = catalog.provider(target->provider);
  const WireFormat *format = provider == nullptr ? nullptr : find_wire_format(provider->wire_format);
  if (format == nullptr || !format->is_local())
    settlement.usage = estimated_usage(job, catalog, *type, *target, job.request.size(), Micros{0});
  return settlement;
}

}  // namespace agent_queue
