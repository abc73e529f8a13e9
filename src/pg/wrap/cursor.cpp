#include "pg/wrap/cursor.hpp"

#include <exception>

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

Cursor::Cursor(const std::string &sql, std::vector<unsigned int> types, std::vector<std::uintptr_t> values)
    : uncaught_(std::uncaught_exceptions()) {
  const char *text = sql.c_str();
  const int count = static_cast<int>(types.size());
  Oid *oids = types.data();
  Datum *datums = values.data();
  portal_ = guard([&] { return SPI_cursor_open_with_args(nullptr, text, count, oids, datums, nullptr, true, 0); });
}

Cursor::~Cursor() {
  if (std::uncaught_exceptions() > uncaught_) return;  // the abort closes it
  guard_noexcept("close a cursor", [this] { SPI_cursor_close(portal_); });
}

std::vector<TextRow> Cursor::fetch(long count) {
  guard([&] { SPI_cursor_fetch(portal_, true, count); });
  return read_text_rows();
}

}  // namespace agent_queue::pg
