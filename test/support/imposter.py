#!/usr/bin/env python3
"""A small fake LLM server for the tests: what it does is chosen by the first part of the URL (test/support/README.md).

    imposter.py [--port 0] [--host 127.0.0.1] [--journal FILE] [--tls-cert FILE --tls-key FILE]

Prints "PORT <n>" as its first line; ends when its standard input closes or on SIGTERM. Standard library only.
The behaviour /name is the function do_name.
"""
import argparse
import asyncio
import hashlib
import json
import sys

# No __pycache__ in the source tree: the next imports would leave one.
sys.dont_write_bytecode = True

from imposter_answers import CONTENT_NULS, answer_in, echo_of, error_body, last_text
from imposter_keys import KeyBehaviours
from imposter_server import Close, Imposter
from imposter_streams import Streams


class Behaviours(Streams, KeyBehaviours):
    """do_NAME(request, rest): what /NAME/rest… does. It answers, or ends the connection by raising Close."""

    async def do_ok(self, request, rest):
        self.answer(200, echo_of(request.body))

    async def do_v1(self, request, rest):
        self.answer(200, echo_of(request.body))

    async def do_mirror(self, request, rest):
        self.answer(200, answer_in(request.path, request.body.decode()))

    async def do_say(self, request, rest):
        """Answers what the last turn of the request asks for: {status, headers, body}, or a list of them of which each
        call with the same body gets the next, then the last one again. cut: the connection ends after the body, which
        was announced as longer."""
        script = json.loads(last_text(request.body))
        steps = script if isinstance(script, list) else [script]
        step = steps[min(self.turn_of(request), len(steps) - 1)]
        body, headers = step.get("body", {}), step.get("headers", {})
        body = body if isinstance(body, str) else json.dumps(body)
        content_type = headers.pop("content-type", "application/json")
        self.answer(step.get("status", 200), body.encode(), headers.items(), content_type, 1000 if "cut" in step else 0)
        if "cut" in step:
            await self.writer.drain()
            raise Close

    async def do_delay(self, request, rest):
        await asyncio.sleep(int(rest[0]) / 1000)
        self.answer(200, echo_of(request.body))

    async def do_gate(self, request, rest):
        await self.imposter.gate(rest[0]).wait()
        self.answer(200, echo_of(request.body))

    async def do_status(self, request, rest):
        code, query, headers = int(rest[0]), request.query, []
        if "retry_after" in query:
            headers.append(("retry-after", query["retry_after"]))
        if "retry_after_ms" in query:
            headers.append(("retry-after-ms", query["retry_after_ms"]))
        body = query["body"].encode() if "body" in query else error_body(code)
        self.answer(code, body, headers, query.get("ct", "application/json"))

    async def do_sequence(self, request, rest):
        """Each request with the same path and body gets the next step, then the last one again. A step is a status,
        "429:1" (with Retry-After) or the name of another behaviour."""
        steps = rest[0].split(",")
        turn = self.turn_of(request)
        name, _, argument = steps[min(turn, len(steps) - 1)].partition(":")
        if name == "200":
            await self.do_ok(request, [])
        elif name.isdigit():
            self.answer(int(name), error_body(int(name)), [("retry-after", argument)] if argument else [])
        else:
            await self.behave(request, [name] + ([argument] if argument else []))

    def turn_of(self, request):
        """How many requests with the same path and body there were before."""
        steps, key = self.imposter.journal.steps, (request.path, hashlib.sha256(request.body).digest())
        steps[key] = steps.get(key, -1) + 1
        return steps[key]

    async def do_cut(self, request, rest):
        if rest[0] == "headers":
            self.write(b"HTTP/1.1 200 OK\r\ncontent-type: appl")
        else:
            self.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"x" * 500)
        raise Close

    async def do_rst(self, request, rest):
        self.abort()

    async def do_delayed_rst(self, request, rest):
        await asyncio.sleep(int(rest[0]) / 1000)
        self.abort()

    async def do_drip(self, request, rest):
        body = echo_of(request.body)
        self.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(body))
        for byte in body:
            self.write(bytes([byte]))
            await self.writer.drain()
            await asyncio.sleep(int(rest[0]) / 1000)

    async def do_drip_headers(self, request, rest):
        """Headers without end, byte by byte: each of them comes in time, the answer never does."""
        self.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            for byte in b"x-drip: y\r\n":
                self.write(bytes([byte]))
                await self.writer.drain()
                await asyncio.sleep(int(rest[0]) / 1000)

    async def do_stall(self, request, rest):
        """Sends a part of the body and then nothing, with the connection open."""
        self.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"x" * 10)
        await self.wait_for_close(request)

    async def do_hang(self, request, rest):
        await self.wait_for_close(request)

    async def do_endless(self, request, rest):
        self.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while True:
            self.write(b"x" * 65536)
            await self.writer.drain()

    async def do_huge(self, request, rest):
        """Announces a body of that many bytes and sends none of it."""
        self.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % int(rest[0]))
        await self.wait_for_end()

    async def do_headers(self, request, rest):
        self.answer(200, echo_of(request.body), [(f"x-{i}", "y") for i in range(int(rest[0]))])

    async def do_bigheader(self, request, rest):
        self.answer(200, echo_of(request.body), [("x-big", "y" * int(rest[0]))])

    async def do_interim(self, request, rest):
        self.write(b"HTTP/1.1 103 Early Hints\r\nlink: </x>\r\n\r\n")
        await self.do_ok(request, rest)

    async def do_nothttp(self, request, rest):
        self.write(b"220 mail.example.com ESMTP ready\r\n")
        raise Close

    async def do_html502(self, request, rest):
        self.answer(502, b"<html><body><h1>502 Bad Gateway</h1></body></html>", content_type="text/html")

    async def do_nul(self, request, rest):
        self.answer(200, CONTENT_NULS)

    async def do_notjson(self, request, rest):
        self.answer(200, b"this is { not JSON")

    async def do_empty(self, request, rest):
        self.answer(200, b"")

    async def do_redirect(self, request, rest):
        self.answer(302, b"", [("location", "/ok")])

    async def do_gzip(self, request, rest):
        self.answer(200, self.imposter.bomb, [("content-encoding", "gzip")])

    async def do_close(self, request, rest):
        self.answer(200, echo_of(request.body))
        await self.writer.drain()
        raise Close

    async def do_chunked(self, request, rest):
        self.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n\r\n")
        body = echo_of(request.body)
        for start in range(0, len(body), 7):
            piece = body[start:start + 7]
            self.write(b"%x\r\n%s\r\n" % (len(piece), piece))
        self.write(b"0\r\nx-trailer: end\r\n\r\n")

    async def do_wrongct(self, request, rest):
        self.answer(200, echo_of(request.body), content_type="text/plain; charset=latin-1")

    async def do_secret(self, request, rest):
        self.answer(400, error_body(400, "bad credentials: " + request.headers.get("authorization", "none")))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--journal", help="append one JSON line per request")
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--no-stdin", action="store_true", help="do not end when standard input closes")
    asyncio.run(Imposter(parser.parse_args(), Behaviours).run())


if __name__ == "__main__":
    main()
