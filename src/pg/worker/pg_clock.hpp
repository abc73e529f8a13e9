// The one place where the worker reads clocks.
#pragma once

#include "core/base/time.hpp"

namespace agent_queue::pg {

Now read_clocks() noexcept;

}  // namespace agent_queue::pg
