#include "pg/store/claim_writer.hpp"

#include <optional>
#include <string>

#include "core/catalog/hold.hpp"
#include "pg/store/whole_update.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/timestamps.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

struct Ended {
  std::vector<RowPlace> places;
  std::vector<std::optional<std::string_view>> codes;
  std::vector<std::optional<std::string_view>> messages;
};

struct Parked {
  std::vector<RowPlace> places;
  std::vector<std::optional<std::int64_t>> run_at;
  std::vector<std::optional<std::string_view>> reasons;
  std::vector<bool> moves;
};

void write_ended(Statements &statements, const Ended &ended, WallTime at) {
  if (ended.places.empty()) return;
  DatumValue values[] = {tid_array(ended.places), text_array(ended.codes), text_array(ended.messages),
                         TimestampTzGetDatum(from_wall(at))};
  update_all(statements.end_uncalled, values, ended.places.size());
}

void write_parked(Statements &statements, const Parked &parked) {
  if (parked.places.empty()) return;
  DatumValue values[] = {tid_array(parked.places), timestamptz_array(parked.run_at), text_array(parked.reasons),
                         bool_array(parked.moves)};
  update_all(statements.park, values, parked.places.size());
}

}  // namespace

namespace {

bool is_expired(const ClaimedJob &job, Now now) {
  return job.expires_at && *job.expires_at <= now.wall;
}

Ruling refuse_expired() {
  Ruling expired;
  expired.kind = Ruling::Kind::refuse;
  expired.error_code = JobErrorCode::expired;
  expired.message = "the job expired before it was called";
  return expired;
}

Ruling follow_until(WallTime until) {
  Ruling ruling;
  ruling.kind = Ruling::Kind::park;
  ruling.run_at = until;
  ruling.wait_reason = WaitReason::coalesced;
  return ruling;
}

Ruling already_served() {
  Ruling ruling;
  ruling.kind = Ruling::Kind::served;
  return ruling;
}

}  // namespace

Ruling ClaimWriter::rule(const Catalog &catalog, JobRow &row, const AnswerCache::Consulted &consulted, Now now) {
  if (consulted.verdict == AnswerCache::Verdict::served) return already_served();
  if (consulted.verdict == AnswerCache::Verdict::follows) return follow_until(consulted.until);
  const AgentType *type = catalog.agent_type(row.job.agent_type);
  // Without its type the job fails before it is called, and costs nothing.
  row.hold = type == nullptr ? Usd() : worst_case_hold(catalog, *type, row.job.request.size(), now.wall);
  const Ruling ruling = budgets_.rule(row.job, row.hold, now);
  if (ruling.kind != Ruling::Kind::begin) answers_.resign(row.job.id);
  return ruling;
}

std::vector<Ruling> ClaimWriter::rule_all(const Catalog &catalog, std::span<JobRow *const> rows, Now now,
                                          std::vector<EndedJob> &ended) {
  std::vector<JobRow *> living;
  std::vector<const ClaimedJob *> jobs;
  for (JobRow *row : rows) {
    if (is_expired(row->job, now)) continue;
    living.push_back(row);
    jobs.push_back(&row->job);
  }
  const std::vector<AnswerCache::Consulted> consulted = answers_.consult(catalog, living, now, ended);
  budgets_.read_users(jobs);
  std::vector<Ruling> rulings;
  rulings.reserve(rows.size());
  std::size_t next = 0;
  for (JobRow *row : rows)
    rulings.push_back(is_expired(row->job, now) ? refuse_expired() : rule(catalog, *row, consulted[next++], now));
  return rulings;
}

std::vector<Ruling> ClaimWriter::write(Statements &statements, const Catalog &catalog, std::span<JobRow *const> rows,
                                       Now now, std::vector<EndedJob> &ended) {
  std::vector<Ruling> rulings = rule_all(catalog, rows, now, ended);
  std::vector<const JobRow *> begun;
  Ended refused;
  Parked parked;
  for (std::size_t i = 0; i < rows.size(); ++i) {
    const Ruling &ruling = rulings[i];
    switch (ruling.kind) {
      case Ruling::Kind::begin:
        begun.push_back(rows[i]);
        break;
      case Ruling::Kind::refuse:
        refused.places.push_back(rows[i]->place);
        refused.codes.emplace_back(error_code_name(ruling.error_code));
        refused.messages.emplace_back(ruling.message);
        ended.push_back({rows[i]->job.id, "failed", {}});
        break;
      case Ruling::Kind::served:
        break;
      case Ruling::Kind::park:
        parked.places.push_back(rows[i]->place);
        parked.run_at.emplace_back(from_wall(ruling.run_at));
        parked.reasons.emplace_back(wait_reason_name(ruling.wait_reason));
        parked.moves.push_back(ruling.moves_expiry);
        break;
    }
  }
  const WallTime begin_at = budgets_.begin(now);
  for (std::size_t i = 0; i < rows.size(); ++i)
    if (rulings[i].kind == Ruling::Kind::begin) {
      rows[i]->job.started_at = begin_at;
      answers_.begin(rows[i]->job.id, begin_at);
    }
  begin(statements, begun, begin_at);
  write_ended(statements, refused, now.wall);
  write_parked(statements, parked);
  return rulings;
}

void ClaimWriter::begin(Statements &statements, std::span<const JobRow *const> rows, WallTime at) {
  if (rows.empty()) return;
  std::vector<RowPlace> places;
  std::vector<std::string> holds(rows.size());
  std::vector<std::optional<std::string_view>> hold_cells(rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    places.push_back(rows[i]->place);
    if (!rows[i]->hold) continue;
    holds[i] = rows[i]->hold->to_string();
    hold_cells[i] = holds[i];
  }
  DatumValue values[] = {tid_array(places), text_array(hold_cells), uuid_datum(claim_bytes(claim_)),
                         TimestampTzGetDatum(from_wall(at))};
  update_all(statements.mark_claimed, values, places.size());
}

}  // namespace agent_queue::pg
