#include "pg/worker/database_list.hpp"

#include "pg/boundary/guard.hpp"
#include "pg/wrap/transaction.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

struct RawDatabases {
  DatabaseRow *rows;
  int count;
};
static_assert(std::is_trivially_destructible_v<DatabaseRow>);

// DATCONNLIMIT_INVALID_DB, which not every minor release of 15 has: a DROP DATABASE was interrupted. Nobody can
// connect. Other limits do not concern us, as workers connect as superusers.
constexpr int kInvalidDatabase = -2;

}  // namespace

// POD only.
static RawDatabases scan_pg_database() {
  RawDatabases raw = {nullptr, 0};
  int capacity = 64;
  raw.rows = static_cast<DatabaseRow *>(palloc(sizeof(DatabaseRow) * static_cast<std::size_t>(capacity)));
  Relation relation = table_open(DatabaseRelationId, AccessShareLock);
  SysScanDesc scan = systable_beginscan(relation, InvalidOid, false, nullptr, 0, nullptr);
  for (HeapTuple tuple = systable_getnext(scan); HeapTupleIsValid(tuple); tuple = systable_getnext(scan)) {
    const auto *form = reinterpret_cast<Form_pg_database>(GETSTRUCT(tuple));
    if (raw.count == capacity) {
      capacity *= 2;
      raw.rows =
          static_cast<DatabaseRow *>(repalloc(raw.rows, sizeof(DatabaseRow) * static_cast<std::size_t>(capacity)));
    }
    DatabaseRow &row = raw.rows[raw.count++];
    row.oid = form->oid;
    row.is_servable = form->datallowconn && !form->datistemplate && form->datconnlimit != kInvalidDatabase;
  }
  systable_endscan(scan);
  table_close(relation, AccessShareLock);
  return raw;
}

std::vector<DatabaseRow> read_databases() {
  Transaction transaction(Transaction::Spi::none);
  const RawDatabases raw = guard(scan_pg_database);
  std::vector<DatabaseRow> rows(raw.rows, raw.rows + raw.count);
  transaction.commit();
  return rows;
}

}  // namespace agent_queue::pg
