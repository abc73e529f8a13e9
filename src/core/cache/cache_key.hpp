// What makes two requests the same one. Pure. Tested in test/unit/cache_key_test.cpp.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/base/digest.hpp"
#include "core/base/ids.hpp"
#include "core/base/result.hpp"
#include "core/catalog/catalog.hpp"

namespace agent_queue {

// All of an agent type that can change an answer or the result that is made of it: prompts and templates, params, the
// bound on the output, what "auto" needs, compression, the routes with their weights. Not: its name, time-outs,
// retries, priority, queue, limits, the rules of the cache.
Digest definition_digest(const AgentType &type);

// A dependency of an answer, and how often it had changed when the job was admitted (cache_versions).
struct DependencyVersion {
  std::string dependency;
  std::int64_t version = 0;
};

// agent_types.cache_depends_on with the request's fields put in, in order, each once. 42.0 is put in as 42: it is the
// same row. Error: a field that the request lacks, a number that a double does not tell from its neighbours (above
// 2^53; as an integer of 64 bits it is fine), or a result that is empty or over 200 characters.
Result<std::vector<std::string>> render_dependencies(std::span<const TextTemplate> templates, const Json &request);

// Of an answer to a job of a type that has a CacheRule with its definition; the rule's type and scope are in it, too.
// The request counts as the conversation that it is mapped to (core/prompt), in canonical form: fields that no prompt
// uses do not matter. Two numbers that prompts spell alike, being beyond what a double tells apart, are still two.
// `owner`: whose answer it is; empty: everybody's, or the system's. Error: a request that cannot be mapped.
Result<Digest> answer_digest(const AgentType &type, const std::optional<UserId> &owner, std::string_view request,
                             std::span<const DependencyVersion> versions);

// Of a value of cache_set(): never equal to an answer's.
Result<Digest> value_digest(std::string_view cache_type, const std::optional<UserId> &owner, std::string_view data);

// agent_queue.cache_key: what a job carries from its admission to its settle. A worker that finds another definition
// than the one that it was made with leaves the cache alone.
struct JobCacheKey {
  enum class Kind : std::uint8_t {
    ordinary = 0,
    refresh = 1,  // asks anew whatever is stored
  };
  Kind kind = Kind::ordinary;
  std::uint64_t definition = 0;  // the first eight bytes of definition_digest()
  Digest digest{};

  bool operator==(const JobCacheKey &) const = default;
};
inline constexpr std::size_t kJobCacheKeyBytes = 1 + 8 + 32;
std::string pack(const JobCacheKey &key);
// Empty: not a packed key.
std::optional<JobCacheKey> unpack_cache_key(std::string_view bytes);

// The first eight bytes, most significant first.
std::uint64_t short_digest(const Digest &digest);

// cache_store.key: "type:hex".
std::string store_key(std::string_view cache_type, const Digest &digest);

}  // namespace agent_queue
