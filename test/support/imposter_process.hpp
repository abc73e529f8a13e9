// Runs test/support/imposter.py, or another of its kind, as a child of a test. It ends when this object does, or when
// the test process dies.
#pragma once

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <stdexcept>
#include <string>
#include <vector>

namespace agent_queue {

class ImposterProcess {
 public:
  explicit ImposterProcess(std::vector<std::string> arguments = {}, const std::string &program = "imposter.py") {
    int input[2], output[2];
    if (pipe2(input, O_CLOEXEC) != 0 || pipe2(output, O_CLOEXEC) != 0) throw std::runtime_error("pipe");
    arguments.insert(arguments.begin(), {"/usr/bin/python3", AQ_TEST_DIR "/support/" + program});
    std::vector<char *> argv;
    for (std::string &argument : arguments) argv.push_back(argument.data());
    argv.push_back(nullptr);
    child_ = fork();
    if (child_ == 0) {
      dup2(input[0], STDIN_FILENO);
      dup2(output[1], STDOUT_FILENO);
      execv(argv[0], argv.data());
      _exit(127);
    }
    close(input[0]);
    close(output[1]);
    stdin_ = input[1];
    FILE *stream = fdopen(output[0], "r");
    if (std::fscanf(stream, "PORT %d RST_BEFORE_PORT %d", &port_, &reset_port_) != 2)
      throw std::runtime_error(program + " did not start");
    std::fclose(stream);
  }
  ImposterProcess(const ImposterProcess &) = delete;
  ImposterProcess &operator=(const ImposterProcess &) = delete;
  ~ImposterProcess() {
    close(stdin_);
    waitpid(child_, nullptr, 0);
  }

  int port() const { return port_; }
  int reset_port() const { return reset_port_; }
  std::string url(const std::string &path, const std::string &scheme = "http") const {
    return scheme + "://127.0.0.1:" + std::to_string(port_) + path;
  }

 private:
  pid_t child_ = -1;
  int stdin_ = -1;
  int port_ = 0;
  int reset_port_ = 0;
};

}  // namespace agent_queue
