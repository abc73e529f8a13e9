#include "core/cache/digest_builder.hpp"

#include <openssl/evp.h>

#include <new>

namespace agent_queue {
namespace {

// Looked up once: libcrypto takes as long for it as for the digest of a short text.
const EVP_MD *sha256() {
  static const EVP_MD *const kFetched = EVP_MD_fetch(nullptr, "SHA256", nullptr);
  return kFetched;
}

// With SHA-256 nothing can go wrong but the lack of memory.
void require(bool done) {
  if (!done) throw std::bad_alloc();
}

// The kind of a part and a number, most significant byte first.
std::array<std::uint8_t, 9> heading(char kind, std::uint64_t number) {
  std::array<std::uint8_t, 9> bytes{static_cast<std::uint8_t>(kind)};
  for (int i = 0; i < 8; ++i)
    bytes[static_cast<std::size_t>(i) + 1] = static_cast<std::uint8_t>(number >> (56 - 8 * i));
  return bytes;
}

}  // namespace

void DigestBuilder::Freed::operator()(evp_md_ctx_st *context) const noexcept {
  EVP_MD_CTX_free(context);
}

DigestBuilder::DigestBuilder() : context_(EVP_MD_CTX_new()) {
  require(context_ && sha256() != nullptr && EVP_DigestInit_ex(context_.get(), sha256(), nullptr) == 1);
}

DigestBuilder &DigestBuilder::add(std::string_view part) {
  const auto head = heading('t', part.size());
  require(EVP_DigestUpdate(context_.get(), head.data(), head.size()) == 1 &&
          EVP_DigestUpdate(context_.get(), part.data(), part.size()) == 1);
  return *this;
}

DigestBuilder &DigestBuilder::add(std::int64_t number) {
  const auto head = heading('n', static_cast<std::uint64_t>(number));
  require(EVP_DigestUpdate(context_.get(), head.data(), head.size()) == 1);
  return *this;
}

Digest DigestBuilder::finish() {
  Digest digest{};
  require(EVP_DigestFinal_ex(context_.get(), digest.data(), nullptr) == 1);
  return digest;
}

std::string to_hex(const Digest &digest) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(2 * digest.size());
  for (const std::uint8_t byte : digest) {
    text += kDigits[byte >> 4];
    text += kDigits[byte & 15];
  }
  return text;
}

}  // namespace agent_queue
