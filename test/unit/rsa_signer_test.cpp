// Goal: signatures are those that the openssl program makes of the same key, and bad keys are refused without a word
// of them. Method: keys are made for the test; RS256 has no chance in it, so that the bytes can be compared.
#include "net/rsa_signer.hpp"

#include <gtest/gtest.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/pem.h>

#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "core/credential/credential.hpp"

namespace agent_queue {
namespace {

std::string pem_of(EVP_PKEY *key, const EVP_CIPHER *cipher = nullptr) {
  BIO *bio = BIO_new(BIO_s_mem());
  char passphrase[] = "passphrase";
  PEM_write_bio_PKCS8PrivateKey(bio, key, cipher, cipher == nullptr ? nullptr : passphrase,
                                cipher == nullptr ? 0 : sizeof(passphrase) - 1, nullptr, nullptr);
  char *data = nullptr;
  const long size = BIO_get_mem_data(bio, &data);
  std::string pem(data, static_cast<std::size_t>(size));
  BIO_free(bio);
  return pem;
}

class RsaSignerTest : public ::testing::Test {
 protected:
  static void SetUpTestSuite() { key_ = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{2048}); }
  static void TearDownTestSuite() { EVP_PKEY_free(key_); }

  void SetUp() override {
    ASSERT_NE(key_, nullptr);
    char name[] = "/tmp/aq_signer_XXXXXX";
    folder_ = mkdtemp(name);
    write("key.pem", pem_of(key_));
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void write(const std::string &name, const std::string &content) {
    std::ofstream(folder_ + "/" + name, std::ios::binary) << content;
  }
  // What `openssl …`, run in the folder, prints.
  std::string openssl(const std::string &arguments) {
    FILE *pipe = popen(("cd " + folder_ + " && openssl " + arguments + " 2>&1").c_str(), "r");
    std::string out;
    for (int c; (c = std::fgetc(pipe)) != EOF;) out += static_cast<char>(c);
    pclose(pipe);
    return out;
  }
  void expect_refused(const std::string &pem, const char *part) {
    const auto signature = signer_.sign_rs256(pem, "bytes");
    ASSERT_FALSE(signature.ok());
    EXPECT_NE(signature.error().message.find(part), std::string::npos) << signature.error().message;
    EXPECT_EQ(ERR_peek_error(), 0u) << "nothing is left in the process' queue of errors";
  }

  inline static EVP_PKEY *key_ = nullptr;
  std::string folder_;
  RsaSigner signer_;
};

TEST_F(RsaSignerTest, SignsAJwtAsOpensslDoes) {
  const ServiceAccount account{"worker@p.iam.gserviceaccount.com", pem_of(key_), "k1",
                               "https://oauth2.googleapis.com/token"};
  const std::string input = jwt_signing_input(account, WallTime(std::chrono::seconds(1'795'000'000)));
  const auto signature = signer_.sign_rs256(account.private_key, input);
  ASSERT_TRUE(signature.ok()) << signature.error().message;
  write("input", input);
  write("signature", *signature);
  EXPECT_EQ(*signature, openssl("dgst -sha256 -sign key.pem -binary input"));
  openssl("pkey -in key.pem -pubout -out public.pem");
  EXPECT_EQ(openssl("dgst -sha256 -verify public.pem -signature signature input"), "Verified OK\n");
  EXPECT_EQ(signed_jwt(input, *signature),
            input + "." + base64url(openssl("dgst -sha256 -sign key.pem -binary input")));
}

TEST_F(RsaSignerTest, TakesTheOldFormOfAKeyToo) {
  openssl("pkey -in key.pem -traditional -out old.pem");
  std::ifstream file(folder_ + "/old.pem");
  const std::string old{std::istreambuf_iterator<char>(file), {}};
  ASSERT_TRUE(old.starts_with("-----BEGIN RSA PRIVATE KEY-----"));
  EXPECT_EQ(*signer_.sign_rs256(old, "bytes"), *signer_.sign_rs256(pem_of(key_), "bytes"));
}

TEST_F(RsaSignerTest, RefusesWhatIsNoKey) {
  expect_refused("", "PEM");
  expect_refused("not a key", "PEM");
  expect_refused("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "PEM");
  expect_refused(pem_of(key_).substr(0, 500), "PEM");
  expect_refused(std::string(64 << 10, 'A'), "PEM");
}

TEST_F(RsaSignerTest, AsksNobodyForAPassphrase) {
  expect_refused(pem_of(key_, EVP_aes_128_cbc()), "unencrypted");
}

TEST_F(RsaSignerTest, RefusesOtherKindsAndSizesOfKeys) {
  EVP_PKEY *curve = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  expect_refused(pem_of(curve), "no RSA key");
  EVP_PKEY_free(curve);
  EVP_PKEY *small = EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", std::size_t{1024});
  expect_refused(pem_of(small), "2048");
  EVP_PKEY_free(small);
}

TEST_F(RsaSignerTest, LeavesTheErrorsOfOthersAlone) {
  ERR_raise(ERR_LIB_USER, 1);
  EXPECT_FALSE(signer_.sign_rs256("not a key", "bytes").ok());
  EXPECT_EQ(ERR_GET_REASON(ERR_get_error()), 1);
  EXPECT_EQ(ERR_get_error(), 0u);
}

}  // namespace
}  // namespace agent_queue
