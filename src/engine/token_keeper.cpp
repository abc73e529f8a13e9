#include "engine/token_keeper.hpp"

#include <algorithm>
#include <utility>

#include "core/wire/text_clean.hpp"

namespace agent_queue {

namespace {

// Ids of token calls lie apart from those that the engine gives to jobs' calls.
constexpr std::uint64_t kTokenCallBit = std::uint64_t{1} << 63;

constexpr Micros kRenewEarly{std::chrono::minutes(5)};
constexpr Micros kExpiryMargin{std::chrono::seconds(10)};  // for the way to the provider
constexpr Micros kBackoffFirst{std::chrono::seconds(1)};
constexpr Micros kBackoffLast{std::chrono::seconds(30)};
constexpr Micros kWaitMax{std::chrono::minutes(5)};
constexpr Micros kRefusalHold{std::chrono::seconds(5)};  // a no is a no for all that come within
constexpr Micros kSuccessorYouth{std::chrono::minutes(1)};
constexpr Micros kUnusedMax{std::chrono::hours(2)};
constexpr HttpTimeouts kTimeouts{.connect = std::chrono::seconds(10),
                                 .first_byte = std::chrono::seconds(20),
                                 .idle = std::chrono::seconds(10),
                                 .total = std::chrono::seconds(30)};

Failure failure_of(const CallEnd &end) {
  Failure failure;
  failure.message = end.message.empty() ? transport_error_name(end.error) : end.message;
  const bool is_forbidden = end.error == TransportError::blocked_address || end.error == TransportError::bad_url;
  failure.kind = is_forbidden ? FailureClass::credential : FailureClass::transient;
  return failure;
}

Failure timed_out() {
  Failure failure;
  failure.kind = FailureClass::transient;
  failure.message = "timed out while waiting for an access token";
  return failure;
}

}  // namespace

TokenKeeper::Account &TokenKeeper::find(const ServiceAccount &account) {
  const auto it =
      std::find_if(accounts_.begin(), accounts_.end(), [&](const Account &known) { return known.account == account; });
  if (it != accounts_.end()) return *it;
  accounts_.emplace_back().account = account;
  return accounts_.back();
}

// Those of keys that were replaced, too.
void TokenKeeper::drop_unused(SteadyTime now) {
  std::erase_if(accounts_, [now](const Account &account) {
    return account.waiting.empty() && !account.call && now - account.last_use > kUnusedMax;
  });
}

void TokenKeeper::admit(CallId id, HttpRequest request, const ServiceAccount &credential, Micros patience, Now now) {
  drop_unused(now.steady);
  Account &account = find(credential);
  account.last_use = now.steady;
  account.waiting.push_back({id, std::move(request), now.steady, now.steady + patience});
}

bool TokenKeeper::forget(CallId id) {
  for (Account &account : accounts_)
    if (std::erase_if(account.waiting, [&](const Waiting &call) { return call.id == id; }) > 0) return true;
  return false;
}

bool TokenKeeper::take_end(const CallEnd &end, Now now) {
  const auto it =
      std::find_if(accounts_.begin(), accounts_.end(), [&](const Account &account) { return account.call == end.id; });
  if (it == accounts_.end()) return false;
  it->call.reset();
  if (end.error != TransportError::none) {
    fail(*it, failure_of(end), now.steady);
    return true;
  }
  auto answer = read_token_answer(end.response, it->jwt, now.wall);
  if (Failure *failure = std::get_if<Failure>(&answer)) {
    fail(*it, std::move(*failure), now.steady);
    return true;
  }
  AccessToken &got = std::get<AccessToken>(answer);
  // Counted from before it was asked for, so that it is never thought to live longer than it does.
  it->token = Token{.text = std::move(got.text),
                    .made = now.steady,
                    .renew = it->call_began + got.lifetime - std::min(kRenewEarly, got.lifetime / 2),
                    .expiry = it->call_began + got.lifetime - std::min(kExpiryMargin, got.lifetime / 4),
                    .is_successor = std::exchange(it->was_refused, false)};
  it->failure.reset();
  it->backoff = Micros{0};
  it->next_try = {};
  return true;
}

void TokenKeeper::fail(Account &account, Failure failure, SteadyTime now) {
  failure.message = clean_text("no access token for service account " + account.account.client_email + ": " +
                                   redact(redact(failure.message, account.jwt), account.account.private_key),
                               kErrorMessageBytesMax);
  Micros wait = kRefusalHold;
  if (failure.kind != FailureClass::credential) {
    account.backoff = std::clamp(account.backoff * 2, kBackoffFirst, kBackoffLast);
    // One wild Retry-After of a proxy must not hold an account for days.
    wait = std::max(account.backoff, std::min(failure.retry_after.value_or(Micros{0}), kWaitMax));
  }
  account.next_try = now + wait;
  // Calls in want of a token say it themselves.
  if (account.token) log_.write(LogLevel::log, failure.message + "; the old one is used as long as it lives");
  account.failure = std::move(failure);
}

void TokenKeeper::begin_call(Account &account, Now now) {
  const std::string input = jwt_signing_input(account.account, now.wall);
  const Result<std::string> signature = signer_.sign_rs256(account.account.private_key, input);
  if (!signature) {
    Failure failure;
    failure.kind = FailureClass::credential;
    failure.message = signature.error().message;
    return fail(account, std::move(failure), now.steady);
  }
  account.jwt = signed_jwt(input, *signature);
  account.call = CallId{kTokenCallBit | ++last_call_};
  account.call_began = now.steady;
  HttpRequest request = token_request(account.account, account.jwt);
  request.timeouts = kTimeouts;
  transport_.submit(*account.call, std::move(request));
}

void TokenKeeper::serve(Account &account, Now now, std::vector<TokenVerdict> &verdicts) {
  const auto give_back = [&](Waiting &call, std::optional<Failure> failure) {
    TokenVerdict verdict{call.id, std::move(call.request), {}, std::move(failure)};
    if (!verdict.failure) {
      verdict.token = account.token->text;
      verdict.request.headers.push_back({"authorization", "Bearer " + verdict.token});
      verdict.request.timeouts.total -= now.steady - call.since;
    }
    verdicts.push_back(std::move(verdict));
  };
  std::deque<Waiting> waiting = std::exchange(account.waiting, {});
  for (Waiting &call : waiting) {
    if (now.steady >= call.until) {
      give_back(call, timed_out());
    } else if (account.token) {
      give_back(call, std::nullopt);
    } else if (account.call) {
      account.waiting.push_back(std::move(call));
    } else {
      Failure failure = *account.failure;  // begin_call() leaves a call or a failure
      // Without a stated time it is no appointment: each try counts, or a job would come back for ever.
      if (failure.kind == FailureClass::rate_limited && !failure.retry_after) failure.kind = FailureClass::transient;
      // Coming back sooner would meet the same failure.
      if (failure.kind != FailureClass::credential) failure.retry_after = account.next_try - now.steady;
      give_back(call, std::move(failure));
    }
  }
}

void TokenKeeper::step(Now now, std::vector<TokenVerdict> &verdicts) {
  for (Account &account : accounts_) {
    if (account.waiting.empty()) continue;
    if (account.token && now.steady >= account.token->expiry) account.token.reset();
    const bool is_wanted = !account.token || now.steady >= account.token->renew;
    if (is_wanted && !account.call && now.steady >= account.next_try) begin_call(account, now);
    serve(account, now, verdicts);
  }
}

bool TokenKeeper::give_up(const std::string &token, SteadyTime now) {
  const auto it = std::find_if(accounts_.begin(), accounts_.end(),
                               [&](const Account &account) { return account.token && account.token->text == token; });
  if (it == accounts_.end()) return true;  // it was replaced meanwhile
  if (it->token->is_successor && now - it->token->made < kSuccessorYouth) return false;
  it->token.reset();
  it->was_refused = true;
  return true;
}

std::optional<SteadyTime> TokenKeeper::next_due() const {
  std::optional<SteadyTime> due;
  for (const Account &account : accounts_)
    for (const Waiting &call : account.waiting) due = due ? std::min(*due, call.until) : call.until;
  return due;
}

}  // namespace agent_queue
