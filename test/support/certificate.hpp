// A certificate for 127.0.0.1 that nobody has signed, made anew by each object and gone with it.
#pragma once

#include <gtest/gtest.h>
#include <stdlib.h>

#include <cstdlib>
#include <filesystem>
#include <string>

namespace agent_queue {

class Certificate {
 public:
  Certificate() {
    char name[] = "/tmp/aq_tls_XXXXXX";
    directory_ = mkdtemp(name);
    const std::string command =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=imposter -addext subjectAltName=" +
        std::string("IP:127.0.0.1 -keyout ") + key() + " -out " + cert() + " 2>/dev/null";
    EXPECT_EQ(std::system(command.c_str()), 0);
  }
  ~Certificate() { std::filesystem::remove_all(directory_); }
  std::string cert() const { return directory_ + "/cert.pem"; }
  std::string key() const { return directory_ + "/key.pem"; }

 private:
  std::string directory_;
};

}  // namespace agent_queue
