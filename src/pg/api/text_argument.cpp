#include "pg/api/text_argument.hpp"

#include "pg/api/encoding.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/wrap/guc.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

std::string text_argument(FunctionCallInfoBaseData *fcinfo, int number, const char *name) {
  if (fcinfo->args[number].isnull)
    raise(sqlstate("22004"), {.message = std::string(name) + " is NULL", .detail = {}, .hint = {}});
  const text *given = guard([&] { return DatumGetTextPP(fcinfo->args[number].value); });
  std::string storage;
  return std::string(to_utf8({VARDATA_ANY(given), VARSIZE_ANY_EXHDR(given)}, storage));
}

std::string prompt_argument(FunctionCallInfoBaseData *fcinfo, int number, const char *name) {
  const NullableDatum given = fcinfo->args[number];
  const Size bytes_max = static_cast<Size>(settings::max_request_kb) * 1024;
  const Size bytes = guard([&] {
    CHECK_FOR_INTERRUPTS();
    return given.isnull ? 0 : toast_raw_datum_size(given.value) - VARHDRSZ;
  });
  if (bytes > bytes_max)
    raise(sqlstate("22023"),
          {.message = std::string(name) + " is too large",
           .detail = "It has " + std::to_string(bytes) + " bytes; agent_queue.max_request_size is " +
                     std::to_string(settings::max_request_kb) + " kB.",
           .hint = "Give less of it at once, or let an administrator raise agent_queue.max_request_size."});
  return text_argument(fcinfo, number, name);
}

std::uintptr_t numeric_datum(const char *decimal) {
  return DirectFunctionCall3(numeric_in, CStringGetDatum(decimal), ObjectIdGetDatum(InvalidOid), Int32GetDatum(-1));
}

}  // namespace agent_queue::pg
