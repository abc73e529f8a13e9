// uuids as Postgres writes them.
#pragma once

#include <string>
#include <string_view>

#include "core/base/ids.hpp"

namespace agent_queue::pg {

// `text` is what uuid's output function gave.
UserId uuid_of(std::string_view text);
std::string uuid_text(const UserId &uuid);

}  // namespace agent_queue::pg
