// Goal: what a resolved key is taken for, the exact bytes that are signed, and what the token endpoint's answers mean.
#include "core/credential/credential.hpp"

#include <gtest/gtest.h>

#include "core/wire/json_read.hpp"

namespace agent_queue {
namespace {

using std::chrono::seconds;

const WallTime kNow{seconds(1'795'000'000)};

Json account_json() {
  return Json{{"type", "service_account"},
              {"project_id", "p"},
              {"private_key_id", "k1"},
              {"private_key", "-----BEGIN PRIVATE KEY-----\nSECRETSECRET\n-----END PRIVATE KEY-----\n"},
              {"client_email", "worker@p.iam.gserviceaccount.com"},
              {"token_uri", "https://oauth2.googleapis.com/token"}};
}

ServiceAccount account() {
  return std::get<ServiceAccount>(*read_credential(account_json().dump()));
}

void expect_refused(const std::string &secret, const char *part) {
  const auto credential = read_credential(secret);
  ASSERT_FALSE(credential.ok()) << secret;
  EXPECT_NE(credential.error().message.find(part), std::string::npos) << credential.error().message;
  EXPECT_EQ(credential.error().message.find("SECRETSECRET"), std::string::npos);
  EXPECT_EQ(credential.error().hint.find("SECRETSECRET"), std::string::npos);
}

// ---- what it is

TEST(Credential, TakesAnAccountByItsType) {
  const ServiceAccount read = account();
  EXPECT_EQ(read.client_email, "worker@p.iam.gserviceaccount.com");
  EXPECT_EQ(read.private_key_id, "k1");
  EXPECT_TRUE(read.private_key.starts_with("-----BEGIN"));
  EXPECT_EQ(read.token_uri, "https://oauth2.googleapis.com/token");
}

TEST(Credential, TakesEverythingElseForAPlainKey) {
  for (const std::string secret :
       {"", "sk-123", "[1]", R"({"aws_access_key_id":"x"})", R"({"type":"of another house"})"}) {
    const auto credential = read_credential(secret);
    ASSERT_TRUE(credential.ok()) << secret;
    ASSERT_TRUE(std::holds_alternative<PlainKey>(*credential)) << secret;
    EXPECT_EQ(std::get<PlainKey>(*credential).text, secret);
  }
}

TEST(Credential, RefusesAnAccountThatLacksAPiece) {
  for (const char *member : {"client_email", "private_key", "token_uri"}) {
    Json json = account_json();
    json.erase(member);
    expect_refused(json.dump(), member);
    json[member] = 17;
    expect_refused(json.dump(), member);
  }
}

TEST(Credential, RefusesWhatCannotBeRead) {
  expect_refused(R"({"type":"service_account","private_key":"SECRETSECRET)", "cannot be read");
  expect_refused("{" + std::string(200, '[') + "}", "cannot be read");
}

TEST(Credential, RefusesTypesThatWouldCallAMetadataServerOrAProgram) {
  for (const char *type : {"authorized_user", "external_account", "impersonated_service_account"})
    expect_refused(Json{{"type", type}, {"client_secret", "SECRETSECRET"}}.dump(), type);
}

TEST(Credential, SendsTheSignatureToHttpsOrLoopbackOnly) {
  Json json = account_json();
  for (const char *good : {"https://sts.example.com/v1/token", "http://127.0.0.1:8080/token", "http://[::1]/token",
                           "http://localhost:1/t"}) {
    json["token_uri"] = good;
    EXPECT_TRUE(read_credential(json.dump()).ok()) << good;
  }
  for (const char *bad :
       {"http://oauth2.googleapis.com/token", "http://localhost.example.com/", "http://127.0.0.1.nip.io",
        "http://localhost:80@example.com/", "https://user@example.com/", "ftp://localhost/",
        "http://169.254.169.254/computeMetadata", "https://example.com/a b", "//localhost"}) {
    json["token_uri"] = bad;
    expect_refused(json.dump(), "token_uri");
  }
}

// ---- what is signed and sent

TEST(Credential, WritesBase64WithoutPaddingForUrls) {
  EXPECT_EQ(base64url(""), "");
  EXPECT_EQ(base64url("f"), "Zg");
  EXPECT_EQ(base64url("fo"), "Zm8");
  EXPECT_EQ(base64url("foobar"), "Zm9vYmFy");
  EXPECT_EQ(base64url("\xFB\xFF\xFE"), "-__-");
}

TEST(Credential, SignsTheClaimsThatGoogleAsksFor) {
  EXPECT_EQ(jwt_signing_input(account(), kNow + Micros(999'999)),
            base64url(R"({"alg":"RS256","kid":"k1","typ":"JWT"})") + "." +
                base64url(R"({"aud":"https://oauth2.googleapis.com/token","exp":1795003600,"iat":1795000000,)"
                          R"("iss":"worker@p.iam.gserviceaccount.com",)"
                          R"("scope":"https://www.googleapis.com/auth/cloud-platform"})"));
}

TEST(Credential, AsksForATokenWithAForm) {
  const std::string jwt = signed_jwt("header.claims", "\x01\x02");
  EXPECT_EQ(jwt, "header.claims.AQI");
  const HttpRequest request = token_request(account(), jwt);
  EXPECT_EQ(request.url, "https://oauth2.googleapis.com/token");
  ASSERT_EQ(request.headers.size(), 1u);
  EXPECT_EQ(request.headers[0].value, "application/x-www-form-urlencoded");
  EXPECT_EQ(request.body,
            "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=header.claims.AQI");
}

// ---- what comes back

std::variant<AccessToken, Failure> answer(int status, std::string body, std::vector<HttpHeader> headers = {}) {
  return read_token_answer({status, std::move(headers), std::move(body)}, "the.signed.jwt", kNow);
}

TEST(TokenAnswer, GivesTheTokenAndItsLifetime) {
  const auto read = answer(200, R"({"access_token":"ya29.token","expires_in":3599,"token_type":"Bearer"})");
  ASSERT_TRUE(std::holds_alternative<AccessToken>(read));
  EXPECT_EQ(std::get<AccessToken>(read).text, "ya29.token");
  EXPECT_EQ(std::get<AccessToken>(read).lifetime, seconds(3599));
}

TEST(TokenAnswer, IsBelievedForHalfADayAtMost) {
  const auto read = answer(200, R"({"access_token":"t","expires_in":9000000000000})");
  EXPECT_EQ(std::get<AccessToken>(read).lifetime, std::chrono::hours(12));
}

TEST(TokenAnswer, SaysWhatGoogleSaidWhenItIsNo) {
  const auto read = answer(400, R"({"error":"invalid_grant","error_description":"Invalid JWT Signature."})");
  ASSERT_TRUE(std::holds_alternative<Failure>(read));
  EXPECT_EQ(std::get<Failure>(read).kind, FailureClass::credential);
  EXPECT_EQ(std::get<Failure>(read).message, "HTTP 400: invalid_grant: Invalid JWT Signature.");
  EXPECT_EQ(std::get<Failure>(answer(403, R"({"error":{"message":"API disabled"}})")).message,
            "HTTP 403: API disabled");
}

TEST(TokenAnswer, TellsNoForGoodFromNotNow) {
  for (const int status : {302, 400, 401, 403, 404})
    EXPECT_EQ(std::get<Failure>(answer(status, "{}")).kind, FailureClass::credential) << status;
  for (const int status : {408, 500, 502, 503})
    EXPECT_EQ(std::get<Failure>(answer(status, "<html>")).kind, FailureClass::transient) << status;
  const Failure limited = std::get<Failure>(answer(429, "{}", {{"retry-after", "7"}}));
  EXPECT_EQ(limited.kind, FailureClass::rate_limited);
  EXPECT_EQ(limited.retry_after, seconds(7));
}

TEST(TokenAnswer, TakesNoTokenThatCannotBeUsed) {
  for (const char *body :
       {"", "[]", "<html>", "{}", R"({"access_token":17,"expires_in":1})", R"({"access_token":"t"})",
        R"({"access_token":"t","expires_in":0})", R"({"access_token":"t","expires_in":"soon"})",
        R"({"access_token":"a\r\nx: y","expires_in":10})", R"({"access_token":"a b","expires_in":10})",
        R"({"access_token":"t","expires_in":10,"token_type":"mac"})"}) {
    const auto read = answer(200, body);
    ASSERT_TRUE(std::holds_alternative<Failure>(read)) << body;
    EXPECT_EQ(std::get<Failure>(read).kind, FailureClass::transient) << body;
  }
  EXPECT_TRUE(std::holds_alternative<Failure>(
      answer(200, R"({"expires_in":10,"access_token":")" + std::string(9000, 'x') + "\"}")));
}

TEST(TokenAnswer, RepeatsNeitherTheJwtNorAToken) {
  EXPECT_EQ(std::get<Failure>(answer(400, R"({"error":"bad assertion: the.signed.jwt"})")).message.find("signed"),
            std::string::npos);
  EXPECT_EQ(std::get<Failure>(answer(200, R"({"token":"ya29.SECRET"})")).message.find("SECRET"), std::string::npos);
}

}  // namespace
}  // namespace agent_queue
