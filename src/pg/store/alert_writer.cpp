#include "pg/store/alert_writer.hpp"

#include <cstring>
#include <string>

#include "core/wire/json_read.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/ledger_sql.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/timestamps.hpp"
#include "pg/wrap/uuid_text.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

std::string name_of(const shared::Alert &alert, const Payers &payers) {
  if (alert.scope == shared::Scope::user) return uuid_text(alert.subject);
  std::uint64_t hash = 0;
  std::memcpy(&hash, alert.subject.data(), sizeof(hash));
  return payers.name_of(alert.scope, hash);
}

// Whoever listens may read this: no names.
void notify(std::int64_t id, const char *audience, const char *scope, const shared::Alert &alert) {
  const Json payload = {{"id", id},
                        {"audience", audience},
                        {"scope", scope},
                        {"period", period_name(alert.threshold.period)},
                        {"threshold_percent", alert.threshold.percent}};
  const std::string text = dump_json(payload);
  const char *bytes = text.c_str();
  guard([&] { Async_Notify("agent_alerts", pg_any_to_server(bytes, static_cast<int>(strlen(bytes)), PG_UTF8)); });
}

}  // namespace

AlertWriter::AlertWriter()
    : insert_(sql::kInsertAlert,
              {TEXTOID, UUIDOID, TEXTOID, TEXTOID, TEXTOID, TIMESTAMPTZOID, INT4OID, TEXTOID, TEXTOID}) {}

void AlertWriter::write(std::span<const shared::Alert> alerts, const Payers &payers, const Installation &where) {
  for (const shared::Alert &alert : alerts) {
    const bool is_users = alert.scope == shared::Scope::user;
    const char *audience = is_users ? "user" : "admin";
    const char *scope = shared::scope_name(alert.scope);
    const std::string name = name_of(alert, payers);
    // The budget was taken away meanwhile.
    if (name.empty() && alert.scope != shared::Scope::all) continue;
    DatumValue values[] = {text_datum(audience),
                           is_users ? uuid_datum(alert.subject) : 0,
                           text_datum(scope),
                           text_datum(name),
                           text_datum(period_name(alert.threshold.period)),
                           TimestampTzGetDatum(from_wall(alert.window_start)),
                           Int32GetDatum(alert.threshold.percent),
                           text_datum(alert.spent.to_string()),
                           text_datum(alert.limit.to_string())};
    const char nulls[] = {' ', is_users ? ' ' : 'n', ' ', ' ', ' ', ' ', ' ', ' ', ' '};
    if (insert_.at(where).run(values, nulls, KeptPlan::Mode::read_write) == 0) continue;
    const std::vector<TextRow> rows = read_text_rows();
    notify(std::stoll(rows.front().front().value_or("0")), audience, scope, alert);
  }
}

}  // namespace agent_queue::pg
