// Who calls: what they may, and whose jobs are theirs. Regime: guarded C++. Tested in sql/identity.sql.
#pragma once

#include <optional>

#include "core/base/ids.hpp"
#include "pg/wrap/installation.hpp"

namespace agent_queue::pg {

// The extension's owner (or a role with its rights) or a superuser.
bool caller_is_owner(const Installation &where);

// The owner, superusers and roles that bypass row-level security.
bool may_act_for_others(const Installation &where);

// The "sub" of request.jwt.claims, else the setting agent_queue.user_id; empty: neither is set. 22023: it cannot be
// read.
std::optional<UserId> caller_identity();

// Is a job of `user` (empty: of the system) the caller's to cancel or to retry? It is when it is the caller's own, and
// for who may act for others (see below). 22023: claims or setting cannot be read.
bool may_change_job_of(const std::optional<UserId> &user, const Installation &where);

// Whose job one is that is enqueued for `wanted` (empty: nobody was named). Empty: the system's.
//
// The caller's identity is the "sub" of request.jwt.claims, else the setting agent_queue.user_id. A job without a user
// is the caller's. Jobs of somebody else, or of the system, are for the owner, superusers and roles that bypass
// row-level security: 42501 for the others. 22023: claims or setting cannot be read.
std::optional<UserId> resolve_user(const std::optional<UserId> &wanted, const Installation &where);

// Whose cached value is meant, by the same rules. Empty: the system's.
std::optional<UserId> resolve_value_owner(const std::optional<UserId> &wanted, const Installation &where);

}  // namespace agent_queue::pg
