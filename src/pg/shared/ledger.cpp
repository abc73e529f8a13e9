// POD only: nothing in here raises, so the lock can be a scope.
#include "pg/shared/ledger.hpp"

#include <algorithm>
#include <csignal>
#include <cstring>

#include "pg/pg.hpp"

#include "pg/shared/ledger_layout.hpp"
#include "pg/shared/name_hash.hpp"

namespace agent_queue::pg::shared {

namespace {

class Locked {
 public:
  Locked() { LWLockAcquire(ledger->lock, LW_EXCLUSIVE); }
  ~Locked() { LWLockRelease(ledger->lock); }
  Locked(const Locked &) = delete;
  Locked &operator=(const Locked &) = delete;
};

using SubjectId = std::array<uint8, 16>;

SubjectId subject_of(uint64 hash) {
  SubjectId subject{};
  memcpy(subject.data(), &hash, sizeof(hash));
  return subject;
}

// The accounts of one job, with their budgets. The order is that of the scopes: all, tier, agent type, user.
struct Book {
  int indexes[Ticket::kAccountsMax];
  Scope scopes[Ticket::kAccountsMax];
  ChargedAccount charges[Ticket::kAccountsMax];
  Account *accounts[Ticket::kAccountsMax];
  std::size_t count = 0;
  bool is_whole = true;  // false: there was no room for one of them

