#include "core/cache/leaders.hpp"

namespace agent_queue {

// The digest is random: any of its bits will do.
LeadEntry *Leaders::bucket_of(const LeadKey &key) const {
  const std::size_t buckets = capacity_ / kWays;
  return entries_ + static_cast<std::size_t>((key.low ^ key.database) % buckets) * kWays;
}

LeadEntry *Leaders::find(const LeadKey &key) const {
  LeadEntry *bucket = bucket_of(key);
  for (std::size_t i = 0; i < kWays; ++i)
    if (bucket[i].is_taken && bucket[i].key == key) return &bucket[i];
  return nullptr;
}

LeadEntry *Leaders::make_room(const LeadKey &key, WallTime now) const {
  LeadEntry *bucket = bucket_of(key);
  for (std::size_t i = 0; i < kWays; ++i)
    if (!bucket[i].is_taken || bucket[i].until <= micros(now)) return &bucket[i];
  return nullptr;
}

LeadEntry *Leaders::find_led_by(const LeadKey &key, std::int64_t job) const {
  LeadEntry *entry = find(key);
  return entry != nullptr && entry->job == job ? entry : nullptr;
}

void Leaders::suspend(const LeadKey &key, std::int64_t job) {
  if (LeadEntry *entry = find_led_by(key, job)) entry->worker = 0;
}

bool Leaders::vacate(const LeadKey &key, std::int64_t job) {
  LeadEntry *entry = find_led_by(key, job);
  if (entry == nullptr || !entry->is_followed) return remove(key, job);
  entry->job = 0;
  return true;
}

bool Leaders::remove(const LeadKey &key, std::int64_t job) {
  LeadEntry *entry = find_led_by(key, job);
  if (entry == nullptr) return false;
  const bool is_followed = entry->is_followed;
  *entry = LeadEntry{};
  return is_followed;
}

bool Leaders::spoil(const LeadKey &key, std::int64_t job) {
  LeadEntry *entry = find_led_by(key, job);
  if (entry == nullptr || !entry->is_followed) return remove(key, job);
  entry->job = 0;
  entry->is_spoiled = true;
  return true;
}

bool Leaders::is_led(const LeadKey &key, WallTime until) const {
  const LeadEntry *entry = find(key);
  return entry != nullptr && entry->job != 0 && entry->until == micros(until);
}

}  // namespace agent_queue
