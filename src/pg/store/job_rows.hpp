// Rows of agent_queue on their way from SPI into C++. The struct is plain data in SPI's memory; the strings are copied
// out of it before SPI is left. Regime: guarded C++ around a POD leaf.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "core/cache/cache_key.hpp"
#include "core/job/job.hpp"
#include "pg/store/lane_directory.hpp"
#include "pg/wrap/arrays.hpp"

namespace agent_queue::pg {

// A claimed (or taken over) row with what the store itself needs of it.
struct JobRow {
  ClaimedJob job;
  RowPlace place;
  std::int64_t claim_key = 0;
  std::optional<JobCacheKey> cache_key;
  std::optional<Usd> hold;  // of kLost
};

// From the last statement's SPI_tuptable, with the columns of kClaimLane (and started_at and hold_usd, as in kLost,
// where there are thirteen of them). `agent_type` of the rows is read, not assumed.
std::vector<JobRow> read_job_rows();

// From the last statement's SPI_tuptable: (bigint, tid) rows.
struct PlacedId {
  std::int64_t id = 0;
  RowPlace place;
};
std::vector<PlacedId> read_placed_ids();

// From the last statement's SPI_tuptable: (bigint, tid, timestamptz) rows.
struct OwnRow : PlacedId {
  std::int64_t started_at = 0;
};
std::vector<OwnRow> read_own_rows();

// The first row's two columns as numbers (bigint or timestamptz); nullopt for NULL.
struct NumberPair {
  std::optional<std::int64_t> first;
  std::optional<std::int64_t> second;
};
NumberPair read_number_pair();

// (bigint) rows, (text) rows, (uuid) rows; NULLs are left out.
std::vector<std::int64_t> read_ids();
std::vector<std::string> read_texts();
std::vector<ClaimToken> read_claims();
// (text, text) rows: queue and agent type; none is NULL.
std::vector<LaneName> read_lane_names();
struct LaneKey {
  LaneName lane;
  std::int64_t claim_key = 0;
};
// (text, text, bigint) rows; none is NULL.
std::vector<LaneKey> read_lane_keys();

}  // namespace agent_queue::pg
