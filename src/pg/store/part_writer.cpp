#include "pg/store/part_writer.hpp"

#include <optional>
#include <string_view>
#include <unordered_set>

#include "pg/store/job_rows.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

using NumberColumn = std::vector<std::optional<std::int64_t>>;

void remove_of(Statements &statements, const NumberColumn &ids, const NumberColumn &started_at) {
  if (ids.empty()) return;
  DatumValue values[] = {int8_array(ids), timestamptz_array(started_at)};
  statements.remove_parts.run(values, nullptr, KeptPlan::Mode::read_write);
}

}  // namespace

std::vector<const StreamPart *> write_parts(Statements &statements, std::span<const StreamPart> parts,
                                            ClaimToken claim) {
  const std::size_t count = parts.size();
  NumberColumn ids(count), started_at(count);
  std::vector<std::int32_t> numbers(count);
  std::vector<std::optional<std::string_view>> texts(count);
  for (std::size_t i = 0; i < count; ++i) {
    ids[i] = parts[i].id.value;
    started_at[i] = from_wall(parts[i].started_at);
    numbers[i] = parts[i].number;
    texts[i] = parts[i].text;
  }
  DatumValue values[] = {int8_array(ids), timestamptz_array(started_at), int4_array(numbers), text_array(texts),
                         uuid_datum(claim_bytes(claim))};
  statements.write_parts.run(values, nullptr, KeptPlan::Mode::read_write);

  const std::vector<std::int64_t> returned = read_ids();
  const std::unordered_set<std::int64_t> ours(returned.begin(), returned.end());
  std::vector<const StreamPart *> written;
  for (const StreamPart &part : parts)
    if (ours.contains(part.id.value)) written.push_back(&part);
  return written;
}

void remove_parts(Statements &statements, std::span<const Settlement> settlements, std::span<const SettleFate> fates) {
  NumberColumn ids, started_at;
  for (std::size_t i = 0; i < settlements.size(); ++i) {
    if (!settlements[i].has_parts || fates[i] == SettleFate::kept) continue;
    ids.emplace_back(settlements[i].id.value);
    started_at.emplace_back(from_wall(settlements[i].started_at));
  }
  remove_of(statements, ids, started_at);
}

void remove_parts(Statements &statements, std::span<const ClaimedJob> jobs) {
  NumberColumn ids, started_at;
  for (const ClaimedJob &job : jobs) {
    ids.emplace_back(job.id.value);
    started_at.emplace_back(from_wall(job.started_at));
  }
  remove_of(statements, ids, started_at);
}

}  // namespace agent_queue::pg
