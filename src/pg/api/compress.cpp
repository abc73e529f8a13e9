// compress_prompt(): what agent types with `compress` send, for whoever wants to see it. Regime: guarded C++.
// Tested in sql/compress.sql.
#include <string>

#include "core/prompt/compression.hpp"
#include "pg/api/encoding.hpp"
#include "pg/api/similar_names.hpp"
#include "pg/api/text_argument.hpp"
#include "pg/boundary/entry.hpp"
#include "pg/boundary/errors.hpp"
#include "pg/boundary/guard.hpp"
#include "pg/store/config_cache.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

const Phrasebook &phrases_of(const Catalog &catalog, const std::string &language) {
  const Phrasebook *found = language.empty() ? nullptr : find_name(catalog.phrases, language);
  if (found != nullptr) return *found;
  NameMap<Phrasebook> languages = catalog.phrases;
  languages.erase("");  // all together
  raise(sqlstate("42704"), {.message = to_server_encoding("language \"" + language + "\" has no prompt replacements"),
                            .detail = to_server_encoding("There are: " + similar_names(languages, language) + "."),
                            .hint = "Insert its phrases into the table prompt_replacements."});
}

}  // namespace

}  // namespace agent_queue::pg

AQ_SQL_FUNCTION(aq_compress_prompt) {
  using namespace agent_queue::pg;
  if (PG_ARGISNULL(0)) {
    fcinfo->isnull = true;
    return 0;
  }
  const std::shared_ptr<const agent_queue::Catalog> catalog = current_catalog();
  const agent_queue::Phrasebook &phrases =
      PG_ARGISNULL(1) ? catalog->phrases_of("") : phrases_of(*catalog, text_argument(fcinfo, 1, "language"));
  const std::string shorter =
      to_server_encoding(agent_queue::compress_text(prompt_argument(fcinfo, 0, "prompt"), phrases));
  const char *bytes = shorter.data();
  const int size = static_cast<int>(shorter.size());
  return guard([&] {
    CHECK_FOR_INTERRUPTS();
    return PointerGetDatum(cstring_to_text_with_len(bytes, size));
  });
}
