"""The events of a reply: of a stream, of JSON lines, or the one document of a server that does not stream."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from qwen_lsp.errors import MalformedReply
from qwen_lsp.model import faults
from qwen_lsp.model.stream import Event, EventReader

SSE_BEGINS = (b"data:", b":", b"event:", b"error:")


class Events:
    """Bytes to events. Raises what an event that tells of an error means, and MalformedReply."""

    def __init__(self, host: str, headers: Mapping[str, str], *, key: str = "") -> None:
        self._host = host
        self._headers = headers
        self._key = key
        self._reader = EventReader(host, key=key)
        kind = headers.get("content-type", "")
        self._undecided = "event-stream" not in kind and "ndjson" not in kind
        self._document: bytearray | None = None
        self.over = False
        """Whether nothing follows that matters."""

    def feed(self, piece: bytes) -> list[Event]:
        """The events that are complete with these bytes; no bytes are the end of the reply."""
        if self._undecided and piece:
            self._undecided = False
            if not piece.lstrip().startswith(SSE_BEGINS):
                self._document = bytearray()
        if self._document is not None or self._undecided:
            found = self._whole(piece)
        elif piece:
            found = self._reader.feed(piece)
            self.over = self._reader.done
        else:
            found = self._reader.finish()
            self.over = True
        for event in found:
            if event.get("error"):
                raise faults.from_event(self._host, event["error"], key=self._key)
        return found

    def _whole(self, piece: bytes) -> list[Event]:
        """One JSON document, or JSON lines whose content type does not say so."""
        if piece and self._document is not None:
            self._document += piece
            self._reader.check_size(len(self._document))
            return []
        self.over = True
        document = bytes(self._document or b"")
        text = document.decode("utf-8", "replace")
        try:
            value: object = faults.read_json(text)
        except ValueError:
            if text.lstrip().startswith("{"):
                return [*self._reader.feed(document), *self._reader.finish()]
            raise self._no_stream(text) from None
        if not isinstance(value, dict):
            raise self._no_stream(text)
        return [cast("Event", value)]

    def _no_stream(self, text: str) -> MalformedReply:
        return faults.not_a_stream(self._host, self._headers, faults.without_key(text, self._key))
