#include "pg/api/text_argument.hpp"

#include "pg/api/encoding.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

std::string text_argument(FunctionCallInfoBaseData *fcinfo, int number, const char *name) {
  if (fcinfo->args[number].isnull)
    raise(sqlstate("22004"), {.message = std::string(name) + " is NULL", .detail = {}, .hint = {}});
  const text *given = guard([&] { return DatumGetTextPP(fcinfo->args[number].value); });
  std::string storage;
  return std::string(to_utf8({VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given)}, storage));
}

std::uintptr_t numeric_datum(const char *decimal) {
  return DirectFunctionCall3(numeric_in, CStringGetDatum(decimal), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

}  // namespace agent_queue::pg
