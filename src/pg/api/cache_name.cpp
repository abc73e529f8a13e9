#include "pg/api/cache_name.hpp"
#include "core/cache/dependency.hpp"

#include <algorithm>

#include "pg/api/encoding.hpp"
#include "pg/api/text_argument.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

constexpr std::size_t kCharactersMax = 200;
constexpr int kDependenciesMax = 100;

struct Elements {
  int dimensions;
  Datum *values;
  bool *nulls;
  int count;
};

bool is_character_start(char c) {
  return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
}

void check_length(const std::string &utf8, const char *name) {
  const auto characters = static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), is_character_start));
  if (characters >= 1 && characters <= kCharactersMax) return;
  raise(sqlstate("22023"), {.message = std::string(name) + " has " + std::to_string(characters) +
                                       " characters, which is not from 1 to " + std::to_string(kCharactersMax),
                            .detail = {},
                            .hint = {}});
}

bool is_forbidden_in_type(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return c == ':' || byte < 0x20 || byte == 0x7F;
}

// POD only.
Elements elements_of(Datum array) {
  ArrayType *given = DatumGetArrayTypeP(array);
  Elements elements = {};
  elements.dimensions = ARR_NDIM(given);
  deconstruct_array(given, TEXTOID, -1, false, TYPALIGN_INT, &elements.values, &elements.nulls, &elements.count);
  return elements;
}

// POD only.
text *text_of(Datum value) {
  return DatumGetTextPP(value);
}

}  // namespace

std::string cache_type_argument(FunctionCallInfoBaseData *fcinfo, int number) {
  std::string type = text_argument(fcinfo, number, "type");
  check_length(type, "type");
  if (std::any_of(type.begin(), type.end(), is_forbidden_in_type))
    raise(sqlstate("22023"), {.message = "type has a colon or a control character",
                              .detail = {},
                              .hint = "A key is the type, a colon and 64 digits."});
  return type;
}

std::string cache_name_argument(FunctionCallInfoBaseData *fcinfo, int number, const char *name) {
  std::string value = text_argument(fcinfo, number, name);
  check_length(value, name);
  return value;
}

std::vector<std::string> dependencies_argument(FunctionCallInfoBaseData *fcinfo, int number) {
  if (fcinfo->args[number].isnull) return {};
  const Elements elements = guard([&] { return elements_of(fcinfo->args[number].value); });
  if (elements.dimensions > 1)
    raise(sqlstate("22023"), {.message = "dependencies has more than one dimension",
                              .detail = {},
                              .hint = "Give a plain array, such as ARRAY['documents:42', 'prices']."});
  if (elements.count > kDependenciesMax)
    raise(sqlstate("22023"), {.message = "dependencies has " + std::to_string(elements.count) + " elements; at most " +
                                         std::to_string(kDependenciesMax) + " are compared",
                              .detail = {},
                              .hint = "Watch their table by a coarser key_column, and name its values."});
  std::vector<std::string> names;
  for (int i = 0; i < elements.count; ++i) {
    if (elements.nulls[i])
      raise(sqlstate("22004"), {.message = "an element of dependencies is NULL", .detail = {}, .hint = {}});
    const text *element = guard([&] { return text_of(elements.values[i]); });
    std::string storage;
    names.emplace_back(to_utf8({VARDATA_ANY(element), VARSIZE_ANY_EXHDR(element)}, storage));
    check_length(names.back(), "an element of dependencies");
    if (is_group(names.back()))
      raise(sqlstate("22023"),
            {.message = to_server_encoding("\"" + names.back() + "\" is a whole group: nothing can depend on it"),
             .detail = "A change of one row is a change of its own name only.",
             .hint = "Watch the table by a coarser key_column, or change a name of your own with "
                     "cache_invalidate_dependency()."});
  }
  return names;
}

}  // namespace agent_queue::pg
