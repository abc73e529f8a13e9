#include "pg/store/user_directory.hpp"

#include <cstring>
#include <string>
#include <unordered_map>
#include <vector>

#include "pg/boundary/guard.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/cells.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/search_path.hpp"
#include "pg/wrap/snapshot.hpp"
#include "pg/wrap/spi.hpp"
#include "pg/wrap/uuid_text.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr std::size_t kKnownMax = 20'000;  // about 200 bytes each

// $1 user ids
constexpr const char *kUsers = R"(
  SELECT user_id, tier, daily_requests, daily_cost_usd, monthly_cost_usd, on_limit, concurrency, weight
    FROM @s@.agent_users WHERE user_id OPERATOR(pg_catalog.=) ANY ($1))";

struct UserHash {
  std::size_t operator()(const UserId &user) const noexcept {
    std::uint64_t halves[2];
    std::memcpy(halves, user.data(), sizeof(halves));
    return halves[0] ^ (halves[1] * 0x9E3779B97F4A7C15U);
  }
};

// Empty: the user has no row.
using Known = std::unordered_map<UserId, std::optional<UserRules>, UserHash>;

Oid watched_table = InvalidOid;
bool is_callback_registered = false;
bool is_current = false;

void on_relcache_change(Datum, Oid relation) {
  if (relation == InvalidOid || relation == watched_table) is_current = false;
}

Known &known_users() {
  static auto *kept = new Known;  // never destroyed: no order at exit to care for
  if (!is_callback_registered) {
    guard([] { CacheRegisterRelcacheCallback(on_relcache_change, 0); });
    is_callback_registered = true;
  }
  if (!is_current || kept->size() > kKnownMax) kept->clear();
  return *kept;
}

UserRules rules_of(const TextRow &row) {
  UserRules rules;
  rules.tier = row[1].value_or(std::string());
  rules.daily_requests = whole_or_null(row[2]);
  rules.daily_cost = usd_or_null(row[3]);
  rules.monthly_cost = usd_or_null(row[4]);
  if (row[5]) rules.on_limit = on_limit_of(*row[5]);
  rules.concurrency = whole_or_null(row[6]);
  rules.weight = whole_or_null(row[7]);
  return rules;
}

std::vector<TextRow> query_users(const std::vector<std::optional<UserId>> &users) {
  static auto *plan = new SchemaPlan(kUsers, {UUIDARRAYOID});
  const Installation &where = installation();
  const Oid schema = where.schema;
  watched_table = guard([&] { return get_relname_relid("agent_users", schema); });
  ActAs owner(where.owner);
  LockedSearchPath path;
  LatestSnapshot snapshot;
  SpiScope spi;
  DatumValue values[] = {uuid_array(users)};
  plan->at(where).run(values, nullptr, KeptPlan::Mode::read_only);
  std::vector<TextRow> rows = read_text_rows();
  snapshot.pop();
  return rows;
}

void read_unknown(Known &known, std::span<const UserId> users) {
  std::vector<std::optional<UserId>> unknown;
  for (const UserId &user : users)
    if (!known.contains(user)) unknown.emplace_back(user);
  if (unknown.empty()) return;
  is_current = true;  // first: an invalidation while reading counts
  const std::vector<TextRow> rows = query_users(unknown);
  for (const std::optional<UserId> &user : unknown) known.emplace(*user, std::nullopt);
  for (const TextRow &row : rows) known[uuid_of(*row[0])] = rules_of(row);
}

}  // namespace

void read_users(std::span<const UserId> users) {
  read_unknown(known_users(), users);
}

const UserRules *find_user(const UserId &user) {
  Known &known = known_users();
  read_unknown(known, {&user, 1});
  const std::optional<UserRules> &rules = known[user];
  return rules ? &*rules : nullptr;
}

}  // namespace agent_queue::pg
