#include "pg/store/cache_versions.hpp"

#include "core/cache/dependency.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/cache_rows.hpp"
#include "pg/store/cache_versions_sql.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/search_path.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

std::vector<DependencyVersion> read_versions(const std::vector<std::string> &dependencies, SnapshotData *snapshot) {
  std::vector<std::string> names = with_groups(dependencies);
  const std::vector<std::int64_t> versions = find_versions(names, snapshot);
  std::vector<DependencyVersion> seen;
  seen.reserve(names.size());
  for (std::size_t i = 0; i < names.size(); ++i) seen.push_back({std::move(names[i]), versions[i]});
  return seen;
}

std::vector<DependencyVersion> read_versions(const std::vector<std::string> &dependencies) {
  return read_versions(dependencies, guard([] { return GetActiveSnapshot(); }));
}

void bump_versions(const std::set<std::string> &names) {
  static auto *plan = new SchemaPlan(sql::kBumpVersions, {TEXTARRAYOID});
  if (names.empty()) return;
  const Installation where = installation();
  const ActAs owner(where.owner);
  const LockedSearchPath path;
  const SpiScope spi;
  Datum values[] = {text_array({names.begin(), names.end()})};
  plan->at(where).run(values, nullptr, KeptPlan::Mode::read_write);
}

}  // namespace agent_queue::pg
