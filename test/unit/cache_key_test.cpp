// What makes two requests the same one, and what does not.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "core/cache/cache_key.hpp"
#include "core/cache/digest_builder.hpp"

namespace agent_queue {
namespace {

constexpr UserId kAnn{1, 2, 3};
constexpr UserId kBob{3, 2, 1};

TextTemplate text_template(std::string_view source) {
  return TextTemplate::parse(source).value();
}

AgentType cached_type() {
  AgentType type;
  type.name = "translate";
  type.queue = "agents";
  type.system_prompt = "You translate.";
  type.params = Json::object({{"temperature", 0}});
  type.routes = {{.position = 1, .provider = "openai", .model = "gpt", .weight = 100}};
  type.cache.emplace().type = "translation";
  type.cache->definition = definition_digest(type);
  return type;
}

AgentType with_template(std::string_view source) {
  AgentType type = cached_type();
  type.prompt_template = text_template(source);
  type.cache->definition = definition_digest(type);
  return type;
}

std::string answer_key(const AgentType &type, std::string_view request,
                       std::span<const DependencyVersion> versions = {}, std::optional<UserId> owner = kAnn) {
  const Result<Digest> digest = answer_digest(type, owner, request, versions);
  return digest.ok() ? to_hex(*digest) : "error: " + digest.error().message;
}

std::string value_key(std::string_view data, std::string_view type = "query", std::optional<UserId> owner = {}) {
  const Result<Digest> digest = value_digest(type, owner, data);
  return digest.ok() ? to_hex(*digest) : "error: " + digest.error().message;
}

std::vector<std::string> dependencies(std::initializer_list<const char *> sources, std::string_view request) {
  std::vector<TextTemplate> templates;
  for (const char *source : sources) templates.push_back(text_template(source));
  Result<std::vector<std::string>> rendered = render_dependencies(templates, parse_json(request).value());
  return rendered.ok() ? *rendered : std::vector<std::string>{"error: " + rendered.error().message};
}

TEST(DigestBuilder, MakesSha256) {
  // printf 't\0\0\0\0\0\0\0\3abcn\377\377\377\377\377\377\377\377' | sha256sum
  EXPECT_EQ(to_hex(DigestBuilder().add("abc").add(-1).finish()),
            "2944ef19739fb9d8c0e1515003662af6fe961fe8720683668daeb1e7b28d0ae0");
}

TEST(DigestBuilder, TellsListsOfPartsApart) {
  EXPECT_NE(DigestBuilder().add("ab").add("c").finish(), DigestBuilder().add("a").add("bc").finish());
  EXPECT_NE(DigestBuilder().add("").add("a").finish(), DigestBuilder().add("a").add("").finish());
  EXPECT_NE(DigestBuilder().add("a").finish(), DigestBuilder().add("a").add("").finish());
  EXPECT_NE(DigestBuilder().add(0).finish(), DigestBuilder().add(std::string_view("\0\0\0\0\0\0\0\0", 8)).finish());
}

TEST(DefinitionDigest, ChangesWithAllThatCanChangeAnAnswer) {
  const AgentType before = cached_type();
  const std::vector<std::function<void(AgentType &)>> changes = {
      [](AgentType &type) { type.system_prompt = "You translate!"; },
      [](AgentType &type) { type.prompt_template = text_template("{{text}}"); },
      [](AgentType &type) { type.prompt_template = text_template(""); },
      [](AgentType &type) { type.result_template = Json::parse(R"({"t": "{{text}}"})"); },
      [](AgentType &type) { type.result_template = Json(nullptr); },
      [](AgentType &type) { type.params["temperature"] = 1; },
      [](AgentType &type) { type.max_output_tokens = 1025; },
      [](AgentType &type) { type.complexity = Capability::high; },
      [](AgentType &type) { type.requires_reasoning = true; },
      [](AgentType &type) { type.compress = true; },
      [](AgentType &type) { type.compress_language = "en"; },
      [](AgentType &type) { type.routes.clear(); },
      [](AgentType &type) { type.routes[0].position = 2; },
      [](AgentType &type) { type.routes[0].provider = "azure"; },
      [](AgentType &type) { type.routes[0].model = "gpt-mini"; },
      [](AgentType &type) { type.routes[0].weight = 99; },
      [](AgentType &type) { type.routes.push_back(type.routes[0]); },
  };
  std::vector<Digest> seen = {definition_digest(before)};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    AgentType after = before;
    changes[i](after);
    const Digest digest = definition_digest(after);
    EXPECT_EQ(std::find(seen.begin(), seen.end(), digest), seen.end()) << "change " << i;
    seen.push_back(digest);
  }
}

TEST(DefinitionDigest, StaysWithAllElse) {
  const AgentType before = cached_type();
  AgentType after = before;
  after.name = "other";
  after.queue = "reports";
  after.template_bytes = 7;
  after.priority = 1;
  after.request_timeout = Micros{1};
  after.expires_in.reset();
  after.max_retries = 0;
  after.retry_base = Micros{1};
  after.on_uncertain = OnUncertain::fail;
  after.stream = true;
  after.stream_interval.reset();
  after.stream_notify = true;
  after.endpoint = "other";
  after.rate = RateLimit{};
  after.cache.reset();
  EXPECT_EQ(definition_digest(after), definition_digest(before));
}

TEST(DefinitionDigest, ReadsATemplateByItsText) {
  EXPECT_EQ(definition_digest(with_template("{{a}}: {{b}}")), definition_digest(with_template("{{a}}: {{b}}")));
  EXPECT_NE(definition_digest(with_template("{{a}}: {{b}}")), definition_digest(with_template("{{b}}: {{a}}")));
}

TEST(AnswerDigest, IsTheSameForAllSpellingsOfARequest) {
  const AgentType type = with_template("{{n}} {{text}} {{more}}");
  const std::string key = answer_key(type, R"({"n": 1, "text": "caf\u00e9", "more": {"a": 100, "b": [0.5]}})");
  EXPECT_EQ(key.size(), 64U);
  EXPECT_EQ(answer_key(type, R"({"more":{"b":[5e-1],"a":1e2},"text":"cafe\u0301","n":1.0})"), key);
}

TEST(AnswerDigest, IgnoresFieldsThatNoPromptUses) {
  const AgentType type = with_template("{{user.name}}");
  EXPECT_EQ(answer_key(type, R"({"user": {"name": "Ann", "seen": 1}, "trace": "x"})"),
            answer_key(type, R"({"user": {"name": "Ann", "seen": 2}})"));
  EXPECT_EQ(answer_key(cached_type(), R"({"prompt": "hi", "trace": 1})"),
            answer_key(cached_type(), R"({"prompt": "hi"})"));
}

TEST(AnswerDigest, TakesARequestForTheConversationThatItBecomes) {
  const std::string key = answer_key(cached_type(), R"({"prompt": "hi"})");
  EXPECT_EQ(answer_key(cached_type(), R"({"text": "hi"})"), key);
  EXPECT_EQ(answer_key(cached_type(), R"({"messages": [{"content": "hi", "role": "user"}]})"), key);
  EXPECT_NE(answer_key(cached_type(), R"({"messages": [{"content": "hi", "role": "assistant"}]})"), key);
  EXPECT_NE(answer_key(cached_type(), R"({"prompt": "hi "})"), key);
}

TEST(AnswerDigest, TellsNumbersApartThatADoubleDoesNot) {
  const AgentType type = with_template("{{id}}");
  EXPECT_NE(answer_key(type, R"({"id": 9007199254740993})"), answer_key(type, R"({"id": 9007199254740992})"));
  EXPECT_NE(answer_key(type, R"({"id": 12345678901234567890123})"),
            answer_key(type, R"({"id": 12345678901234567890124})"));
  EXPECT_NE(answer_key(type, R"({"id": 0.1})"), answer_key(type, R"({"id": 0.10000000000000000001})"));
  EXPECT_EQ(answer_key(type, R"({"id": 0.1})"), answer_key(type, R"({"id": 1e-1})"));
}

TEST(AnswerDigest, DoesNotTakeAnObjectForANumber) {
  const AgentType type = with_template("{{price}}");
  EXPECT_NE(answer_key(type, R"({"price": 1.5})"),
            answer_key(type, R"({"price": {"bytes": [49, 53, 101, 45, 49], "subtype": null}})"));
}

TEST(AnswerDigest, IsOneOfEachOwnerScopeAndCacheType) {
  const AgentType type = cached_type();
  AgentType shared = type;
  shared.cache->scope = CacheScope::shared;
  AgentType other = type;
  other.cache->type = "correction";
  const std::string request = R"({"prompt": "hi"})";
  const std::vector<std::string> keys = {answer_key(type, request, {}, kAnn), answer_key(type, request, {}, kBob),
                                         answer_key(type, request, {}, {}),   answer_key(type, request, {}, UserId{}),
                                         answer_key(shared, request, {}, {}), answer_key(other, request, {}, kAnn)};
  for (std::size_t i = 0; i < keys.size(); ++i)
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(keys[i], keys[j]) << i << " " << j;
}

TEST(AnswerDigest, ChangesWithTheDefinition) {
  AgentType after = cached_type();
  after.max_output_tokens = 7;
  after.cache->definition = definition_digest(after);
  EXPECT_NE(answer_key(after, R"({"prompt": "hi"})"), answer_key(cached_type(), R"({"prompt": "hi"})"));
}

TEST(AnswerDigest, IgnoresTheTimesOfTheCache) {
  AgentType after = cached_type();
  after.cache->ttl = Micros{1};
  after.cache->stale_if_error = Micros{1};
  after.cache->stale_while_revalidate = Micros{1};
  after.cache->refresh = true;
  after.cache->predictor = "f";
  EXPECT_EQ(answer_key(after, R"({"prompt": "hi"})"), answer_key(cached_type(), R"({"prompt": "hi"})"));
}

TEST(AnswerDigest, ChangesWithEveryVersionOfADependency) {
  const AgentType type = cached_type();
  const std::string request = R"({"prompt": "hi"})";
  const std::vector<DependencyVersion> none = {{"documents:1", 0}};
  const std::vector<DependencyVersion> changed = {{"documents:1", 1}};
  const std::vector<DependencyVersion> other = {{"documents:2", 1}};
  const std::vector<DependencyVersion> both = {{"documents:1", 1}, {"documents:2", 1}};
  EXPECT_NE(answer_key(type, request, none), answer_key(type, request));
  EXPECT_NE(answer_key(type, request, none), answer_key(type, request, changed));
  EXPECT_NE(answer_key(type, request, changed), answer_key(type, request, other));
  EXPECT_NE(answer_key(type, request, changed), answer_key(type, request, both));
}

TEST(AnswerDigest, RefusesWhatCannotBeMapped) {
  EXPECT_EQ(answer_key(cached_type(), "{}"),
            "error: request says nothing: it has no \"messages\", \"prompt\" or \"text\"");
  EXPECT_EQ(answer_key(cached_type(), "nonsense"), "error: text is not valid JSON (at byte 2)");
  EXPECT_EQ(answer_key(with_template("{{n}}"), R"({"n": 1e400})"),
            "error: request has a number that no double can hold");
  EXPECT_EQ(answer_key(with_template("{{n}}"), "{}"),
            "error: request has no field \"n\", which the prompt template names");
}

TEST(ValueDigest, IsOneOfAllSpellingsButOfEachValueTypeAndOwner) {
  EXPECT_EQ(value_key(R"({"a": 1, "b": "x"})"), value_key(R"({"b":"x","a":1.0})"));
  EXPECT_EQ(value_key("1e400"), value_key("10e399"));
  EXPECT_NE(value_key("1"), value_key("2"));
  EXPECT_NE(value_key("1"), value_key("1", "session"));
  EXPECT_NE(value_key("1"), value_key("1", "query", kAnn));
  EXPECT_NE(value_key("1", "query", kBob), value_key("1", "query", kAnn));
  EXPECT_EQ(value_key("{"), "error: text is not valid JSON (at byte 2)");
}

TEST(RenderDependencies, PutsFieldsInOnceEachInOrder) {
  EXPECT_EQ(dependencies({"documents:{{id}}", "glossary", "documents:{{same}}", "users:{{user.id}}"},
                         R"({"id": 42, "same": 42, "user": {"id": "u1"}})"),
            (std::vector<std::string>{"documents:42", "glossary", "users:u1"}));
  EXPECT_EQ(dependencies({}, "{}"), std::vector<std::string>{});
}

TEST(RenderDependencies, TakesAllSpellingsOfAnIdForOne) {
  for (const char *request : {R"({"id": 42})", R"({"id": 42.0})", R"({"id": 4.2e1})", R"({"id": "42"})"})
    EXPECT_EQ(dependencies({"documents:{{id}}"}, request), std::vector<std::string>{"documents:42"}) << request;
  EXPECT_EQ(dependencies({"d:{{id}}"}, R"({"id": -1.5})"), std::vector<std::string>{"d:-1.5"});
  EXPECT_EQ(dependencies({"d:{{id}}"}, R"({"id": 18446744073709551615})"),
            std::vector<std::string>{"d:18446744073709551615"});
}

TEST(RenderDependencies, RefusesWhatNamesNoRow) {
  EXPECT_EQ(dependencies({"documents:{{id}}"}, "{}"),
            std::vector<std::string>{"error: request has no field \"id\", which cache_depends_on names"});
  EXPECT_EQ(dependencies({"{{id}}"}, R"({"id": ""})"),
            std::vector<std::string>{"error: an entry of cache_depends_on has 0 characters with the fields of the "
                                     "request, which is not from 1 to 200"});
  EXPECT_EQ(
      dependencies({"d:{{a.id}}"}, R"({"a": {"id": 12345678901234567890123}})"),
      std::vector<std::string>{"error: a field of the request that cache_depends_on names has a number above 2^53"});
  std::string letters;
  for (int i = 0; i < 200; ++i) letters += "\xC3\xA9";
  EXPECT_EQ(dependencies({"{{id}}"}, R"({"id": ")" + letters + "\"}"), std::vector<std::string>{letters});
  EXPECT_TRUE(dependencies({"{{id}}"}, R"({"id": ")" + letters + "x\"}")[0].starts_with("error: an entry of "));
}

