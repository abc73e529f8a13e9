// The keys of the rows that a statement has changed, as text: what a trigger's transition tables hold. Regime: guarded
// C++; output functions run with the rights of who changes the table. Tested in sql/cache_watch.sql.
#pragma once

#include <cstddef>
#include <set>
#include <string>

struct TriggerData;

namespace agent_queue::pg {

// Each once, in UTF-8, NULL left out. The text does not hang on settings of the session: dates are ISO, times in UTC.
// More than `limit`: some of them, but more than `limit`. `column`: the key's number in the table.
std::set<std::string> changed_keys(const TriggerData &trigger, int column, std::size_t limit);

}  // namespace agent_queue::pg