  std::span<const ChargedAccount> all_charges() const { return {charges, count}; }
  std::span<Account *const> all_accounts() const { return {accounts, count}; }
};

const CostLimits &budget_of_tier(const Payer &payer, uint64 tier) {
  static const CostLimits none;
  for (const TierBudget &budget : payer.of_tiers)
    if (budget.tier == tier) return budget.limits;
  return none;
}

void open_account(Book &book, Oid database, Scope scope, const SubjectId &subject, const CostLimits &limits,
                  const Windows &windows) {
  const int index = find_account(database, scope, subject, true);
  if (index < 0) {
    book.is_whole = false;
    return;
  }
  Account &account = ledger_entry(index).account;
  roll(account, windows);
  book.indexes[book.count] = index;
  book.scopes[book.count] = scope;
  book.charges[book.count] = {.account = &account, .limits = limits, .concurrency = {}};
  book.accounts[book.count] = &account;
  ++book.count;
}

Book open_book(const DatabaseLedger &of, const Payer &payer) {
  make_room(Ticket::kAccountsMax);
  Book book;
  open_account(book, of.database, Scope::all, SubjectId{}, payer.of_all, of.windows);
  open_account(book, of.database, Scope::agent_type, subject_of(payer.agent_type), payer.of_agent_type, of.windows);
  if (!payer.user) return book;
  open_account(book, of.database, Scope::user, *payer.user, payer.of_user, of.windows);
  if (!book.is_whole) return book;
  book.charges[book.count - 1].concurrency = payer.concurrency;
  // The tier changes at rest only: else what the user's attempts hold would be given back to another tier.
  Account &user = *book.accounts[book.count - 1];
  if (user.in_flight == 0) user.tier = payer.tier;
  open_account(book, of.database, Scope::tier, subject_of(user.tier), budget_of_tier(payer, user.tier), of.windows);
  return book;
}

Ticket ticket_of(const Book &book, const Hold &hold) {
  Ticket ticket;
  for (std::size_t i = 0; i < book.count; ++i) {
    ticket.accounts[i] = book.indexes[i];
    ticket.versions[i] = ledger_entry(book.indexes[i]).version;
  }
  ticket.count = static_cast<int>(book.count);
  ticket.hold = hold;
  return ticket;
}

// Those that are still the same.
std::span<Account *const> accounts_of(const Ticket &ticket, Account **room) {
  std::size_t count = 0;
  for (int i = 0; i < ticket.count; ++i) {
    LedgerEntry &entry = ledger_entry(ticket.accounts[i]);
    if (entry.database != InvalidOid && entry.version == ticket.versions[i]) room[count++] = &entry.account;
  }
  return {room, count};
}

void describe(Decision &decision, const BudgetVerdict &verdict, const Book &book, const Windows &windows) {
  const ChargedAccount &charge = book.charges[verdict.charge];
  const Tally &tally = charge.account->tally(verdict.period);
  const std::optional<Usd> &limit = verdict.period == Period::day ? charge.limits.daily : charge.limits.monthly;
  decision.kind = verdict.kind;
  decision.scope = book.scopes[verdict.charge];
  decision.period = verdict.period;
  decision.limit = limit.value_or(Usd());
  decision.spent = tally.spent;
  decision.held = tally.held;
  decision.until = windows.end(verdict.period);
}

DatabaseLedger *ready_ledger(LedgerKey key) {
  DatabaseLedger *of = find_database_ledger(key.database, false);
  const bool is_ready = of != nullptr && of->extension == key.extension && of->state == LedgerState::ready;
  return is_ready ? of : nullptr;
}

// Tickets of the running transaction; drop_holds() also runs when the process ends in the middle of it.
constexpr int kPendingMax = 1024;
// Where there is no room for an account: room comes with the next sweep.
constexpr Micros kNoRoomWait{std::chrono::seconds(60)};
Ticket pending[kPendingMax];
int pending_count = 0;

Decision wait_for_room(SteadyTime now) {
  Decision decision;
  decision.kind = BudgetVerdict::Kind::held;
  decision.is_without_room = true;
  decision.turn = now + kNoRoomWait;
  return decision;
}

std::optional<Alert> next_alert(const Book &book, const Windows &windows, const Decision *refusal) {
  for (std::size_t i = 0; i < book.count; ++i) {
    const bool is_refused = refusal != nullptr && refusal->scope == book.scopes[i];
    const ChargedAccount &charge = book.charges[i];
    const auto refused = is_refused ? std::optional(refusal->period) : std::nullopt;
    const std::optional<Threshold> threshold = agent_queue::take_alert(*charge.account, charge.limits, refused);
    if (!threshold) continue;
    const std::optional<Usd> &limit = threshold->period == Period::day ? charge.limits.daily : charge.limits.monthly;
    return Alert{.scope = book.scopes[i],
                 .subject = ledger_entry(book.indexes[i]).subject,
                 .threshold = *threshold,
                 .window_start = windows.start(threshold->period),
                 .spent = charge.account->tally(threshold->period).spent,
                 .limit = limit.value_or(Usd())};
  }
  return std::nullopt;
}

}  // namespace

const char *scope_name(Scope scope) {
  switch (scope) {
    case Scope::all:
      return "all";
    case Scope::tier:
      return "tier";
    case Scope::agent_type:
      return "agent_type";
    case Scope::user:
      return "user";
  }
  return "all";
}

std::uint64_t budget_hash(std::string_view name) {
  return hash_name(name);
}

bool is_ledger_ready(LedgerKey key) {
  const Locked locked;
  return ready_ledger(key) != nullptr;
}

bool begin_ledger(LedgerKey key, const Windows &windows) {
  const Locked locked;
  DatabaseLedger *of = find_database_ledger(key.database, true);
  if (of == nullptr) return false;
  const bool is_same = of->extension == key.extension;
  if (is_same && of->state == LedgerState::ready) return false;
  const bool is_loader_alive = of->loader_pid != 0 && of->loader_pid != MyProcPid && kill(of->loader_pid, 0) == 0;
  if (of->state == LedgerState::loading && is_loader_alive) return false;
  clear_accounts(key.database);
  of->extension = key.extension;
  of->state = LedgerState::loading;
  of->loader_pid = MyProcPid;
  of->windows = windows;
  of->report_count = 0;
  return true;
}

static void end_loading(LedgerKey key, LedgerState state) {
  {
    const Locked locked;
    DatabaseLedger *of = find_database_ledger(key.database, false);
    if (of == nullptr || of->extension != key.extension || of->loader_pid != MyProcPid) return;
    of->state = state;
    of->loader_pid = 0;
  }
  ConditionVariableBroadcast(&ledger->changed.cv);
}

void finish_ledger(LedgerKey key) {
  end_loading(key, LedgerState::ready);
}

void abandon_ledger(LedgerKey key) {
  end_loading(key, LedgerState::absent);
}

void wait_for_ledger(LedgerKey key, long timeout_ms) {
  ConditionVariablePrepareToSleep(&ledger->changed.cv);
  if (!is_ledger_ready(key)) ConditionVariableTimedSleep(&ledger->changed.cv, timeout_ms, PG_WAIT_EXTENSION);
  ConditionVariableCancelSleep();
}

bool add_spent(LedgerKey key, const Payer &payer, Usd of_day, Usd of_month) {
  const Locked locked;
  DatabaseLedger *of = find_database_ledger(key.database, false);
  if (of == nullptr) return false;
  const Book book = open_book(*of, payer);
  for (Account *account : book.all_accounts()) {
    account->day.spent += of_day;
    account->month.spent += of_month;
  }
  return book.is_whole;
}

bool add_held(LedgerKey key, const Payer &payer, Usd amount, WallTime started_at) {
  const Locked locked;
  const DatabaseLedger *of = find_database_ledger(key.database, false);
  if (of == nullptr) return false;
  const Book book = open_book(*of, payer);
  take(book.all_accounts(), make_hold(amount, of->windows, started_at));
  return book.is_whole;
}

bool add_requests(LedgerKey key, const UserId &user, int count) {
  const Locked locked;
  DatabaseLedger *of = find_database_ledger(key.database, false);
  if (of == nullptr) return false;
  make_room(1);
  const int index = find_account(key.database, Scope::user, user, true);
  if (index < 0) return false;
  Account &account = ledger_entry(index).account;
  roll(account, of->windows);
  account.requests += count;
  return true;
}

Windows roll_windows(LedgerKey key, const Windows &current) {
  const Locked locked;
  DatabaseLedger *of = find_database_ledger(key.database, false);
  if (of == nullptr) return current;
  of->windows = follow(of->windows, current);
  return of->windows;
}

Decision take_hold(LedgerKey key, const Payer &payer, std::optional<Usd> amount, SteadyTime now, Ticket &ticket) {
  const Locked locked;
  const DatabaseLedger *of = ready_ledger(key);
  if (of == nullptr) return wait_for_room(now);
  const Book book = open_book(*of, payer);
  const BudgetVerdict verdict = judge(book.all_charges(), amount);
  Decision decision;
  if (verdict.kind != BudgetVerdict::Kind::fits) {
    describe(decision, verdict, book, of->windows);
    const bool is_turn_needed =
        verdict.kind == BudgetVerdict::Kind::held || verdict.kind == BudgetVerdict::Kind::concurrency;
    if (is_turn_needed) decision.turn = take_turn(*book.accounts[verdict.charge], now);
    return decision;
  }
  if (!book.is_whole || pending_count == kPendingMax) return wait_for_room(now);
  const Hold hold = make_hold(amount.value_or(Usd()), of->windows, of->windows.day_start);
  take(book.all_accounts(), hold);
  ticket = ticket_of(book, hold);
  pending[pending_count++] = ticket;
  return decision;
}

void keep_holds() {
  pending_count = 0;
}

void drop_holds() {
  if (pending_count == 0) return;
  const Locked locked;
  for (int i = 0; i < pending_count; ++i) {
    Account *room[Ticket::kAccountsMax];
    give_back(accounts_of(pending[i], room), pending[i].hold);
  }
  pending_count = 0;
}

Ticket find_hold(LedgerKey key, const Payer &payer, Usd amount, WallTime started_at) {
  const Locked locked;
  const DatabaseLedger *of = ready_ledger(key);
  return of == nullptr ? Ticket{} : ticket_of(open_book(*of, payer), make_hold(amount, of->windows, started_at));
}

void settle_hold(const Ticket &ticket, Usd cost, Micros took) {
  const Locked locked;
  Account *room[Ticket::kAccountsMax];
  settle(accounts_of(ticket, room), ticket.hold, cost, took);
}

std::optional<Alert> take_alert(LedgerKey key, const Payer &payer, const Decision *refusal) {
  const Locked locked;
  const DatabaseLedger *of = ready_ledger(key);
  if (of == nullptr) return std::nullopt;
  return next_alert(open_book(*of, payer), of->windows, refusal);
}

void report_refusal(LedgerKey key, const Payer &payer, const Decision &refusal) {
  const Locked locked;
  DatabaseLedger *of = ready_ledger(key);
  if (of == nullptr || of->report_count == kReportsMax) return;
  const std::optional<Alert> alert = next_alert(open_book(*of, payer), of->windows, &refusal);
  if (alert) of->reports[of->report_count++] = *alert;
}

std::optional<Alert> take_reported_alert(LedgerKey key) {
  const Locked locked;
  DatabaseLedger *of = ready_ledger(key);
  if (of == nullptr || of->report_count == 0) return std::nullopt;
  return of->reports[--of->report_count];
}

Decision check_budget(LedgerKey key, const Payer &payer, std::optional<Usd> amount) {
  const Locked locked;
  Decision decision;
  const DatabaseLedger *of = ready_ledger(key);
  if (of == nullptr) return decision;
  const Book book = open_book(*of, payer);
  const BudgetVerdict verdict = judge_at_enqueue(book.all_charges(), amount);
  if (verdict.kind != BudgetVerdict::Kind::fits) describe(decision, verdict, book, of->windows);
  return decision;
}

bool count_requests(LedgerKey key, const UserId &user, int count, std::optional<int> limit, RequestTicket &ticket,
                    int &used) {
  const Locked locked;
  used = -1;
  const DatabaseLedger *of = find_database_ledger(key.database, false);
  if (of == nullptr) return false;
  make_room(1);
  const int index = find_account(key.database, Scope::user, user, true);
  if (index < 0) return false;
  LedgerEntry &entry = ledger_entry(index);
  roll(entry.account, of->windows);
  used = entry.account.requests;
  if (limit && (count > *limit || used > *limit - count)) return false;
  entry.account.requests += count;
  ticket = {.account = index,
            .version = entry.version,
            .day_start = entry.account.day.start.time_since_epoch().count(),
            .count = count};
  return true;
}

void give_back_requests(const RequestTicket &ticket) {
  if (ticket.account < 0) return;
  const Locked locked;
  LedgerEntry &entry = ledger_entry(ticket.account);
  const bool is_same_day = entry.account.day.start.time_since_epoch().count() == ticket.day_start;
  if (entry.version != ticket.version || !is_same_day) return;
  entry.account.requests = std::max(0, entry.account.requests - ticket.count);
}

}  // namespace agent_queue::pg::shared
