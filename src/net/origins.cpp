#include "net/origins.hpp"

namespace agent_queue {

Result<Origin *> Origins::judge(const std::string &url) {
  const Result<UrlTarget> target = parse_target(url);
  if (!target) return target.error();
  if (!rules_.allows(*target))
    return Error{ErrorKind::not_allowed, "host " + target->authority() + " is not in agent_queue.allowed_hosts",
                 "Add the host to agent_queue.allowed_hosts."};
  std::unique_ptr<Origin> &origin = by_name_[target->origin()];
  if (!origin) origin = std::make_unique<Origin>(Origin{target->authority(), target->https, false, nullptr, {}, {}});
  return origin.get();
}

Result<Origin *> Origins::find(const std::string &url) {
  if (const auto known = verdicts_.find(url); known != verdicts_.end()) return known->second;
  if (verdicts_.size() >= kVerdictsMax) verdicts_.clear();
  return verdicts_.emplace(url, judge(url)).first->second;
}

void Origins::set_rules(HostRules rules) {
  rules_ = std::move(rules);
  verdicts_.clear();
}

Transfer *Origins::take_idle(bool https) {
  for (auto &[name, origin] : by_name_) {
    if (origin->https != https || origin->idle.empty()) continue;
    Transfer *transfer = origin->idle.back();
    origin->idle.pop_back();
    return transfer;
  }
  return nullptr;
}

}  // namespace agent_queue
