#include "sim/budget_ledger.hpp"

namespace agent_queue::sim {

using Scope = Subject::Scope;

const CostLimits &BudgetConfig::limits_of(Subject subject) const {
  const auto number = static_cast<std::size_t>(subject.number);
  switch (subject.scope) {
    case Scope::all:
      return of_all;
    case Scope::agent_type:
      return of_types[number];
    case Scope::tier:
      return of_tiers[number];
    case Scope::user:
      break;
  }
  const BudgetUser &user = users[number];
  return user.own ? *user.own : of_users_of_tier[static_cast<std::size_t>(user.tier)];
}

std::optional<int> BudgetConfig::concurrency_of(int user) const {
  return concurrency_of_tier[static_cast<std::size_t>(users[static_cast<std::size_t>(user)].tier)];
}

Account &BudgetLedger::open_account(Book &book, Subject subject) {
  const auto [it, is_new] = entries_.try_emplace(subject);
  if (is_new) it->second.version = next_version_++;
  Account &account = it->second.account;
  roll(account, windows_);
  book.subjects.push_back(subject);
  book.charges.push_back({.account = &account, .limits = config_.limits_of(subject), .concurrency = {}});
  book.accounts.push_back(&account);
  return account;
}

BudgetLedger::Book BudgetLedger::open_book(int user, int type) {
  Book book;
  open_account(book, {Scope::all, 0});
  open_account(book, {Scope::agent_type, type});
  if (user == kSystem) return book;
  Account &account = open_account(book, {Scope::user, user});
  book.charges.back().concurrency = config_.concurrency_of(user);
  if (account.in_flight == 0)
    account.tier = static_cast<std::uint64_t>(config_.users[static_cast<std::size_t>(user)].tier);
  open_account(book, {Scope::tier, static_cast<int>(account.tier)});
  return book;
}

BudgetTicket BudgetLedger::ticket_of(const Book &book, const Hold &hold) const {
  BudgetTicket ticket;
  for (const Subject subject : book.subjects) ticket.accounts.emplace_back(subject, entries_.at(subject).version);
  ticket.hold = hold;
  return ticket;
}

std::vector<Account *> BudgetLedger::accounts_of(const BudgetTicket &ticket) {
  std::vector<Account *> accounts;
  for (const auto &[subject, version] : ticket.accounts) {
    const auto it = entries_.find(subject);
    if (it != entries_.end() && it->second.version == version) accounts.push_back(&it->second.account);
  }
  return accounts;
}

BudgetRuling BudgetLedger::take_hold(int user, int type, std::optional<Usd> amount, SteadyTime now,
                                     BudgetTicket &ticket) {
  const Book book = open_book(user, type);
  const BudgetVerdict verdict = judge(book.charges, amount);
  BudgetRuling ruling{.kind = verdict.kind, .until = windows_.end(verdict.period), .turn = {}};
  if (verdict.kind == BudgetVerdict::Kind::held || verdict.kind == BudgetVerdict::Kind::concurrency)
    ruling.turn = take_turn(*book.accounts[verdict.charge], now);
  if (verdict.kind != BudgetVerdict::Kind::fits) return ruling;
  const Hold hold = make_hold(amount.value_or(Usd()), windows_, windows_.day_start);
  take(book.accounts, hold);
  ticket = ticket_of(book, hold);
  return ruling;
}

void BudgetLedger::give_back(const BudgetTicket &ticket) {
  agent_queue::give_back(accounts_of(ticket), ticket.hold);
}

BudgetTicket BudgetLedger::find_hold(int user, int type, Usd amount, WallTime started_at) {
  return ticket_of(open_book(user, type), make_hold(amount, windows_, started_at));
}

void BudgetLedger::settle_hold(const BudgetTicket &ticket, Usd cost, Micros took) {
  settle(accounts_of(ticket), ticket.hold, cost, took);
}

BudgetVerdict::Kind BudgetLedger::check_budget(int user, int type, std::optional<Usd> amount) {
  return judge_at_enqueue(open_book(user, type).charges, amount).kind;
}

void BudgetLedger::clear(const Windows &windows) {
  entries_.clear();
  windows_ = windows;
}

void BudgetLedger::add_spent(int user, int type, Usd of_day, Usd of_month) {
  for (Account *account : open_book(user, type).accounts) {
    account->day.spent += of_day;
    account->month.spent += of_month;
  }
}

void BudgetLedger::add_held(int user, int type, Usd amount, WallTime started_at) {
  take(open_book(user, type).accounts, make_hold(amount, windows_, started_at));
}

void BudgetLedger::sweep() {
  std::erase_if(entries_, [&](const auto &entry) {
    const Account &account = entry.second.account;
    const bool has_spent = account.month.start >= windows_.month_start && account.month.spent > Usd();
    return account.in_flight == 0 && !has_spent;
  });
}

int BudgetLedger::tier_of(int user) const {
  return user == kSystem ? 0 : static_cast<int>(entries_.at({Scope::user, user}).account.tier);
}

Usd BudgetLedger::total(Subject subject, Period period) const {
  const auto it = entries_.find(subject);
  if (it == entries_.end()) return {};
  const Tally &tally = it->second.account.tally(period);
  return tally.start == windows_.start(period) ? tally.spent + tally.held : Usd();
}

std::optional<Subject> BudgetLedger::find_holding() const {
  for (const auto &[subject, entry] : entries_) {
    const Account &account = entry.account;
    if (account.in_flight != 0 || account.day.held != Usd() || account.month.held != Usd()) return subject;
  }
  return std::nullopt;
}

}  // namespace agent_queue::sim
