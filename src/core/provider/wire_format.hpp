// A wire format: how one family of providers wants its requests and writes its answers. One file per format.
// Pure; expected failures are values. Tested in test/unit/{provider,anthropic,gemini,ollama}_test.cpp with the fixtures
// in test/unit/fixtures.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "core/base/failure.hpp"
#include "core/base/result.hpp"
#include "core/base/time.hpp"
#include "core/base/usd.hpp"
#include "core/cost/usage.hpp"
#include "core/prompt/prompt.hpp"
#include "core/wire/http.hpp"
#include "core/wire/json_read.hpp"

namespace agent_queue {

// All that a format needs for one request. Views: the caller keeps what they point to.
struct Call {
  std::string_view base_url;  // without a slash at the end
  std::string_view api_key;   // empty: none
  std::string_view model;
  const Prompt *prompt = nullptr;
  const Json *params = nullptr;  // agent_types.params: passed through, wins over our defaults
  int max_output_tokens = 0;     // 0: do not send a bound
  bool stream = false;           // ask for the answer piece by piece; open_stream() reads it
};

struct Answer {
  std::string text;           // clean
  std::string finish_reason;  // stop | length | tool_calls | content_filter | refusal, else as the provider says
  std::string model;          // the exact model that answered; may be empty
  std::string refusal;        // clean; empty: none
  std::string reasoning;      // what the model showed of its thinking; clean; empty: none
  Json tool_calls;            // OpenAI shape; null: none
  Usage usage;
  bool usage_known = false;  // false: the answer carried no usage
  std::optional<Usd> cost;   // what the provider says that it billed; empty: it does not say, the price list knows

  // Neither cut off nor withheld.
  bool is_finished() const { return refusal.empty() && (finish_reason == "stop" || finish_reason == "tool_calls"); }
};

using Reply = std::variant<Answer, Failure>;

class StreamReader;

class WireFormat {
 public:
  virtual ~WireFormat() = default;
  virtual std::string_view name() const = 0;

  // URL, headers and body; the caller adds the provider's own headers and the time-outs.
  virtual Result<HttpRequest> encode(const Call &call) const = 0;

  // Any bytes at all: a Failure at worst. `secret` is redacted from whatever is quoted.
  virtual Reply decode(const HttpResponse &response, std::string_view secret, WallTime now) const = 0;

  // What an answer says was billed although decode() takes it for a failure; empty: nothing.
  virtual std::optional<Usage> billed_usage(const HttpResponse &response) const;

  // For the answer (status 2xx) of a request that was encoded with Call::stream; other answers go to decode().
  // nullptr: the format has no streams, and encode() has not asked for one.
  virtual std::unique_ptr<StreamReader> open_stream() const;

  // Formats that answer inside the worker, without network (echo). `request` is what encode() made.
  virtual bool is_local() const { return false; }
  virtual HttpResponse answer_locally(const HttpRequest &request) const;
};

// The format of that name (openai, anthropic, gemini, ollama, echo), openai also in a dialect; nullptr: unknown. Lives
// as long as the process.
const WireFormat *find_wire_format(std::string_view name, std::string_view dialect = {});

}  // namespace agent_queue
