// Who answers for a job, out of the configuration and the user's row. Regime: guarded C++, in a transaction.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "core/base/ids.hpp"
#include "core/catalog/catalog.hpp"
#include "pg/shared/ledger.hpp"

namespace agent_queue::pg {

class Payers {
 public:
  // The payers that it makes live no longer than it does.
  explicit Payers(std::shared_ptr<const Catalog> catalog);

  const std::shared_ptr<const Catalog> &catalog() const { return catalog_; }

  // Empty: the user's tier does not exist. Reads the user's row where need be; throws PgError.
  std::optional<shared::Payer> find(const std::string &agent_type, const std::optional<UserId> &user) const;

  // The same, for what runs or was spent already: a tier that does not exist bounds nothing.
  shared::Payer find_in_any_case(const std::string &agent_type, const std::optional<UserId> &user) const;

  // "": no tier and no agent type of that hash has a budget.
  std::string name_of(shared::Scope scope, std::uint64_t hash) const;

 private:
  std::shared_ptr<const Catalog> catalog_;
  std::vector<shared::TierBudget> tier_budgets_;
};

// Of the current catalog, kept until that changes. Payers that it finds must not outlive it. Throws PgError.
std::shared_ptr<const Payers> current_payers();

}  // namespace agent_queue::pg
