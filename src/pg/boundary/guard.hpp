// Postgres → C++: a longjmp of the guarded call becomes a PgError. Rules in README.md. Tested by sql/boundary.sql.
#pragma once

#include <csetjmp>
#include <type_traits>

#include "pg/boundary/errors.hpp"

namespace agent_queue::pg {

namespace detail {

// Runs body(argument) under a sigsetjmp. nullptr: it returned; else the error, copied out of ErrorContext.
// POD only: its own frame holds nothing with a destructor, and body must not either.
ErrorData *run_guarded(void (*body)(void *), void *argument) noexcept(false);

}  // namespace detail

// guard([&] { return SomePostgresFunction(a, b); })
template <typename Fn>
auto guard(Fn fn) -> std::invoke_result_t<Fn> {
  static_assert(std::is_trivially_destructible_v<Fn>, "capture by reference: this object may be jumped over");
  using Value = std::invoke_result_t<Fn>;
  if constexpr (std::is_void_v<Value>) {
    auto body = [](void *argument) { (*static_cast<Fn *>(argument))(); };
    if (ErrorData *error = detail::run_guarded(body, &fn)) throw PgError(error);
  } else {
    static_assert(std::is_trivially_destructible_v<Value>, "a guarded call gives plain data only");
    struct Frame {
      Fn *fn;
      Value value;
    } frame{&fn, Value{}};
    auto body = [](void *argument) {
      auto *f = static_cast<Frame *>(argument);
      f->value = (*f->fn)();
    };
    if (ErrorData *error = detail::run_guarded(body, &frame)) throw PgError(error);
    return frame.value;
  }
}

namespace detail {
void warn_of_cleanup_failure(ErrorData *error, const char *what) noexcept;
}

// For destructors: a failure becomes a WARNING "could not <what>". False: it failed.
template <typename Fn>
bool guard_noexcept(const char *what, Fn fn) noexcept {
  auto body = [](void *argument) { (*static_cast<Fn *>(argument))(); };
  if (ErrorData *error = detail::run_guarded(body, &fn)) {
    detail::warn_of_cleanup_failure(error, what);
    return false;
  }
  return true;
}

}  // namespace agent_queue::pg
