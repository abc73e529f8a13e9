#include "pg/api/budget_admission.hpp"

#include <utility>

#include "core/catalog/hold.hpp"
#include "core/catalog/limits.hpp"
#include "core/wire/json_read.hpp"
#include "pg/api/caller.hpp"
#include "pg/api/charges.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/rate_admission.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/shared/ledger.hpp"
#include "pg/store/budget_windows.hpp"
#include "pg/store/payers.hpp"
#include "pg/store/user_directory.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr long kLedgerWaitMs = 100;  // how often it is looked again, and interrupts are served
constexpr int kLedgerWaits = 50;

[[noreturn]] void refuse(SqlState state, std::string message, const Json &detail, std::string hint) {
  raise(state, {.message = to_server_encoding(std::move(message)),
                .detail = to_server_encoding(dump_json(detail)),
                .hint = to_server_encoding(std::move(hint))});
}

bool is_bounded(const shared::Payer &payer) {
  return payer.of_user.is_bounded() || payer.of_agent_type.is_bounded() || payer.of_all.is_bounded() ||
         (payer.user && !payer.of_tiers.empty()) || payer.daily_requests;
}

void await_ledger(shared::LedgerKey key) {
  for (int i = 0; i < kLedgerWaits; ++i) {
    if (shared::is_ledger_ready(key)) return;
    guard([&] { shared::wait_for_ledger(key, kLedgerWaitMs); });
  }
  raise(sqlstate("PT503"), {.message = "what was spent so far is not known yet",
                            .detail = "A worker reads it after a start of the server, before any job with a budget.",
                            .hint = "Try again. If it stays so, the server's log says why no worker can."});
}

std::string whose(shared::Scope scope) {
  switch (scope) {
    case shared::Scope::user:
      return "your";
    case shared::Scope::tier:
      return "the tier's";
    case shared::Scope::agent_type:
      return "the agent type's";
    case shared::Scope::all:
      return "the";
  }
  return "the";
}

[[noreturn]] void refuse_spending(const shared::Decision &decision, const std::optional<Usd> &hold, WallTime now) {
  const std::string budget = whose(decision.scope) + " budget of the " + period_name(decision.period);
  const auto wait = std::chrono::ceil<std::chrono::seconds>(decision.until - now).count();
  Json detail = {{"scope", shared::scope_name(decision.scope)},
                 {"period", period_name(decision.period)},
                 {"needed_usd", hold ? Json(hold->to_string()) : Json(nullptr)},
                 {"retry_after_seconds", wait}};
  // What many users have spent together is not for one of them to know.
  if (decision.scope == shared::Scope::user || caller_is_owner(installation())) {
    detail["limit_usd"] = decision.limit.to_string();
    detail["spent_usd"] = decision.spent.to_string();
    detail["held_usd"] = decision.held.to_string();
  }
  if (decision.kind == BudgetVerdict::Kind::unpriced)
    refuse(sqlstate("PT402"), "no price is known for this job, and " + budget + " is hard", detail,
           "Insert the prices of the routes' models into agent_models.");
  refuse(sqlstate("PT402"), budget + " does not suffice for this job", detail,
         "The job may cost as much as needed_usd says. The next window begins in " + std::to_string(wait) +
             " seconds; a smaller request or max_output_tokens needs less.");
}

// Runs when the transaction has been rolled back.
void give_request_back(const Charge &charge) noexcept {
  shared::give_back_requests({.account = static_cast<std::int32_t>(charge.place),
                              .version = static_cast<std::uint32_t>(charge.serial),
                              .day_start = charge.at,
                              .count = static_cast<std::int32_t>(charge.amount)});
}

void count_request(shared::LedgerKey key, const shared::Payer &payer, WallTime now, const Windows &windows) {
  if (!payer.user) return;
  shared::RequestTicket ticket;
  int used = 0;
  reserve_charges(1);
  if (shared::count_requests(key, *payer.user, 1, payer.daily_requests, ticket, used))
    return note_charge(give_request_back, {.place = static_cast<std::uint64_t>(ticket.account),
                                           .serial = ticket.version,
                                           .at = ticket.day_start,
                                           .amount = ticket.count});
  if (!payer.daily_requests) return;
  const auto wait = std::chrono::ceil<std::chrono::seconds>(windows.day_end - now).count();
  if (used < 0)
    raise(sqlstate("PT503"), {.message = "there is no room to count another user's requests",
                              .detail = {},
                              .hint = "Raise agent_queue.max_tracked_users."});
  refuse(sqlstate("PT429"), "you have no request left today",
         {{"limit", *payer.daily_requests}, {"window_seconds", 86400}, {"used", used}, {"retry_after_seconds", wait}},
         "The next day begins in " + std::to_string(wait) + " seconds.");
}

}  // namespace

shared::Payer find_payer(const Payers &payers, const AgentType &type, const std::optional<UserId> &user) {
  if (std::optional<shared::Payer> payer = payers.find(type.name, user)) return *payer;
  refuse_unknown_tier(*payers.catalog(), tier_name_of(find_user(*user)));
}

void admit_spending(const shared::Payer &payer, const Catalog &catalog, const AgentType &type,
                    std::size_t request_bytes) {
  const bool is_looked_at = is_bounded(payer);
  if (!is_looked_at && !payer.user) return;
  const shared::LedgerKey key{.database = MyDatabaseId, .extension = installation().extension};
  if (is_looked_at) await_ledger(key);
  const WallTime now = to_wall(GetCurrentTimestamp());
  const Windows windows = roll_windows(key, now);
  if (is_looked_at) {
    const std::optional<Usd> hold = worst_case_hold(catalog, type, request_bytes, now);
    const shared::Decision decision = shared::check_budget(key, payer, hold);
    if (decision.kind != BudgetVerdict::Kind::fits) {
      shared::report_refusal(key, payer, decision);
      shared::announce_work(MyDatabaseId);  // a worker writes the alert
      refuse_spending(decision, hold, now);
    }
  }
  count_request(key, payer, now, windows);
}

void admit_answered(const shared::Payer &payer) {
  if (!payer.user) return;
  const shared::LedgerKey key{.database = MyDatabaseId, .extension = installation().extension};
  const WallTime now = to_wall(GetCurrentTimestamp());
  count_request(key, payer, now, roll_windows(key, now));
}

}  // namespace agent_queue::pg
