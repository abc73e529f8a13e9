// The ledger as pg/shared/ledger keeps it, over a std::map: the same steps in the same order, and no decision that is
// not core/limit's.
#pragma once

#include <compare>
#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "core/base/time.hpp"
#include "core/base/usd.hpp"
#include "core/limit/account.hpp"

namespace agent_queue::sim {

constexpr int kSystem = -1;  // the user of jobs that have none

struct Subject {
  enum class Scope { all, agent_type, user, tier } scope = Scope::all;
  int number = 0;
  auto operator<=>(const Subject &) const = default;
};

struct BudgetUser {
  int tier = 0;
  std::optional<CostLimits> own;  // wins over the tier's
};

struct BudgetConfig {
  CostLimits of_all;
  std::vector<CostLimits> of_types;
  std::vector<CostLimits> of_tiers;
  std::vector<CostLimits> of_users_of_tier;
  std::vector<std::optional<int>> concurrency_of_tier;
  std::vector<BudgetUser> users;

  const CostLimits &limits_of(Subject subject) const;
  std::optional<int> concurrency_of(int user) const;
};

struct BudgetTicket {
  std::vector<std::pair<Subject, std::uint64_t>> accounts;  // with the version of each
  Hold hold;
};

struct BudgetRuling {
  BudgetVerdict::Kind kind = BudgetVerdict::Kind::fits;
  WallTime until;   // when the window ends that says so
  SteadyTime turn;  // held, concurrency: when to try again
};

class BudgetLedger {
 public:
  explicit BudgetLedger(const BudgetConfig &config) : config_(config) {}

  const Windows &windows() const { return windows_; }
  void roll_windows(const Windows &current) { windows_ = follow(windows_, current); }

  BudgetRuling take_hold(int user, int type, std::optional<Usd> amount, SteadyTime now, BudgetTicket &ticket);
  void give_back(const BudgetTicket &ticket);
  BudgetTicket find_hold(int user, int type, Usd amount, WallTime started_at);
  void settle_hold(const BudgetTicket &ticket, Usd cost, Micros took);
  BudgetVerdict::Kind check_budget(int user, int type, std::optional<Usd> amount);

  // After a start of the server.
  void clear(const Windows &windows);
  void add_spent(int user, int type, Usd of_day, Usd of_month);
  void add_held(int user, int type, Usd amount, WallTime started_at);

  // Frees what is idle, as the shared memory does when it is full.
  void sweep();

  // The tier that is charged for the user's attempts.
  int tier_of(int user) const;
  // Spent and held in the running window.
  Usd total(Subject subject, Period period) const;
  // Empty: of every account nothing is held and nobody is in flight.
  std::optional<Subject> find_holding() const;

 private:
  struct Entry {
    Account account;
    std::uint64_t version = 0;
  };
  struct Book {
    std::vector<Subject> subjects;
    std::vector<ChargedAccount> charges;
    std::vector<Account *> accounts;
  };
  Account &open_account(Book &book, Subject subject);
  Book open_book(int user, int type);
  BudgetTicket ticket_of(const Book &book, const Hold &hold) const;
  std::vector<Account *> accounts_of(const BudgetTicket &ticket);

  const BudgetConfig &config_;
  Windows windows_;
  std::map<Subject, Entry> entries_;
  std::uint64_t next_version_ = 1;
};

}  // namespace agent_queue::sim
