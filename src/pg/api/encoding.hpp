// The server's encoding at the edge: the catalog and all pure code speak UTF-8, rows and errors the server's encoding.
// Where that is UTF-8 too nothing is copied but what has to be. Regime: guarded C++.
#pragma once

#include <string>
#include <string_view>

namespace agent_queue::pg {

// A view of UTF-8: of `text` itself, or of `storage` where it had to be converted.
std::string_view to_utf8(std::string_view text, std::string &storage);

std::string to_server_encoding(std::string utf8);

}  // namespace agent_queue::pg
