// The closed lists of names that SQL, docs and clients rely on: each is written out here once more, so that a change
// is seen as what it is, a change of the interface.
#include <gtest/gtest.h>

#include "core/job/job.hpp"

namespace agent_queue {
namespace {

TEST(JobNames, ErrorCodesHaveTheNamesOfTheDesign) {
  EXPECT_STREQ(error_code_name(JobErrorCode::expired), "expired");
  EXPECT_STREQ(error_code_name(JobErrorCode::cancelled), "cancelled");
  EXPECT_STREQ(error_code_name(JobErrorCode::budget_exceeded), "budget_exceeded");
  EXPECT_STREQ(error_code_name(JobErrorCode::provider_error), "provider_error");
  EXPECT_STREQ(error_code_name(JobErrorCode::invalid_request), "invalid_request");
  EXPECT_STREQ(error_code_name(JobErrorCode::configuration), "configuration");
  EXPECT_STREQ(error_code_name(JobErrorCode::uncertain), "uncertain");
  EXPECT_STREQ(error_code_name(JobErrorCode::store_error), "store_error");
}

TEST(JobNames, OnlyTheNamesOfTheDesignAreKnown) {
  for (const char *name : {"expired", "cancelled", "budget_exceeded", "provider_error", "invalid_request",
                           "configuration", "uncertain", "store_error"})
    EXPECT_TRUE(is_error_code_name(name)) << name;
  for (const char *name : {"", "expire", "expiredd", "EXPIRED", "completed"})
    EXPECT_FALSE(is_error_code_name(name)) << name;
  for (const char *name : {"pending", "scheduled", "processing", "completed", "failed"})
    EXPECT_TRUE(is_status_name(name)) << name;
  for (const char *name : {"", "done", "Pending", "expired"}) EXPECT_FALSE(is_status_name(name)) << name;
}

TEST(JobNames, WaitReasonsHaveTheNamesOfTheDesign) {
  EXPECT_STREQ(wait_reason_name(WaitReason::delayed), "delayed");
  EXPECT_STREQ(wait_reason_name(WaitReason::backoff), "backoff");
  EXPECT_STREQ(wait_reason_name(WaitReason::rate_limited), "rate_limited");
  EXPECT_STREQ(wait_reason_name(WaitReason::budget), "budget");
  EXPECT_STREQ(wait_reason_name(WaitReason::held), "held");
  EXPECT_STREQ(wait_reason_name(WaitReason::concurrency), "concurrency");
  EXPECT_STREQ(wait_reason_name(WaitReason::coalesced), "coalesced");
}

}  // namespace
}  // namespace agent_queue
