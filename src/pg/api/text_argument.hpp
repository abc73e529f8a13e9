// Text that comes in as an argument, money that goes out. Regime: guarded C++.
#pragma once

#include <cstdint>
#include <string>

struct FunctionCallInfoBaseData;

namespace agent_queue::pg {

// In UTF-8. NULL is refused as 22004, by the argument's name.
std::string text_argument(FunctionCallInfoBaseData *fcinfo, int number, const char *name);

// The same for text that is to be worked through as a whole: more bytes than agent_queue.max_request_size are refused
// as 22023, before they are fetched. A cancel comes through.
std::string prompt_argument(FunctionCallInfoBaseData *fcinfo, int number, const char *name);

// POD only. `decimal`: as numeric's input takes it.
std::uintptr_t numeric_datum(const char *decimal);

}  // namespace agent_queue::pg
