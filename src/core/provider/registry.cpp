// Which format has which name. Tested in test/unit/provider_test.cpp.
#include "core/provider/formats.hpp"
#include "core/provider/stream_reader.hpp"

namespace agent_queue {

HttpResponse WireFormat::answer_locally(const HttpRequest &) const {
  HttpResponse response;
  response.status = 501;
  response.body = R"({"error": {"message": "this wire format does not answer locally"}})";
  return response;
}

std::unique_ptr<StreamReader> WireFormat::open_stream() const {
  return nullptr;
}

std::optional<Usage> WireFormat::billed_usage(const HttpResponse &) const {
  return std::nullopt;
}

const WireFormat *find_wire_format(std::string_view name, std::string_view dialect) {
  if (name == openai_format().name()) return openai_format_of(dialect);
  if (!dialect.empty()) return nullptr;
  for (const WireFormat *format : {&anthropic_format(), &gemini_format(), &ollama_format(), &echo_format()})
    if (format->name() == name) return format;
  return nullptr;
}

}  // namespace agent_queue
