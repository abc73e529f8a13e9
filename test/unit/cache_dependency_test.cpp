#include "core/cache/dependency.hpp"

#include <gtest/gtest.h>

namespace agent_queue {
namespace {

using Names = std::vector<std::string>;

TEST(CacheDependency, IsFollowedByItsGroup) {
  EXPECT_EQ(with_groups(Names{"documents:42"}), (Names{"documents:42", "documents:*"}));
}

TEST(CacheDependency, NamesAGroupOnceForAllOfIt) {
  EXPECT_EQ(with_groups(Names{"a:1", "b:1", "a:2"}), (Names{"a:1", "a:*", "b:1", "b:*", "a:2"}));
}

TEST(CacheDependency, WithoutAColonHasNoGroup) {
  EXPECT_EQ(with_groups(Names{"prices"}), Names{"prices"});
}

TEST(CacheDependency, ThatIsAGroupStandsForItself) {
  EXPECT_EQ(with_groups(Names{"documents:*"}), Names{"documents:*"});
}

TEST(CacheDependency, BelongsToTheGroupBeforeItsFirstColon) {
  EXPECT_EQ(group_of("documents:urn:isbn:3"), "documents:*");
  EXPECT_EQ(group_of("documents:"), "documents:*");
}

TEST(CacheDependency, IsComparedOnce) {
  EXPECT_EQ(with_groups(Names{"a:1", "a:1", "a:*"}), (Names{"a:1", "a:*"}));
}

TEST(CacheDependency, OnlyAPrefixWithAStarIsAGroup) {
  EXPECT_TRUE(is_group("documents:*"));
  for (const char *name : {"documents:42", "documents", "*", "documents:a:*"}) EXPECT_FALSE(is_group(name)) << name;
}

}  // namespace
}  // namespace agent_queue
