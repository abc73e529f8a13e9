#include "core/cache/cache_key.hpp"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstdlib>

#include "core/cache/canonical_json.hpp"
#include "core/cache/dependency.hpp"
#include "core/cache/digest_builder.hpp"
#include "core/catalog/model_info.hpp"
#include "core/prompt/letters.hpp"

namespace agent_queue {
namespace {

constexpr std::size_t kDependencyLettersMax = 200;

// Between doubles of this size and more, integers are left out.
constexpr double kTwoTo53 = 9007199254740992.0;

template <typename Bytes>
std::string_view bytes_of(const Bytes &bytes) {
  return {reinterpret_cast<const char *>(bytes.data()), bytes.size()};
}

void add_owner(DigestBuilder &builder, const std::optional<UserId> &owner) {
  builder.add(owner ? bytes_of(*owner) : std::string_view());
}

// Whole doubles become integers. False: some number is too large to be told from its neighbours.
bool make_numbers_whole(Json &value) {
  if (value.is_number_float()) {
    const auto number = value.get<double>();
    if (std::abs(number) >= kTwoTo53) return false;
    if (number == std::trunc(number)) value = static_cast<std::int64_t>(number);
    return true;
  }
  return !value.is_structured() || std::all_of(value.begin(), value.end(), make_numbers_whole);
}

// What the templates name of the request, with its numbers made whole.
Result<Json> named_fields(std::span<const TextTemplate> templates, const Json &request) {
  Json fields = Json::object();
  for (const TextTemplate &source : templates)
    for (const std::string &name : source.fields())
      if (const Json *member = json_member(request, name)) fields[name] = *member;
  if (make_numbers_whole(fields)) return fields;
  return Error{ErrorKind::invalid_input, "a field of the request that cache_depends_on names has a number above 2^53",
               "Write it as a string, or as an integer of 64 bits."};
}

// Numbers as prompts spell them: what is no integer becomes a double. What that loses is added to `lost`, in the order
// of the canonical value. False: a number is too large for a double.
bool become_sendable(Json &value, std::string &lost) {
  if (value.is_structured())
    return std::all_of(value.begin(), value.end(), [&](Json &inner) { return become_sendable(inner, lost); });
  if (!value.is_binary()) return true;
  // No point in it, so the locale does not matter.
  const std::string spelled(value.get_binary().begin(), value.get_binary().end());
  value = std::strtod(spelled.c_str(), nullptr);
  if (canonical_text(value) != spelled) lost.append(spelled).append(",");
  return std::isfinite(value.get<double>());
}

struct Conversation {
  std::string text;
  std::string lost;  // numbers that the text does not hold exactly
};

Result<Conversation> conversation_of(const AgentType &type, std::string_view request) {
  Result<Json> value = canonical_value(request);
  if (!value.ok()) return value.error();
  Conversation made;
  if (!become_sendable(*value, made.lost))
    return Error{ErrorKind::invalid_input, "request has a number that no double can hold", {}};
  // The system prompt is part of the definition.
  const Result<Prompt> prompt = map_prompt(*value, {}, type.prompt_template ? &*type.prompt_template : nullptr);
  if (!prompt.ok()) return prompt.error();
  made.text = canonical_text(prompt->messages);
  return made;
}

void append_big_endian(std::string &bytes, std::uint64_t number) {
  for (int shift = 56; shift >= 0; shift -= 8) bytes += static_cast<char>(number >> shift);
}

std::uint64_t read_big_endian(std::string_view bytes) {
  std::uint64_t number = 0;
  for (const char byte : bytes) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

}  // namespace

Digest definition_digest(const AgentType &type) {
  DigestBuilder builder;
  builder.add("definition").add(type.system_prompt);
  builder.add(type.prompt_template.has_value()).add(type.prompt_template ? type.prompt_template->source() : "");
  builder.add(type.result_template.has_value()).add(type.result_template ? dump_json(*type.result_template) : "");
  builder.add(dump_json(type.params)).add(type.max_output_tokens);
  builder.add(capability_name(type.complexity)).add(type.requires_reasoning);
  builder.add(type.compress).add(type.compress_language);
  for (const Route &route : type.routes)
    builder.add(route.position).add(route.provider).add(route.model).add(route.weight);
  return builder.finish();
}

Result<std::vector<std::string>> render_dependencies(std::span<const TextTemplate> templates, const Json &request) {
  const Result<Json> fields = named_fields(templates, request);
  if (!fields.ok()) return fields.error();
  std::vector<std::string> dependencies;
  for (const TextTemplate &source : templates) {
    Result<std::string> rendered = source.render(*fields, "cache_depends_on");
    if (!rendered.ok()) return rendered.error();
    const std::size_t letters = count_letters(*rendered);
    if (letters < 1 || letters > kDependencyLettersMax)
      return Error{ErrorKind::invalid_input,
                   "an entry of cache_depends_on has " + std::to_string(letters) +
                       " characters with the fields of the request, which is not from 1 to 200",
                   {}};
    if (is_group(*rendered))
      return Error{ErrorKind::invalid_input, "an entry of cache_depends_on is a whole group: " + *rendered, {}};
    if (std::find(dependencies.begin(), dependencies.end(), *rendered) == dependencies.end())
      dependencies.push_back(std::move(*rendered));
  }
  return dependencies;
}

Result<Digest> answer_digest(const AgentType &type, const std::optional<UserId> &owner, std::string_view request,
                             std::span<const DependencyVersion> versions) {
  assert(type.cache);
  const Result<Conversation> conversation = conversation_of(type, request);
  if (!conversation.ok()) return conversation.error();
  DigestBuilder builder;
  builder.add("answer").add(type.cache->type).add(static_cast<std::int64_t>(type.cache->scope));
  add_owner(builder, owner);
  builder.add(bytes_of(type.cache->definition)).add(conversation->text).add(conversation->lost);
  for (const DependencyVersion &version : versions) builder.add(version.dependency).add(version.version);
  return builder.finish();
}

Result<Digest> value_digest(std::string_view cache_type, const std::optional<UserId> &owner, std::string_view data) {
  const Result<std::string> canonical = canonical_json(data);
  if (!canonical.ok()) return canonical.error();
  DigestBuilder builder;
  builder.add("value").add(cache_type);
  add_owner(builder, owner);
  return builder.add(*canonical).finish();
}

std::string pack(const JobCacheKey &key) {
  std::string bytes(1, static_cast<char>(key.kind));
  append_big_endian(bytes, key.definition);
  return bytes.append(bytes_of(key.digest));
}

std::optional<JobCacheKey> unpack_cache_key(std::string_view bytes) {
  if (bytes.size() != kJobCacheKeyBytes) return std::nullopt;
  JobCacheKey key;
  switch (bytes[0]) {
    case static_cast<char>(JobCacheKey::Kind::ordinary):
      break;
    case static_cast<char>(JobCacheKey::Kind::refresh):
      key.kind = JobCacheKey::Kind::refresh;
      break;
    default:
      return std::nullopt;
  }
  key.definition = read_big_endian(bytes.substr(1, 8));
  std::copy(bytes.begin() + 9, bytes.end(), key.digest.begin());
  return key;
}

std::uint64_t short_digest(const Digest &digest) {
  return read_big_endian(bytes_of(digest).substr(0, 8));
}

std::string store_key(std::string_view cache_type, const Digest &digest) {
  return std::string(cache_type).append(":").append(to_hex(digest));
}

}  // namespace agent_queue
