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

TEST(JobNames, WaitReasonsHaveTheNamesOfTheDesign) {
  EXPECT_STREQ(wait_reason_name(WaitReason::delayed), "delayed");
  EXPECT_STREQ(wait_reason_name(WaitReason::backoff), "backoff");
  EXPECT_STREQ(wait_reason_name(WaitReason::rate_limited), "rate_limited");
  EXPECT_STREQ(wait_reason_name(WaitReason::budget), "budget");
  EXPECT_STREQ(wait_reason_name(WaitReason::held), "held");
  EXPECT_STREQ(wait_reason_name(WaitReason::concurrency), "concurrency");
}

}  // namespace
}  // namespace agent_queue
