"""Frames on a byte stream: bad bytes never take the good ones after them along.

What makes recovery sound: a JSON text has no raw line break inside a string and no letters outside one,
so a raw `Content-Length: 12` line can never be part of a valid body. Wherever one turns up, the frame
before it was broken, whatever length it had announced.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, NoReturn

MAX_BODY = 64 * 1024 * 1024
MAX_HEADER = 16 * 1024

_MARK = re.compile(rb"content-length:[ \t]*\d+[ \t]*\r?\n", re.IGNORECASE)
_UNKNOWN = -1
_MARK_ROOM = 64  # as much of a mark as can hang over the end of what was read
_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]"
_HEADER = re.compile(rb"(" + _TOKEN + rb"+)[ \t]*:[ \t]*([^\r\n]*?)[ \t]*\r?\n")
_HEADER_BEGUN = re.compile(_TOKEN + rb"*(?:[ \t]*(?::[^\n]*)?)?\r?\Z")
_BLANK = re.compile(rb"\r?\n")


@dataclass(frozen=True, slots=True)
class Message:
    """One body, decoded."""

    value: object


@dataclass(frozen=True, slots=True)
class Refused:
    """A frame that could not be read; `kind` decides the error code of the reply."""

    kind: Literal["parse", "header", "size"]
    reason: str


Event = Message | Refused


class FrameReader:
    """Bytes in, messages out, in any division of the bytes; recovers at the next plausible header."""

    def __init__(self, limit: int = MAX_BODY) -> None:
        self._limit = limit
        self._buffer = bytearray()
        self._state: Literal["header", "body", "skip", "seek"] = "header"
        self._length = _UNKNOWN
        self._header_bytes = 0
        self._searched = 0

    def feed(self, data: bytes) -> Iterator[Event]:
        """Take bytes; yield what they complete."""
        self._buffer += data
        while True:
            match self._state:
                case "header":
                    more, event = self._read_header()
                case "body":
                    more, event = self._read_body()
                case "skip":
                    more, event = self._skip_body(), None
                case "seek":
                    more, event = self._seek(), None
            if event is not None:
                yield event
            if not more:
                return

    def _read_header(self) -> tuple[bool, Event | None]:
        if blank := _BLANK.match(self._buffer):
            del self._buffer[: blank.end()]
            if self._length != _UNKNOWN:
                return self._begin_body()
            if not self._header_bytes:
                return True, None  # a stray line break between two frames
            return self._give_up("a header without Content-Length")
        header = _HEADER.match(self._buffer)
        if header is None:
            if _HEADER_BEGUN.match(self._buffer) and len(self._buffer) <= MAX_HEADER:
                return False, None
            return self._give_up("not a header")
        name, value = header[1].lower(), header[2]
        self._header_bytes += header.end()
        if self._header_bytes > MAX_HEADER:
            return self._give_up("the header is too long")
        if name == b"content-length":
            if not value.isdigit():
                return self._give_up("Content-Length is not a number")
            self._length = int(value[:20])
        elif name.endswith(b"content-length"):
            return self._give_up("not a header")  # something unended stands before it
        del self._buffer[: header.end()]
        return True, None

    def _begin_body(self) -> tuple[bool, Event | None]:
        self._searched = 0
        if self._length > self._limit:
            self._state = "skip"
            return True, Refused("size", f"a message may have at most {self._limit} bytes")
        self._state = "body"
        return True, None

    def _read_body(self) -> tuple[bool, Event | None]:
        if len(self._buffer) < self._length:
            mark = _MARK.search(self._buffer, max(0, self._searched - _MARK_ROOM))
            if mark is None:
                self._searched = len(self._buffer)
                return False, None
            del self._buffer[: mark.start()]
            self._restart()
            return True, Refused("parse", "the message ends before its Content-Length")
        try:
            value = decode(bytes(memoryview(self._buffer)[: self._length]))
        except (ValueError, RecursionError):
            # Its length may be wrong too, so that what it covers is searched rather than dropped.
            self._restart("seek")
            return True, Refused("parse", "the message is not valid JSON")
        del self._buffer[: self._length]
        self._restart()
        return True, Message(value)

    def _skip_body(self) -> bool:
        mark = _MARK.search(self._buffer, 0, min(len(self._buffer), self._length + _MARK_ROOM))
        if mark is not None and mark.start() <= self._length:
            del self._buffer[: mark.start()]
            self._restart()
            return True
        if len(self._buffer) >= self._length:
            del self._buffer[: self._length]
            self._restart()
            return True
        drop = max(0, len(self._buffer) - _MARK_ROOM)
        del self._buffer[:drop]
        self._length -= drop
        return False

    def _seek(self) -> bool:
        mark = _MARK.search(self._buffer)
        if mark is None:
            del self._buffer[: max(0, len(self._buffer) - _MARK_ROOM)]
            return False
        del self._buffer[: mark.start()]
        self._restart()
        return True

    def _give_up(self, reason: str) -> tuple[bool, Event]:
        self._restart("seek")
        return True, Refused("header", reason)

    def _restart(self, state: Literal["header", "seek"] = "header") -> None:
        self._state, self._length, self._header_bytes, self._searched = state, _UNKNOWN, 0, 0


def decode(body: bytes) -> Any:
    """The JSON value of a body. Raises ValueError, or RecursionError for one nested too deep."""
    return json.loads(body.decode("utf-8"), parse_constant=_refuse_constant)


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def encode(value: Any) -> bytes:
    """One frame; the body is ASCII, so that every client counts its bytes alike."""
    body = json.dumps(value, separators=(",", ":"), allow_nan=False).encode("ascii")
    return b"Content-Length: %d\r\n\r\n%b" % (len(body), body)


class Connection(asyncio.Protocol):
    """One client's stream: frames to `deliver`, and an end that anyone may wait for.

    All frames of one packet are delivered within one call, in order, before any task they start runs.
    """

    def __init__(self, deliver: Callable[[Event], None]) -> None:
        self._deliver = deliver
        self._reader = FrameReader()
        self._writer: asyncio.WriteTransport | None = None
        self.closed: asyncio.Future[None] = asyncio.get_running_loop().create_future()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport) and self._writer is None:
            self._writer = transport

    def data_received(self, data: bytes) -> None:
        for event in self._reader.feed(data):
            if self.closed.done():
                return
            self._deliver(event)

    def eof_received(self) -> bool:
        self.end()
        return False

    def connection_lost(self, exc: Exception | None) -> None:
        self.end()

    def end(self) -> None:
        """No more is read; whoever waits for `closed` goes on."""
        if not self.closed.done():
            self.closed.set_result(None)

    def set_writer(self, transport: asyncio.WriteTransport) -> None:
        self._writer = transport

    def write(self, data: bytes) -> None:
        if self._writer is not None and not self._writer.is_closing():
            self._writer.write(data)

    def close(self) -> None:
        """Close the stream once everything written has been taken."""
        self.end()
        if self._writer is not None:
            self._writer.close()
