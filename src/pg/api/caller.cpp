#include "pg/api/caller.hpp"

#include <cstring>
#include <string>
#include <string_view>

#include "core/wire/json_read.hpp"
#include "pg/api/encoding.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/arrays.hpp"
#include "pg/wrap/guc.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr const char *kIdentityHint =
    "Set request.jwt.claims to JSON with the user's id in \"sub\", or agent_queue.user_id to that id.";

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// What Postgres' own uuid type reads: 32 hex digits, a hyphen allowed after each four of them, braces around all.
std::optional<UserId> parse_uuid(std::string_view text) {
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') text = text.substr(1, text.size() - 2);
  UserId id{};
  std::size_t digits = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    const bool may_be_hyphen = digits > 0 && digits % 4 == 0 && digits < 32 && text[i - 1] != '-';
    if (text[i] == '-' && may_be_hyphen) continue;
    const int value = hex_digit(text[i]);
    if (value < 0 || digits == 32) return std::nullopt;
    id[digits / 2] = static_cast<std::uint8_t>(digits % 2 == 0 ? value << 4 : id[digits / 2] | value);
    ++digits;
  }
  return digits == 32 ? std::optional(id) : std::nullopt;
}

[[noreturn]] void refuse_claims(const char *detail) {
  raise(sqlstate("22023"),
        {.message = "setting \"request.jwt.claims\" does not say who calls", .detail = detail, .hint = kIdentityHint});
}

// Empty: the claims name nobody.
std::optional<UserId> read_claims(const std::string &claims) {
  std::string storage;
  const Result<Json> parsed = parse_json(to_utf8(claims, storage));
  if (!parsed || !parsed->is_object()) refuse_claims("It is not a JSON object.");
  const Json *sub = json_member(*parsed, "sub");
  if (sub == nullptr || sub->is_null()) return std::nullopt;
  if (!sub->is_string()) refuse_claims("Its \"sub\" is not a string.");
  const std::optional<UserId> id = parse_uuid(sub->get_ref<const std::string &>());
  if (!id) refuse_claims("Its \"sub\" is not a uuid.");
  return id;
}

// The claims are parsed once for all rows that come under the same ones.
std::optional<UserId> identity_of_claims(const char *claims) {
  struct Read {
    std::string claims;
    std::optional<UserId> identity;
  };
  static auto *kept = new Read;
  if (kept->claims == claims) return kept->identity;
  Read fresh{claims, {}};
  fresh.identity = read_claims(fresh.claims);
  *kept = std::move(fresh);
  return kept->identity;
}

}  // namespace

std::optional<UserId> caller_identity() {
  const char *claims = guard([] { return GetConfigOption("request.jwt.claims", true, false); });
  if (claims != nullptr && *claims != '\0')
    if (const std::optional<UserId> id = identity_of_claims(claims)) return id;
  if (settings::user_id == nullptr || *settings::user_id == '\0') return std::nullopt;
  const std::optional<UserId> id = parse_uuid(settings::user_id);
  if (!id)
    raise(sqlstate("22023"), {.message = "setting \"agent_queue.user_id\" is not a uuid",
                              .detail = {},
                              .hint = "Set it to the user's id, or to '' for none."});
  return id;
}

bool may_act_for_others(const Installation &where) {
  const Oid owner = where.owner;
  return guard([&] { return has_privs_of_role(GetUserId(), owner) || has_bypassrls_privilege(GetUserId()); });
}

bool caller_is_owner(const Installation &where) {
  const Oid owner = where.owner;
  return guard([&] { return has_privs_of_role(GetUserId(), owner); });
}

bool may_change_job_of(const std::optional<UserId> &user, const Installation &where) {
  if (may_act_for_others(where)) return true;
  return user && user == caller_identity();
}

std::optional<UserId> resolve_user(const std::optional<UserId> &wanted, const Installation &where) {
  if (may_act_for_others(where)) return wanted ? wanted : caller_identity();
  const std::optional<UserId> identity = caller_identity();
  if (!identity)
    raise(sqlstate("42501"),
          {.message = "nobody is known to enqueue this job for",
           .detail = "Jobs of the system are for the extension's owner, superusers and roles that bypass row-level "
                     "security.",
           .hint = kIdentityHint});
  if (wanted && *wanted != *identity)
    raise(sqlstate("42501"), {.message = "user_id is not the caller's",
                              .detail = "Jobs of other users are for the extension's owner, superusers and roles that "
                                        "bypass row-level security.",
                              .hint = "Leave user_id out: it becomes the caller's."});
  return identity;
}

std::optional<UserId> resolve_value_owner(const std::optional<UserId> &wanted, const Installation &where) {
  if (may_act_for_others(where)) return wanted ? wanted : caller_identity();
  const std::optional<UserId> identity = caller_identity();
  if (!identity)
    raise(sqlstate("42501"),
          {.message = "nobody is known whose cached value this is",
           .detail = "Values of the system are for the extension's owner, superusers and roles that bypass row-level "
                     "security.",
           .hint = kIdentityHint});
  if (wanted && *wanted != *identity)
    raise(sqlstate("42501"), {.message = "user_id is not the caller's",
                              .detail = "Cached values of other users are for the extension's owner, superusers and "
                                        "roles that bypass row-level security.",
                              .hint = "Leave user_id out: it becomes the caller's."});
  return identity;
}

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_caller) {
  using namespace agent_queue::pg;
  const std::optional<agent_queue::UserId> identity = caller_identity();
  if (identity) return uuid_datum(*identity);
  fcinfo->isnull = true;
  return 0;
}
