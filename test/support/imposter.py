#!/usr/bin/env python3
"""A small fake LLM server for the tests: what it does is chosen by the first part of the URL (test/support/README.md).

    imposter.py [--port 0] [--host 127.0.0.1] [--journal FILE] [--tls-cert FILE --tls-key FILE]

Prints "PORT <n>" as its first line; ends when its standard input closes or on SIGTERM. Standard library only.
"""
import argparse
import asyncio
import gzip
import hashlib
import json
import os
import signal
import socket
import ssl
import struct
import sys
import time
import urllib.parse

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


class Close(Exception):
    """Ends the connection after what was written."""


class Request:
    def __init__(self, path, headers, body):
        parts = urllib.parse.urlsplit(path)
        self.path, self.headers, self.body = parts.path, headers, body
        self.query = dict(urllib.parse.parse_qsl(parts.query, keep_blank_values=True))


class Journal:
    """What was asked, for the tests to look at: never a key, only whether there was one."""

    def __init__(self, file_name):
        self.file = open(file_name, "a", buffering=1) if file_name else None
        self.reset()

    def reset(self):
        self.calls, self.counts, self.steps, self.connections = [], {}, {}, 0

    def add(self, request):
        call = {"path": request.path, "authorization_present": "authorization" in request.headers,
                "body_sha": hashlib.sha256(request.body).hexdigest(), "body_len": len(request.body),
                "at": time.time()}
        self.calls.append(call)
        self.counts[request.path] = self.counts.get(request.path, 0) + 1
        if self.file:
            self.file.write(json.dumps(call) + "\n")

    def dump(self):
        return json.dumps({"calls": self.calls, "counts": self.counts, "connections": self.connections}).encode()


class Connection:
    def __init__(self, imposter, reader, writer):
        self.imposter, self.reader, self.writer = imposter, reader, writer

    # -- reading and writing -------------------------------------------------------------------------------------
    async def read_request(self):
        try:
            head = await self.reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, OSError):
            raise Close from None
        lines = head.decode("latin-1").split("\r\n")
        path = lines[0].split(" ")[1]
        headers = {}
        for line in lines[1:]:
            name, _, value = line.partition(":")
            headers[name.strip().lower()] = value.strip()
        try:
            body = await self.reader.readexactly(int(headers.get("content-length", 0)))
        except (asyncio.IncompleteReadError, OSError):
            raise Close from None
        return Request(path, headers, body)

    def write(self, data):
        self.writer.write(data)

    def answer(self, status, body, headers=(), content_type="application/json"):
        lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", f"content-length: {len(body)}"]
        lines += [f"{name}: {value}" for name, value in headers]
        self.write("\r\n".join(lines).encode("latin-1") + b"\r\n\r\n" + body)

    def abort(self):
        """The connection ends with RST instead of FIN."""
        self.writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.writer.transport.abort()
        raise Close

    async def wait_for_end(self):
        while await self.reader.read(65536):
            pass
        raise Close

    async def serve(self):
        try:
            while True:
                request = await self.read_request()
                if request.path == "/_calls":
                    self.answer(200, self.imposter.journal.dump())
                elif request.path == "/_reset":
                    self.imposter.journal.reset()
                    self.answer(200, b"{}")
                else:
                    self.imposter.journal.add(request)
                    await self.behave(request, request.path.strip("/").split("/"))
                await self.writer.drain()
        except (Close, OSError):
            pass
        finally:
            self.writer.close()

    # -- behaviours ----------------------------------------------------------------------------------------------
    async def behave(self, request, parts):
        behaviour = getattr(self, "do_" + parts[0], None)
        if behaviour is None:
            self.answer(404, error_body(404))
        else:
            await behaviour(request, parts[1:])

    async def do_ok(self, request, rest):
        self.answer(200, echo_of(request.body))

    async def do_v1(self, request, rest):
        self.answer(200, echo_of(request.body))

    async def do_mirror(self, request, rest):
        self.answer(200, completion(request.body.decode()))

    async def do_delay(self, request, rest):
        await asyncio.sleep(int(rest[0]) / 1000)
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
        key = (request.path, hashlib.sha256(request.body).digest())
        steps = rest[0].split(",")
        turn = self.imposter.journal.steps.get(key, 0)
        self.imposter.journal.steps[key] = turn + 1
        name, _, argument = steps[min(turn, len(steps) - 1)].partition(":")
        if name == "200":
            await self.do_ok(request, [])
        elif name.isdigit():
            self.answer(int(name), error_body(int(name)), [("retry-after", argument)] if argument else [])
        else:
            await self.behave(request, [name] + ([argument] if argument else []))

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

    async def do_stall(self, request, rest):
        """Sends a part of the body and then nothing, with the connection open."""
        self.write(b"HTTP/1.1 200 OK\r\ncontent-length: 1000\r\n\r\n" + b"x" * 10)
        await self.wait_for_end()

    async def do_hang(self, request, rest):
        await self.wait_for_end()

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


class Imposter:
    def __init__(self, options):
        self.options = options
        self.journal = Journal(options.journal)
        self.bomb = gzip.compress(b"\0" * (64 << 20), 9)

    async def connected(self, reader, writer):
        self.journal.connections += 1
        connection = Connection(self, reader, writer)
        try:
            await connection.serve()
        except asyncio.CancelledError:
            pass

    async def reset_at_accept(self, reader, writer):
        try:
            Connection(self, reader, writer).abort()
        except Close:
            pass

    async def run(self):
        tls = None
        if self.options.tls_cert:
            tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            tls.load_cert_chain(self.options.tls_cert, self.options.tls_key)
        loop = asyncio.get_running_loop()
        stop = asyncio.Event()
        loop.add_signal_handler(signal.SIGTERM, stop.set)
        server = await asyncio.start_server(self.connected, self.options.host, self.options.port, backlog=4096,
                                            ssl=tls, limit=1 << 22)
        port = server.sockets[0].getsockname()[1]
        resetting = await asyncio.start_server(self.reset_at_accept, self.options.host, 0, backlog=128)
        reset_port = resetting.sockets[0].getsockname()[1]
        print(f"PORT {port}\nRST_BEFORE_PORT {reset_port}", flush=True)
        watcher = asyncio.create_task(self.watch_stdin(loop, stop)) if not self.options.no_stdin else None
        await stop.wait()
        if watcher:
            watcher.cancel()
        os._exit(0)  # open connections are not waited for

    @staticmethod
    async def watch_stdin(loop, stop):
        reader = asyncio.StreamReader()
        await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while await reader.read(4096):
            pass
        stop.set()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--journal", help="append one JSON line per request")
    parser.add_argument("--tls-cert")
    parser.add_argument("--tls-key")
    parser.add_argument("--no-stdin", action="store_true", help="do not end when standard input closes")
    asyncio.run(Imposter(parser.parse_args()).run())


if __name__ == "__main__":
    main()
