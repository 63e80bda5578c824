"""A model server for tests: real HTTP on 127.0.0.1, the wire formats of eight kinds, scripted replies.

    async with ScriptedEndpoint(kind="vllm") as server:
        server.reply("return a + b")                                    # answered to the next request
        server.reply(tool_calls=[("read_file", {"file_path": "a.py"})])      # …and to the one after it
        settings = EndpointSettings(base_url=server.base_url, model=server.model)
        ...
        assert server.requests[0].prompt.endswith("<|fim_middle|>")

Replies are taken in the order they were scripted; `match="…"` keeps one for the first request whose prompt
or messages contain that text. A request that no reply fits is refused, and leaving the `async with` then
fails, so that nothing passes by luck; `ScriptedEndpoint(responder=echo)` answers anything instead.

Faults are fields of a reply: `status=429, headers={"Retry-After": "2"}`, `hang="headers"`, `hang_after=2`
(pieces), `cut_after=120` (bytes of the body, then its clean end), `reset_after=0` (bytes, then RST),
`piece=1` (bytes per write), `done=False` (no `[DONE]`), `body=b"<html>…"`.

By hand, for an editor or the command line:

    python -m tests.support.endpoint --kind ollama --port 11434 [--script replies.jsonl]
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import socket
import struct
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self, cast, get_args

from tests.support import wire
from tests.support.wire import Json, Kind, Spent

__all__ = ["Kind", "Recorded", "Reply", "ScriptedEndpoint", "Spent", "echo"]

WAIT = 30.0
"""Longest wait of a helper here, in seconds: a test that hangs fails instead."""


@dataclass(frozen=True, slots=True)
class Reply:
    """One scripted answer; the faults are told in the module's docstring."""

    text: str = ""
    tool_calls: Sequence[tuple[str, Any]] = ()
    """(name, arguments); arguments given as a `str` are sent as they are, broken JSON included."""
    chunks: Sequence[str] | None = None
    """The pieces `text` is streamed in; None: pieces of 4 characters."""
    finish_reason: str | None = None
    usage: Spent | None = field(default_factory=Spent)
    """None: the server says nothing about usage, even when asked."""
    match: str = ""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    body: bytes | None = None
    """Sent as it is instead of what the kind would send."""
    hang: Literal["headers"] | None = None
    hang_after: int | None = None
    cut_after: int | None = None
    reset_after: int | None = None
    piece: int | None = None
    done: bool = True
    pace: float = 0.0
    """Seconds between two pieces: a model's speed, for whoever measures."""
    hold: asyncio.Event | None = None
    """The reply begins when this is set."""

    @property
    def ended(self) -> str:
        return self.finish_reason or ("tool_calls" if self.tool_calls else "stop")

    @property
    def pieces(self) -> Sequence[str]:
        if self.chunks is not None:
            return self.chunks
        return [self.text[i : i + 4] for i in range(0, len(self.text), 4)]

    @property
    def whole(self) -> str:
        return "".join(self.pieces)


@dataclass(slots=True)
class Recorded:
    """One request as it arrived."""

    method: str
    path: str
    headers: dict[str, str]
    """Names in lower case."""
    body: bytes
    at: float
    """Arrival, on the event loop's clock."""
    closed_early: bool = False
    """Whether the client went away before the whole reply was written."""
    answered: float = 0.0
    """When the last byte of the reply was written, on the same clock; 0 while it is not."""

    @property
    def json(self) -> Json:
        """The body as a JSON object, empty when it is none."""
        try:
            value: object = json.loads(self.body)
        except ValueError:
            return {}
        return cast("Json", value) if isinstance(value, dict) else {}

    @property
    def messages(self) -> list[Json]:
        return cast("list[Json]", self.json.get("messages", []))

    @property
    def prompt(self) -> str:
        """All the text the model would see: the raw prompt, the infill fields, or the messages joined."""
        sent = self.json
        if "messages" in sent:
            return "\n".join(_text_of(message.get("content")) for message in self.messages)
        extra = cast("list[Json]", sent.get("input_extra", []))
        parts = [str(item.get("text", "")) for item in extra]
        parts += [str(sent.get(name, "")) for name in ("input_prefix", "prompt", "input_suffix")]
        return "".join(parts)


def _text_of(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in cast("list[Json]", content))
    return content if isinstance(content, str) else ""


