// The ledger: accounts of users, tiers, agent types and of all, by database (core/limit/account says what an account is
// and how it is judged). One lock guards all of it, held for the copies and sums of one job. The worker takes a hold
// before its claim commits and settles it after its settle has committed: so the accounts always say at least what the
// tables say, and a limit that is kept here is kept there. Read from the tables once after each start of the server;
// before that nothing is claimed. Plain functions, no errors. Tested in test/tap/310_budgets.pl.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/limit/account.hpp"
#include "pg/shared/databases.hpp"

namespace agent_queue::pg::shared {

enum class Scope : std::uint32_t { all, tier, agent_type, user };
const char *scope_name(Scope scope);

// How a tier or an agent type is known here.
std::uint64_t budget_hash(std::string_view name);

struct TierBudget {
  std::uint64_t tier;
  CostLimits limits;
};

// Who answers for a job, and what may be spent on it.
struct Payer {
  std::optional<UserId> user;  // empty: the system
  std::uint64_t tier = 0;
  std::uint64_t agent_type = 0;
  CostLimits of_user;
  std::optional<int> concurrency;
  std::optional<int> daily_requests;
  int weight = 100;
  CostLimits of_agent_type;
  CostLimits of_all;
  std::span<const TierBudget> of_tiers;  // all there are: running holds may belong to a tier that was left meanwhile
};

// The accounts of one attempt. Stays valid until it is settled, given back or dropped.
struct Ticket {
  static constexpr int kAccountsMax = 4;
  std::array<std::int32_t, kAccountsMax> accounts{};
  std::array<std::uint32_t, kAccountsMax> versions{};
  int count = 0;
  Hold hold;
};

struct Decision {
  BudgetVerdict::Kind kind = BudgetVerdict::Kind::fits;
  Scope scope = Scope::all;
  Period period = Period::day;
  Usd limit, spent, held;        // of the budget that says so
  WallTime until;                // when its window ends
  SteadyTime turn;               // held, concurrency: when to try again
  bool is_without_room = false;  // held, because there is no room for the user's account
};

// --- Life of a database's ledger ---------------------------------------------------------------------------------

// Which extension it is for: one that was created anew has a new ledger.
struct LedgerKey {
  DatabaseOid database = 0;
  unsigned int extension = 0;
};

bool is_ledger_ready(LedgerKey key);
// True: empty now, and this process is to fill it (add_* below) and then to call finish_ledger() or abandon_ledger().
// False: it is ready, or another living process is at it.
bool begin_ledger(LedgerKey key, const Windows &windows);
void finish_ledger(LedgerKey key);
void abandon_ledger(LedgerKey key);
// Waits until it may be ready. May raise (it serves interrupts): guard it.
void wait_for_ledger(LedgerKey key, long timeout_ms);

// False: there is no room for another account.
bool add_spent(LedgerKey key, const Payer &payer, Usd of_day, Usd of_month);
bool add_held(LedgerKey key, const Payer &payer, Usd amount, WallTime started_at);
bool add_requests(LedgerKey key, const UserId &user, int count);

// --- Windows ------------------------------------------------------------------------------------------------------

// The running windows. `current`: what the clock says; taken over where the running day has ended.
Windows roll_windows(LedgerKey key, const Windows &current);

// --- Attempts: for workers ----------------------------------------------------------------------------------------

// May the attempt begin? If it fits, its hold is taken, for the running transaction: keep_holds() or drop_holds() says
// how that has ended. `amount` empty: no price is known.
Decision take_hold(LedgerKey key, const Payer &payer, std::optional<Usd> amount, SteadyTime now, Ticket &ticket);
void keep_holds();
void drop_holds();

// For an attempt of a worker that died: it is in the accounts already; what began in windows that are over is not.
Ticket find_hold(LedgerKey key, const Payer &payer, Usd amount, WallTime started_at);

void settle_hold(const Ticket &ticket, Usd cost, Micros took);

// What the row of an alert says. `subject`: the user's id, or the hash of the name.
struct Alert {
  Scope scope = Scope::all;
  std::array<std::uint8_t, 16> subject{};
  Threshold threshold{};
  WallTime window_start;
  Usd spent, limit;
};
// The next alert that is due for one of the payer's budgets; `refusal`: a decision that refused or parked a job.
std::optional<Alert> take_alert(LedgerKey key, const Payer &payer, const Decision *refusal);
// An alert of a session that may not write it itself; taken by a worker with take_reported_alert().
void report_refusal(LedgerKey key, const Payer &payer, const Decision &refusal);
std::optional<Alert> take_reported_alert(LedgerKey key);

// --- Enqueue ------------------------------------------------------------------------------------------------------

Decision check_budget(LedgerKey key, const Payer &payer, std::optional<Usd> amount);

// What one transaction has counted for one user.
struct RequestTicket {
  std::int32_t account = -1;
  std::uint32_t version = 0;
  std::int64_t day_start = 0;
  std::int32_t count = 0;
};
// Counts `count` requests of the user's day, all or none. False: the limit forbids it, or there is no room for another
// account (then `used` is -1).
bool count_requests(LedgerKey key, const UserId &user, int count, std::optional<int> limit, RequestTicket &ticket,
                    int &used);
void give_back_requests(const RequestTicket &ticket);

}  // namespace agent_queue::pg::shared
