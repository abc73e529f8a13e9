// The rate limiter: the sliding windows of the whole cluster, in shared memory of a fixed size
// (agent_queue.rate_limit_memory). It starts empty with the server, after a crash too. All functions are plain: no
// exceptions, no Postgres errors; give_back() is safe in the callbacks of a transaction's end.
// Tested in sql/rate_limits.sql and test/tap/300_rate_limits.pl.
//
// Windows lie in partitions, each with a lock of its own; all windows of a user are in one. The time is that of
// CLOCK_BOOTTIME, read under the lock: it does not jump when somebody sets the clock, and goes on in a suspended
// machine.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "core/base/ids.hpp"
#include "core/limit/allowance.hpp"
#include "pg/shared/databases.hpp"

namespace agent_queue::pg::shared {

// Jobs are charged by admission, checks by check_rate_limit(): neither takes anything from the other. Where the caller
// gives the limit of a check, it is part of the key: another limit is another window, and so nobody changes one that
// somebody else keeps.
enum class WindowSpace : std::uint8_t { jobs, checks, given_checks };

// Whose requests a window counts: one user's or the system's at one endpoint, those of an agent type, of a queue.
enum class WindowKind : std::uint8_t { user, system, agent_type, queue };

// Nobody fills the memory alone: the most windows that one user can have at a time, in each space; and their bytes, an
// eighth of a partition but no less than 64 kB, and where the memory is as small as that, half of it.
inline constexpr int kWindowsOfUserMax = 200;
std::size_t window_bytes_of_user_max();

struct WindowKey {
  DatabaseOid database = 0;
  WindowSpace space = WindowSpace::jobs;
  WindowKind kind = WindowKind::user;
  UserId user = {};       // of kind user
  std::string_view name;  // of the endpoint, the agent type or the queue, in UTF-8
};

struct WindowRequest {
  WindowKey key;
  RateLimit limit;
};

// What was charged, to be given back. `serial` tells a window from a later one in the same place.
struct WindowToken {
  std::uint64_t place = 0;
  std::uint64_t serial = 0;
  Micros at{};
};

enum class ChargeOutcome {
  accepted,
  refused,          // for now
  never,            // more requests at once than the limit
  memory_full,      // and every window in it still counts something
  too_many_windows  // of this user
};

struct ChargeResult {
  ChargeOutcome outcome = ChargeOutcome::accepted;
  int index = 0;         // of the window that is in the way; the one that is longest, where there are several
  Micros retry_after{};  // refused: until the next slot for so many requests
};

// Windows charged together at most.
inline constexpr int kChargedTogetherMax = 3;

// Charges `requests` (1 and up) to all of the windows, or to none. `tokens` has room for `count`.
ChargeResult charge_windows(const WindowRequest *windows, int count, int requests, WindowToken *tokens);

// Nothing happens where the window is gone: all that it had accepted no longer counted then.
void give_back(const WindowToken &token, int requests);

inline constexpr std::size_t kWindowNameBytes = 76;  // of longer names the beginning is kept

// A window that counts something, or that refused within its length.
struct WindowView {
  WindowSpace space;
  WindowKind kind;
  UserId user;
  char name[kWindowNameBytes + 1];
  int used;
  RateLimit limit;
  std::uint64_t refused;          // since the window began
  std::optional<Micros> free_in;  // until one more is accepted; empty: never
  Micros last_used_ago;
};

// Where a walk over the windows has come to.
struct WindowWalk {
  int partition = 0;
  std::uint32_t block = 0;
};

// Copies up to `capacity` windows of the database, those of one user only unless `user` is nullptr; returns how many.
// 0: that was all. What changes during the walk may be missed or be seen twice.
int list_windows(WindowWalk &walk, DatabaseOid database, const UserId *user, WindowView *views, int capacity);

// For pg/shared/memory: how much to ask for, in the request hook; and the memory itself, under AddinShmemInitLock.
void request_limiter(int megabytes);
void start_limiter();

}  // namespace agent_queue::pg::shared
