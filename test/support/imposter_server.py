"""The imposter's machinery: requests, the journal of them, connections, the server. What it does wrong stands in
imposter.py and in the modules that imposter.py names."""
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

from imposter_answers import error_body, said_in


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
        self.calls, self.closed, self.counts, self.steps, self.connections = [], [], {}, {}, 0

    def add(self, request):
        call = {"path": request.path, "authorization_present": "authorization" in request.headers,
                "body_sha": hashlib.sha256(request.body).hexdigest(), "body_len": len(request.body),
                "said": said_in(request.body), "at": time.time()}
        self.calls.append(call)
        self.counts[request.path] = self.counts.get(request.path, 0) + 1
        if self.file:
            self.file.write(json.dumps(call) + "\n")

    def add_closed(self, request):
        """The client has closed the connection while it was owed an answer."""
        self.closed.append({"path": request.path, "said": said_in(request.body), "at": time.time()})

    def dump(self):
        return json.dumps({"calls": self.calls, "closed": self.closed, "counts": self.counts,
                           "connections": self.connections}).encode()


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

    def answer(self, status, body, headers=(), content_type="application/json", missing=0):
        """missing: bytes that are announced and not sent."""
        lines = [f"HTTP/1.1 {status} X", f"content-type: {content_type}", f"content-length: {len(body) + missing}"]
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

    async def wait_for_close(self, request):
        try:
            await self.wait_for_end()
        except (Close, OSError):
            self.imposter.journal.add_closed(request)
            raise

    async def serve(self):
        try:
            while True:
                request = await self.read_request()
                if request.path == "/_calls":
                    self.answer(200, self.imposter.journal.dump())
                elif request.path.startswith("/_open/"):
                    self.imposter.gate(request.path.removeprefix("/_open/")).set()
                    self.answer(200, b"{}")
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

    async def behave(self, request, parts):
        behaviour = getattr(self, "do_" + parts[0], None)
        if behaviour is None:
            self.answer(404, error_body(404))
        else:
            await behaviour(request, parts[1:])


class Imposter:
    """The server. Each connection is an object of connection_class, whose do_ functions are the behaviours."""

    def __init__(self, options, connection_class):
        self.options, self.connection_class = options, connection_class
        self.journal = Journal(options.journal)
        self.tokens = []  # access tokens that were given out
        self.gates = {}
        self.bomb = gzip.compress(b"\0" * (64 << 20), 9)

    def gate(self, name):
        return self.gates.setdefault(name, asyncio.Event())

    async def connected(self, reader, writer):
        self.journal.connections += 1
        connection = self.connection_class(self, reader, writer)
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
