"""The imposter as one who looks at keys: bearer keys, Google's token endpoint, and Vertex AI behind it."""
import base64
import hashlib
import json
import os
import subprocess
import tempfile
import time
import urllib.parse

from imposter_answers import error_body
from imposter_server import Connection


def unpadded(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def signature_holds(jwt, key_file):
    """By the openssl program, with the public key that the test has written there."""
    signed, _, signature = jwt.rpartition(".")
    with tempfile.NamedTemporaryFile() as file:
        file.write(unpadded(signature))
        file.flush()
        return subprocess.run(["openssl", "dgst", "-sha256", "-verify", key_file, "-signature", file.name],
                              input=signed.encode(), stdout=subprocess.DEVNULL,
                              stderr=subprocess.DEVNULL).returncode == 0


def grant_fault(form, token_uri):
    """What is wrong with a request for a service account's token (RFC 7523); None: nothing."""
    if form.get("grant_type") != "urn:ietf:params:oauth:grant-type:jwt-bearer":
        return "unsupported_grant_type"
    try:
        head, claims, _ = form["assertion"].split(".")
        head, claims = json.loads(unpadded(head)), json.loads(unpadded(claims))
        if head["alg"] != "RS256" or not claims["iss"].endswith(".iam.gserviceaccount.com"):
            return "Invalid JWT"
        if claims["aud"] != token_uri or claims["scope"] != "https://www.googleapis.com/auth/cloud-platform":
            return "Invalid JWT audience or scope"
        if abs(time.time() - claims["iat"]) > 300 or claims["exp"] != claims["iat"] + 3600:
            return "Invalid JWT: iat and exp"
    except (KeyError, ValueError):
        return "Malformed JWT"
    return None if signature_holds(form["assertion"], os.environ["AQ_TOKEN_KEY"]) else "Invalid JWT Signature."


class KeyBehaviours(Connection):
    async def do_key(self, request, rest):
        """Answers who brings the key with that SHA-256."""
        key = request.headers.get("authorization", "").removeprefix("Bearer ")
        if hashlib.sha256(key.encode()).hexdigest() == rest[0]:
            await self.do_ok(request, [])
        else:
            self.answer(401, error_body(401, "wrong key: " + key))

    async def do_token(self, request, rest):
        """Google's token endpoint. /token/flaky: 503 the first time; /token/refuse: always no."""
        form = dict(urllib.parse.parse_qsl(request.body.decode()))
        fault = grant_fault(form, f"http://{request.headers['host']}{request.path}")
        if rest[0] == "refuse":
            fault = "Account is disabled: " + form.get("assertion", "")
        if rest[0] == "flaky" and self.imposter.journal.counts[request.path] == 1:
            self.answer(503, b"<html>503</html>", content_type="text/html")
        elif fault:
            self.answer(400, json.dumps({"error": "invalid_grant", "error_description": fault}).encode())
        else:
            self.imposter.tokens.append(f"ya29.SECRETSECRET-{len(self.imposter.tokens)}")
            self.answer(200, json.dumps({"access_token": self.imposter.tokens[-1], "expires_in": 3599,
                                         "token_type": "Bearer"}).encode())

    async def do_vertex(self, request, rest):
        """Vertex AI's generateContent, for who has a token. /vertex/stale: not the first token that comes;
        /vertex/never: none."""
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        stale = self.imposter.journal.steps.setdefault("/vertex/stale", token) if rest[0] == "stale" else None
        if token not in self.imposter.tokens or token == stale or rest[0] == "never" or "x-goog-api-key" in request.headers:
            self.answer(401, json.dumps({"error": {"code": 401, "status": "UNAUTHENTICATED",
                                                   "message": "invalid authentication credentials: " + token}}).encode())
            return
        said = json.loads(request.body)["contents"][-1]["parts"][0]["text"]
        self.answer(200, json.dumps({
            "candidates": [{"content": {"role": "model", "parts": [{"text": "echo: " + said}]}, "finishReason": "STOP"}],
            "modelVersion": "imposter-1", "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7}}).encode())
