// The places that calls go to (scheme, host, port) and what was learned about each. URLs are parsed and held against
// the host rules once; the verdict is kept until the rules change.
// Tested in test/unit/transport_test.cpp.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <unordered_map>
#include <variant>
#include <vector>

#include "net/host_rules.hpp"

namespace agent_queue {

class Transfer;

struct Origin {
  std::string authority;  // "host:port", for messages
  bool https = false;

  // Learned from an answer: calls need not wait for a connection that they could share.
  bool http1 = false;

  // curl starts one resolver thread for each transfer that finds no address in its cache. One transfer resolves, those
  // that come meanwhile are parked until it knows.
  Transfer *resolving = nullptr;
  std::vector<Transfer *> parked;

  // Transfers at rest whose last call went here: their connections are here too. The last one used is at the back.
  std::vector<Transfer *> idle;
};

class Origins {
 public:
  // The origin of a URL that may be called; lives as long as this object.
  Result<Origin *> find(const std::string &url);

  void set_rules(HostRules rules);

  // An idle transfer of another origin with the same scheme, taken out of its list; nullptr: none.
  Transfer *take_idle(bool https);

 private:
  static constexpr std::size_t kVerdictsMax = 4096;

  Result<Origin *> judge(const std::string &url);

  HostRules rules_;
  std::map<std::string, std::unique_ptr<Origin>> by_name_;
  std::unordered_map<std::string, Result<Origin *>> verdicts_;  // by URL
};

}  // namespace agent_queue
