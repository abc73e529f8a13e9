// Where keys may come from, and what errors say about them.
#include "net/key_reader.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

namespace agent_queue {
namespace {

constexpr const char *kSecret = "sk-very-secret-key";

class KeyReaderTest : public ::testing::Test {
 protected:
  void SetUp() override {
    char name[] = "/tmp/aq_keys_XXXXXX";
    directory_ = mkdtemp(name);
  }
  void TearDown() override {
    std::filesystem::remove_all(directory_);
    unsetenv("AQ_TEST_KEY");
  }

  std::string write_key(const std::string &name, const std::string &content, mode_t mode = 0600) {
    const std::string path = directory_ + "/" + name;
    std::ofstream(path, std::ios::binary) << content;
    EXPECT_EQ(chmod(path.c_str(), mode), 0);
    return "file:" + path;
  }

  void expect_refused(KeyReader &reader, const std::string &ref, ErrorKind kind) {
    const auto key = reader.resolve(ref);
    ASSERT_FALSE(key.ok()) << ref;
    EXPECT_EQ(key.error().kind, kind) << key.error().message;
    EXPECT_EQ(key.error().message.find(kSecret), std::string::npos);
    EXPECT_EQ(key.error().hint.find(kSecret), std::string::npos);
  }

  std::string directory_;
};

TEST_F(KeyReaderTest, EmptyReferenceIsNoKey) {
  KeyReader reader({.restrict_refs = true, .allowed_key_refs = ""});
  EXPECT_EQ(*reader.resolve(""), "");
}

TEST_F(KeyReaderTest, Environment) {
  KeyReader reader;
  expect_refused(reader, "env:AQ_TEST_KEY", ErrorKind::not_found);
  expect_refused(reader, "env:", ErrorKind::not_found);
  setenv("AQ_TEST_KEY", kSecret, 1);
  EXPECT_EQ(*reader.resolve("env:AQ_TEST_KEY"), kSecret);
  reader.forget();
  setenv("AQ_TEST_KEY", "", 1);
  expect_refused(reader, "env:AQ_TEST_KEY", ErrorKind::not_found);
  setenv("AQ_TEST_KEY", (std::string(kSecret) + "\r\nX-Smuggled: 1").c_str(), 1);
  expect_refused(reader, "env:AQ_TEST_KEY", ErrorKind::invalid_input);
}

TEST_F(KeyReaderTest, Files) {
  KeyReader reader;
  EXPECT_EQ(*reader.resolve(write_key("plain", kSecret)), kSecret);
  EXPECT_EQ(*reader.resolve(write_key("newline", std::string(kSecret) + "\n", 0400)), kSecret);
  EXPECT_EQ(*reader.resolve(write_key("crlf", std::string(kSecret) + "\r\n")), kSecret);
  expect_refused(reader, write_key("empty", "\n"), ErrorKind::not_found);
  expect_refused(reader, write_key("two", std::string(kSecret) + "\n\n"), ErrorKind::invalid_input);
  expect_refused(reader, write_key("nul", std::string(kSecret) + std::string("\0x", 2)), ErrorKind::invalid_input);
  EXPECT_EQ(reader.resolve(write_key("longest", std::string(kKeyBytesMax, 'k')))->size(), kKeyBytesMax);
  expect_refused(reader, write_key("long", std::string(kKeyBytesMax + 1, 'k')), ErrorKind::too_large);
  expect_refused(reader, write_key("huge", std::string(kKeyFileBytesMax + 1, 'k')), ErrorKind::too_large);
  expect_refused(reader, "file:" + directory_ + "/missing", ErrorKind::not_found);
}

TEST_F(KeyReaderTest, JsonDocumentsMayHaveManyLines) {
  KeyReader reader;
  const std::string account = "{\n  \"private_key\": \"" + std::string(2 * kKeyBytesMax, 'k') + "\"\n}";
  EXPECT_EQ(*reader.resolve(write_key("account", account + "\n")), account);
  setenv("AQ_TEST_KEY", account.c_str(), 1);
  EXPECT_EQ(*reader.resolve("env:AQ_TEST_KEY"), account);
  const std::string longest = "{" + std::string(kKeyFileBytesMax, 'k');
  setenv("AQ_TEST_KEY", longest.c_str(), 1);
  reader.forget();
  expect_refused(reader, "env:AQ_TEST_KEY", ErrorKind::too_large);
}

TEST_F(KeyReaderTest, FilesThatOthersCanUseAreRefused) {
  KeyReader reader;
  for (mode_t mode : {0640, 0604, 0620, 0602, 0610, 0601, 0660, 0644})
    expect_refused(reader, write_key("mode" + std::to_string(mode), kSecret, mode), ErrorKind::not_allowed);
}

TEST_F(KeyReaderTest, FilesOfOtherUsersAreRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "only root can give a file away";
  KeyReader reader;
  const std::string ref = write_key("others", kSecret);
  ASSERT_EQ(chown(ref.substr(5).c_str(), 12345, 12345), 0);
  expect_refused(reader, ref, ErrorKind::not_allowed);
}

TEST_F(KeyReaderTest, OnlyRegularFiles) {
  KeyReader reader;
  const std::string target = write_key("target", kSecret);
  ASSERT_EQ(symlink(target.substr(5).c_str(), (directory_ + "/link").c_str()), 0);
  expect_refused(reader, "file:" + directory_ + "/link", ErrorKind::unavailable);
  ASSERT_EQ(mkfifo((directory_ + "/pipe").c_str(), 0600), 0);
  expect_refused(reader, "file:" + directory_ + "/pipe", ErrorKind::not_allowed);
  ASSERT_EQ(mkdir((directory_ + "/directory").c_str(), 0700), 0);
  expect_refused(reader, "file:" + directory_ + "/directory", ErrorKind::not_allowed);
}

TEST_F(KeyReaderTest, PathsMustBeAbsoluteAndPlain) {
  write_key("key", kSecret);
  KeyReader reader;
  for (const std::string &path :
       {std::string(), std::string("/"), std::string("key"), std::string("../key"), directory_ + "/../key",
        directory_ + "/./key", directory_ + "//key", directory_ + "/"})
    expect_refused(reader, "file:" + path, ErrorKind::invalid_input);
  expect_refused(reader, std::string("file:/tmp/a\0b", 13), ErrorKind::invalid_input);
}

TEST_F(KeyReaderTest, UnknownSchemesAreRefusedAndNotRepeated) {
  KeyReader reader;
  expect_refused(reader, kSecret, ErrorKind::invalid_input);
  expect_refused(reader, std::string("http:") + kSecret, ErrorKind::invalid_input);
  EXPECT_NE(reader.resolve("vault:x").error().hint.find("env:NAME"), std::string::npos);
}

TEST_F(KeyReaderTest, RestrictedReferences) {
  setenv("AQ_TEST_KEY", kSecret, 1);
  const std::string ref = write_key("key", kSecret);
  KeyReader reader({.restrict_refs = true, .allowed_key_refs = ""});
  expect_refused(reader, "env:AQ_TEST_KEY", ErrorKind::not_allowed);
  expect_refused(reader, ref, ErrorKind::not_allowed);
  reader.set_rules(
      {.restrict_refs = true, .allowed_key_refs = "env:OPENAI_*, env:AQ_*_KEY ,file:" + directory_ + "/*"});
  EXPECT_EQ(*reader.resolve("env:AQ_TEST_KEY"), kSecret);
  EXPECT_EQ(*reader.resolve(ref), kSecret);
  expect_refused(reader, "env:PATH", ErrorKind::not_allowed);
  expect_refused(reader, "file:" + directory_ + "/deeper/key", ErrorKind::not_allowed);
  expect_refused(reader, "file:" + directory_ + "/..", ErrorKind::invalid_input);
  reader.set_rules({.restrict_refs = true, .allowed_key_refs = "env:OPENAI_*"});
  expect_refused(reader, "env:AQ_TEST_KEY", ErrorKind::not_allowed);  // not from what was kept either
}

TEST_F(KeyReaderTest, KeysAreKeptForAMinute) {
  SteadyTime now{std::chrono::hours(1)};
  KeyReader reader({}, [&now] { return now; });
  setenv("AQ_TEST_KEY", "first-key", 1);
  EXPECT_EQ(*reader.resolve("env:AQ_TEST_KEY"), "first-key");
  setenv("AQ_TEST_KEY", "second-key", 1);
  now += kKeyAgeMax - Micros(1);
  EXPECT_EQ(*reader.resolve("env:AQ_TEST_KEY"), "first-key");
  now += Micros(1);
  EXPECT_EQ(*reader.resolve("env:AQ_TEST_KEY"), "second-key");
  setenv("AQ_TEST_KEY", "third-key", 1);
  reader.forget();
  EXPECT_EQ(*reader.resolve("env:AQ_TEST_KEY"), "third-key");
}

}  // namespace
}  // namespace agent_queue
