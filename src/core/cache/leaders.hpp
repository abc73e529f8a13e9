// Who is calling for what: for each key that is being called the job that leads, and until when its followers wait.
// Pure: plain data in memory that the caller gives and locks (pg/shared/leaders holds it for all workers).
// Tested in test/unit/leaders_test.cpp.
//
// A job leads a key from its claim to its end, waits between two attempts included. Equal jobs that are claimed
// meanwhile follow: they are parked until `until`, which is one and the same time for all followers of a key as long as
// the entry lives, so that whoever finishes them finds them by it. A leader that ends without a good answer leaves its
// place empty, with the followers still waiting: the next job with the key takes it. When `until` has come, followers
// are on their own, and the entry is forgotten.
//
// The table is a hint with a bounded size: who finds no room calls for himself, and an entry that was lost costs a
// second call.
#pragma once

#include <cstddef>
#include <cstdint>

#include "core/base/time.hpp"

namespace agent_queue {

// 128 bits of the key's digest, and whose cache it is (a database).
struct LeadKey {
  std::uint64_t high = 0;
  std::uint64_t low = 0;
  std::uint32_t database = 0;

  bool operator==(const LeadKey &) const = default;
};

struct LeadEntry {
  LeadKey key;
  bool is_taken = false;
  bool is_followed = false;  // somebody may wait for it
  bool is_spoiled = false;   // its answers are not to be stored: until `until` everybody calls for himself
  std::int64_t job = 0;      // 0: the place is empty
  std::uint64_t worker = 0;  // its incarnation; 0: the job waits for another attempt
  std::int64_t until = 0;    // microseconds of WallTime
};

class Leaders {
 public:
  // `entries`: `capacity` of them, all zero at first; a multiple of kWays.
  Leaders(LeadEntry *entries, std::size_t capacity) : entries_(entries), capacity_(capacity) {}

  static constexpr std::size_t kWays = 8;

  enum class Standing {
    leads,
    follows,  // until `until`
    alone,    // there is no room: not known to others
  };
  struct Lead {
    Standing standing = Standing::alone;
    WallTime until;
  };

  // A job was claimed. `until`: when followers of a new entry give up. `is_alive(worker)`: a dead worker's job leads no
  // longer.
  template <typename IsAlive>
  Lead claim(const LeadKey &key, std::int64_t job, std::uint64_t worker, WallTime now, WallTime until,
             IsAlive is_alive) {
    LeadEntry *entry = find(key);
    if (entry != nullptr && entry->until > micros(now)) {
      if (entry->is_spoiled) return {Standing::alone, {}};
      const bool is_led = entry->job != 0 && entry->job != job && (entry->worker == 0 || is_alive(entry->worker));
      if (is_led) {
        entry->is_followed = true;
        return {Standing::follows, WallTime(Micros(entry->until))};
      }
    } else {
      if (entry == nullptr) entry = make_room(key, now);
      if (entry == nullptr) return {Standing::alone, {}};
      *entry = LeadEntry{key, true, false, false, 0, 0, micros(until)};
    }
    entry->job = job;
    entry->worker = worker;
    return {Standing::leads, WallTime(Micros(entry->until))};
  }

  // The leader waits for its next attempt. Of a job that does not lead: nothing, as below.
  void suspend(const LeadKey &key, std::int64_t job);
  // It has ended without a good answer: the next one leads. Returns whether somebody may be following.
  bool vacate(const LeadKey &key, std::int64_t job);
  // It has stored its answer: nobody needs to follow any more. Returns whether somebody did.
  bool remove(const LeadKey &key, std::int64_t job);

  // It has an answer, which is none to be stored: nobody shall wait for another one. Returns whether somebody did.
  bool spoil(const LeadKey &key, std::int64_t job);

  // Is there a leader to be followed until then?
  bool is_led(const LeadKey &key, WallTime until) const;

 private:
  static std::int64_t micros(WallTime time) { return time.time_since_epoch().count(); }
  LeadEntry *bucket_of(const LeadKey &key) const;
  LeadEntry *find(const LeadKey &key) const;
  // A free entry, or one whose time has come. nullptr: none.
  LeadEntry *make_room(const LeadKey &key, WallTime now) const;
  LeadEntry *find_led_by(const LeadKey &key, std::int64_t job) const;

  LeadEntry *entries_;
  std::size_t capacity_;
};

}  // namespace agent_queue
