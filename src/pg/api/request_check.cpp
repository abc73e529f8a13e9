#include "pg/api/request_check.hpp"

#include <cstring>
#include <string>

#include "core/wire/json_read.hpp"
#include "pg/api/encoding.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/guc.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

enum class Verdict { fine, too_large, no_object, too_deep, bad_messages, says_nothing, lacks_fields };

// POD only, as are all functions up to examine().
bool is_string(const JsonbValue *value) {
  return value != nullptr && value->type == jbvString && value->val.string.len > 0;
}

JsonbContainer *container_of(JsonbValue *value) {
  return value != nullptr && value->type == jbvBinary ? value->val.binary.data : nullptr;
}

// nullptr: not there, or null (which SQL's jsonb_build_object writes for what is not there).
JsonbValue *member(JsonbContainer *object, const char *key, JsonbValue *storage) {
  JsonbValue *value = getKeyJsonValueFromContainer(object, key, static_cast<int>(strlen(key)), storage);
  return value == nullptr || value->type == jbvNull ? nullptr : value;
}

// Walks the containers only: the values of scalars are not looked at. A container of depth n holds n nested levels.
bool is_deeper_than(const JsonbContainer *container, int levels) {
  if (levels == 0) return true;
  const uint32 members = JsonContainerSize(container);
  const uint32 keys = JsonContainerIsObject(container) ? members : 0;
  const char *base = reinterpret_cast<const char *>(&container->children[members + keys]);
  uint32 offset = 0;
  for (uint32 i = 0; i < members + keys; ++i) {
    const JEntry entry = container->children[i];
    if (JBE_ISCONTAINER(entry) &&
        is_deeper_than(reinterpret_cast<const JsonbContainer *>(base + INTALIGN(offset)), levels - 1))
      return true;
    JBE_ADVANCE_OFFSET(offset, entry);
  }
  return false;
}

// An array in an array takes eight bytes at least: what is small cannot be deep.
bool is_too_deep(Jsonb *request) {
  constexpr Size kLevelBytesMin = sizeof(uint32) + sizeof(JEntry);
  return VARSIZE(request) > kJsonDepthMax * kLevelBytesMin && is_deeper_than(&request->root, kJsonDepthMax);
}

bool are_messages(JsonbContainer *array) {
  if (array == nullptr || !JsonContainerIsArray(array) || JsonContainerSize(array) == 0) return false;
  JsonbIterator *iterator = JsonbIteratorInit(array);
  JsonbValue element;
  bool are_fine = true;
  for (JsonbIteratorToken token; (token = JsonbIteratorNext(&iterator, &element, true)) != WJB_DONE && are_fine;) {
    if (token != WJB_ELEM) continue;
    JsonbContainer *message = container_of(&element);
    JsonbValue role;
    are_fine = message != nullptr && JsonContainerIsObject(message) && is_string(member(message, "role", &role));
  }
  return are_fine;
}

bool has_field(JsonbContainer *object, const char *name, int length) {
  JsonbValue storage;
  if (GetDatabaseEncoding() != PG_UTF8) {
    name = pg_any_to_server(name, length, PG_UTF8);
    length = static_cast<int>(strlen(name));
  }
  return getKeyJsonValueFromContainer(object, name, length, &storage) != nullptr;
}

// `fields` belongs to the catalog: it is only read.
Verdict examine_object(JsonbContainer *object, const std::vector<std::string> *fields) {
  JsonbValue storage;
  JsonbValue *messages = member(object, "messages", &storage);
  if (messages != nullptr && !are_messages(container_of(messages))) return Verdict::bad_messages;
  if (fields != nullptr) {
    for (const std::string &field : *fields)
      if (!has_field(object, field.c_str(), static_cast<int>(field.size()))) return Verdict::lacks_fields;
    return Verdict::fine;
  }
  if (messages != nullptr || is_string(member(object, "prompt", &storage)) ||
      is_string(member(object, "text", &storage)))
    return Verdict::fine;
  return Verdict::says_nothing;
}

Verdict examine(Datum datum, const std::vector<std::string> *fields) {
  const Size bytes_max = static_cast<Size>(settings::max_request_kb) * 1024;
  if (toast_raw_datum_size(datum) - VARHDRSZ > bytes_max) return Verdict::too_large;
  Jsonb *request = DatumGetJsonbP(datum);
  if (!JB_ROOT_IS_OBJECT(request)) return Verdict::no_object;
  if (is_too_deep(request)) return Verdict::too_deep;
  return examine_object(&request->root, fields);
}

std::string missing_fields(Datum datum, const std::vector<std::string> &fields) {
  std::string names;
  Jsonb *request = guard([&] { return DatumGetJsonbP(datum); });
  for (const std::string &field : fields) {
    const char *name = field.c_str();
    const int length = static_cast<int>(field.size());
    if (guard([&] { return has_field(&request->root, name, length); })) continue;
    names += (names.empty() ? "\"" : ", \"") + field + "\"";
  }
  return names;
}

[[noreturn]] void refuse(const char *state, const char *message, std::string detail, const char *hint) {
  const char five[6] = {state[0], state[1], state[2], state[3], state[4], '\0'};
  raise(sqlstate(five), {.message = message, .detail = std::move(detail), .hint = hint});
}

[[noreturn]] void refuse_request(Verdict verdict, Datum request, const AgentType &type) {
  constexpr const char *kSayHint =
      "Give \"messages\" (a non-empty array of objects with a role), \"prompt\" or \"text\" (a string), or give the "
      "agent type a prompt_template.";
  switch (verdict) {
    case Verdict::too_large:
      refuse("54000", "request_data is too large",
             "It has " + std::to_string(guard([&] { return toast_raw_datum_size(request) - VARHDRSZ; })) +
                 " bytes; agent_queue.max_request_size is " + std::to_string(settings::max_request_kb) + " kB.",
             "Make the request smaller, or let an administrator raise agent_queue.max_request_size.");
    case Verdict::no_object:
      refuse("22023", "request_data is not a JSON object", {}, "Write {\"text\": \"...\"}.");
    case Verdict::too_deep:
      refuse("22023", "request_data is nested too deeply",
             "At most " + std::to_string(kJsonDepthMax) + " levels are accepted.", "");
    case Verdict::bad_messages:
      refuse("22023", "\"messages\" of request_data is not a non-empty array of objects with a role", {},
             "Write [{\"role\": \"user\", \"content\": \"...\"}].");
    case Verdict::lacks_fields:
      refuse("22023",
             to_server_encoding("request_data lacks fields of the prompt template of agent type \"" + type.name + "\"")
                 .c_str(),
             to_server_encoding("Missing: " + missing_fields(request, type.prompt_template->fields()) + "."), "");
    case Verdict::says_nothing:
    case Verdict::fine:
      break;
  }
  refuse("22023", "request_data says nothing", "It has no \"messages\", no string \"prompt\" and no string \"text\".",
         kSayHint);
}

}  // namespace

void check_request(std::uintptr_t request, const AgentType &type) {
  const std::vector<std::string> *fields = type.prompt_template ? &type.prompt_template->fields() : nullptr;
  const Verdict verdict = guard([&] { return examine(request, fields); });
  if (verdict != Verdict::fine) refuse_request(verdict, request, type);
}

}  // namespace agent_queue::pg
