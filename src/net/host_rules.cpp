#include "net/host_rules.hpp"

#include <charconv>
#include <new>

#include "net/curl_handles.hpp"

namespace agent_queue {
namespace {

constexpr int kPortMax = 65535;

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c;
}

std::string_view trim(std::string_view text) {
  const auto is_space = [](char c) { return c == ' ' || c == '\t' || c == '\n' || c == '\r'; };
  while (!text.empty() && is_space(text.front())) text.remove_prefix(1);
  while (!text.empty() && is_space(text.back())) text.remove_suffix(1);
  return text;
}

bool is_host_char(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == ':';
}

// Lower case, without brackets and final dot; empty where a character has no place in a host.
std::string normal_host(std::string_view host) {
  if (host.size() >= 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  if (!host.empty() && host.back() == '.') host.remove_suffix(1);
  std::string normal;
  for (char c : host) {
    c = lower(c);
    if (!is_host_char(c)) return {};
    normal.push_back(c);
  }
  return normal;
}

// 0: no port.
int parse_port(std::string_view text) {
  int port = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), port);
  return error == std::errc() && end == text.data() + text.size() && port > 0 && port <= kPortMax ? port : 0;
}

CurlText url_part(CURLU *url, CURLUPart part, unsigned flags = 0) {
  char *text = nullptr;
  return CurlText(curl_url_get(url, part, &text, flags) == CURLUE_OK ? text : nullptr);
}

Error bad_url(std::string what) {
  return {ErrorKind::invalid_input, "invalid URL: " + std::move(what),
          "A base_url looks like https://api.example.com/v1."};
}

}  // namespace

std::string UrlTarget::authority() const {
  const bool is_v6 = host.find(':') != std::string::npos;
  return (is_v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

Result<UrlTarget> parse_target(const std::string &url) {
  for (char c : url)
    if (static_cast<unsigned char>(c) <= ' ' || c == '\x7f') return bad_url("a space or control character");
  CurlUrl parsed(curl_url());
  if (!parsed) throw std::bad_alloc();
  if (curl_url_set(parsed.get(), CURLUPART_URL, url.c_str(), CURLU_NON_SUPPORT_SCHEME) != CURLUE_OK)
    return bad_url("it cannot be read");
  if (url_part(parsed.get(), CURLUPART_USER) || url_part(parsed.get(), CURLUPART_PASSWORD))
    return bad_url("a user name or password");
  const CurlText scheme = url_part(parsed.get(), CURLUPART_SCHEME);
  const CurlText host = url_part(parsed.get(), CURLUPART_HOST);
  const CurlText port = url_part(parsed.get(), CURLUPART_PORT, CURLU_DEFAULT_PORT);
  if (!scheme || (std::string_view(scheme.get()) != "http" && std::string_view(scheme.get()) != "https"))
    return bad_url("the scheme is neither https nor http");
  UrlTarget target;
  target.https = std::string_view(scheme.get()) == "https";
  target.host = host ? normal_host(host.get()) : std::string();
  if (target.host.empty()) return bad_url("no host, or one with characters that a host cannot have");
  target.port = port ? parse_port(port.get()) : 0;
  if (target.port == 0) return bad_url("the port is not between 1 and 65535");
  return target;
}

Result<HostRules::Pattern> HostRules::parse_pattern(std::string_view text) {
  const auto bad = [&] {
    return Error{ErrorKind::invalid_input, "invalid host pattern \"" + std::string(text) + "\"",
                 "Write api.example.com, *.example.com or localhost:8080, separated by commas."};
  };
  std::string_view host = text;
  Pattern pattern;
  const std::size_t bracket = host.rfind(']');
  const std::size_t colon = host.rfind(':');
  const bool bare_v6 = bracket == std::string_view::npos && host.find(':') != colon;
  if (colon != std::string_view::npos && !bare_v6 && (bracket == std::string_view::npos || colon > bracket)) {
    pattern.port = parse_port(host.substr(colon + 1));
    if (pattern.port == 0) return bad();
    host = host.substr(0, colon);
  }
  pattern.subdomains = host.starts_with("*.");
  if (pattern.subdomains) host.remove_prefix(1);
  pattern.host = normal_host(host);
  if (pattern.host.empty() || pattern.host == "." || (pattern.host.front() == '.') != pattern.subdomains) return bad();
  return pattern;
}

Result<HostRules> HostRules::parse(std::string_view patterns) {
  HostRules rules;
  if (trim(patterns).empty()) return rules;
  while (true) {
    const std::size_t comma = patterns.find(',');
    Result<Pattern> pattern = parse_pattern(trim(patterns.substr(0, comma)));
    if (!pattern) return pattern.error();
    rules.patterns_.push_back(std::move(*pattern));
    if (comma == std::string_view::npos) return rules;
    patterns.remove_prefix(comma + 1);
  }
}

bool HostRules::allows(const UrlTarget &target) const {
  if (patterns_.empty()) return true;
  for (const Pattern &pattern : patterns_) {
    if (pattern.port != 0 && pattern.port != target.port) continue;
    if (pattern.subdomains ? target.host.size() > pattern.host.size() && target.host.ends_with(pattern.host)
                           : target.host == pattern.host)
      return true;
  }
  return false;
}

}  // namespace agent_queue