def echo(request: Recorded) -> Reply:
    """Answer from the request alone, always the same way.

    A completion is the rest of the last earlier line that begins as the cursor's line does; a chat answer
    quotes the first line of what was asked.
    """
    if request.messages and not request.messages[-1].get("partial"):
        asked = _text_of(request.messages[-1].get("content")).strip().splitlines() or ["nothing"]
        return Reply(f"The scripted endpoint was asked: {asked[0]}")
    before = request.prompt.split("<|fim_suffix|>")[0].split("<|fim_prefix|>")[-1]
    *lines, last = before.split("\n")
    begun = last.strip()
    for line in reversed(lines):
        if begun and line.strip().startswith(begun) and line.strip() != begun:
            return Reply(line.strip()[len(begun) :])
    return Reply("pass")


class ScriptedEndpoint:
    """An HTTP/1.1 server that answers as a model server of `kind` would, with what it was told to say."""

    def __init__(
        self,
        kind: Kind = "vllm",
        *,
        models: Sequence[str] = ("qwen3-coder-30b-a3b-instruct",),
        window: int = 262_144,
        api_key: str = "",
        port: int = 0,
        responder: Callable[[Recorded], Reply | None] | None = None,
    ) -> None:
        self.kind: Kind = kind
        self.models = tuple(models)
        self.window = window
        self.api_key = api_key
        """When set, a request without it is answered 401."""
        self.port = port
        self.requests: list[Recorded] = []
        """The requests to the model, in order of arrival."""
        self.probes: list[Recorded] = []
        """The questions about the server itself: models, properties, versions."""
        self.early_closes = 0
        self.connections = 0
        """How many connections were accepted in all."""
        self.missing: set[str] = set()
        """Paths to answer with 404, as an older server would."""
        self.hold_probes: asyncio.Event | None = None
        """Questions about the server are answered when this is set."""
        self.unscripted: list[Recorded] = []
        self.last: Reply | None = None
        """The reply that was streamed last."""
        self._script: list[Reply] = []
        self._responder = responder
        self._changed = asyncio.Condition()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None

    # --- set-up

    @property
    def model(self) -> str:
        return self.models[0]

    @property
    def root(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """What a user would write as OPENAI_BASE_URL."""
        return self.root + wire.prefix(self.kind)

    def reply(self, text: str = "", **fields: Any) -> Reply:
        """Script one answer; the fields are those of `Reply`."""
        scripted = Reply(text, **fields)
        self._script.append(scripted)
        return scripted

    def script(self, replies: Iterable[Reply]) -> None:
        """Script many answers."""
        self._script.extend(replies)

    def respond_with(self, responder: Callable[[Recorded], Reply | None]) -> None:
        """Answer what no scripted reply fits from the request itself."""
        self._responder = responder

    @property
    def left(self) -> int:
        """How many scripted answers nobody asked for yet."""
        return len(self._script)

    # --- what happened

    async def wait_for(self, condition: Callable[[], bool]) -> None:
        """Wait until `condition()`; it is asked again whenever a request arrives or a client leaves."""
        async with asyncio.timeout(WAIT), self._changed:
            await self._changed.wait_for(condition)

    async def wait_requests(self, count: int = 1) -> None:
        """Wait until `count` requests to the model have arrived in all."""
        await self.wait_for(lambda: len(self.requests) >= count)

    async def wait_early_closes(self, count: int = 1) -> None:
        """Wait until `count` clients in all left before their reply was complete."""
        await self.wait_for(lambda: self.early_closes >= count)

    # --- life

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._connected, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._server is not None:
            await self._server.wait_closed()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()
        if kind is None and self.unscripted:
            first = self.unscripted[0]
            raise AssertionError(
                f"{len(self.unscripted)} request(s) without a scripted reply, "
                f"first {first.method} {first.path}: {first.prompt[-400:]!r}"
            )

    # --- HTTP

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = cast("asyncio.Task[None]", asyncio.current_task())
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self.connections += 1
        try:
            with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
                while await self._exchange(reader, writer):
                    pass
        finally:
            writer.close()
            with contextlib.suppress(ConnectionError, asyncio.CancelledError):
                await writer.wait_closed()

    async def _exchange(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        """Read one request and answer it; False: the connection is over."""
        request = await _read_request(reader)
        if request is None:
            return False
        answer = asyncio.ensure_future(self._answer(request, writer))
        gone = asyncio.ensure_future(reader.read(1))
        try:
            await asyncio.wait({answer, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not answer.done():
                request.closed_early = True
                self.early_closes += 1
                return False
            request.answered = asyncio.get_running_loop().time()
            return answer.result() and not gone.done()
        finally:
            for future in (answer, gone):
                future.cancel()
            await asyncio.gather(answer, gone, return_exceptions=True)
            async with self._changed:
                self._changed.notify_all()

    async def _answer(self, request: Recorded, writer: asyncio.StreamWriter) -> bool:
        path = request.path.split("?")[0]
        if path in self.missing:
            return await self._refuse(writer, 404, "Not Found")
        if self.api_key and request.headers.get("authorization") != f"Bearer {self.api_key}":
            return await self._refuse(writer, 401, "Incorrect API key provided")
        about = wire.probe(self.kind, request.method, path, self.models, self.window, request.json)
        if about is not None:
            self.probes.append(request)
            if self.hold_probes is not None:
                await self.hold_probes.wait()
            return await _send(writer, 200, self._headers("application/json"), json.dumps(about).encode())
        if request.method != "POST" or path not in self._routes():
            return await self._refuse(writer, 404, "Not Found")
        self.requests.append(request)
        async with self._changed:
            self._changed.notify_all()
        reply = self._next(request)
        if reply is None:
            self.unscripted.append(request)
            return await self._refuse(writer, 418, "the scripted endpoint has no reply for this request")
        return await self._perform(request, path, reply, writer)

    def _routes(self) -> set[str]:
        v1 = wire.prefix(self.kind)
        routes = {f"{v1}/chat/completions"}
        if self.kind != "dashscope":
            routes.add(f"{v1}/completions")
        if self.kind == "llamacpp":
            routes |= {"/infill", "/completion"}
        if self.kind == "ollama":
            routes.add("/api/generate")
        return routes

    def _next(self, request: Recorded) -> Reply | None:
        for i, reply in enumerate(self._script):
            if not reply.match or reply.match in request.prompt:
                return self._script.pop(i)
        return self._responder(request) if self._responder else None

    async def _refuse(self, writer: asyncio.StreamWriter, status: int, message: str) -> bool:
        body = json.dumps(wire.error(self.kind, status, message)).encode()
        return await _send(writer, status, self._headers("application/json"), body)

    def _headers(self, content_type: str) -> dict[str, str]:
        server = wire.SERVER.get(self.kind)
        return {"Content-Type": content_type} | ({"Server": server} if server else {})

    async def _perform(
        self, request: Recorded, path: str, reply: Reply, writer: asyncio.StreamWriter
    ) -> bool:
        if reply.hold is not None:
            await reply.hold.wait()
        if reply.hang == "headers":
            await asyncio.Event().wait()
        if reply.status != 200:
            default = json.dumps(wire.error(self.kind, reply.status, reply.text or "scripted fault")).encode()
            body = reply.body if reply.body is not None else default
            headers = self._headers("application/json") | dict(reply.headers)
            return await _send(writer, reply.status, headers, body)
        self.last = reply
        content_type, frames = self._frames(path, request.json, reply)
        if reply.body is not None:
            frames = [reply.body]
        headers = self._headers(content_type) | dict(reply.headers)
        return await _stream(writer, headers, frames, reply)

    def frames_of(self, request: Recorded, reply: Reply) -> list[bytes]:
        """The body that the reply to this request has, event by event."""
        return self._frames(request.path, request.json, reply)[1]

    def _frames(self, path: str, sent: Json, reply: Reply) -> tuple[str, list[bytes]]:
        """The content type and the pieces of the body, one per event."""
        model = str(sent.get("model") or self.model)
        spent = reply.usage or Spent()
        pieces, ended = reply.pieces, reply.ended
        if path == "/api/generate":
            events = list(wire.generate_events(model, pieces, ended, spent))
            if sent.get("stream") is False:
                events = [events[-1] | {"response": reply.whole}]
            return "application/x-ndjson", [json.dumps(event).encode() + b"\n" for event in events]
        if path in ("/infill", "/completion"):
            events = list(wire.infill_events(model, pieces, ended, spent))
            if not sent.get("stream"):
                return "application/json", [json.dumps(events[-1] | {"content": reply.whole}).encode()]
            return "text/event-stream", [_sse(event) for event in events]
        chat = path.endswith("/chat/completions")
        if not sent.get("stream"):
            usage = spent.openai() if reply.usage else None
            whole = (
                wire.chat_whole(model, reply.whole, reply.tool_calls, ended, usage)
                if chat
                else wire.completion_whole(model, reply.whole, ended, usage)
            )
            return "application/json", [json.dumps(whole).encode()]
        asked = cast("Json", sent.get("stream_options") or {}).get("include_usage")
        usage = spent.openai() if reply.usage and asked else None
        events = list(
            wire.chat_events(self.kind, model, pieces, reply.tool_calls, ended, usage)
            if chat
            else wire.completion_events(model, pieces, ended, usage)
        )
        frames = [b": OPENROUTER PROCESSING\n\n"] if self.kind == "openrouter" else []
        frames += [_sse(event) for event in events]
        return "text/event-stream", [*frames, b"data: [DONE]\n\n"] if reply.done else frames


def _sse(event: Json) -> bytes:
    return b"data: " + json.dumps(event, ensure_ascii=False).encode() + b"\n\n"


async def _read_request(reader: asyncio.StreamReader) -> Recorded | None:
    line = await reader.readline()
    if not line.strip():
        return None
    method, path, _ = line.decode("ascii").split(" ", 2)
    # A proxy is sent whole addresses; asked as one, this server answers for every host.
    path = "/" + path.split("/", 3)[3] if path.startswith("http://") else path
    headers: dict[str, str] = {}
    while header := (await reader.readline()).strip():
        name, _, value = header.decode("latin-1").partition(":")
        headers[name.strip().lower()] = value.strip()
    body = await reader.readexactly(int(headers.get("content-length", "0")))
    return Recorded(method, path, headers, body, asyncio.get_running_loop().time())


def _head(status: int, headers: Mapping[str, str]) -> bytes:
    lines = [f"HTTP/1.1 {status} Scripted", *(f"{name}: {value}" for name, value in headers.items())]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


async def _send(writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str], body: bytes) -> bool:
    writer.write(_head(status, {**headers, "Content-Length": str(len(body))}) + body)
    await writer.drain()
    return True


async def _stream(
    writer: asyncio.StreamWriter, headers: Mapping[str, str], frames: Sequence[bytes], reply: Reply
) -> bool:
    """Write the frames in chunked encoding, with the faults the reply asks for."""
    if reply.reset_after == 0:
        return _reset(writer)
    writer.write(_head(200, {**headers, "Transfer-Encoding": "chunked"}))
    limit = reply.cut_after if reply.cut_after is not None else reply.reset_after
    written = 0
    for i, frame in enumerate(frames):
        if reply.hang_after is not None and i >= reply.hang_after + _unspoken(frames):
            await asyncio.Event().wait()
        step = reply.piece or len(frame) or 1
        for start in range(0, len(frame), step):
            data = frame[start : start + step]
            if limit is not None:
                data = data[: limit - written]
            if data:
                writer.write(b"%x\r\n%s\r\n" % (len(data), data))
                await writer.drain()
                written += len(data)
            if reply.piece or reply.pace:
                await asyncio.sleep(reply.pace)
            if limit is not None and written >= limit:
                if reply.reset_after is not None:
                    return _reset(writer)
                break
        if limit is not None and written >= limit:
            break
    writer.write(b"0\r\n\r\n")
    await writer.drain()
    return True


def _unspoken(frames: Sequence[bytes]) -> int:
    """How many frames at the beginning are none of the reply's pieces: a comment, the role in a chat."""
    comment = frames[0].startswith(b":")
    return comment + (b'"role": "assistant"' in b"".join(frames[comment : comment + 1]))


def _reset(writer: asyncio.StreamWriter) -> bool:
    sock = cast("socket.socket", writer.get_extra_info("socket"))
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
    return False


def load_script(path: Path) -> list[Reply]:
    """Replies from JSON lines: the fields of `Reply`, tool calls as {"name", "arguments"}."""
    replies: list[Reply] = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.strip():
            continue
        fields: Json = json.loads(line)
        calls = cast("list[Json]", fields.pop("tool_calls", []))
        usage = cast("dict[str, int] | None", fields.pop("usage", {}))
        replies.append(
            Reply(
                **fields,
                tool_calls=tuple((call["name"], call["arguments"]) for call in calls),
                usage=None if usage is None else Spent(**usage),
            )
        )
    return replies


async def _serve(
    kind: Kind, port: int, script: Path | None, models: Sequence[str], window: int, pace: float
) -> None:
    def answer(request: Recorded) -> Reply:
        return replace(echo(request), pace=pace)

    server = ScriptedEndpoint(kind, models=models, window=window, port=port, responder=answer)
    if script:
        server.script(load_script(script))
    await server.start()
    sys.stdout.write(f"OPENAI_BASE_URL={server.base_url} OPENAI_MODEL={server.model}\n")
    sys.stdout.flush()
    try:
        await asyncio.Event().wait()
    finally:
        await server.stop()


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until interrupted; scripted replies first, then `echo`."""
    parser = argparse.ArgumentParser(description="A scripted model server on 127.0.0.1.")
    parser.add_argument("--kind", choices=get_args(Kind), default="vllm")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--script", type=Path)
    parser.add_argument("--model", action="append")
    parser.add_argument("--window", type=int, default=262_144)
    parser.add_argument("--pace", type=float, default=0.0, help="seconds between two pieces of a reply")
    args = parser.parse_args(argv)
    models: list[str] = args.model or ["qwen3-coder-30b-a3b-instruct"]
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(args.kind, args.port, args.script, models, args.window, args.pace))


if __name__ == "__main__":
    main()
