#include "pg/worker/pg_clock.hpp"

namespace agent_queue::pg {

Now read_clocks() noexcept {
  return {std::chrono::floor<Micros>(std::chrono::system_clock::now()),
          std::chrono::floor<Micros>(std::chrono::steady_clock::now())};
}

}  // namespace agent_queue::pg
