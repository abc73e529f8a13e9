// Gemini: POST {base_url}/models/{model}:generateContent, or :streamGenerateContent. OpenAI's params are translated;
// generationConfig, safetySettings, tools and toolConfig in Gemini's own shape are merged over them. Tested in
// test/unit/gemini_test.cpp with test/unit/fixtures/gemini, fuzzed in test/fuzz/fuzz_gemini_decode.cpp.
#include <algorithm>
#include <array>
#include <string>

#include "core/provider/answer_read.hpp"
#include "core/provider/formats.hpp"
#include "core/provider/http_failure.hpp"
#include "core/provider/openai_shape.hpp"
#include "core/provider/request_write.hpp"
#include "core/provider/streams.hpp"
#include "core/wire/text_clean.hpp"

namespace agent_queue {
namespace {

// ---- request: messages

std::string text_part(const Json &text) {
  return R"({"text":)" + dump_json(text) + '}';
}

Result<std::string> image_part(const Json &part) {
  const Result<Image> image = read_image(part);
  if (!image.ok()) return image.error();
  if (!image->url.empty()) return R"({"fileData":{"fileUri":)" + dump_json(std::string(image->url)) + "}}";
  std::string inline_data = R"({"inlineData":{"mimeType":")";
  inline_data.append(image->media_type).append(R"(","data":")").append(image->base64);
  return inline_data + "\"}}";
}

// Parts in Gemini's own shape (inlineData, fileData) pass as they are.
Result<std::string> own_part(const Json &part) {
  if (is_image(part)) return image_part(part);
  const std::string_view type = json_string(part, "type");
  if (type != "text" && type != "refusal") return dump_json(part);
  const std::string_view text = json_string(part, type);
  return text.empty() ? std::string() : text_part(Json(text));
}

// Newer models refuse their own calls without the signature that came with them. OpenAI's shape has it here, as
// Gemini's OpenAI-compatible endpoint does.
std::string_view signature_of(const Json &call) {
  const Json *extra = json_member(call, "extra_content");
  const Json *google = extra == nullptr ? nullptr : json_member(*extra, "google");
  return google == nullptr ? std::string_view() : json_string(*google, "thought_signature");
}

Result<std::string> call_part(const Json &call) {
  Result<Json> arguments = arguments_of(call);
  if (!arguments.ok()) return arguments.error();
  std::string part = R"({"functionCall":{"name":)" + dump_json(std::string(json_string(function_of(call), "name"))) +
                     R"(,"args":)" + dump_json(*arguments) + '}';
  if (const std::string_view signature = signature_of(call); !signature.empty())
    append_member(part, "thoughtSignature", dump_json(std::string(signature)));
  return part + '}';
}

// The response has to be an object.
Json result_object(std::string text) {
  Result<Json> parsed = parse_json(text);
  if (parsed.ok() && parsed->is_object()) return std::move(parsed).value();
  return Json::object({{"result", parsed.ok() ? std::move(parsed).value() : Json(std::move(text))}});
}

class ContentsWriter {
 public:
  std::optional<Error> add(const Json &message) {
    const std::string_view role = json_string(message, "role");
    if (role == "tool") return add_tool_result(message);
    const std::string_view own_role = role == "assistant" ? "model" : role;
    const Result<std::vector<std::string>> parts = content_blocks(message, text_part, own_part);
    if (!parts.ok()) return parts.error();
    for (const std::string &part : *parts) turns_.add(own_role, part);
    return add_calls(message, own_role);
  }

  bool empty() const { return turns_.empty(); }
  std::string finish() && { return std::move(turns_).finish(); }

 private:
  std::optional<Error> add_calls(const Json &message, std::string_view own_role) {
    const Json *calls = tool_calls_of(message);
    if (calls == nullptr) return std::nullopt;
    called_.note(message);
    for (const Json &call : *calls) {
      const Result<std::string> part = call_part(call);
      if (!part.ok()) return part.error();
      turns_.add(own_role, *part);
    }
    return std::nullopt;
  }

