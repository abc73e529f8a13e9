// Reads API keys from where api_key_ref says: env:NAME or file:/path. A file must be one that only the server's user
// can read; where references are restricted they must match allowed_key_refs. Keys are kept for a minute and wiped
// when forgotten. Errors name the reference, never the key. Tested in test/unit/key_reader_test.cpp.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "core/base/time.hpp"
#include "core/credential/key_text.hpp"
#include "ports/secrets.hpp"

namespace agent_queue {

inline constexpr Micros kKeyAgeMax = std::chrono::seconds(60);

struct KeyRules {
  bool restrict_refs = false;    // false: every reference is allowed
  std::string allowed_key_refs;  // comma separated globs, "env:OPENAI_*,file:/etc/keys/*"; * does not match a slash
};

class KeyReader : public Secrets {
 public:
  using Clock = std::function<SteadyTime()>;

  explicit KeyReader(const KeyRules &rules = {}, Clock clock = {});
  ~KeyReader() override { forget(); }

  Result<std::string> resolve(std::string_view api_key_ref) override;
  void forget() override;

  // Forgets as well: a key that was allowed may not be so any more.
  void set_rules(const KeyRules &rules);

 private:
  static constexpr std::size_t kKeptMax = 1024;

  struct Kept {
    std::string key;
    SteadyTime read_at;
  };

  bool is_allowed(std::string_view ref) const;

  bool restrict_refs_ = false;
  std::vector<std::string> globs_;
  Clock clock_;
  std::unordered_map<std::string, Kept> kept_;
};

}  // namespace agent_queue
