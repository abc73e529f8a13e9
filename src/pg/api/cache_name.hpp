// Names that the cache's functions take: checked, in UTF-8. Regime: guarded C++. Tested in sql/cache_values.sql.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

struct FunctionCallInfoBaseData;

namespace agent_queue::pg {

// A cache type. 22004: NULL; 22023: not 1 to 200 characters, or with a colon or a control character.
std::string cache_type_argument(FunctionCallInfoBaseData *fcinfo, int number);

// A category or dependency. 22004: NULL; 22023: not 1 to 200 characters.
std::string cache_name_argument(FunctionCallInfoBaseData *fcinfo, int number, const char *name);

// text[]; NULL: none. 22004: an element is NULL; 22023: a bad name, more than one dimension, or over 100.
std::vector<std::string> dependencies_argument(FunctionCallInfoBaseData *fcinfo, int number);

}  // namespace agent_queue::pg
