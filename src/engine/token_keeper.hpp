// Access tokens of service accounts, and the calls that wait for one. A token is got by a call of its own through the
// ordinary transport, kept per account, shared by all calls, and renewed five minutes early while the old one is still
// sent. Driven by step(now). Tested in test/unit/token_keeper_test.cpp.
//
//   admit() ─► is there a token? ─► step() gives the call back with it
//                   └ no ─► one token call per account ─► take_end() ─► step() gives all of them back, or why not
//
// Only calls make it work: an idle worker renews nothing.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string>
#include <vector>

#include "core/credential/credential.hpp"
#include "ports/log.hpp"
#include "ports/signer.hpp"
#include "ports/transport.hpp"

namespace agent_queue {

// The end of the wait.
struct TokenVerdict {
  CallId id;
  HttpRequest request;  // with its Authorization header and what is left of its time; where there is no failure
  std::string token;
  std::optional<Failure> failure;  // nothing was sent. `credential`: no for good, else another time may do
};

class TokenKeeper {
 public:
  // All referenced objects outlive the keeper.
  TokenKeeper(Transport &transport, Signer &signer, Log &log) : transport_(transport), signer_(signer), log_(log) {}

  // A call that lacks its token. It comes back by a later step(), after `patience` at the latest.
  void admit(CallId id, HttpRequest request, const ServiceAccount &account, Micros patience, Now now);

  // The call is not wanted any more. False: it does not wait here.
  bool forget(CallId id);

  // Is this the end of a token call? Then it is dealt with.
  bool take_end(const CallEnd &end, Now now);

  // Starts the token calls that are needed and appends the calls whose wait is over.
  void step(Now now, std::vector<TokenVerdict> &verdicts);

  // The provider has refused (401) a call with this token. True: the token is given up, and the call may be tried again
  // with the next one. False: the token is itself the young successor of a refused one, so that another would not help.
  bool give_up(const std::string &token, SteadyTime now);

  // When a waiting call's time is over; nullopt: none waits.
  std::optional<SteadyTime> next_due() const;

 private:
  struct Waiting {
    CallId id;
    HttpRequest request;
    SteadyTime since;
    SteadyTime until;
  };
  struct Token {
    std::string text;
    SteadyTime made;
    SteadyTime renew;           // from here on a new one is asked for
    SteadyTime expiry;          // from here on it is not sent any more
    bool is_successor = false;  // of one that the provider had refused
  };
  struct Account {
    ServiceAccount account;
    std::optional<Token> token;
    std::optional<CallId> call;  // the token call in flight
    SteadyTime call_began{};
    std::string jwt;                 // of that call: redacted from what is said about it
    std::optional<Failure> failure;  // of the last token call; stands until next_try
    SteadyTime next_try{};
    Micros backoff{0};
    bool was_refused = false;  // the next token succeeds one that the provider had refused
    SteadyTime last_use{};
    std::deque<Waiting> waiting;
  };

  Account &find(const ServiceAccount &account);
  void begin_call(Account &account, Now now);
  void fail(Account &account, Failure failure, SteadyTime now);
  void serve(Account &account, Now now, std::vector<TokenVerdict> &verdicts);
  void drop_unused(SteadyTime now);

  Transport &transport_;
  Signer &signer_;
  Log &log_;
  std::vector<Account> accounts_;  // few
  std::uint64_t last_call_ = 0;
};

}  // namespace agent_queue
