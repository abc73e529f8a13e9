// Which hosts may be called: the setting allowed_hosts, held against URLs as curl itself reads them.
// Pure. Tested in test/unit/host_rules_test.cpp.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "core/base/result.hpp"

namespace agent_queue {

// Where a URL leads. Made with curl's own parser, so that the check and the call cannot read it differently.
struct UrlTarget {
  std::string host;  // lower case, without brackets and final dot
  int port = 0;
  bool https = false;

  std::string authority() const;  // "host:port", "[::1]:8080"
  std::string origin() const { return (https ? "https://" : "http://") + authority(); }
};

// Refuses what is no http(s) URL, user names in it, control characters, port 0. Errors do not repeat the URL.
Result<UrlTarget> parse_target(const std::string &url);

class HostRules {
 public:
  // Without patterns: every host.
  HostRules() = default;

  // Comma separated: "api.openai.com", "*.example.com" (not example.com itself), "localhost:8080", "[::1]:80".
  // A pattern without port stands for every port. Empty: every host.
  static Result<HostRules> parse(std::string_view patterns);

  bool allows(const UrlTarget &target) const;

 private:
  struct Pattern {
    std::string host;
    bool subdomains = false;  // "*.": host holds what follows, with the dot
    int port = 0;             // 0: every port
  };
  static Result<Pattern> parse_pattern(std::string_view text);

  std::vector<Pattern> patterns_;
};

}  // namespace agent_queue