  std::optional<Error> add_tool_result(const Json &message) {
    const std::string name = called_.name_for(message);
    if (name.empty()) return refuse("tool message answers no tool call of the messages before it");
    turns_.add("user", R"({"functionResponse":{"name":)" + dump_json(name) + R"(,"response":)" +
                           dump_json(result_object(content_text(message))) + "}}");
    return std::nullopt;
  }

  TurnWriter turns_{"parts"};
  CalledFunctions called_;
};

Result<std::string> written_contents(const Prompt &prompt) {
  ContentsWriter contents;
  for (const Json &message : prompt.messages) {
    if (is_system_role(json_string(message, "role"))) continue;
    if (const auto error = contents.add(message)) return *error;
  }
  if (contents.empty()) return refuse("messages hold nothing but system messages");
  return std::move(contents).finish();
}

// ---- request: params

struct Translation {
  const char *openai;
  const char *own;
};
constexpr auto kConfigParams = std::to_array<Translation>({{"temperature", "temperature"},
                                                           {"top_p", "topP"},
                                                           {"top_k", "topK"},
                                                           {"seed", "seed"},
                                                           {"frequency_penalty", "frequencyPenalty"},
                                                           {"presence_penalty", "presencePenalty"}});

void add_response_format(Json &config, const Json &response_format) {
  const std::string_view type = json_string(response_format, "type");
  if (type != "json_object" && type != "json_schema") return;
  config["responseMimeType"] = "application/json";
  if (const Json *schema = response_schema(response_format)) config["responseJsonSchema"] = *schema;
}

Json generation_config(const Call &call) {
  const Json &params = params_of(call);
  Json config = Json::object();
  if (Json bound = output_bound(call, {"max_tokens", "max_completion_tokens"}); !bound.is_null())
    config["maxOutputTokens"] = std::move(bound);
  for (const Translation &param : kConfigParams)
    if (const Json *value = given(params, param.openai)) config[param.own] = *value;
  if (const Json *stop = given(params, "stop")) config["stopSequences"] = stop_list(*stop);
  if (const Json *format = given(params, "response_format")) add_response_format(config, *format);
  if (const Json *own = given(params, "generationConfig"); own != nullptr && own->is_object()) config.update(*own);
  return config;
}

Json declaration_of(const Json &function) {
  Json declaration = Json::object();
  declaration["name"] = json_string(function, "name");
  if (const Json *description = given(function, "description")) declaration["description"] = *description;
  if (const Json *schema = given(function, "parameters")) declaration["parametersJsonSchema"] = *schema;
  return declaration;
}

Json own_tools(const Json &tools) {
  if (!tools.is_array()) return tools;
  Json own = Json::array();
  Json declarations = Json::array();
  for (const Json &tool : tools) {
    if (is_function_tool(tool))
      declarations.push_back(declaration_of(function_of(tool)));
    else
      own.push_back(tool);
  }
  if (!declarations.empty()) own.push_back(Json::object({{"functionDeclarations", std::move(declarations)}}));
  return own;
}

// JSON null: a choice that is none of OpenAI's.
Json tool_config(const Json &choice) {
  Json calling = Json::object();
  if (choice == "auto") {
    calling["mode"] = "AUTO";
  } else if (choice == "none") {
    calling["mode"] = "NONE";
  } else if (choice == "required") {
    calling["mode"] = "ANY";
  } else if (is_function_tool(choice)) {
    calling["mode"] = "ANY";
    calling["allowedFunctionNames"] = Json::array({json_string(function_of(choice), "name")});
  } else {
    return nullptr;
  }
  return Json::object({{"functionCallingConfig", std::move(calling)}});
}

// Written from what the call is, or into another member.
bool is_written_apart(std::string_view param) {
  constexpr auto kApart = std::to_array<std::string_view>(
      {"model", "messages", "contents", "systemInstruction", "system_instruction", "stream", "generationConfig",
       "max_tokens", "max_completion_tokens", "stop", "tools", "tool_choice"});
  return std::find(kApart.begin(), kApart.end(), param) != kApart.end() ||
         std::any_of(kConfigParams.begin(), kConfigParams.end(),
                     [param](const Translation &known) { return param == known.openai; });
}

void append_params(std::string &body, const Json &params) {
  if (const Json *tools = given(params, "tools")) append_member(body, "tools", dump_json(own_tools(*tools)));
  const Json *choice = given(params, "tool_choice");
  if (choice != nullptr && given(params, "toolConfig") == nullptr)
    if (const Json config = tool_config(*choice); !config.is_null())
      append_member(body, "toolConfig", dump_json(config));
  for (const auto &item : params.items())
    if (!item.value().is_null() && !is_written_apart(item.key()) && !is_openai_only(item.key()))
      append_member(body, item.key(), dump_json(item.value()));
}

Result<std::string> request_body(const Call &call) {
  Result<std::string> contents = written_contents(*call.prompt);
  if (!contents.ok()) return contents;
  std::string body = "{";
  if (const std::string system = system_text(*call.prompt); !system.empty())
    append_member(body, "systemInstruction", R"({"parts":[)" + text_part(system) + "]}");
  append_member(body, "contents", *contents);
  if (const Json config = generation_config(call); !config.empty())
    append_member(body, "generationConfig", dump_json(config));
  append_params(body, params_of(call));
  body += '}';
  return body;
}

// The model is a part of the path: nothing in it may lead elsewhere.
bool is_url_safe(std::string_view model) {
  const auto fits = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_' ||
           c == '.';
  };
  return std::all_of(model.begin(), model.end(), fits) && model.find_first_not_of('.') != std::string_view::npos;
}

