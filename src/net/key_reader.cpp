#include "net/key_reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <optional>

#include "net/curl_handles.hpp"

namespace agent_queue {
namespace {

constexpr std::string_view kEnv = "env:";
constexpr std::string_view kFile = "file:";

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

// * matches any run of characters but slashes. Linear: it goes back to the last star only.
bool matches_glob(std::string_view glob, std::string_view text) {
  std::size_t g = 0, t = 0, star = std::string_view::npos, resume = 0;
  while (t < text.size()) {
    if (g < glob.size() && glob[g] == '*') {
      star = g++;
      resume = t;
    } else if (g < glob.size() && glob[g] == text[t]) {
      ++g, ++t;
    } else if (star != std::string_view::npos && text[resume] != '/') {
      g = star + 1;
      t = ++resume;
    } else {
      return false;
    }
  }
  while (g < glob.size() && glob[g] == '*') ++g;
  return g == glob.size();
}

// ".." and "." would lead out of a directory that a glob allows.
bool is_plain_path(std::string_view path) {
  if (path.size() < 2 || path.front() != '/' || path.back() == '/') return false;
  while (!path.empty()) {
    path.remove_prefix(1);
    const std::string_view part = path.substr(0, path.find('/'));
    if (part.empty() || part == "." || part == "..") return false;
    path.remove_prefix(part.size());
  }
  return true;
}

Result<std::string> read_env(std::string_view ref) {
  const std::string name(ref.substr(kEnv.size()));
  const char *value = name.empty() ? nullptr : std::getenv(name.c_str());
  if (value == nullptr)
    return Error{ErrorKind::not_found, quoted_key_ref(ref) + ": the environment variable is not set",
                 "Set it in the environment of the PostgreSQL server and restart it."};
  return checked_key(value, ref);
}

Error unreadable(std::string_view ref) {
  const int cause = errno;
  return {cause == ENOENT ? ErrorKind::not_found : ErrorKind::unavailable,
          quoted_key_ref(ref) + ": could not open the file: " + std::strerror(cause),
          cause == ELOOP ? "Name the file itself, not a symbolic link to it." : ""};
}

std::optional<Error> check_file(int fd, std::string_view ref) {
  struct stat status {};
  if (fstat(fd, &status) != 0) return unreadable(ref);
  if (!S_ISREG(status.st_mode))
    return Error{ErrorKind::not_allowed, quoted_key_ref(ref) + " is not a regular file", ""};
  if (status.st_uid != geteuid() && status.st_uid != 0)
    return Error{ErrorKind::not_allowed, quoted_key_ref(ref) + ": the file belongs to another user",
                 "It must belong to the user that runs the server, or to root."};
  if (status.st_mode & (S_IRWXG | S_IRWXO))
    return Error{ErrorKind::not_allowed, quoted_key_ref(ref) + ": the file can be used by its group or by others",
                 "Run chmod 600 on it."};
  if (status.st_size > static_cast<off_t>(kKeyFileBytesMax))
    return Error{ErrorKind::too_large, quoted_key_ref(ref) + ": the file is larger than 64 kB", ""};
  return std::nullopt;
}

Result<std::string> read_file(std::string_view ref) {
  const std::string path(ref.substr(kFile.size()));
  if (!is_plain_path(path))
    return Error{ErrorKind::invalid_input, quoted_key_ref(ref) + " is not an absolute path",
                 "Write file:/path, without . and .. in it."};
  // Not blocking: a pipe in that place must not hold up the worker before it is refused.
  const UniqueFd fd(open(path.c_str(), O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  if (!fd) return unreadable(ref);
  if (std::optional<Error> error = check_file(fd.get(), ref)) return *error;
  std::string content(kKeyFileBytesMax + 1, '\0');  // one more than allowed: the file may grow meanwhile
  std::size_t size = 0;
  while (size < content.size()) {
    const ssize_t got = read(fd.get(), content.data() + size, content.size() - size);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return unreadable(ref);
    if (got == 0) break;
    size += static_cast<std::size_t>(got);
  }
  std::string key = content.substr(0, size);
  wipe(content);
  return checked_key(std::move(key), ref);
}

SteadyTime steady_clock_now() {
  return std::chrono::time_point_cast<Micros>(std::chrono::steady_clock::now());
}

}  // namespace

KeyReader::KeyReader(const KeyRules &rules, Clock clock) : clock_(clock ? std::move(clock) : Clock(steady_clock_now)) {
  set_rules(rules);
}

void KeyReader::set_rules(const KeyRules &rules) {
  forget();
  restrict_refs_ = rules.restrict_refs;
  globs_.clear();
  std::string_view left = rules.allowed_key_refs;
  while (!left.empty()) {
    const std::size_t comma = std::min(left.find(','), left.size());
    if (const std::string_view glob = trim(left.substr(0, comma)); !glob.empty()) globs_.emplace_back(glob);
    left.remove_prefix(std::min(comma + 1, left.size()));
  }
}

void KeyReader::forget() {
  for (auto &[ref, kept] : kept_) wipe(kept.key);
  kept_.clear();
}

bool KeyReader::is_allowed(std::string_view ref) const {
  return !restrict_refs_ ||
         std::any_of(globs_.begin(), globs_.end(), [&](const std::string &glob) { return matches_glob(glob, ref); });
}

Result<std::string> KeyReader::resolve(std::string_view api_key_ref) {
  if (api_key_ref.empty()) return std::string();
  if (api_key_ref.find('\0') != std::string_view::npos)
    return Error{ErrorKind::invalid_input, "an API key reference holds a NUL byte", ""};
  const bool is_env = api_key_ref.starts_with(kEnv);
  // A key that was pasted in the place of its reference must not be repeated in an error: the reference is not named.
  if (!is_env && !api_key_ref.starts_with(kFile))
    return Error{ErrorKind::invalid_input, "an API key reference has an unknown scheme",
                 "Write env:NAME, file:/path or vault:NAME. A key itself is never stored in a table."};
  if (!is_allowed(api_key_ref))
    return Error{ErrorKind::not_allowed, quoted_key_ref(api_key_ref) + " is not allowed",
                 "A superuser can add it to agent_queue.allowed_key_refs."};
  const SteadyTime now = clock_();
  std::string ref(api_key_ref);
  if (const auto kept = kept_.find(ref); kept != kept_.end()) {
    if (now - kept->second.read_at < kKeyAgeMax) return kept->second.key;
    wipe(kept->second.key);
    kept_.erase(kept);
  }
  Result<std::string> key = is_env ? read_env(api_key_ref) : read_file(api_key_ref);
  if (!key) return key;
  if (kept_.size() >= kKeptMax) forget();
  kept_.insert_or_assign(std::move(ref), Kept{*key, now});
  return key;
}

}  // namespace agent_queue
