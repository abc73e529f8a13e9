// Accounts in the windows of early 2026, for their tests.
#pragma once

#include <string_view>

#include "core/limit/account.hpp"

namespace agent_queue {

inline Usd usd(std::string_view text) {
  return *Usd::parse(text);
}

inline constexpr WallTime kJanuary{std::chrono::sys_days{std::chrono::year{2026} / 1 / 1}};
inline constexpr WallTime kFebruary{std::chrono::sys_days{std::chrono::year{2026} / 2 / 1}};
inline constexpr WallTime kMarch{std::chrono::sys_days{std::chrono::year{2026} / 3 / 1}};

inline Windows day_of_january(int day) {
  const WallTime start = kJanuary + std::chrono::days(day - 1);
  return {.day_start = start, .day_end = start + std::chrono::days(1), .month_start = kJanuary, .month_end = kFebruary};
}

inline Windows day_of_february(int day) {
  const WallTime start = kFebruary + std::chrono::days(day - 1);
  return {.day_start = start, .day_end = start + std::chrono::days(1), .month_start = kFebruary, .month_end = kMarch};
}

// As a zone has them in which days begin `east` sooner.
inline Windows moved(Windows windows, std::chrono::hours east) {
  return {.day_start = windows.day_start - east,
          .day_end = windows.day_end - east,
          .month_start = windows.month_start - east,
          .month_end = windows.month_end - east};
}

inline Account rolled(const Windows &windows) {
  Account account;
  roll(account, windows);
  return account;
}

inline Account used(std::string_view spent, std::string_view held, const Windows &windows = day_of_january(10)) {
  Account account = rolled(windows);
  for (Tally *tally : {&account.day, &account.month}) {
    tally->spent = usd(spent);
    tally->held = usd(held);
  }
  account.in_flight = account.day.held > Usd() ? 1 : 0;
  return account;
}

inline CostLimits a_day(std::string_view limit, OnLimit on_limit = OnLimit::refuse) {
  return {.daily = usd(limit), .monthly = {}, .on_limit = on_limit};
}

inline CostLimits a_month(std::string_view limit, OnLimit on_limit = OnLimit::refuse) {
  return {.daily = {}, .monthly = usd(limit), .on_limit = on_limit};
}

}  // namespace agent_queue
