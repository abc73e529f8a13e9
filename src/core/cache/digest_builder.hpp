// Makes SHA-256 digests, by libcrypto. Pure. Tested in test/unit/cache_key_test.cpp.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "core/base/digest.hpp"

struct evp_md_ctx_st;  // libcrypto's

namespace agent_queue {

// Adds parts up. Each part is preceded by what it is and its length, so that no two lists of parts read the same.
class DigestBuilder {
 public:
  // Throws std::bad_alloc.
  DigestBuilder();

  DigestBuilder &add(std::string_view part);
  DigestBuilder &add(std::int64_t number);

  // Once, at the end.
  Digest finish();

 private:
  struct Freed {
    void operator()(evp_md_ctx_st *context) const noexcept;
  };
  std::unique_ptr<evp_md_ctx_st, Freed> context_;
};

// 64 small letters and digits.
std::string to_hex(const Digest &digest);

}  // namespace agent_queue
