// What a failed transaction says about trying again. Regime: plain functions over an SQLSTATE.
#pragma once

namespace agent_queue::pg {

// Errors that the same statement may not meet again: locks, serialization, resources, administrators.
bool is_passing_trouble(int sqlstate);

}  // namespace agent_queue::pg
