// The table of the dialects, and the writing by it. Tested in test/unit/openai_dialect_test.cpp.
#include "core/provider/openai_dialect.hpp"

#include <algorithm>
#include <array>

#include "core/provider/openai_shape.hpp"
#include "core/provider/request_write.hpp"

namespace agent_queue {
namespace {

// ---- the table

using Words = std::string_view;

// What answers of some providers have in a message, and others refuse when it comes back to them.
constexpr auto kReasoning = std::to_array<Words>({"reasoning_content", "reasoning", "reasoning_details"});
constexpr auto kBeyondContent = std::to_array<Words>({"reasoning_content", "reasoning", "reasoning_details", "refusal",
                                                      "annotations", "audio", "function_call", "name"});
constexpr auto kRefusal = std::to_array<Words>({"refusal"});

constexpr auto kMistralRenamed = std::to_array<OpenAiDialect::Rename>({{"seed", "random_seed"}});
constexpr auto kMistralUnknown =
    std::to_array<Words>({"logit_bias", "logprobs", "top_logprobs", "store", "user", "service_tier", "modalities",
                          "audio", "verbosity", "prompt_cache_key", "prompt_cache_retention", "safety_identifier",
                          "web_search_options", "functions", "function_call"});
constexpr auto kGroqUnknown = std::to_array<Words>(
    {"logit_bias", "logprobs", "top_logprobs", "n", "store", "metadata", "modalities", "audio", "prediction",
     "verbosity", "prompt_cache_key", "prompt_cache_retention", "safety_identifier", "web_search_options"});

constexpr auto kDialects = std::to_array<OpenAiDialect>({
    {.name = "", .is_plain = true, .knows_both_bounds = true, .knows_developer = true},
    {.name = "openai", .knows_developer = true, .unknown_members = kReasoning},
    // Older deployments know only max_tokens, newer models only max_completion_tokens.
    {.name = "azure",
     .key_header = "api-key",
     .knows_both_bounds = true,
     .knows_developer = true,
     .unknown_members = kReasoning},
    // Wants its own reasoning_content back where it called tools.
    {.name = "deepseek", .bound = "max_tokens", .knows_schemas = false, .unknown_members = kRefusal},
    {.name = "mistral",
     .bound = "max_tokens",
     .has_short_call_ids = true,
     .knows_stream_options = false,
     .some_tool = "any",
     .renamed = kMistralRenamed,
     .unknown_params = kMistralUnknown,
     .unknown_members = kBeyondContent},
    {.name = "groq", .unknown_params = kGroqUnknown, .unknown_members = kBeyondContent},
    {.name = "openrouter", .bound = "max_tokens", .knows_developer = true, .reports_cost = true},
    // Versions before 2026 ignore max_completion_tokens; so does Ollama's OpenAI endpoint.
    {.name = "llamacpp", .bound = "max_tokens", .knows_named_tools = false, .unknown_members = kRefusal},
    {.name = "vllm", .bound = "max_tokens", .unknown_members = kRefusal},
});

bool holds(std::span<const Words> words, std::string_view word) {
  return std::find(words.begin(), words.end(), word) != words.end();
}

// ---- messages

// Always the same for the same id, so that a result still finds its call.
std::string short_call_id(std::string_view id) {
  constexpr std::string_view kAlphabet = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  constexpr std::size_t kLength = 9;
  if (id.size() == kLength && id.find_first_not_of(kAlphabet) == std::string_view::npos) return std::string(id);
  std::uint64_t hash = hash_text(id);
  std::string made;
  for (; made.size() < kLength; hash /= kAlphabet.size()) made += kAlphabet[hash % kAlphabet.size()];
  return made;
}

std::string written_call_id(const OpenAiDialect &dialect, std::string_view id) {
  return dump_json(dialect.has_short_call_ids ? short_call_id(id) : std::string(id));
}

// Exactly OpenAI's members: what others add (an index, a signature) is refused elsewhere. Arguments are JSON text.
Result<std::string> written_call(const OpenAiDialect &dialect, const Json &call) {
  const Json &function = function_of(call);
  if (&function == &call) return dump_json(call);  // of another type than function
  const Json *arguments = given(function, "arguments");
  if (arguments != nullptr && !arguments->is_string() && !arguments->is_object())
    return refuse("arguments of a tool call in the messages are no JSON object");
  const std::string text = arguments == nullptr     ? "{}"
                           : arguments->is_string() ? arguments->get_ref<const std::string &>()
                                                    : dump_json(*arguments);
  return R"({"id":)" + written_call_id(dialect, json_string(call, "id")) + R"(,"type":"function","function":{"name":)" +
         dump_json(std::string(json_string(function, "name"))) + R"(,"arguments":)" + dump_json(text) + "}}";
}

Result<std::string> written_calls(const OpenAiDialect &dialect, const Json &calls) {
  if (!calls.is_array()) return dump_json(calls);
  std::string written = "[";
  for (const Json &call : calls) {
    Result<std::string> one = written_call(dialect, call);
    if (!one.ok()) return one;
    if (written.size() > 1) written += ',';
    written += *one;
  }
  return written + ']';
}

Result<std::string> written_member(const OpenAiDialect &dialect, const std::string &key, const Json &value) {
  if (key == "tool_calls") return written_calls(dialect, value);
  if (key == "tool_call_id" && value.is_string()) return written_call_id(dialect, value.get_ref<const std::string &>());
  if (key == "role" && value == "developer" && !dialect.knows_developer) return std::string(R"("system")");
  return dump_json(value);
}

Result<std::string> written_message(const OpenAiDialect &dialect, const Json &message) {
  if (!message.is_object()) return dump_json(message);
  // Where refusals are not known, one is a text that was said.
  const bool says_refusal = holds(dialect.unknown_members, "refusal") && given(message, "content") == nullptr &&
                            !json_string(message, "refusal").empty();
  std::string written = "{";
  for (const auto &item : message.items()) {
    if (holds(dialect.unknown_members, item.key()) || (says_refusal && item.key() == "content")) continue;
    Result<std::string> value = written_member(dialect, item.key(), item.value());
    if (!value.ok()) return value;
    append_member(written, item.key(), *value);
  }
  if (says_refusal) append_member(written, "content", dump_json(message["refusal"]));
  return written + '}';
}

std::string system_of(const OpenAiDialect &dialect, const Call &call) {
  std::string system = call.prompt->system;
  const Json *format = given(params_of(call), "response_format");
  if (dialect.knows_schemas || format == nullptr || response_schema(*format) == nullptr) return system;
  if (!system.empty()) system += "\n\n";
  return system + json_instruction(*format);
}

// ---- params

// Not a user's to set: the first two are the call itself (and its price), the others need a reader of streams.
bool is_reserved(std::string_view param) {
  constexpr auto kReserved = std::to_array<Words>({"model", "messages", "stream", "stream_options"});
  return holds(kReserved, param);
}

bool is_bound(std::string_view param) {
  return param == "max_completion_tokens" || param == "max_tokens";
}

bool is_sent(const OpenAiDialect &dialect, const std::string &param, const Json &value) {
  if (value.is_null() || is_reserved(param)) return false;
  return !holds(dialect.unknown_params, param) && (dialect.knows_both_bounds || !is_bound(param));
}

std::string_view own_name(const OpenAiDialect &dialect, std::string_view param) {
  for (const OpenAiDialect::Rename &rename : dialect.renamed)
    if (rename.openai == param) return rename.own;
  return param;
}

// The tool that tool_choice names; empty: it names none.
std::string_view named_tool(const Json &params) {
  const Json *choice = given(params, "tool_choice");
  return choice == nullptr || !is_function_tool(*choice) ? std::string_view()
                                                         : json_string(function_of(*choice), "name");
}

Json only_tool(const Json &tools, std::string_view name) {
  if (!tools.is_array()) return tools;
  Json only = Json::array();
  for (const Json &tool : tools)
    if (json_string(function_of(tool), "name") == name) only.push_back(tool);
  return only;
}

Json own_tool_choice(const OpenAiDialect &dialect, const Json &choice) {
  const bool wants_some = choice == "required" || (is_function_tool(choice) && !dialect.knows_named_tools);
  return wants_some ? Json(dialect.some_tool) : choice;
}

std::string own_value(const OpenAiDialect &dialect, const Json &params, const std::string &param, const Json &value) {
  if (dialect.is_plain) return dump_json(value);
  if (param == "tool_choice") return dump_json(own_tool_choice(dialect, value));
  if (param == "tools" && !dialect.knows_named_tools)
    if (const std::string_view name = named_tool(params); !name.empty()) return dump_json(only_tool(value, name));
  if (param == "response_format" && !dialect.knows_schemas && response_schema(value) != nullptr)
    return R"({"type":"json_object"})";
  return dump_json(value);
}

}  // namespace

std::span<const OpenAiDialect> openai_dialects() {
  return kDialects;
}

// Text values are appended as they were dumped; no copy of the conversation as JSON is made.
Result<std::string> written_messages(const OpenAiDialect &dialect, const Call &call) {
  std::string written = "[";
  if (const std::string system = system_of(dialect, call); !system.empty())
    written += R"({"role":"system","content":)" + dump_json(system) + '}';
  for (const Json &message : call.prompt->messages) {
    Result<std::string> one =
        dialect.is_plain ? Result<std::string>(dump_json(message)) : written_message(dialect, message);
    if (!one.ok()) return one;
    if (written.size() > 1) written += ',';
    written += *one;
  }
  return written + ']';
}

void append_params(std::string &body, const OpenAiDialect &dialect, const Call &call) {
  const Json &params = params_of(call);
  const bool params_bound = given(params, "max_completion_tokens") != nullptr || given(params, "max_tokens") != nullptr;
  if (!params_bound || !dialect.knows_both_bounds)
    if (const Json bound = output_bound(call, {dialect.bound, "max_completion_tokens", "max_tokens"}); !bound.is_null())
      append_member(body, dialect.bound, dump_json(bound));
  for (const auto &item : params.items())
    if (is_sent(dialect, item.key(), item.value()))
      append_member(body, own_name(dialect, item.key()), own_value(dialect, params, item.key(), item.value()));
}

}  // namespace agent_queue
