// POD only, except that errors of the next hook simply pass through: this file holds no objects.
#include "pg/api/utility_hook.hpp"

#include <cstring>

#include "pg/api/work_announcer.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/shared/workers.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr int kStopTimeoutMs = 5000;
constexpr int kStopPollMs = 5;

ProcessUtility_hook_type next_hook = nullptr;
Oid blocked_database = InvalidOid;
bool is_callback_registered = false;

}  // namespace

// The database that the statement needs for itself; null: none.
static const char *database_of(const Node *statement) {
  switch (nodeTag(statement)) {
    case T_DropdbStmt:
      return reinterpret_cast<const DropdbStmt *>(statement)->dbname;
    case T_RenameStmt: {
      const auto *rename = reinterpret_cast<const RenameStmt *>(statement);
      return rename->renameType == OBJECT_DATABASE ? rename->subname : nullptr;
    }
    case T_AlterDatabaseStmt: {
      const auto *alter = reinterpret_cast<const AlterDatabaseStmt *>(statement);
      ListCell *cell = nullptr;
      foreach (cell, alter->options)
        if (strcmp(static_cast<DefElem *>(lfirst(cell))->defname, "tablespace") == 0) return alter->dbname;
      return nullptr;
    }
    case T_CreatedbStmt: {
      const auto *create = reinterpret_cast<const CreatedbStmt *>(statement);
      ListCell *cell = nullptr;
      foreach (cell, create->options) {
        auto *option = static_cast<DefElem *>(lfirst(cell));
        if (strcmp(option->defname, "template") == 0 && option->arg != nullptr) return defGetString(option);
      }
      return nullptr;
    }
    default:
      return nullptr;
  }
}

static bool may_manage(Oid database) {
  if (superuser()) return true;
#if PG16_GE
  return object_ownercheck(DatabaseRelationId, database, GetUserId());
#else
  return pg_database_ownercheck(database, GetUserId());
#endif
}

static void unblock() {
  if (!OidIsValid(blocked_database)) return;
  shared::block_database(blocked_database, 0);
  blocked_database = InvalidOid;
  shared::call_launcher();
}

static void on_transaction_end(XactEvent event, void *) {
  if (event == XACT_EVENT_COMMIT || event == XACT_EVENT_ABORT) unblock();
}

static void unblock_at_exit(int, Datum) {
  unblock();
}

// Stops the workers of the database and keeps new ones away until this transaction has ended.
static void take_database(const char *name) {
  const Oid database = get_database_oid(name, true);
  if (!OidIsValid(database) || database == MyDatabaseId || !may_manage(database)) return;  // the statement will say so
  if (!is_callback_registered) {
    RegisterXactCallback(on_transaction_end, nullptr);
    before_shmem_exit(unblock_at_exit, 0);
    is_callback_registered = true;
  }
  unblock();
  blocked_database = database;
  shared::block_database(database, MyProcPid);
  for (int waited = 0; shared::stop_workers(database) > 0 && waited < kStopTimeoutMs; waited += kStopPollMs) {
    (void)WaitLatch(MyLatch, WL_LATCH_SET | WL_TIMEOUT | WL_EXIT_ON_PM_DEATH, kStopPollMs, PG_WAIT_EXTENSION);
    ResetLatch(MyLatch);
    CHECK_FOR_INTERRUPTS();
  }
}

static bool is_about_extensions(const Node *statement) {
  return IsA(statement, CreateExtensionStmt) ||
         (IsA(statement, DropStmt) && reinterpret_cast<const DropStmt *>(statement)->removeType == OBJECT_EXTENSION);
}

// Only what has happened is told, not what was said: anybody may say CREATE EXTENSION IF NOT EXISTS of what is there.
// So it also does not matter whether ours was named or came along by CASCADE. Through the door: notes are C++ and may
// throw.
static void tell_difference(Oid before, Oid after) {
  if (before == after) return;
  if (OidIsValid(before)) enter([] { note_config_change(); });  // idle workers look, and end
  if (OidIsValid(after)) enter([] { note_extension_change(); });
}

static void on_utility(PlannedStmt *planned, const char *query, bool read_only_tree, ProcessUtilityContext context,
                       ParamListInfo params, QueryEnvironment *environment, DestReceiver *destination,
                       QueryCompletion *completion) {
  const Node *statement = planned->utilityStmt;
  if (const char *database = database_of(statement)) take_database(database);
  const bool is_told = is_about_extensions(statement);  // the statement may be freed by its execution
  const Oid before = is_told ? get_extension_oid("agent_queue", true) : InvalidOid;
  if (next_hook != nullptr)
    next_hook(planned, query, read_only_tree, context, params, environment, destination, completion);
  else
    standard_ProcessUtility(planned, query, read_only_tree, context, params, environment, destination, completion);
  if (is_told) tell_difference(before, get_extension_oid("agent_queue", true));
}

void install_utility_hook() {
  next_hook = ProcessUtility_hook;
  ProcessUtility_hook = on_utility;
}

}  // namespace agent_queue::pg
