#include "pg/store/usage_partitions.hpp"

#include <chrono>
#include <cstdio>

#include "pg/boundary/guard.hpp"
#include "pg/store/usage_partitions_sql.hpp"
#include "pg/wrap/snapshot.hpp"
#include "pg/wrap/spi.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr Micros kRetry{std::chrono::seconds(60)};

struct Month {
  std::string partition;
  WallTime from;
  WallTime to;
};

Month month_of(WallTime at) {
  using namespace std::chrono;
  const year_month_day day{floor<std::chrono::days>(at)};
  const year_month month = day.year() / day.month();
  char name[32];
  std::snprintf(name, sizeof(name), "api_usage_%04d%02u", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()));
  return {name, WallTime{sys_days{month / 1}}, WallTime{sys_days{(month + std::chrono::months(1)) / 1}}};
}

std::string literal(WallTime at) {
  const std::chrono::year_month_day day{std::chrono::floor<std::chrono::days>(at)};
  char text[48];
  std::snprintf(text, sizeof(text), "'%04d-%02u-%02u 00:00:00+00'", static_cast<int>(day.year()),
                static_cast<unsigned>(day.month()), static_cast<unsigned>(day.day()));
  return text;
}

void replace_all(std::string &text, std::string_view place, std::string_view value) {
  for (std::size_t at = 0; (at = text.find(place, at)) != std::string::npos; at += value.size())
    text.replace(at, place.size(), value);
}

bool exists(const std::string &name, Oid schema) {
  const char *text = name.c_str();
  return guard([&] { return OidIsValid(get_relname_relid(text, schema)); });
}

}  // namespace

void UsagePartitions::make(const Installation &where, const std::string &name, WallTime from, WallTime to) {
  const auto render = [&](const char *source) {
    std::string sql = render_sql(source, where);
    replace_all(sql, "@p@", name);
    replace_all(sql, "@from@", literal(from));
    replace_all(sql, "@to@", literal(to));
    return sql;
  };
  for (const char *statement : sql::kMakePartition) execute_sql(render(statement));
}

void UsagePartitions::ensure(WallTime at, Now now) {
  const Month month = month_of(at);
  if (known_.contains(month.partition) || now.steady < next_try_) return;
  try {
    Transaction transaction;
    const Installation &where = installation();
    transaction.become(where.owner);
    if (!exists(month.partition, where.schema)) execute_sql(render_sql(sql::kLockUsage, where));
    if (!exists(month.partition, where.schema)) {  // another worker may have made it while this one waited
      make(where, month.partition, month.from, month.to);
      log_.write(LogLevel::log, "made partition " + month.partition + " of api_usage");
    }
    transaction.commit();
    known_.insert(month.partition);
  } catch (PgError &error) {
    if (error.is_cancel_or_shutdown()) throw;
    next_try_ = now.steady + kRetry;
    log_.write(LogLevel::warning, "could not make partition " + month.partition +
                                      " of api_usage, its rows go to api_usage_default for now: " + error.what());
  }
}

void UsagePartitions::make_ahead(Now now) {
  const Month month = month_of(now.wall);
  const Month next = month_of(month.to);
  if (known_.contains(month.partition) && known_.contains(next.partition)) return;
  Transaction transaction;
  const Installation &where = installation();
  transaction.become(where.owner);
  const bool is_used = !query_rows(render_sql(sql::kAnyUsage, where)).empty();
  transaction.commit();
  if (!is_used) return;
  ensure(now.wall, now);
  ensure(month.to, now);
}

bool UsagePartitions::drop_one_before(WallTime from) {
  Transaction transaction;
  const Installation &where = installation();
  transaction.become(where.owner);
  std::string find = render_sql(sql::kOldPartitions, where);
  replace_all(find, "@from@", literal(from));
  for (const TextRow &old : query_rows(find)) {
    const auto render = [&](const char *source) {
      std::string sql = render_sql(source, where);
      replace_all(sql, "@p@", old[0].value_or(""));
      return sql;
    };
    const std::string any_unfolded = render(sql::kAnyUnfolded);
    if (!query_rows(any_unfolded).empty()) continue;
    execute_sql(render(sql::kLockPartition));
    LatestSnapshot locked;  // a job that was started in that month may have been settled just now
    const bool is_folded = query_rows(any_unfolded).empty();
    locked.pop();
    if (!is_folded) continue;
    execute_sql(render("DROP TABLE @p@"));
    transaction.commit();
    log_.write(LogLevel::log, "dropped partition " + old[1].value_or("") + " of api_usage");
    return true;
  }
  transaction.commit();
  return false;
}

WallTime UsagePartitions::month_before(WallTime now, int months) {
  using namespace std::chrono;
  const year_month_day day{floor<std::chrono::days>(now)};
  return WallTime{sys_days{(day.year() / day.month() - std::chrono::months(months)) / 1}};
}

}  // namespace agent_queue::pg
