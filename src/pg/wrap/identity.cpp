#include "pg/wrap/identity.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

ActAs::ActAs(unsigned int role_oid) noexcept {
  GetUserIdAndSecContext(&user_, &context_);
  SetUserIdAndSecContext(role_oid, context_ | SECURITY_LOCAL_USERID_CHANGE);
}

// An abort has restored it already; doing it again to the same values is harmless.
ActAs::~ActAs() {
  SetUserIdAndSecContext(user_, context_);
}

}  // namespace agent_queue::pg
