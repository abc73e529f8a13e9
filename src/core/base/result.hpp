// Result<T>: a value or an Error. How core says that something expected went wrong.
// Not for bugs (assert) and not for out of memory (std::bad_alloc passes through).
// Tested in test/unit/base_test.cpp.
#pragma once

#include <cassert>
#include <optional>
#include <string>
#include <utility>
#include <variant>

namespace agent_queue {

// What kind of trouble, for the one place that turns it into an SQLSTATE or a job's error_code.
enum class ErrorKind {
  invalid_input,  // what a user or a provider sent is not acceptable
  not_found,      // a name that the configuration does not have
  not_allowed,    // a rule (host, key reference, file mode) forbids it
  too_large,      // a bound was exceeded
  unavailable,    // the world (file, network) did not give it
  busy,           // the same again later may work
  misconfigured,  // what an administrator set up cannot work
};

struct Error {
  ErrorKind kind = ErrorKind::invalid_input;
  std::string message;  // one sentence in the style of Postgres: lower case, no full stop
  std::string hint;     // what to do about it; may be empty
};

template <typename T>
class [[nodiscard]] Result {
 public:
  Result(T value) : state_(std::move(value)) {}      // NOLINT(google-explicit-constructor)
  Result(Error error) : state_(std::move(error)) {}  // NOLINT(google-explicit-constructor)

  bool ok() const noexcept { return state_.index() == 0; }
  explicit operator bool() const noexcept { return ok(); }

  // Only where ok().
  T &value() & {
    assert(ok());
    return std::get<0>(state_);
  }
  const T &value() const & {
    assert(ok());
    return std::get<0>(state_);
  }
  T &&value() && {
    assert(ok());
    return std::get<0>(std::move(state_));
  }
  T &operator*() & { return value(); }
  const T &operator*() const & { return value(); }
  T *operator->() { return &value(); }
  const T *operator->() const { return &value(); }

  // Only where !ok().
  const Error &error() const {
    assert(!ok());
    return std::get<1>(state_);
  }

 private:
  std::variant<T, Error> state_;
};

}  // namespace agent_queue
