#include "pg/store/payers.hpp"

#include <utility>

#include "core/catalog/limits.hpp"
#include "pg/store/config_cache.hpp"
#include "pg/store/user_directory.hpp"

namespace agent_queue::pg {

Payers::Payers(std::shared_ptr<const Catalog> catalog) : catalog_(std::move(catalog)) {
  for (const auto &[name, limits] : catalog_->budgets.tiers)
    tier_budgets_.push_back({.tier = shared::budget_hash(name), .limits = limits});
}

shared::Payer Payers::find_in_any_case(const std::string &agent_type, const std::optional<UserId> &user) const {
  shared::Payer payer;
  payer.agent_type = shared::budget_hash(agent_type);
  payer.of_all = catalog_->budgets.all;
  if (const CostLimits *limits = find_name(catalog_->budgets.agent_types, agent_type)) payer.of_agent_type = *limits;
  payer.of_tiers = tier_budgets_;
  if (!user) return payer;

  const UserRules *rules = find_user(*user);
  payer.user = user;
  payer.tier = shared::budget_hash(tier_name_of(rules));
  const std::optional<Allowance> allowance = allowance_of(*catalog_, rules);
  if (!allowance) return payer;
  payer.weight = allowance->weight;
  if (!allowance->is_unlimited) {
    payer.of_user = allowance->cost;
    payer.concurrency = allowance->concurrency;
    payer.daily_requests = allowance->daily_requests;
  }
  return payer;
}

std::optional<shared::Payer> Payers::find(const std::string &agent_type, const std::optional<UserId> &user) const {
  if (user && find_name(catalog_->tiers, tier_name_of(find_user(*user))) == nullptr) return std::nullopt;
  return find_in_any_case(agent_type, user);
}

std::string Payers::name_of(shared::Scope scope, std::uint64_t hash) const {
  if (scope != shared::Scope::tier && scope != shared::Scope::agent_type) return {};
  const auto &budgets = scope == shared::Scope::tier ? catalog_->budgets.tiers : catalog_->budgets.agent_types;
  for (const auto &[name, limits] : budgets)
    if (shared::budget_hash(name) == hash) return name;
  return {};
}

std::shared_ptr<const Payers> current_payers() {
  static auto *kept = new std::shared_ptr<const Payers>;  // never destroyed: no order at exit to care for
  const std::shared_ptr<const Catalog> catalog = current_catalog();
  if (*kept == nullptr || (*kept)->catalog() != catalog) *kept = std::make_shared<const Payers>(catalog);
  return *kept;
}

}  // namespace agent_queue::pg
