// Array parameters for statements that handle many rows at once. Regime: guarded C++; the Datums live in the current
// memory context. Each function makes one Datum of the array type named.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/ids.hpp"

namespace agent_queue::pg {

using DatumValue = std::uintptr_t;

// Where a row lies: a ctid.
struct RowPlace {
  std::uint32_t block = 0;
  std::uint16_t offset = 0;
};

// UTF-8 in, the server's encoding inside. A string that the server's encoding cannot hold raises 22P05.
DatumValue text_array(const std::vector<std::optional<std::string_view>> &values);
DatumValue int8_array(const std::vector<std::optional<std::int64_t>> &values);
DatumValue int4_array(const std::vector<std::int32_t> &values);
DatumValue float8_array(const std::vector<std::optional<double>> &values);
DatumValue bool_array(const std::vector<bool> &values);
DatumValue timestamptz_array(const std::vector<std::optional<std::int64_t>> &values);
DatumValue tid_array(const std::vector<RowPlace> &values);
DatumValue uuid_array(const std::vector<std::optional<UserId>> &values);

// One text, UTF-8 in.
DatumValue text_datum(const std::string &utf8);

// One bytea.
DatumValue bytea_datum(std::string_view bytes);

// One uuid; a claim is stored as one.
DatumValue uuid_datum(const UserId &value);
UserId claim_bytes(ClaimToken claim);
ClaimToken claim_from_bytes(const std::uint8_t *bytes);

}  // namespace agent_queue::pg
