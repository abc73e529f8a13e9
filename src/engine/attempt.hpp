// One attempt at one job: from a claimed row to a request, and from what came back to a settlement.
// Pure decisions: no clock, no store, no transport. Tested in test/unit/attempt_test.cpp.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "core/base/failure.hpp"
#include "core/catalog/catalog.hpp"
#include "core/catalog/prompt_size.hpp"
#include "core/credential/credential.hpp"
#include "core/job/job.hpp"
#include "core/provider/stream_reader.hpp"
#include "core/provider/wire_format.hpp"
#include "ports/secrets.hpp"
#include "ports/transport.hpp"

namespace agent_queue {

// A call in flight: what is needed to understand its end. Kept small: there are thousands.
struct Attempt {
  ClaimedJob job;  // job.request is given up when the request has been built
  std::size_t request_bytes = 0;
  PromptSize prompt_size;
  std::shared_ptr<const Catalog> catalog;  // keeps the pointers below alive
  const AgentType *type = nullptr;
  Target target;  // views of the catalog
  const Provider *provider = nullptr;
  const WireFormat *wire_format = nullptr;
  std::string secret;           // the key that was sent: redacted from whatever comes back, also after it was changed
  bool uses_token = false;      // of a service account; while `secret` is empty, nothing was sent
  bool is_token_stale = false;  // the provider refused the token, and there will be a new one
};

struct PreparedCall {
  Attempt attempt;
  HttpRequest request;
  std::optional<ServiceAccount> account;  // set: the request lacks the access token of this account
  std::unique_ptr<StreamReader> reader;   // of a call that is streamed
};

// What became of a call's stream.
struct StreamedEnd {
  std::optional<StreamEnd> end;       // empty: no stream came, the CallEnd says all
  std::optional<Micros> first_token;  // from the request on; empty: none came
  bool has_parts = false;             // text so far may be stored
};

// Either a call to make or, where none can be made, the settlement that says why.
std::variant<PreparedCall, Settlement> prepare_call(ClaimedJob job, std::shared_ptr<const Catalog> catalog,
                                                    Secrets &secrets, Now now);

// The settlement for what came back; `streamed` of a streamed call. `secret` is redacted from all that is kept.
Settlement conclude(const Attempt &attempt, const CallEnd &end, std::string_view secret, Now now,
                    std::optional<StreamedEnd> streamed = std::nullopt);

// The settlement of an attempt that got no access token, or expired while it waited for one: nothing was sent.
Settlement conclude_unsent(const Attempt &attempt, const Failure &failure, Now now);

// The settlement of an attempt whose worker died: sent, no answer known. `job` comes from JobStore::rescue().
Settlement conclude_lost(const ClaimedJob &job, const Catalog &catalog, Now now);

}  // namespace agent_queue
