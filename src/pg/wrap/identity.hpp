// Acting as the extension's owner for a while. Regime: guarded C++.
#pragma once

namespace agent_queue::pg {

// Within the scope the current user is `role`, and SET ROLE is refused (as in a SECURITY DEFINER function), so that
// no trigger that runs meanwhile becomes more than the owner.
class ActAs {
 public:
  explicit ActAs(unsigned int role_oid) noexcept;
  ~ActAs();
  ActAs(const ActAs &) = delete;
  ActAs &operator=(const ActAs &) = delete;

 private:
  unsigned int user_ = 0;
  int context_ = 0;
};

}  // namespace agent_queue::pg
