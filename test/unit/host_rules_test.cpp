// How URLs are read, and which hosts a list of patterns allows.
#include "net/host_rules.hpp"

#include <gtest/gtest.h>

namespace agent_queue {
namespace {

bool allowed(std::string_view patterns, const std::string &url) {
  const auto rules = HostRules::parse(patterns);
  const auto target = parse_target(url);
  EXPECT_TRUE(rules.ok()) << patterns;
  EXPECT_TRUE(target.ok()) << url;
  return rules.ok() && target.ok() && rules->allows(*target);
}

TEST(HostRulesTest, TargetsOfUrls) {
  const auto target = parse_target("HTTPS://API.OpenAI.com/v1?x=y#z");
  ASSERT_TRUE(target.ok());
  EXPECT_EQ(target->host, "api.openai.com");
  EXPECT_EQ(target->port, 443);
  EXPECT_TRUE(target->https);
  EXPECT_EQ(target->origin(), "https://api.openai.com:443");
  EXPECT_EQ(parse_target("http://[::1]:8080/")->authority(), "[::1]:8080");
  EXPECT_EQ(parse_target("http://example.com./")->host, "example.com");
  EXPECT_EQ(parse_target("http://localhost")->port, 80);
  EXPECT_EQ(parse_target("http:///v1")->host, "v1") << "as curl reads it";
  EXPECT_EQ(parse_target("http://2130706433/")->host, "127.0.0.1") << "numbers are read as curl reads them";
}

TEST(HostRulesTest, UrlsThatAreRefused) {
  for (const char *url : {"",
                          "api.openai.com",
                          "http://",

                          "ftp://h/",
                          "file:///etc/passwd",
                          "gopher://h/",
                          "javascript:x",
                          "http://user@h/",
                          "http://user:pass@h/",
                          "http://:pass@h/",
                          "http://a b/",
                          "http://a\tb/",
                          "http://a\nb/",
                          "http://h:0/",
                          "http://h:65536/",
                          "http://h:x/",
                          "http://h/\x7f",
                          "http://a%0ab/",
                          "http://a%00b/",
                          "http://b\xc3\xbc"
                          "cher.example/",
                          "http://[::1/",
                          "http://a,b/"})
    EXPECT_FALSE(parse_target(url).ok()) << url;
}

TEST(HostRulesTest, ErrorsDoNotRepeatTheUrl) {
  const auto target = parse_target("http://user:hunter2@example.com/");
  ASSERT_FALSE(target.ok());
  EXPECT_EQ(target.error().message.find("hunter2"), std::string::npos);
}

TEST(HostRulesTest, EmptyListAllowsEveryHost) {
  EXPECT_TRUE(allowed("", "https://anything.example/"));
  EXPECT_TRUE(allowed("  ", "http://127.0.0.1:9/"));
}

TEST(HostRulesTest, ExactHosts) {
  EXPECT_TRUE(allowed("api.openai.com", "https://api.openai.com/v1"));
  EXPECT_TRUE(allowed("API.openai.com.", "https://api.OpenAI.com./v1"));
  EXPECT_TRUE(allowed(" a.example , b.example ", "https://b.example:8443/"));
  EXPECT_FALSE(allowed("api.openai.com", "https://openai.com/"));
  EXPECT_FALSE(allowed("api.openai.com", "https://api.openai.com.evil.example/"));
  EXPECT_FALSE(allowed("api.openai.com", "https://xapi.openai.com/"));
  EXPECT_FALSE(allowed("api.openai.com", "https://evil.example/?api.openai.com"));
}

TEST(HostRulesTest, Ports) {
  EXPECT_TRUE(allowed("localhost:8080", "http://localhost:8080/"));
  EXPECT_FALSE(allowed("localhost:8080", "http://localhost:8081/"));
  EXPECT_FALSE(allowed("localhost:8080", "http://localhost/"));
  EXPECT_TRUE(allowed("example.com:443", "https://example.com/"));
  EXPECT_TRUE(allowed("[::1]:8080", "http://[::1]:8080/"));
  EXPECT_FALSE(allowed("[::1]:8080", "http://[::1]:80/"));
  EXPECT_TRUE(allowed("::1", "http://[::1]:80/"));
  EXPECT_TRUE(allowed("127.0.0.1", "http://127.0.0.1:80/"));
}

TEST(HostRulesTest, Subdomains) {
  EXPECT_TRUE(allowed("*.example.com", "https://a.example.com/"));
  EXPECT_TRUE(allowed("*.example.com", "https://a.b.example.com/"));
  EXPECT_TRUE(allowed("*.example.com:8443", "https://a.example.com:8443/"));
  EXPECT_FALSE(allowed("*.example.com:8443", "https://a.example.com/"));
  EXPECT_FALSE(allowed("*.example.com", "https://example.com/"));
  EXPECT_FALSE(allowed("*.example.com", "https://badexample.com/"));
  EXPECT_FALSE(allowed("*.example.com", "https://a.example.com.evil.example/"));
}

TEST(HostRulesTest, PatternsThatAreRefused) {
  for (const char *patterns : {"https://api.openai.com", "a..b,,c", ",", "a b", "*", "*.", "a.*.b", "*example.com",
                               "host:0", "host:", "host:99999", "host/path", "user@host", ".example.com"}) {
    const auto rules = HostRules::parse(patterns);
    EXPECT_FALSE(rules.ok()) << patterns;
    if (!rules.ok()) {
      EXPECT_FALSE(rules.error().hint.empty());
    }
  }
}

}  // namespace
}  // namespace agent_queue
