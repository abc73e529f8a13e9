// One text for all spellings of a JSON value: what a cache key is made of. Pure.
//
// Members in the order of their names' bytes, no white space; numbers by value, exactly and of any size (1, 1.0, 10e-1
// are the same, 0.1 and 0.10000000000000000001 are not); strings in Unicode normalization form C, names too. Two names
// that are equal then: the later one holds, as in jsonb.
// Tested in test/unit/canonical_json_test.cpp, fuzzed in test/fuzz/fuzz_canonical_json.cpp.
#pragma once

#include <string>
#include <string_view>

#include "core/base/result.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

// Unicode normalization form C (UAX #15), by utf8proc. Text without a letter above U+02FF is in it already and is
// returned as it is, and so are bytes that are no UTF-8.
std::string normalize_text(std::string_view utf8);

// Error: no JSON, or deeper than parse_json() takes.
Result<std::string> canonical_json(std::string_view json);

// A number as JSON spells it -> its value in one spelling: digits without leading or trailing zeros, "e" and the
// exponent where it is not 0; "-" in front where it is below 0 ("0" has none).
std::string canonical_number(std::string_view number);

// Between the two: the value with names and strings normalized. A number is an integer where 64 bits hold it; else it
// is binary, which JSON has none of: the bytes of its canonical spelling. Errors as above.
Result<Json> canonical_value(std::string_view json);

// Of a canonical_value(), which may have doubles in it besides.
std::string canonical_text(const Json &value);

}  // namespace agent_queue
