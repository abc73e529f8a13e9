// adopt_jobs(): lets restored, replicated and hand-inserted jobs run, and makes this database their home.
// Regime: guarded C++. Tested in sql/adopt.sql.
#include <string>

#include "pg/api/adopt_sql.hpp"
#include "pg/api/caller.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/work_announcer.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/identity.hpp"
#include "pg/wrap/installation.hpp"
#include "pg/wrap/schema_plan.hpp"
#include "pg/wrap/search_path.hpp"
#include "pg/wrap/spi.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// POD: the adopted jobs of one lane.
struct AdoptedRow {
  const char *queue;
  const char *agent_type;
  std::int64_t count;
  std::int64_t lowest;
  bool has_lowest;
};

AdoptedRow read_adopted(std::uint64_t row) {
  const HeapTuple tuple = SPI_tuptable->vals[row];
  const TupleDesc description = SPI_tuptable->tupdesc;
  bool is_null = false;
  AdoptedRow adopted = {};
  adopted.queue = SPI_getvalue(tuple, description, 1);
  adopted.agent_type = SPI_getvalue(tuple, description, 2);
  adopted.count = DatumGetInt64(SPI_getbinval(tuple, description, 3, &is_null));
  const Datum lowest = SPI_getbinval(tuple, description, 4, &is_null);
  adopted.has_lowest = !is_null;
  if (!is_null) adopted.lowest = DatumGetInt64(lowest);
  return adopted;
}

std::int64_t announce_adopted(std::uint64_t rows) {
  std::int64_t count = 0;
  for (std::uint64_t row = 0; row < rows; ++row) {
    const AdoptedRow adopted = guard([&] { return read_adopted(row); });
    count += adopted.count;
    std::string queue;
    std::string agent_type;
    if (adopted.has_lowest)
      note_job(to_utf8(adopted.queue, queue), to_utf8(adopted.agent_type, agent_type), adopted.lowest);
  }
  return count;
}

std::int64_t adopt_jobs() {
  const Installation where = installation();
  if (!caller_is_owner(where))
    raise(sqlstate("42501"), {.message = "jobs are adopted by the extension's owner or a superuser only",
                              .detail = "Adopted jobs run and cost money.",
                              .hint = {}});
  static auto *adopt = new SchemaPlan(sql::kAdopt, {TIMESTAMPTZOID});
  static auto *make_home = new SchemaPlan(sql::kMakeHome, {});
  const ActAs owner(where.owner);
  const LockedSearchPath path;
  SpiScope spi;
  make_home->at(where).run(nullptr, nullptr, KeptPlan::Mode::read_write);
  Datum values[] = {TimestampTzGetDatum(GetCurrentTimestamp())};
  const std::int64_t count = announce_adopted(adopt->at(where).run(values, nullptr, KeptPlan::Mode::read_write));
  note_config_change();  // workers that wait because this database was not the jobs' home look again
  return count;
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_adopt_jobs) {
  return Int64GetDatum(agent_queue::pg::adopt_jobs());
}
