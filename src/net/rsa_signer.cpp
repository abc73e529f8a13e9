#include "net/rsa_signer.hpp"

#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <memory>

namespace agent_queue {
namespace {

constexpr int kKeyBitsMin = 2048;  // RFC 7518, section 3.3
constexpr int kKeyBitsMax = 8192;  // a longer one would hold up the worker

template <auto kFree>
struct Freed {
  template <typename T>
  void operator()(T *object) const noexcept {
    kFree(object);
  }
};
using Bio = std::unique_ptr<BIO, Freed<BIO_free_all>>;
using PrivateKey = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Freed<EVP_MD_CTX_free>>;

// The queue of errors belongs to the whole process: nobody else's is read here, and none is left behind.
class ErrorQueueMark {
 public:
  ErrorQueueMark() { ERR_set_mark(); }
  ~ErrorQueueMark() { ERR_pop_to_mark(); }
  ErrorQueueMark(const ErrorQueueMark &) = delete;
  ErrorQueueMark &operator=(const ErrorQueueMark &) = delete;
};

// Without it libcrypto would ask for the passphrase at the terminal.
int no_passphrase(char *, int, int, void *) noexcept {
  return -1;
}

Error refuse(const char *message) {
  return Error{ErrorKind::invalid_input, message, ""};
}

}  // namespace

Result<std::string> RsaSigner::sign_rs256(std::string_view private_key, std::string_view bytes) {
  const ErrorQueueMark mark;
  const Bio source(BIO_new_mem_buf(private_key.data(), static_cast<int>(private_key.size())));
  const PrivateKey key(source ? PEM_read_bio_PrivateKey(source.get(), nullptr, no_passphrase, nullptr) : nullptr);
  if (!key) return refuse("the private key is no unencrypted key in PEM form");
  if (EVP_PKEY_get_base_id(key.get()) != EVP_PKEY_RSA) return refuse("the private key is no RSA key");
  const int bits = EVP_PKEY_get_bits(key.get());
  if (bits < kKeyBitsMin || bits > kKeyBitsMax) return refuse("the private key has not between 2048 and 8192 bits");

  const DigestContext context(EVP_MD_CTX_new());
  const auto *data = reinterpret_cast<const unsigned char *>(bytes.data());
  std::size_t size = 0;
  if (!context || EVP_DigestSignInit(context.get(), nullptr, EVP_sha256(), nullptr, key.get()) != 1 ||
      EVP_DigestSign(context.get(), nullptr, &size, data, bytes.size()) != 1)
    return refuse("the private key cannot sign");
  std::string signature(size, '\0');
  if (EVP_DigestSign(context.get(), reinterpret_cast<unsigned char *>(signature.data()), &size, data, bytes.size()) !=
      1)
    return refuse("the private key cannot sign");
  signature.resize(size);
  return signature;
}

}  // namespace agent_queue
