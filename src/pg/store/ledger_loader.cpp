#include "pg/store/ledger_loader.hpp"

#include <algorithm>
#include <map>
#include <string>
#include <vector>

#include "pg/boundary/errors.hpp"
#include "pg/store/budget_windows.hpp"
#include "pg/store/ledger_sql.hpp"
#include "pg/store/payers.hpp"
#include "pg/store/user_directory.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/cursor.hpp"
#include "pg/wrap/spi.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/transaction.hpp"
#include "pg/wrap/uuid_text.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr long kPortion = 5000;  // rows
constexpr Micros kComplaintInterval{std::chrono::minutes(1)};
constexpr Micros kSecondLook{std::chrono::milliseconds(50)};
constexpr Micros kRetryInterval{std::chrono::seconds(1)};
constexpr Micros kDay{std::chrono::hours(24)};

std::optional<UserId> user(const Cell &cell) {
  return cell ? std::optional(uuid_of(*cell)) : std::nullopt;
}

void read_users_of(const std::vector<TextRow> &rows) {
  std::vector<UserId> users;
  for (const TextRow &row : rows)
    if (row[0]) users.push_back(uuid_of(*row[0]));
  read_users(users);
}

std::uintptr_t time_datum(WallTime time) {
  return TimestampTzGetDatum(from_wall(time));
}

// May finished jobs of today be gone already?
bool may_be_deleted(const Catalog &catalog) {
  return std::any_of(catalog.queues.begin(), catalog.queues.end(), [](const auto &named) {
    const RetentionRule &rule = named.second.retention;
    return rule.keep_completed || rule.keep_failed || (rule.keep_for && *rule.keep_for < kDay);
  });
}

// A clock that was set back over midnight begins no day anew.
WallTime newest_start(WallTime now, const Installation &where) {
  Cursor cursor(render_sql(sql::kNewestStart, where), {TIMESTAMPTZOID}, {time_datum(now + kDay)});
  const std::vector<TextRow> rows = cursor.fetch(1);
  return rows.empty() || !rows.front().front() ? WallTime{} : WallTime{Micros{whole(rows.front().front())}};
}

}  // namespace

bool LedgerLoader::ensure(Now now) {
  if (key_.extension != 0 && shared::is_ledger_ready(key_)) return true;
  if (now.steady < next_try_) return false;
  bool is_begun = false;
  try {
    Transaction transaction;
    const std::optional<Installation> where = find_installation();
    if (!where) return true;  // the store will find out
    transaction.become(where->owner);
    key_ = {.database = database_, .extension = where->extension};
    const Windows windows = windows_at(std::max(now.wall, newest_start(now.wall, *where)));
    is_begun = shared::begin_ledger(key_, windows);
    if (!is_begun) return shared::is_ledger_ready(key_);
    load(key_, windows, *where);
    transaction.commit();
    shared::finish_ledger(key_);
    failures_ = 0;
    if (is_full_)
      log_.write(
          LogLevel::warning,
          "not all users of this month could be counted: jobs of others wait; raise agent_queue.max_tracked_users");
    return true;
  } catch (PgError &error) {
    if (is_begun) shared::abandon_ledger(key_);
    if (error.is_cancel_or_shutdown()) throw;
    // The extension may have been dropped meanwhile: the next look tells.
    const bool is_first = failures_++ == 0;
    next_try_ = now.steady + (is_first ? kSecondLook : kRetryInterval);
    if (!is_first) complain(error.what(), now);
    return false;
  }
}

void LedgerLoader::complain(const std::string &message, Now now) {
  if (now.steady < next_complaint_) return;
  next_complaint_ = now.steady + kComplaintInterval;
  log_.write(LogLevel::warning, "what was spent so far cannot be read, and no job is called before: " + message);
}

void LedgerLoader::load(shared::LedgerKey key, const Windows &windows, const Installation &where) {
  is_full_ = false;
  load_spent(key, windows, where);
  load_held(key, where);
  load_requests(key, windows, where);
}

void LedgerLoader::load_spent(shared::LedgerKey key, const Windows &windows, const Installation &where) {
  Cursor cursor(render_sql(sql::kSpent, where), {TIMESTAMPTZOID, TIMESTAMPTZOID},
                {time_datum(windows.day_start), time_datum(windows.month_start)});
  while (true) {
    const std::vector<TextRow> rows = cursor.fetch(kPortion);
    if (rows.empty()) return;
    read_users_of(rows);
    const std::shared_ptr<const Payers> payers = current_payers();
    for (const TextRow &row : rows)
      is_full_ |= !shared::add_spent(key, payers->find_in_any_case(row[1].value_or(std::string()), user(row[0])),
                                     usd_or_null(row[2]).value_or(Usd()), usd_or_null(row[3]).value_or(Usd()));
  }
}

void LedgerLoader::load_held(shared::LedgerKey key, const Installation &where) {
  Cursor cursor(render_sql(sql::kHeld, where), {}, {});
  while (true) {
    const std::vector<TextRow> rows = cursor.fetch(kPortion);
    if (rows.empty()) return;
    read_users_of(rows);
    const std::shared_ptr<const Payers> payers = current_payers();
    for (const TextRow &row : rows)
      is_full_ |= !shared::add_held(key, payers->find_in_any_case(row[1].value_or(std::string()), user(row[0])),
                                    usd_or_null(row[2]).value_or(Usd()), WallTime{Micros{whole(row[3])}});
  }
}

void LedgerLoader::load_requests(shared::LedgerKey key, const Windows &windows, const Installation &where) {
  std::map<UserId, std::int64_t> counts;
  Cursor newest(render_sql(sql::kNewestJobs, where), {}, {});
  bool is_any_of_today = true;
  while (is_any_of_today) {
    is_any_of_today = false;
    for (const TextRow &row : newest.fetch(kPortion)) {
      if (WallTime{Micros{whole(row[1])}} < windows.day_start) continue;
      is_any_of_today = true;
      if (row[0]) ++counts[uuid_of(*row[0])];
    }
  }
  if (may_be_deleted(*current_payers()->catalog())) {
    Cursor deleted(render_sql(sql::kDeletedJobs, where), {TIMESTAMPTZOID}, {time_datum(windows.day_start)});
    while (true) {
      const std::vector<TextRow> rows = deleted.fetch(kPortion);
      if (rows.empty()) break;
      for (const TextRow &row : rows) counts[uuid_of(*row[0])] += whole(row[1]);
    }
  }
  for (const auto &[id, count] : counts)
    is_full_ |= !shared::add_requests(key, id, static_cast<int>(std::min<std::int64_t>(count, INT32_MAX)));
}

}  // namespace agent_queue::pg
