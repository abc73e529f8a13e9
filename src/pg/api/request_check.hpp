// Is request_data something that can be asked of an agent? Judged on the jsonb itself, without making text of it;
// the same rules as core/prompt. Regime: guarded C++. Tested in sql/enqueue.sql.
#pragma once

#include <cstdint>

#include "core/catalog/catalog.hpp"

namespace agent_queue::pg {

// `request`: a jsonb Datum, perhaps toasted. Raises 54000 (too large) or 22023 (no object, too deep, says nothing,
// lacks fields of the type's prompt template).
void check_request(std::uintptr_t request, const AgentType &type);

}  // namespace agent_queue::pg
