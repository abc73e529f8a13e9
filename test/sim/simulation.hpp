// One life of the queue from one seed: some workers with the real Engine against fakes of every port, users,
// administrators, bad providers, crashes and clock jumps, all in virtual time; then fair weather until all jobs have
// ended. What must never happen is collected in problems(). The same seed gives the same trace_hash().
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/engine.hpp"
#include "ports/log.hpp"
#include "sim/fake_store.hpp"
#include "sim/fake_transport.hpp"
#include "sim/sim_catalog.hpp"
#include "support/fake_signer.hpp"

namespace agent_queue::sim {

class Simulation {
 public:
  explicit Simulation(std::uint64_t seed, bool is_traced = false);

  void run();

  const std::vector<std::string> &problems() const { return problems_.sentences(); }
  std::uint64_t trace_hash() const { return trace_hash_; }
  std::uint64_t calls() const { return ledger_.calls(); }
  std::uint64_t cancelled() const { return ledger_.cancelled(); }
  std::uint64_t jobs() const { return enqueued_; }
  std::uint64_t crashes() const { return crashes_; }
  std::uint64_t parts() { return database_.texts().written(); }

 private:
  // Keys and prompts stay out of the log.
  class CheckedLog : public Log {
   public:
    explicit CheckedLog(Problems &problems) : problems_(problems) {}
    void write(LogLevel level, std::string_view message) noexcept override;

   private:
    Problems &problems_;
  };

  struct Worker {
    ClaimToken claim;
    std::unique_ptr<FakeStore> store;
    std::unique_ptr<FakeTransport> transport;
    std::unique_ptr<Engine> engine;  // null: dead
    EngineOptions options;
    SteadyTime next_step;  // as the engine asked for
    SteadyTime last_step;
    SteadyTime busy_until;  // the last step takes its time
    SteadyTime restart_at;  // dead only
    int fruitless = 0;      // steps in a row that asked for another one and changed nothing
  };

  // Time and workers: simulation.cpp
  void advance_to(SteadyTime at);
  SteadyTime wake_of(const Worker &worker) const;
  void act_next(SteadyTime chaos_until);
  void step(Worker &worker);
  void start(Worker &worker);
  void kill(Worker &worker);
  void crash_server();
  void live_until(SteadyTime until);
  void calm_down();
  bool is_all_done() const;
  void check_progress(Worker &worker, const Pause &pause, std::uint64_t version_before, std::uint64_t calls_before);
  void check_end();
  void trace(std::string_view what, std::int64_t a = 0, std::int64_t b = 0);

  // What the world does to them: sim_events.cpp
  void happen();
  void enqueue_some();
  void enqueue_one();
  void annoy_a_job();
  void cancel_a_job();
  void change_store();
  void change_weather();
  void change_config();
  void change_options(Worker &worker);
  void jump_clock();
  void crash_someone();
  EngineOptions random_options();
  JobId any_job();

  Random random_;
  Problems problems_;
  CallLedger ledger_;
  Database database_;
  Faults faults_;
  Weather weather_;
  SimConfig config_;
  SimSecrets secrets_;
  FakeSigner signer_;
  CheckedLog log_;
  std::vector<Worker> workers_;
  SteadyTime next_event_;
  bool is_calm_ = false;
  bool is_traced_;
  std::uint64_t trace_hash_ = 0xCBF29CE484222325ULL;
  std::uint64_t enqueued_ = 0;
  std::uint64_t crashes_ = 0;
};

}  // namespace agent_queue::sim
