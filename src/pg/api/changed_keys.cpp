#include "pg/api/changed_keys.hpp"

#include <exception>
#include <string_view>

#include "pg/api/encoding.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/memory.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr int kPortion = 256;

// POD.
struct KeyScan {
  Tuplestorestate *rows;
  int read_pointer;
  TupleTableSlot *slot;
  AttrNumber column;
  FmgrInfo output;
  bool is_padded;
  bool hangs_on_settings;
};

struct KeyPortion {
  const char *keys[kPortion];
  int count;
  bool is_last;
};

// POD only, as are all functions up to read_portion().
bool has_fixed_text(Oid type) {
  switch (type) {
    case INT2OID:
    case INT4OID:
    case INT8OID:
    case TEXTOID:
    case VARCHAROID:
    case BPCHAROID:
    case UUIDOID:
    case NUMERICOID:
    case NAMEOID:
      return true;
    default:
      return false;
  }
}

KeyScan begin_keys(Relation relation, Tuplestorestate *rows, int column) {
  KeyScan scan = {};
  const TupleDesc description = RelationGetDescr(relation);
  const Oid type = getBaseType(TupleDescAttr(description, column - 1)->atttypid);
  Oid output = InvalidOid;
  bool is_varlena = false;
  getTypeOutputInfo(type, &output, &is_varlena);
  fmgr_info(output, &scan.output);
  scan.rows = rows;
  scan.column = static_cast<AttrNumber>(column);
  scan.is_padded = type == BPCHAROID;
  scan.hangs_on_settings = !has_fixed_text(type);
  scan.slot = MakeSingleTupleTableSlot(CreateTupleDescCopy(description), &TTSOpsMinimalTuple);
  scan.read_pointer = tuplestore_alloc_read_pointer(rows, EXEC_FLAG_REWIND);
  tuplestore_select_read_pointer(rows, scan.read_pointer);
  tuplestore_rescan(rows);
  return scan;
}

// As ::text of a char(n) does.
void strip_padding(char *text) {
  for (std::size_t size = strlen(text); size > 0 && text[size - 1] == ' ';) text[--size] = '\0';
}

void read_portion(KeyScan *scan, KeyPortion *portion) {
  CHECK_FOR_INTERRUPTS();
  portion->count = 0;
  portion->is_last = false;
  while (portion->count < kPortion) {
    // Output functions may run statements of their own that read the same rows.
    tuplestore_select_read_pointer(scan->rows, scan->read_pointer);
    if (!tuplestore_gettupleslot(scan->rows, true, false, scan->slot)) {
      portion->is_last = true;
      return;
    }
    bool is_null = false;
    const Datum key = slot_getattr(scan->slot, scan->column, &is_null);
    if (is_null) continue;
    char *text = OutputFunctionCall(&scan->output, key);
    if (scan->is_padded) strip_padding(text);
    portion->keys[portion->count++] = text;
  }
  ExecClearTuple(scan->slot);  // it may hold memory of this portion's
}

int fix_settings() {
  static constexpr const char *kSettings[][2] = {{"DateStyle", "ISO, MDY"},    {"IntervalStyle", "postgres"},
                                                 {"TimeZone", "UTC"},          {"extra_float_digits", "1"},
                                                 {"bytea_output", "hex"},      {"lc_monetary", "C"},
                                                 {"search_path", "pg_catalog"}};
  const int level = NewGUCNestLevel();
  for (const auto &setting : kSettings)
    set_config_option(setting[0], setting[1], PGC_USERSET, PGC_S_SESSION, GUC_ACTION_SAVE, true, 0, false);
  return level;
}

// When an exception leaves the scope, the (sub)transaction's abort restores the settings.
class FixedOutput {
 public:
  explicit FixedOutput(bool is_needed) : uncaught_(std::uncaught_exceptions()) {
    if (is_needed) level_ = guard(fix_settings);
  }
  ~FixedOutput() {
    if (level_ == 0 || std::uncaught_exceptions() != uncaught_) return;
    const int level = level_;
    guard_noexcept("restore settings", [&] { AtEOXact_GUC(true, level); });
  }
  FixedOutput(const FixedOutput &) = delete;
  FixedOutput &operator=(const FixedOutput &) = delete;

 private:
  int uncaught_;
  int level_ = 0;
};

void add_keys(KeyScan scan, std::size_t limit, std::set<std::string> &keys) {
  const FixedOutput fixed(scan.hangs_on_settings);
  KeyPortion portion;
  do {
    const ScratchContext scratch("keys of changed rows");
    guard([&] { read_portion(&scan, &portion); });
    std::string storage;
    for (int i = 0; i < portion.count; ++i) keys.emplace(to_utf8(portion.keys[i], storage));
  } while (!portion.is_last && keys.size() <= limit);
  guard([&] { ExecDropSingleTupleTableSlot(scan.slot); });
}

}  // namespace

std::set<std::string> changed_keys(const TriggerData &trigger, int column, std::size_t limit) {
  std::set<std::string> keys;
  for (Tuplestorestate *rows : {trigger.tg_oldtable, trigger.tg_newtable})
    if (rows != nullptr && keys.size() <= limit)
      add_keys(guard([&] { return begin_keys(trigger.tg_relation, rows, column); }), limit, keys);
  return keys;
}

}  // namespace agent_queue::pg
