// What the world does to the workers of a simulation: users, administrators, providers, crashes, clocks.
#include <iterator>

#include "sim/simulation.hpp"

namespace agent_queue::sim {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

std::string random_request(Random &random, const std::string &mark) {
  switch (random.below(12)) {
    case 0:
      return R"({"lang":"en"})";  // nothing to say
    case 1:
      return R"([1, 2])";
    case 2:
      return R"({"messages":"hello )" + mark + "\"}";
    case 3:
      return R"({"messages":[{"role":"user","content":"hello )" + mark + R"("}],"text":"x )" + mark +
             R"(","lang":"de"})";
    default:
      return R"({"text":"hello )" + mark + R"(","lang":"en"})";
  }
}

}  // namespace

void Simulation::happen() {
  const int dice = random_.below(100);
  if (dice < 45) return enqueue_some();
  if (dice < 60) return annoy_a_job();
  if (dice < 68) return change_weather();
  if (dice < 76) return change_store();
  if (dice < 84) return crash_someone();
  if (dice < 90) return change_config();
  if (dice < 94) return jump_clock();
  Worker &worker = workers_[static_cast<std::size_t>(random_.below(static_cast<int>(workers_.size())))];
  if (worker.engine) change_options(worker);
}

void Simulation::enqueue_some() {
  for (int count = random_.chance(10) ? random_.between(10, 30) : random_.between(1, 5); count > 0; --count)
    enqueue_one();
}

void Simulation::enqueue_one() {
  JobRow row;
  ++enqueued_;
  row.agent_type = kAgentTypes[random_.below(static_cast<int>(std::size(kAgentTypes)))];
  row.request = random_request(random_, job_mark(static_cast<std::int64_t>(enqueued_)));
  row.max_retries = random_.below(5);
  row.claim_key = static_cast<std::int64_t>(enqueued_) + random_.below(3) * 10;
  const Micros delay = random_.chance(15) ? random_.duration(milliseconds(1), seconds(20)) : Micros{0};
  if (random_.chance(40)) row.expires_at = database_.now.wall + delay + random_.duration(milliseconds(10), seconds(30));
  const JobId id = database_.enqueue(std::move(row), delay);
  const bool is_hopeless = random_.chance(2);
  if (is_hopeless) database_.hopeless.insert(id.value);
  if (is_hopeless || random_.chance(5)) database_.poisoned.insert(id.value);
  trace("enqueue", id.value, delay.count());
}

JobId Simulation::any_job() {
  if (database_.jobs().empty()) return {};
  auto it = database_.jobs().begin();
  std::advance(it, random_.below(static_cast<int>(database_.jobs().size())));
  return it->second.id;
}

void Simulation::annoy_a_job() {
  const JobId id = any_job();
  switch (random_.below(6)) {
    case 0:
      trace("delete", id.value, database_.remove(id));
      break;
    case 1:
    case 2:
      cancel_a_job();
      break;
    case 3:
      trace("retry", id.value, database_.retry(id));
      break;
    default:
      database_.lock(id, database_.now.steady + random_.duration(milliseconds(1), seconds(5)));
      trace("lock", id.value);
  }
}

// Mostly one that is being called; sometimes it is to run again at once, while its old call is still there.
void Simulation::cancel_a_job() {
  JobId id = any_job();
  for (const auto &[number, row] : database_.jobs())
    if (row.status == JobStatus::processing && random_.chance(30)) id = row.id;
  trace("cancel", id.value, database_.cancel(id));
  if (random_.chance(40)) trace("retry", id.value, database_.retry(id));
}

void Simulation::change_weather() {
  weather_.trouble_percent = random_.chance(30) ? random_.between(50, 100) : random_.between(0, 30);
  weather_.delay_max = random_.duration(milliseconds(1), seconds(8));
  trace("weather", weather_.trouble_percent, weather_.delay_max.count());
}

void Simulation::change_store() {
  faults_.busy_percent = random_.chance(50) ? 0 : random_.between(5, 100);
  faults_.unstorable_claim_percent = random_.chance(70) ? 0 : random_.between(5, 50);
  trace("store", faults_.busy_percent, faults_.unstorable_claim_percent);
}

void Simulation::change_config() {
  config_.is_paused = random_.chance(25);
  config_.has_fallback = random_.chance(70);
  config_.is_first_enabled = random_.chance(75);
  config_.has_fickle_type = random_.chance(70);
  database_.catalog = make_catalog(config_);
  trace("config");
}

EngineOptions Simulation::random_options() {
  EngineOptions options;
  options.max_in_flight = random_.chance(30) ? random_.between(1, 3) : random_.between(4, 60);
  options.claim_batch = random_.between(1, 20);
  options.poll_interval = random_.duration(milliseconds(200), milliseconds(2000));
  return options;
}

void Simulation::change_options(Worker &worker) {
  worker.options = random_options();
  worker.options.is_claiming = is_calm_ || random_.chance(75);
  // Calls that are in flight stay: the new bound holds for the next ones.
  worker.transport->set_limit(std::max(worker.options.max_in_flight, worker.transport->in_flight()));
  worker.engine->set_options(worker.options);
  trace("options", worker.options.max_in_flight, worker.options.is_claiming);
}

void Simulation::jump_clock() {
  const Micros jump = random_.duration(-minutes(5), minutes(5));
  database_.now.wall += jump;
  trace("clock jump", jump.count());
}

// Now, or at one of the next points that any worker passes inside its ports, or everybody at once.
void Simulation::crash_someone() {
  const int dice = random_.below(10);
  if (dice == 0) return crash_server();
  if (dice < 8) {
    faults_.crash_countdown = random_.between(1, 60);
    return trace("crash planned", faults_.crash_countdown);
  }
  Worker &worker = workers_[static_cast<std::size_t>(random_.below(static_cast<int>(workers_.size())))];
  if (worker.engine) kill(worker);
}

}  // namespace agent_queue::sim
