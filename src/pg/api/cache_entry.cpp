#include "pg/api/cache_entry.hpp"

#include <algorithm>
#include <string_view>

#include "core/cache/cache_key.hpp"
#include "pg/api/cache_name.hpp"
#include "pg/api/caller.hpp"
#include "pg/api/encoding.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/guc.hpp"
#include "pg/wrap/installation.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

// POD only.
const char *json_text(Datum value) {
  Jsonb *json = DatumGetJsonbP(value);
  return JsonbToCString(nullptr, &json->root, static_cast<int>(VARSIZE(json)));
}

void check_size(FunctionCallInfo fcinfo, int number) {
  const Size bytes_max = static_cast<Size>(settings::max_request_kb) * 1024;
  const Size bytes = guard([&] { return toast_raw_datum_size(fcinfo->args[number].value); });
  if (bytes <= bytes_max) return;
  raise(sqlstate("22023"), {.message = "data is too large",
                            .detail = "It has " + std::to_string(bytes) + " bytes; agent_queue.max_request_size is " +
                                      std::to_string(settings::max_request_kb) + " kB.",
                            .hint = "Give what identifies the value, such as a digest of it."});
}

std::optional<UserId> user_argument(FunctionCallInfo fcinfo, int number) {
  if (fcinfo->args[number].isnull) return std::nullopt;
  const unsigned char *bytes = DatumGetUUIDP(fcinfo->args[number].value)->data;
  UserId user;
  std::copy(bytes, bytes + UUID_LEN, user.begin());
  return user;
}

Digest digest_of(FunctionCallInfo fcinfo, int number, const std::string &type, const std::optional<UserId> &owner) {
  const char *text = guard([&] { return json_text(fcinfo->args[number].value); });
  std::string storage;
  const Result<Digest> digest = value_digest(type, owner, to_utf8(text, storage));
  if (digest) return *digest;
  raise(sqlstate("22023"), {.message = "data cannot be a key: " + to_server_encoding(digest.error().message),
                            .detail = {},
                            .hint = to_server_encoding(digest.error().hint)});
}

}  // namespace

CacheEntry entry_argument(FunctionCallInfoBaseData *fcinfo, int user_number) {
  constexpr int kType = 0;
  constexpr int kData = 1;
  CacheEntry entry;
  entry.type = cache_type_argument(fcinfo, kType);
  if (fcinfo->args[kData].isnull) raise(sqlstate("22004"), {.message = "data is NULL", .detail = {}, .hint = {}});
  check_size(fcinfo, kData);
  entry.owner = resolve_value_owner(user_argument(fcinfo, user_number), installation());
  entry.digest = digest_of(fcinfo, kData, entry.type, entry.owner);
  entry.key = store_key(entry.type, entry.digest);
  return entry;
}

}  // namespace agent_queue::pg
