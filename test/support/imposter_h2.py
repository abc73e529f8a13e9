#!/usr/bin/python3
"""The imposter over HTTP/2 (TLS, ALPN h2): one connection carries many calls, and fails in ways of its own. What it does
is chosen by the first part of the URL, /name is the function do_name (test/support/README.md).

    imposter_h2.py --tls-cert FILE --tls-key FILE

Its first lines are those of imposter.py; it ends when its standard input closes. Debian's Python with python3-h2.
"""
import argparse
import asyncio
import json
import os
import ssl
import sys

sys.dont_write_bytecode = True

import h2.config
import h2.connection
import h2.events
from h2.errors import ErrorCodes
from h2.exceptions import ProtocolError
from hyperframe.frame import GoAwayFrame

from imposter_answers import echo_of, error_body


class Journal:
    def __init__(self):
        self.calls, self.connections = [], 0

    def add(self, path, connection):
        self.calls.append({"path": path, "connection": connection})
        return sum(call["path"] == path for call in self.calls)


class Connection(asyncio.Protocol):
    def __init__(self, journal):
        self.journal, self.requests, self.tasks, self.roomier = journal, {}, set(), asyncio.Event()
        self.h2 = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))

    # -- machinery -----------------------------------------------------------------------------------------------
    def connection_made(self, transport):
        self.transport = transport
        self.journal.connections += 1
        self.number = self.journal.connections
        self.h2.initiate_connection()
        self.flush()

    def connection_lost(self, exc):
        for task in self.tasks:
            task.cancel()

    def data_received(self, data):
        try:
            events = self.h2.receive_data(data)
        except ProtocolError:
            self.transport.abort()
            return
        for event in events:
            if isinstance(event, h2.events.RequestReceived):
                self.requests[event.stream_id] = [dict(event.headers)[":path"], b""]
            elif isinstance(event, h2.events.DataReceived):
                self.requests[event.stream_id][1] += event.data
                self.h2.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
            elif isinstance(event, h2.events.StreamEnded):
                self.begin(event.stream_id)
            elif isinstance(event, h2.events.WindowUpdated):
                self.roomier.set()
        self.flush()

    def begin(self, stream):
        path = self.requests[stream][0]
        parts = path.strip("/").split("/")
        if parts[0] == "_calls":
            report = json.dumps({"calls": self.journal.calls, "connections": self.journal.connections})
            behaviour = self.answer(stream, report.encode())
        else:
            self.turn = self.journal.add(path, self.number)
            behaviour = getattr(self, "do_" + parts[0], self.not_found)(stream, parts[1:])
        task = asyncio.ensure_future(behaviour)
        self.tasks.add(task)
        task.add_done_callback(self.tasks.discard)

    def flush(self):
        if not self.transport.is_closing():
            self.transport.write(self.h2.data_to_send())

    async def answer(self, stream, body, status="200"):
        self.h2.send_headers(stream, [(":status", status), ("content-type", "application/json")])
        while body:
            room = min(self.h2.local_flow_control_window(stream), self.h2.max_outbound_frame_size)
            if room == 0:
                self.roomier.clear()
                await self.roomier.wait()
                continue
            self.h2.send_data(stream, body[:room], end_stream=len(body) <= room)
            body = body[room:]
            self.flush()

    def reset(self, stream, code):
        self.h2.reset_stream(stream, code)
        self.flush()

    def send_part(self, stream):
        self.h2.send_headers(stream, [(":status", "200"), ("content-length", "1000")])
        self.h2.send_data(stream, b"x" * 10)
        self.flush()

    def go_away(self, last_stream):
        """h2 itself would let nothing be sent after it, but calls that were begun may still be answered."""
        frame = GoAwayFrame(0, last_stream_id=last_stream, error_code=ErrorCodes.NO_ERROR)
        self.flush()
        self.transport.write(frame.serialize())

    # -- behaviours ----------------------------------------------------------------------------------------------
    async def not_found(self, stream, rest):
        await self.answer(stream, error_body(404), "404")

    async def do_ok(self, stream, rest):
        await self.answer(stream, echo_of(self.requests[stream][1]))

    async def do_delay(self, stream, rest):
        await asyncio.sleep(int(rest[0]) / 1000)
        await self.do_ok(stream, rest)

    async def do_hang(self, stream, rest):
        pass

    async def do_last(self, stream, rest):
        """Answers, after having said that it is the last call on this connection."""
        self.go_away(stream)
        await self.do_ok(stream, rest)
        self.transport.close()

    async def do_not_begun(self, stream, rest):
        """The first time: GOAWAY with the word that this call was not begun."""
        if self.turn > 1:
            await self.do_ok(stream, rest)
            return
        self.go_away(max(stream - 2, 0))

    async def do_refuse(self, stream, rest):
        """The first time, or always (/refuse/always): REFUSED_STREAM, which says that nothing was done."""
        if self.turn > 1 and not rest:
            await self.do_ok(stream, rest)
        else:
            self.reset(stream, ErrorCodes.REFUSED_STREAM)

    async def do_reset(self, stream, rest):
        self.reset(stream, ErrorCodes.INTERNAL_ERROR)

    async def do_reset_midway(self, stream, rest):
        self.send_part(stream)
        self.reset(stream, ErrorCodes.INTERNAL_ERROR)

    async def do_short(self, stream, rest):
        """Ends the stream in good order, before the announced length."""
        self.send_part(stream)
        self.h2.end_stream(stream)
        self.flush()

    async def do_cut(self, stream, rest):
        """The connection ends in the middle of an answer, for all calls on it."""
        self.send_part(stream)
        self.transport.abort()

    async def do_garbage(self, stream, rest):
        """What is no frame."""
        self.transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}" * 10)


async def serve(options):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(options.tls_cert, options.tls_key)
    tls.set_alpn_protocols(["h2"])
    loop, journal = asyncio.get_running_loop(), Journal()
    server = await loop.create_server(lambda: Connection(journal), "127.0.0.1", 0, ssl=tls, backlog=4096)
    print(f"PORT {server.sockets[0].getsockname()[1]}\nRST_BEFORE_PORT 0", flush=True)
    await loop.run_in_executor(None, sys.stdin.read)
    os._exit(0)  # open connections are not waited for


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--tls-cert", required=True)
    parser.add_argument("--tls-key", required=True)
    asyncio.run(serve(parser.parse_args()))


if __name__ == "__main__":
    main()
