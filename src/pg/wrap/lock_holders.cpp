#include "pg/wrap/lock_holders.hpp"

#include "pg/boundary/guard.hpp"

#include "pg/pg.hpp"

namespace agent_queue::pg {

namespace {

struct Holders {
  const VirtualTransactionId *ids;
  int count;
};

// POD only. A ShareLock would wait for these. They release their locks after the end of their transactions can be seen.
Holders find_holders(Oid relation) {
  LOCKTAG tag;
  SET_LOCKTAG_RELATION(tag, MyDatabaseId, relation);
  Holders holders = {nullptr, 0};
  holders.ids = GetLockConflicts(&tag, ShareLock, &holders.count);
  return holders;
}

}  // namespace

std::vector<Writer> writers_of(const std::vector<unsigned int> &relations) {
  std::vector<Writer> writers;
  for (const unsigned int relation : relations) {
    const Holders holders = guard([&] { return find_holders(relation); });
    for (int i = 0; i < holders.count; ++i)
      writers.push_back({AQ_VXID_BACKEND(holders.ids[i]), holders.ids[i].localTransactionId});
  }
  return writers;
}

}  // namespace agent_queue::pg