TEST(JobCacheKey, IsPackedAndUnpacked) {
  JobCacheKey key{.kind = JobCacheKey::Kind::refresh, .definition = 0x0102030405060708U, .digest = {}};
  key.digest[0] = 9;
  key.digest[31] = 0xFF;
  const std::string bytes = pack(key);
  EXPECT_EQ(bytes.size(), kJobCacheKeyBytes);
  EXPECT_EQ(bytes.substr(0, 10), "\x01\x01\x02\x03\x04\x05\x06\x07\x08\x09");
  EXPECT_EQ(unpack_cache_key(bytes), key);
  EXPECT_EQ(unpack_cache_key(pack(JobCacheKey{})), JobCacheKey{});
}

TEST(JobCacheKey, IsNotReadFromOtherBytes) {
  const std::string bytes = pack(JobCacheKey{});
  EXPECT_EQ(unpack_cache_key(""), std::nullopt);
  EXPECT_EQ(unpack_cache_key(bytes.substr(1)), std::nullopt);
  EXPECT_EQ(unpack_cache_key(bytes + "x"), std::nullopt);
  EXPECT_EQ(unpack_cache_key("\x02" + bytes.substr(1)), std::nullopt);
}

TEST(StoreKey, IsTheTypeAndTheHexDigest) {
  Digest digest{0x01, 0xAB};
  EXPECT_EQ(store_key("translation", digest), "translation:01ab" + std::string(60, '0'));
  EXPECT_EQ(short_digest(digest), 0x01AB000000000000U);
}

}  // namespace
}  // namespace agent_queue
