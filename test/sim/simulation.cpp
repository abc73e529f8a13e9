// Virtual time, the workers' lives, and the checks that hold at each step. The events are in sim_events.cpp.
#include "sim/simulation.hpp"

#include <algorithm>
#include <cstdio>
#include <set>

namespace agent_queue::sim {

namespace {

using std::chrono::hours;
using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr int kFruitlessMax = 400;  // halving a batch of unstorable rows down to the single ones takes 3 rounds a row
constexpr std::uint64_t kStepsMax = 2'000'000;  // a guard against a simulation that does not end

}  // namespace

void Simulation::CheckedLog::write(LogLevel, std::string_view message) noexcept {
  if (message.find(kSimKey) != std::string_view::npos) problems_.add("a key was logged");
  if (message.find('#') != std::string_view::npos) problems_.add("a prompt was logged");
}

Simulation::Simulation(std::uint64_t seed, bool is_traced)
    : random_(seed),
      ledger_(problems_),
      database_(random_, problems_, ledger_),
      faults_(random_),
      log_(problems_),
      is_traced_(is_traced) {
  database_.now.wall = WallTime(std::chrono::sys_days(std::chrono::year(2026) / 11 / 20));
  database_.now.steady = SteadyTime(hours(1));
  database_.catalog = make_catalog(config_);
  workers_.resize(static_cast<std::size_t>(random_.between(1, 3)));
  for (Worker &worker : workers_) start(worker);
}

void Simulation::trace(std::string_view what, std::int64_t a, std::int64_t b) {
  const auto mix_in = [this](std::uint64_t value) {
    for (int i = 0; i < 8; ++i, value >>= 8) trace_hash_ = (trace_hash_ ^ (value & 0xFF)) * 0x100000001B3ULL;
  };
  for (const char c : what) mix_in(static_cast<unsigned char>(c));
  const auto at = database_.now.steady.time_since_epoch().count();
  mix_in(static_cast<std::uint64_t>(at));
  mix_in(static_cast<std::uint64_t>(a));
  mix_in(static_cast<std::uint64_t>(b));
  if (is_traced_)
    std::printf("%12.6f %.*s %lld %lld\n", static_cast<double>(at) / 1e6 - 3600, static_cast<int>(what.size()),
                what.data(), static_cast<long long>(a), static_cast<long long>(b));
}

void Simulation::advance_to(SteadyTime at) {
  if (at <= database_.now.steady) return;
  database_.now.wall += at - database_.now.steady;
  database_.now.steady = at;
}

void Simulation::start(Worker &worker) {
  worker.options = random_options();
  worker.claim = database_.admit();
  worker.store = std::make_unique<FakeStore>(database_, faults_, worker.claim);
  worker.transport = std::make_unique<FakeTransport>(database_, faults_, random_, weather_, worker.claim);
  worker.transport->set_limit(worker.options.max_in_flight);
  worker.engine = std::make_unique<Engine>(*worker.store, *worker.transport, secrets_, signer_, log_, worker.options);
  worker.next_step = worker.busy_until = worker.last_step = database_.now.steady;
  worker.fruitless = 0;
  trace("start", static_cast<std::int64_t>(worker.claim.epoch), static_cast<std::int64_t>(worker.claim.incarnation));
}

void Simulation::kill(Worker &worker) {
  ++crashes_;
  trace("dead", static_cast<std::int64_t>(worker.claim.epoch), static_cast<std::int64_t>(worker.claim.incarnation));
  database_.bury(worker.claim);
  worker.engine.reset();
  worker.transport.reset();
  worker.store.reset();
  worker.restart_at = database_.now.steady + random_.duration(milliseconds(1), milliseconds(3000));
}

void Simulation::crash_server() {
  trace("server crash");
  database_.crash_server();
  for (Worker &worker : workers_)
    if (worker.engine) kill(worker);
}

SteadyTime Simulation::wake_of(const Worker &worker) const {
  if (!worker.engine) return worker.restart_at;
  SteadyTime wake = worker.next_step;
  if (const auto end = worker.transport->next_event()) wake = std::min(wake, *end);
  if (const auto hint = database_.next_wake(worker.claim.incarnation, worker.last_step)) wake = std::min(wake, *hint);
  return std::max(wake, worker.busy_until);
}

// The earliest of what is to come: an event of the world or a worker's step.
void Simulation::act_next(SteadyTime chaos_until) {
  const auto first = std::min_element(workers_.begin(), workers_.end(),
                                      [this](const Worker &a, const Worker &b) { return wake_of(a) < wake_of(b); });
  if (!is_calm_ && next_event_ <= wake_of(*first)) {
    advance_to(std::min(next_event_, chaos_until));
    next_event_ = database_.now.steady + random_.duration(milliseconds(1), milliseconds(600));
    return happen();
  }
  advance_to(wake_of(*first));
  if (first->engine)
    step(*first);
  else
    start(*first);
}

void Simulation::step(Worker &worker) {
  const std::uint64_t version_before = database_.version;
  const std::uint64_t calls_before = ledger_.calls();
  try {
    const Pause pause = worker.engine->step(database_.now);
    worker.next_step = pause.run_again ? database_.now.steady : pause.until;
    worker.last_step = database_.now.steady;
    worker.busy_until = database_.now.steady + random_.duration(microseconds(20), microseconds(2000));
    trace("step", static_cast<std::int64_t>(worker.claim.incarnation), worker.engine->in_flight());
    check_progress(worker, pause, version_before, calls_before);
  } catch (const SimulatedCrash &) {
    kill(worker);
  }
}

void Simulation::check_progress(Worker &worker, const Pause &pause, std::uint64_t version_before,
                                std::uint64_t calls_before) {
  const bool is_fruitless = pause.run_again && database_.version == version_before && ledger_.calls() == calls_before;
  worker.fruitless = is_fruitless ? worker.fruitless + 1 : 0;
  if (worker.fruitless == kFruitlessMax) problems_.add("the engine runs again and again without progress");
  if (!pause.run_again && pause.until <= database_.now.steady) problems_.add("the engine waits for what is past");
  if (pause.until > database_.now.steady + worker.options.poll_interval)
    problems_.add("the engine waits longer than its poll interval");
}

bool Simulation::is_all_done() const {
  return std::all_of(database_.jobs().begin(), database_.jobs().end(),
                     [](const auto &entry) { return entry.second.is_ended(); }) &&
         database_.orphans().empty() && std::all_of(workers_.begin(), workers_.end(), [](const Worker &worker) {
           return worker.engine && worker.engine->in_flight() == 0 && !worker.engine->has_unsettled();
         });
}

void Simulation::live_until(SteadyTime until) {
  for (std::uint64_t steps = 0; database_.now.steady < until && problems_.sentences().empty(); ++steps) {
    if (is_calm_ && is_all_done()) return;
    if (steps > kStepsMax) return problems_.add("the simulation takes too many steps");
    act_next(until);
  }
}

// No more faults: from here on every job has to end by itself.
void Simulation::calm_down() {
  is_calm_ = true;
  faults_.busy_percent = faults_.unstorable_claim_percent = faults_.crash_countdown = 0;
  weather_ = {.trouble_percent = 0};
  config_ = {};
  database_.catalog = make_catalog(config_);
  database_.unlock_all();
  database_.hopeless.clear();
  for (Worker &worker : workers_) {
    if (!worker.engine) continue;
    worker.options.is_claiming = true;
    worker.engine->set_options(worker.options);
  }
  trace("calm", static_cast<std::int64_t>(enqueued_));
}

void Simulation::run() {
  next_event_ = database_.now.steady;
  live_until(database_.now.steady + random_.duration(seconds(10), seconds(90)));
  calm_down();
  // The longest wait that is left: a wall clock that was set back makes every appointment later.
  SteadyTime deadline = database_.now.steady + minutes(5);
  for (const auto &[id, row] : database_.jobs())
    if (!row.is_ended())
      deadline = std::max(deadline, database_.now.steady + (row.run_at - database_.now.wall) + minutes(5));
  live_until(deadline);
  check_end();
}

void Simulation::check_end() {
  if (!problems_.sentences().empty()) return;  // it stopped in the middle
  for (const auto &[id, row] : database_.jobs())
    if (!row.is_ended()) problems_.add("job " + std::to_string(id) + " is still " + job_status_name(row.status));
  if (!is_all_done()) problems_.add("a worker does not come to rest");
  std::set<AttemptKey> accounted;
  for (const auto &[key, record] : database_.usage()) accounted.insert(key);
  ledger_.check_complete(accounted);
  database_.texts().check_empty();
  for (const auto &[id, row] : database_.jobs()) trace(row.error_message, id, static_cast<std::int64_t>(row.status));
}

}  // namespace agent_queue::sim
