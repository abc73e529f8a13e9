// Errors on the C++ side of the boundary.
// PgError owns a whole Postgres error; raise() is how C++ code makes a new one. Tested by sql/boundary.sql.
#pragma once

#include <exception>
#include <string>

struct ErrorData;

namespace agent_queue::pg {

// SQLSTATE in Postgres' packed form (MAKE_SQLSTATE).
struct SqlState {
  int code = 0;
};
SqlState sqlstate(const char (&five)[6]);

// A Postgres error as a C++ exception: the ErrorData lives in a memory context of its own, freed with the exception.
class PgError : public std::exception {
 public:
  explicit PgError(ErrorData *owned) noexcept : error_(owned) {}
  PgError(PgError &&other) noexcept : error_(other.release()) {}
  PgError(const PgError &) = delete;
  PgError &operator=(const PgError &) = delete;
  PgError &operator=(PgError &&) = delete;
  ~PgError() override;

  const char *what() const noexcept override;
  int sqlstate() const noexcept;
  // Class 57014 / 57P01 and the like: must be passed on, never swallowed.
  bool is_cancel_or_shutdown() const noexcept;

  // Adds what is known further out, where the error has no detail of its own.
  void explain(const std::string &detail, const std::string &hint);

  // Gives the ErrorData away; the exception is empty afterwards.
  ErrorData *release() noexcept {
    ErrorData *error = error_;
    error_ = nullptr;
    return error;
  }

 private:
  ErrorData *error_;
};

// What a user sees. message: what happened; detail: the facts; hint: what to do. Empty parts are left out.
struct ErrorText {
  std::string message;
  std::string detail;
  std::string hint;
};

// Throws a PgError of level ERROR.
[[noreturn]] void raise(SqlState state, const ErrorText &text);

}  // namespace agent_queue::pg
