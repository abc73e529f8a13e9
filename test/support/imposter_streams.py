"""The imposter's streams: /sse/<a,b,c> is an OpenAI stream by a script of steps (test/support/README.md). The step "name"
or "name:argument" is the function sse_name."""
import asyncio
import json
import urllib.parse

from imposter_server import Close


class Streams:
    """A part of Behaviours."""
    released = asyncio.Event()

    async def do_sse(self, request, rest):
        self.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
        for step in rest[0].split(","):
            name, _, argument = urllib.parse.unquote(step).partition(":")
            await getattr(self, "sse_" + name)(argument)
            await self.writer.drain()
        self.write(b"0\r\n\r\n")

    async def do__release(self, request, rest):
        steps = self.imposter.journal.steps  # forgotten by /_reset
        steps["releases"] = steps.get("releases", 0) + 1
        released, Streams.released = Streams.released, asyncio.Event()
        released.set()
        self.answer(200, b"{}")

    def write_chunk(self, data):
        self.write(b"%x\r\n%s\r\n" % (len(data), data))

    def write_event(self, choices, **more):
        event = {"id": "chatcmpl-imposter", "object": "chat.completion.chunk", "created": 1764000000,
                 "model": "imposter-1", "choices": choices, **more}
        self.write_chunk(b"data: " + json.dumps(event).encode() + b"\n\n")

    async def sse_text(self, text):
        self.write_event([{"index": 0, "delta": {"content": text}, "finish_reason": None}])

    async def sse_stop(self, _):
        self.write_event([{"index": 0, "delta": {}, "finish_reason": "stop"}])

    async def sse_usage(self, _):
        self.write_event([], usage={"prompt_tokens": 11, "completion_tokens": 7, "total_tokens": 18})

    async def sse_done(self, _):
        self.write_chunk(b"data: [DONE]\n\n")

    async def sse_error(self, kind):
        error = {"message": "the imposter breaks off", "type": kind, "param": None, "code": None}
        self.write_chunk(b"data: " + json.dumps({"error": error}).encode() + b"\n\n")

    async def sse_ping(self, _):
        self.write_chunk(b": keep-alive\n\n")

    async def sse_pings(self, milliseconds):
        while True:
            await self.sse_ping("")
            await self.writer.drain()
            await asyncio.sleep(int(milliseconds) / 1000)

    async def sse_endless(self, size):
        while True:
            await self.sse_text("x" * int(size))
            await self.writer.drain()

    async def sse_wait(self, milliseconds):
        await asyncio.sleep(int(milliseconds) / 1000)

    async def sse_hold(self, times):
        while self.imposter.journal.steps.get("releases", 0) < int(times or 1):
            await Streams.released.wait()

    async def sse_hang(self, _):
        await self.wait_for_end()

    async def sse_cut(self, _):
        raise Close
