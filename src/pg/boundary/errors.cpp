// PgError and raise(). Regime: guarded C++; the leaf at the bottom is POD only.
#include "pg/boundary/errors.hpp"

#include <new>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

SqlState sqlstate(const char (&five)[6]) {
  return SqlState{MAKE_SQLSTATE(five[0], five[1], five[2], five[3], five[4])};
}

// An error thrown without a Postgres transaction around it still has ErrorData: MemoryContextDelete needs none.
PgError::~PgError() {
  if (error_ != nullptr) MemoryContextDelete(GetMemoryChunkContext(error_));
}

const char *PgError::what() const noexcept {
  return error_ != nullptr && error_->message != nullptr ? error_->message : "unknown error";
}

int PgError::sqlstate() const noexcept {
  return error_ != nullptr ? error_->sqlerrcode : ERRCODE_INTERNAL_ERROR;
}

bool PgError::is_cancel_or_shutdown() const noexcept {
  const int state = sqlstate();
  return state == ERRCODE_QUERY_CANCELED || state == ERRCODE_ADMIN_SHUTDOWN || state == ERRCODE_CRASH_SHUTDOWN;
}

void PgError::explain(const std::string &detail, const std::string &hint) {
  if (error_ == nullptr || error_->detail != nullptr) return;
  ErrorData *error = error_;
  const char *texts[] = {detail.c_str(), hint.c_str()};
  guard([&] {
    MemoryContext home = GetMemoryChunkContext(error);
    error->detail = MemoryContextStrdup(home, texts[0]);
    if (error->hint == nullptr) error->hint = MemoryContextStrdup(home, texts[1]);
  });
}

// POD only. errmsg_internal and friends: the texts are ready, nothing is translated or formatted in them.
[[noreturn]] static void raise_plain(int state, const char *message, const char *detail, const char *hint) {
  ereport(ERROR, (errcode(state), errmsg_internal("%s", message), *detail != 0 ? errdetail_internal("%s", detail) : 0,
                  *hint != 0 ? errhint("%s", hint) : 0));
  pg_unreachable();
}

void raise(SqlState state, const ErrorText &text) {
  const char *message = text.message.c_str();
  const char *detail = text.detail.c_str();
  const char *hint = text.hint.c_str();
  guard([&] { raise_plain(state.code, message, detail, hint); });
  throw std::bad_exception();  // not reached: raise_plain always raises
}

}  // namespace agent_queue::pg
