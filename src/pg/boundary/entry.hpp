// C++ → Postgres: the door of every function that Postgres calls. Rules in README.md. Tested by sql/boundary.sql.
//
//   AQ_SQL_FUNCTION(aq_version) { return …; }      // body sees fcinfo; returns Datum; may throw anything
//
// For hooks, callbacks and worker mains: enter([&] { … }).
#pragma once

#include <cstdint>
#include <exception>
#include <new>
#include <type_traits>

#include "pg/boundary/errors.hpp"

namespace agent_queue::pg {

namespace detail {

// What is left of an exception when all C++ objects are gone. Plain data: it lives in the frame that longjmps.
struct Captured {
  ErrorData *error = nullptr;
  int sqlstate = 0;
  char message[1024] = {};
};
static_assert(std::is_trivially_destructible_v<Captured>);

void capture(Captured &captured, const char *five, const char *message) noexcept;
[[noreturn]] void rethrow_captured(const Captured &captured);

template <typename Fn>
__attribute__((noinline)) bool run_captured(Fn &fn, Captured &captured) noexcept {
  try {
    fn();
    return true;
  } catch (PgError &error) {
    captured.error = error.release();
    if (captured.error == nullptr) capture(captured, "XX000", "an error was passed on twice");
  } catch (const std::bad_alloc &) {
    capture(captured, "53200", "out of memory");
  } catch (const std::exception &error) {
    capture(captured, "XX000", error.what());
  } catch (...) {
    capture(captured, "XX000", "unknown C++ exception");
  }
  return false;
}

}  // namespace detail

// Runs fn(); when it throws, all its objects are destroyed and the catch block is left before the error is raised.
template <typename Fn>
void enter(Fn fn) {
  static_assert(std::is_trivially_destructible_v<Fn>, "capture by reference only: this frame may be jumped over");
  detail::Captured captured;
  if (!detail::run_captured(fn, captured)) detail::rethrow_captured(captured);
}

}  // namespace agent_queue::pg

// Needs pg/pg.hpp (fmgr.h) included before it is used.
#define AQ_SQL_FUNCTION(name)                                                    \
  static Datum name##_body(FunctionCallInfo fcinfo);                             \
  extern "C" {                                                                   \
  PG_FUNCTION_INFO_V1(name);                                                     \
  }                                                                              \
  extern "C" PGDLLEXPORT Datum name(PG_FUNCTION_ARGS) {                          \
    Datum result = 0;                                                            \
    agent_queue::pg::enter([&result, fcinfo] { result = name##_body(fcinfo); }); \
    return result;                                                               \
  }                                                                              \
  static Datum name##_body([[maybe_unused]] FunctionCallInfo fcinfo)
