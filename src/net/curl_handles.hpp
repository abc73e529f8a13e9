// Owners for what libcurl and the kernel hand out. Nothing but destructors.
#pragma once

#include <curl/curl.h>
#include <unistd.h>

#include <memory>
#include <utility>

namespace agent_queue {

struct CurlFree {
  void operator()(CURL *easy) const noexcept { curl_easy_cleanup(easy); }
};
struct CurlMultiFree {
  void operator()(CURLM *multi) const noexcept { curl_multi_cleanup(multi); }
};
struct CurlShareFree {
  void operator()(CURLSH *share) const noexcept { curl_share_cleanup(share); }
};
struct CurlUrlFree {
  void operator()(CURLU *url) const noexcept { curl_url_cleanup(url); }
};
struct CurlTextFree {
  void operator()(char *text) const noexcept { curl_free(text); }
};

// CURL and CURLM are both void: the deleter tells them apart.
using CurlEasy = std::unique_ptr<CURL, CurlFree>;
using CurlMulti = std::unique_ptr<CURLM, CurlMultiFree>;
using CurlShare = std::unique_ptr<CURLSH, CurlShareFree>;
using CurlUrl = std::unique_ptr<CURLU, CurlUrlFree>;
using CurlText = std::unique_ptr<char, CurlTextFree>;

class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) : fd_(fd) {}
  UniqueFd(UniqueFd &&other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd &operator=(UniqueFd &&other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() {
    if (fd_ >= 0) close(fd_);
  }

  int get() const noexcept { return fd_; }
  int release() noexcept { return std::exchange(fd_, -1); }
  explicit operator bool() const noexcept { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

}  // namespace agent_queue
