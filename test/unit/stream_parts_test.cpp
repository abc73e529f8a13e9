// Goal: text so far reaches the store whole, in order, no more often than it may, and never at the cost of anything
// else. Method: texts put in, batches taken out, answers of the store made up.
#include "engine/stream_parts.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <map>

namespace agent_queue {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class StreamPartsTest : public testing::Test {
 protected:
  void open(std::uint64_t call, Micros interval = milliseconds(500)) {
    StreamParts::Terms terms;
    terms.job = JobId{static_cast<std::int64_t>(call) * 10};
    terms.interval = interval;
    parts_.open(CallId{call}, terms);
  }
  void add(std::uint64_t call, std::string_view text) { parts_.add(CallId{call}, text, now_); }
  std::span<const StreamPart> batch_after(Micros wait) {
    now_ += wait;
    return parts_.next_batch(now_);
  }
  // What a store would have, which takes everything.
  void write_after(Micros wait) {
    for (const StreamPart &part : batch_after(wait)) {
      EXPECT_EQ(part.number, ++numbers_[part.id.value]);
      stored_[part.id.value] += part.text;
    }
    parts_.accept(now_);
  }

  StreamParts parts_;
  SteadyTime now_{seconds(100)};
  std::map<std::int64_t, std::string> stored_;
  std::map<std::int64_t, int> numbers_;
};

TEST_F(StreamPartsTest, HaveNothingToDoWhereNothingCame) {
  EXPECT_FALSE(parts_.next_due().has_value());
  open(1);
  EXPECT_FALSE(parts_.next_due().has_value());
  add(2, "of nobody");
  EXPECT_FALSE(parts_.next_due().has_value());
  EXPECT_FALSE(parts_.close(CallId{1})) << "nothing to remove";
}

TEST_F(StreamPartsTest, GatherTheFirstWordsOfSeveralCalls) {
  open(1);
  open(2);
  add(1, "a");
  ASSERT_TRUE(parts_.next_due().has_value());
  EXPECT_LE(*parts_.next_due(), now_ + milliseconds(50));
  EXPECT_TRUE(batch_after(milliseconds(1)).empty());
  add(2, "b");
  EXPECT_EQ(batch_after(milliseconds(50)).size(), 2u);
  parts_.accept(now_);
  EXPECT_TRUE(parts_.close(CallId{1}));
}

TEST_F(StreamPartsTest, ComeOncePerIntervalAndCall) {
  open(1);
  int batches = 0;
  for (int i = 0; i < 100; ++i) {
    add(1, "x");
    if (!batch_after(milliseconds(20)).empty()) ++batches;
    parts_.accept(now_);
  }
  EXPECT_GE(batches, 4);
  EXPECT_LE(batches, 5) << "two seconds at 500 ms";
}

TEST_F(StreamPartsTest, MakeTheWholeTextWithoutGapsAndCountItsCharacters) {
  open(1);
  add(1, "gr");
  add(1, "ü");
  write_after(milliseconds(50));
  add(1, "ßt €");
  const auto batch = batch_after(seconds(1));
  ASSERT_EQ(batch.size(), 1u);
  EXPECT_EQ(batch[0].text, "ßt €");
  EXPECT_EQ(batch[0].number, 2);
  EXPECT_EQ(batch[0].chars, 7);
  EXPECT_EQ(batch[0].id, JobId{10});
}

TEST_F(StreamPartsTest, LoseNothingWhenTheStoreIsBusyAndAskItLessAndLess) {
  open(1);
  add(1, "one ");
  int tries = 0;
  for (int i = 0; i < 600; ++i) {  // a minute
    add(1, ".");
    if (batch_after(milliseconds(100)).empty()) continue;
    ++tries;
    EXPECT_FALSE(parts_.refuse(StoreTrouble::busy, now_).has_value());
    EXPECT_TRUE(parts_.must_go_alone());
  }
  EXPECT_LE(tries, 8);
  write_after(seconds(60));
  EXPECT_EQ(stored_[10], "one " + std::string(600, '.'));
  EXPECT_FALSE(parts_.must_go_alone());
  add(1, "!");
  write_after(seconds(1));
  EXPECT_EQ(stored_[10].back(), '!');
}

TEST_F(StreamPartsTest, GiveUpTheOneTextThatCannotBeStored) {
  for (std::uint64_t call = 1; call <= 20; ++call) open(call, milliseconds(50));
  for (int i = 0; i < 200; ++i) {
    for (std::uint64_t call = 1; call <= 20; ++call) add(call, "x");
    const auto batch = batch_after(milliseconds(100));
    bool is_bad = false;
    for (const StreamPart &part : batch) is_bad = is_bad || part.id == JobId{70};
    if (is_bad) {
      const bool is_single = batch.size() == 1;
      const std::optional<JobId> given_up = parts_.refuse(StoreTrouble::unstorable, now_);
      EXPECT_EQ(given_up.has_value(), is_single);
      if (given_up) {
        EXPECT_EQ(*given_up, JobId{70});
      }
      continue;
    }
    for (const StreamPart &part : batch) stored_[part.id.value] += part.text;
    parts_.accept(now_);
  }
  EXPECT_FALSE(stored_.contains(70));
  for (std::int64_t job = 10; job <= 200; job += 10) EXPECT_GE(stored_[job].size(), job == 70 ? 0u : 190u) << job;
  EXPECT_FALSE(parts_.must_go_alone());
}

TEST_F(StreamPartsTest, BlameNoTextForARoundThatDidSomethingElseAsWell) {
  open(1);
  add(1, "fine");
  ASSERT_EQ(batch_after(seconds(1)).size(), 1u);
  EXPECT_FALSE(parts_.refuse(StoreTrouble::unstorable, now_).has_value());
  EXPECT_TRUE(parts_.must_go_alone());
  write_after(seconds(1));
  EXPECT_EQ(stored_[10], "fine");
}

TEST_F(StreamPartsTest, ComeAgainInTheirPlaceWhenNobodySaidWhatBecameOfThem) {
  open(1);
  open(2);
  add(1, "a");
  add(2, "gone");
  ASSERT_EQ(batch_after(seconds(1)).size(), 2u);
  add(1, "b");  // the statement was cancelled: neither accept() nor refuse()
  parts_.close(CallId{2});
  write_after(seconds(2));
  EXPECT_EQ(stored_[10], "ab");
  EXPECT_FALSE(stored_.contains(20));
}

TEST_F(StreamPartsTest, SayWhichTextMayBeStoredThoughNoWriteSucceeded) {
  open(1);
  add(1, "a");
  ASSERT_FALSE(batch_after(seconds(1)).empty());
  parts_.refuse(StoreTrouble::busy, now_);
  EXPECT_TRUE(parts_.close(CallId{1}));
}

}  // namespace
}  // namespace agent_queue
