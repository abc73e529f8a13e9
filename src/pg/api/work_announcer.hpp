// What a transaction has to tell the workers and the launcher, kept until it commits: which lanes got jobs, that the
// configuration changed, that the extension came or went. Forgotten at abort and at PREPARE (a job of a two-phase
// transaction is found by the workers' poll), and with a rolled back savepoint for what was noted within it.
// Regime: guarded C++; the callbacks are plain. Tested in test/tap (wake-up) and sql/savepoints.sql.
#pragma once

#include <cstdint>
#include <string_view>

namespace agent_queue::pg {

// Of the lane in shared memory; -1: the table of lanes is full. Cheap from the second time on.
int lane_index(std::string_view queue, std::string_view agent_type);

// A job that may run at once: at commit its lane is offered from `claim_key` on, and one idle worker is woken.
void note_job(std::string_view queue, std::string_view agent_type, std::int64_t claim_key);

// A job that runs at `run_at` (TimestampTz): at commit one idle worker is woken, to learn when.
void note_delayed_job(std::int64_t run_at);

// At commit, after the invalidations were sent, all workers of this database look at everything again.
void note_config_change();

// The extension was created, dropped or updated in this transaction: at commit the launcher looks at all databases.
void note_extension_change();

}  // namespace agent_queue::pg
