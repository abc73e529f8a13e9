#include "pg/api/encoding.hpp"

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

std::string_view to_utf8(std::string_view text, std::string &storage) {
  if (GetDatabaseEncoding() == PG_UTF8) return text;
  storage = text;
  const char *source = storage.c_str();
  const int length = static_cast<int>(storage.size());
  const char *converted = guard([&] { return pg_server_to_any(source, length, PG_UTF8); });
  if (converted != source) storage = converted;
  return storage;
}

std::string to_server_encoding(std::string utf8) {
  if (GetDatabaseEncoding() == PG_UTF8) return utf8;
  const char *source = utf8.c_str();
  const int length = static_cast<int>(utf8.size());
  const char *converted = guard([&] { return pg_any_to_server(source, length, PG_UTF8); });
  return converted == source ? utf8 : std::string(converted);
}

}  // namespace agent_queue::pg