// ---- answer

std::string_view common_finish_reason(std::string_view reason) {
  constexpr auto kFiltered =
      std::to_array<std::string_view>({"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII",
                                       "IMAGE_SAFETY", "IMAGE_PROHIBITED_CONTENT", "IMAGE_RECITATION", "MODEL_ARMOR"});
  if (reason == "STOP") return "stop";
  if (reason == "MAX_TOKENS") return "length";
  if (std::find(kFiltered.begin(), kFiltered.end(), reason) != kFiltered.end()) return "content_filter";
  return reason;
}

// Cached tokens are a part of the prompt; those of tools and of thoughts come on top.
bool read_usage(const Json &body, Usage &usage) {
  const Json *reported = json_member(body, "usageMetadata");
  if (reported == nullptr) return false;
  const std::int64_t prompt = token_count(reported, "promptTokenCount");
  usage.cache_read = token_count(reported, "cachedContentTokenCount", prompt);
  usage.input = prompt - usage.cache_read + token_count(reported, "toolUsePromptTokenCount", kTokensMax - prompt);
  usage.reasoning = token_count(reported, "thoughtsTokenCount");
  usage.output = usage.reasoning + token_count(reported, "candidatesTokenCount", kTokensMax - usage.reasoning);
  return has_count(*reported, {"promptTokenCount", "candidatesTokenCount", "thoughtsTokenCount"});
}

void take_call(Json &part, Json &call, Answer &answer) {
  if (answer.tool_calls.is_null()) answer.tool_calls = Json::array();
  const std::string name(json_string(call, "name"));
  Json arguments = call.contains("args") ? std::move(call["args"]) : Json();
  std::string id(json_string(call, "id"));
  if (id.empty()) id = made_call_id(name, arguments, answer.tool_calls.size());
  Json taken = tool_call(id, name, std::move(arguments));
  if (std::string signature = take_text(part, "thoughtSignature"); !signature.empty())
    taken["extra_content"]["google"]["thought_signature"] = std::move(signature);
  answer.tool_calls.push_back(std::move(taken));
}

void take_part(Json &part, Answer &answer) {
  if (!part.is_object()) return;
  if (part.value("thought", Json()) == Json(true)) {
    answer.reasoning += take_text(part, "text");
    return;
  }
  answer.text += take_text(part, "text");
  const auto call = part.find("functionCall");
  if (call != part.end() && call->is_object()) take_call(part, *call, answer);
}

