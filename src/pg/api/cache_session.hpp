// What this transaction computes: the keys that cache_get_or_lock() has locked for it. Regime: guarded C++.
// Tested in test/isolation/specs/cache_computed_from_old_data.spec.
#pragma once

#include "core/base/digest.hpp"

struct SnapshotData;

namespace agent_queue::pg {

// Keeps a snapshot of now (that of the transaction, where it has one for all its statements) until the transaction
// ends: what is computed for the key from here on is made from data that is no older. The lock of the key is held, so
// that a rollback to a savepoint takes both away. Once for each key; again does nothing.
void begin_computation(const Digest &digest);

// Null: this transaction has not locked the key.
SnapshotData *snapshot_of_computation(const Digest &digest) noexcept;

}  // namespace agent_queue::pg
