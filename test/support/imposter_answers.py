"""What the imposter says when nothing is wrong, and its plain errors."""
import json

CONTENT_NULS = b'{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":' \
               b'"one\\u0000two \x00 three \xff\xfe \xe2\x82 four"}}],"usage":{"prompt_tokens":11,"completion_tokens":7}}'


def completion(text):
    return json.dumps({
        "id": "chatcmpl-imposter", "object": "chat.completion", "created": 1764000000, "model": "imposter-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}).encode()


def echo_of(body):
    """The answer to a chat request: its last user message, said back."""
    try:
        users = [m["content"] for m in json.loads(body)["messages"] if m["role"] == "user"]
        return completion("echo: " + str(users[-1]))
    except (ValueError, KeyError, IndexError, TypeError):
        return completion("echo: ")


def error_body(code, message=None):
    kind = {401: "authentication_error", 429: "rate_limit_error"}.get(
        code, "server_error" if code >= 500 else "invalid_request_error")
    return json.dumps({"error": {"message": message or f"imposter says {code}", "type": kind, "param": None,
                                 "code": "rate_limit_exceeded" if code == 429 else None}}).encode()
