"""What the imposter says when nothing is wrong, in the format that the path belongs to, and its plain errors."""
import json

CONTENT_NULS = b'{"choices":[{"index":0,"finish_reason":"stop","message":{"role":"assistant","content":' \
               b'"one\\u0000two \x00 three \xff\xfe \xe2\x82 four"}}],"usage":{"prompt_tokens":11,"completion_tokens":7}}'


def completion(text):
    return json.dumps({
        "id": "chatcmpl-imposter", "object": "chat.completion", "created": 1764000000, "model": "imposter-1",
        "choices": [{"index": 0, "message": {"role": "assistant", "content": text}, "finish_reason": "stop"}],
        "usage": {"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18}}).encode()


def answer_in(path, text):
    """An answer of the wire format whose path this is; OpenAI's where no other is known."""
    if path.endswith("/messages"):
        return json.dumps({
            "id": "msg_imposter", "type": "message", "role": "assistant", "model": "imposter-1", "stop_reason": "end_turn",
            "content": [{"type": "text", "text": text}], "usage": {"input_tokens": 11, "output_tokens": 7}}).encode()
    if path.endswith(":generateContent"):
        return json.dumps({
            "candidates": [{"content": {"role": "model", "parts": [{"text": text}]}, "finishReason": "STOP", "index": 0}],
            "usageMetadata": {"promptTokenCount": 11, "candidatesTokenCount": 7, "totalTokenCount": 18},
            "modelVersion": "imposter-1"}).encode()
    if path.endswith("/api/chat"):
        return json.dumps({
            "model": "imposter-1", "message": {"role": "assistant", "content": text}, "done_reason": "stop", "done": True,
            "prompt_eval_count": 11, "eval_count": 7}).encode()
    return completion(text)


def last_text(body):
    """The text of the last turn of a request in any of the formats."""
    request = json.loads(body)
    turn = (request.get("messages") or request["contents"])[-1]
    content = turn.get("content", turn.get("parts"))
    return content if isinstance(content, str) else "".join(part.get("text", "") for part in content)


def said_in(body):
    """The beginning of that text; empty where there is none."""
    try:
        return last_text(body)[:100]
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        return ""


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
