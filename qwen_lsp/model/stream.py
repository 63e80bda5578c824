"""Bytes of a streamed reply to its events: server-sent events, JSON lines, or one whole JSON document.

Pure. Pieces may be split anywhere, inside a character too; a server that ignores `stream` is understood.
"""

from __future__ import annotations

from typing import Any, cast

from qwen_lsp.errors import MalformedReply
from qwen_lsp.model import faults

Event = dict[str, Any]

DONE: Event = {"[DONE]": True}
"""Stands for the end that OpenAI-compatible streams announce."""
LARGEST = 16 * 1024 * 1024
"""No event of a model's reply is larger; more without a line end is not a stream."""


class EventReader:
    """Collects bytes into events. `done` once the server said that nothing follows."""

    def __init__(self, host: str, *, key: str = "") -> None:
        self._host = host
        self._key = key
        self._bytes = bytearray()
        self._data: list[bytes] = []
        self._held = 0
        """Bytes of an event whose end has not come."""
        self.done = False

    def feed(self, piece: bytes) -> list[Event]:
        """The events that are complete with this piece."""
        if b"\n" not in piece:
            self._bytes += piece
            self.check_size(len(self._bytes))
            return []
        *lines, rest = (bytes(self._bytes) + piece if self._bytes else piece).split(b"\n")
        self._bytes = bytearray(rest)
        self.check_size(len(rest))
        found: list[Event] = []
        for line in lines:
            if event := self._line(line[:-1] if line.endswith(b"\r") else line):
                found += event
        return found

    def check_size(self, size: int) -> None:
        """Raise MalformedReply when so many bytes without an end are no event of a stream."""
        if size > LARGEST:
            raise MalformedReply(f"{self._host} sent an endless line instead of a stream")

    def finish(self) -> list[Event]:
        """The events that end with the reply, though no line end says so; one that was cut is dropped."""
        rest = bytes(self._bytes)
        self._bytes.clear()
        try:
            return [*self._line(rest), *self._line(b"")] if rest else self._line(b"")
        except MalformedReply:
            return []

    def _line(self, line: bytes) -> list[Event]:
        if not line:
            if not self._data:
                return []
            data, self._data, self._held = b"\n".join(self._data), [], 0
            return self._event(data) if data else []
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
            self._held += len(line)
            self.check_size(self._held)
        elif line.startswith(b"error:"):
            # llama.cpp used to name the field after what it holds.
            return [{"error": cast("Any", self._json(line[6:]))}]
        elif line.startswith(b"{"):
            return self._event(line)
        # What is left are comments, which keep a connection open, and the names of events.
        return []

    def _event(self, data: bytes) -> list[Event]:
        if self.done:
            return []
        if data.startswith(b"[DONE]"):
            self.done = True
            return [DONE]
        event = self._json(data)
        if not isinstance(event, dict):
            raise MalformedReply(f"{self._host} sent an event that is not an object: {self._short(data)}")
        return [cast("Event", event)]

    def _json(self, data: bytes) -> object:
        try:
            # Text is decoded here, since json would look for its encoding first.
            return faults.read_json(data.decode("utf-8"))
        except ValueError:
            said = self._short(data)
            raise MalformedReply(f"{self._host} sent an event that is not JSON: {said}") from None

    def _short(self, data: bytes) -> str:
        said = data[: 80 + len(self._key)].decode("utf-8", "replace")
        return repr(faults.without_key(said, self._key)[:80])
