#include "pg/api/boundary_test.hpp"

#include <array>
#include <cstring>
#include <new>
#include <stdexcept>
#include <string>
#include <string_view>

#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/memory.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr int kRounds = 10'000;
constexpr int kWarmUpRounds = 100;

int live_objects = 0;

// What a destructor that was jumped over would leave behind.
class Counted {
 public:
  Counted() : text_(64, 'x') { ++live_objects; }
  Counted(const Counted &other) : text_(other.text_) { ++live_objects; }
  Counted &operator=(const Counted &) = delete;
  ~Counted() { --live_objects; }

 private:
  std::string text_;  // on the heap, so that the sanitizers see a leak too
};

// An exception that is counted itself.
class CountedError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;

 private:
  Counted counted_;
};

// What arrives on the other side of the entry door. Empty texts: none is expected.
struct Kind {
  const char *name;
  const char *sqlstate;
  const char *message;
  const char *detail;
  const char *hint;
};
constexpr std::array<Kind, 5> kKinds = {{
    {"runtime_error", "XX000", "a test threw runtime_error", "", ""},
    {"bad_alloc", "53200", "out of memory", "", ""},
    {"int", "XX000", "unknown C++ exception", "", ""},
    {"pg_error", "22023", "a test raised an error", "With a detail.", "And with a hint."},
    {"guarded", "22012", "division by zero", "", ""},
}};

[[noreturn]] void throw_inner(std::string_view kind) {
  const Counted inner;
  if (kind == "runtime_error") throw CountedError("a test threw runtime_error");
  if (kind == "bad_alloc") throw std::bad_alloc();
  if (kind == "int") throw 42;
  if (kind == "guarded") guard([] { DirectFunctionCall2(int4div, Int32GetDatum(1), Int32GetDatum(0)); });
  if (kind == "pg_error")
    raise(sqlstate("22023"),
          {.message = "a test raised an error", .detail = "With a detail.", .hint = "And with a hint."});
  raise(sqlstate("22023"), {.message = "there is no such kind of exception",
                            .detail = {},
                            .hint = "Kinds: runtime_error, bad_alloc, int, pg_error, guarded."});
}

[[noreturn]] void throw_kind(std::string_view kind) {
  const Counted outer;
  throw_inner(kind);
}

[[noreturn]] void fail(const Kind &kind, const std::string &what) {
  raise(sqlstate("XX000"),
        {.message = std::string("boundary self test, kind ") + kind.name + ": " + what, .detail = {}, .hint = {}});
}

// Out of the C++ side through the entry door, and back in through a guard.
void check_arrival(const Kind &kind) {
  const char *name = kind.name;
  try {
    guard([&] { enter([&] { throw_kind(name); }); });
  } catch (PgError &error) {
    ErrorData *data = error.release();
    PgError owner(data);
    const auto is = [](const char *text, const char *expected) {
      return std::strcmp(text == nullptr ? "" : text, expected) == 0;
    };
    if (!is(unpack_sql_state(data->sqlerrcode), kind.sqlstate)) fail(kind, "the SQLSTATE is another");
    if (!is(data->message, kind.message)) fail(kind, "the message is another");
    if (!is(data->detail, kind.detail)) fail(kind, "the detail is another");
    if (!is(data->hint, kind.hint)) fail(kind, "the hint is another");
    return;
  }
  fail(kind, "nothing arrived");
}

// Caught on the C++ side.
void check_catch(const Kind &kind) {
  const Counted outer;
  try {
    throw_kind(kind.name);
  } catch (...) {
    return;
  }
}

void run_rounds(const Kind &kind, int rounds) {
  for (int i = 0; i < rounds; ++i) {
    // As a statement's memory would: the last copy of an error is freed with the context that it was raised in.
    const ScratchContext scratch("agent_queue boundary test");
    check_arrival(kind);
    check_catch(kind);
  }
}

std::size_t bytes_in_contexts() {
  return MemoryContextMemAllocated(TopMemoryContext, true);
}

void test_kind(const Kind &kind) {
  run_rounds(kind, kWarmUpRounds);
  const int live_before = live_objects;
  const std::size_t bytes_before = bytes_in_contexts();
  run_rounds(kind, kRounds);
  if (live_objects != live_before)
    fail(kind, std::to_string(live_objects - live_before) + " objects were not destroyed");
  if (bytes_in_contexts() > bytes_before)
    fail(kind, "memory contexts grew by " + std::to_string(bytes_in_contexts() - bytes_before) + " bytes");
}

}  // namespace

void boundary_self_test() {
  for (const Kind &kind : kKinds) test_kind(kind);
}

}  // namespace agent_queue::pg

// aq_test_throw(kind text): throws it; returns nothing.
AQ_SQL_FUNCTION(aq_test_throw) {
  using namespace agent_queue::pg;
  const Datum argument = PG_GETARG_DATUM(0);
  const char *kind = guard([&] { return TextDatumGetCString(argument); });
  throw_kind(kind);
}

// aq_test_counts() → int: objects that live, which is 0 when no test function runs.
AQ_SQL_FUNCTION(aq_test_counts) {
  return Int32GetDatum(agent_queue::pg::live_objects);
}

// aq_test_context_bytes() → bigint: all memory contexts of this process.
AQ_SQL_FUNCTION(aq_test_context_bytes) {
  return Int64GetDatum(static_cast<int64>(agent_queue::pg::bytes_in_contexts()));
}

// aq_test_self() → void: the self test in this session.
AQ_SQL_FUNCTION(aq_test_self) {
  agent_queue::pg::boundary_self_test();
  return 0;
}
