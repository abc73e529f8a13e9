// A query whose rows come in portions, for results that memory should not hold as a whole. Regime: guarded C++; SPI
// must be connected, and an abort closes it.
#pragma once

#include <string>
#include <vector>

#include "pg/wrap/spi.hpp"

struct PortalData;

namespace agent_queue::pg {

class Cursor {
 public:
  // Parameters in `values`, their OIDs in `types`; the statement reads only.
  Cursor(const std::string &sql, std::vector<unsigned int> types, std::vector<std::uintptr_t> values);
  ~Cursor();
  Cursor(const Cursor &) = delete;
  Cursor &operator=(const Cursor &) = delete;

  // The next rows, as text in UTF-8, at most `count`; none: that was all.
  std::vector<TextRow> fetch(long count);

 private:
  PortalData *portal_;
  int uncaught_;
};

}  // namespace agent_queue::pg