Answer take_answer(Json &body, Json &candidate) {
  Answer answer;
  const auto content = candidate.find("content");
  if (content != candidate.end())
    if (Json *parts = array_member(*content, "parts"))
      for (Json &part : *parts) take_part(part, answer);
  answer.model = clean_text(json_string(body, "modelVersion"), kNameBytesMax);
  answer.finish_reason = clean_text(common_finish_reason(json_string(candidate, "finishReason")), kNameBytesMax);
  if (answer.finish_reason == "stop" && !answer.tool_calls.is_null()) answer.finish_reason = "tool_calls";
  answer.usage_known = read_usage(body, answer.usage);
  return answer;
}

// A candidate that was filtered, or thought until its tokens were used up, has no content; one that has not even a
// reason is none.
Json *first_candidate(Json &body) {
  Json *candidates = array_member(body, "candidates");
  if (candidates == nullptr || candidates->empty()) return nullptr;
  Json &first = (*candidates)[0];
  const Json *content = json_member(first, "content");
  const bool says_something =
      (content != nullptr && content->is_object()) || !json_string(first, "finishReason").empty();
  return says_something ? &first : nullptr;
}

Failure blocked_prompt(const HttpResponse &response, std::string_view reason, std::string_view secret) {
  Failure failure;
  failure.kind = FailureClass::content_filter;
  failure.http_status = response.status;
  failure.message = clean_text("HTTP " + std::to_string(response.status) +
                                   ": the prompt was blocked: " + redact(reason.substr(0, kNameBytesMax), secret),
                               kErrorMessageBytesMax);
  return failure;
}

class GeminiFormat : public WireFormat {
 public:
  std::string_view name() const override { return "gemini"; }

  Result<HttpRequest> encode(const Call &call) const override {
    if (const auto error = check_call(call)) return *error;
    if (!is_url_safe(call.model))
      return misconfigured("the name of a Gemini model holds only letters, digits, \"-\", \"_\" and \".\"",
                           "Write agent_routes.model as \"gemini-2.5-flash\", without \"models/\".");
    Result<std::string> body = request_body(call);
    if (!body.ok()) return body.error();
    const char *method = call.stream ? ":streamGenerateContent?alt=sse" : ":generateContent";
    HttpRequest request =
        json_post(call.base_url, "/models/" + std::string(call.model) + method, std::move(body).value());
    if (!call.api_key.empty()) request.headers.push_back({"x-goog-api-key", std::string(call.api_key)});
    return request;
  }

  Reply decode(const HttpResponse &response, std::string_view secret, WallTime now) const override {
    auto body = read_success(response, secret, now);
    if (auto *failure = std::get_if<Failure>(&body)) return std::move(*failure);
    return read_gemini_answer(std::get<Json>(std::move(body)), response, secret);
  }

  std::unique_ptr<StreamReader> open_stream() const override { return open_gemini_stream(); }

  // A prompt that was blocked was read, and is billed.
  std::optional<Usage> billed_usage(const HttpResponse &response) const override {
    const Result<Json> body = parse_json_leniently(response.body);
    Usage usage;
    return body.ok() && read_usage(*body, usage) ? std::optional(usage) : std::nullopt;
  }
};

}  // namespace

Reply read_gemini_answer(Json body, const HttpResponse &response, std::string_view secret) {
  if (Json *candidate = first_candidate(body)) return take_answer(body, *candidate);
  const Json *feedback = json_member(body, "promptFeedback");
  const std::string_view reason = feedback == nullptr ? std::string_view() : json_string(*feedback, "blockReason");
  if (!reason.empty()) return blocked_prompt(response, reason, secret);
  return garbled_answer(response, "the answer has no candidate", secret);
}

const WireFormat &gemini_format() {
  static const GeminiFormat format;
  return format;
}

}  // namespace agent_queue
