"""HTTP/1.1 as bytes: a request written down, a reply read as it arrives. Pure: opens no socket.

Only what a model server needs: one request at a time, replies framed by length, in chunks, or by the end of
the connection. Whatever is ambiguous is refused, and nothing a server sends makes memory grow.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

LARGEST_HEAD = 64 * 1024
"""Bytes of a reply's status line and headers together, and of the lines between its chunks."""
_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]*")
_STATUS = re.compile(r"HTTP/1\.([01]) ([1-9]\d\d)(?: .*)?", re.DOTALL)
_SIZE = re.compile(rb"[0-9a-fA-F]{1,12}")
_LENGTH = re.compile(r"\d{1,15}")


class BadReply(Exception):
    """What arrived is no reply in HTTP/1.1; the text says what is wrong with it."""


def head(method: str, target: str, fields: Mapping[str, str]) -> bytes:
    """The head of a request, without the empty line that ends it.

    Raises ValueError for a target or a field that would not stay on its own line.
    """
    if not re.fullmatch(r"[\x21-\x7e]+", target):
        raise ValueError(f"{target!r} is no request target")
    lines = [f"{method} {target} HTTP/1.1"]
    for name, value in fields.items():
        if not _NAME.fullmatch(name) or not _VALUE.fullmatch(value):
            raise ValueError(f"the header {name!r} holds characters that no header may hold")
        lines.append(f"{name}: {value}")
    return ("\r\n".join(lines) + "\r\n").encode("latin-1")


class ReplyReader:
    """Reads one reply. `status` is 0 until its head is there; `ended` once its last byte is."""

    def __init__(self) -> None:
        self.status = 0
        self.headers: dict[str, str] = {}
        """Names in lower case; values of a repeated header are joined by commas."""
        self.begun = False
        """Whether any byte of the reply arrived."""
        self.ended = False
        self.reusable = False
        """Whether the connection can be used again, once the reply has ended."""
        self._kept = b""
        self._chunked = False
        self._left: int | None = 0
        """Bytes of the body or of the chunk still to come; None: up to the end of the connection."""
        self._after_chunk = False
        self._trailer = False
        self._trailers = 0

    def feed(self, data: bytes) -> bytes:
        """The bytes of the body in what arrived. Raises BadReply."""
        self.begun = True
        if self._kept:
            data, self._kept = self._kept + data, b""
        if not self.status:
            rest = self._head(data)
            if rest is None:
                return b""
            data = rest
        if self._chunked:
            return self._chunks(data)
        if self._left is None:
            return data
        body = data[: self._left]
        self._left -= len(body)
        if not self._left:
            self._end(len(data) - len(body))
        return body

    def eof(self) -> None:
        """The connection was closed. Raises BadReply when the reply is not whole."""
        if self.status and self._left is None:
            self.ended = True
        if not self.ended:
            raise BadReply("connection closed before the reply was whole")

    def _end(self, surplus: int) -> None:
        self.ended = True
        # Bytes after the end belong to nothing that was asked.
        self.reusable = self.reusable and not surplus

    def _head(self, data: bytes) -> bytes | None:
        """What follows the head; None while the head is not whole. Interim replies (1xx) are skipped."""
        while True:
            end = data.find(b"\r\n\r\n")
            if end < 0:
                if len(data) > LARGEST_HEAD:
                    raise BadReply("headers without an end")
                if data[:7] != b"HTTP/1."[: len(data)]:
                    raise BadReply("no HTTP/1.1")
                self._kept = data
                return None
            if end > LARGEST_HEAD:
                raise BadReply("headers without an end")
            first, *lines = data[:end].decode("latin-1").split("\r\n")
            data = data[end + 4 :]
            match = _STATUS.fullmatch(first)
            if match is None:
                raise BadReply("no HTTP/1.1")
            status = int(match[2])
            if status == 101:
                raise BadReply("another protocol")
            if status >= 200:
                break
        self.headers = _fields(lines)
        self._frame(status, persistent=match[1] == "1")
        self.status = status
        return data

    def _frame(self, status: int, *, persistent: bool) -> None:
        """How the body ends, and whether the connection outlives it."""
        headers = self.headers
        options = headers.get("connection", "").lower()
        self.reusable = "close" not in options and (persistent or "keep-alive" in options)
        coding, length = headers.get("transfer-encoding"), headers.get("content-length")
        if status in (204, 304):
            self._left = 0
            self.ended = True
        elif coding is not None:
            if coding.strip().lower() != "chunked":
                raise BadReply(f"an unknown transfer encoding {coding[:40]!r}")
            self._chunked = True
            # Two lengths may be two opinions on where the next reply begins.
            self.reusable = self.reusable and length is None
        elif length is not None:
            lengths = {part.strip() for part in length.split(",")}
            if len(lengths) != 1 or not _LENGTH.fullmatch(only := lengths.pop()):
                raise BadReply(f"an impossible length {length[:40]!r}")
            self._left = int(only)
            self.ended = not self._left
        else:
            self._left, self.reusable = None, False

    def _chunks(self, data: bytes) -> bytes:
        body = b""
        at, size = 0, len(data)
        while at < size and not self.ended:
            if self._left:
                piece = data[at : at + self._left]
                at += len(piece)
                self._left -= len(piece)
                self._after_chunk = not self._left
                body = body + piece if body else piece
                continue
            end = data.find(b"\n", at)
            if (end if end >= 0 else size) - at > LARGEST_HEAD:
                raise BadReply("a line without an end between its chunks")
            if end < 0:
                self._kept = data[at:]
                break
            self._line(data[at:end].removesuffix(b"\r"))
            at = end + 1
        if self.ended:
            self._end(size - at)
        return body

    def _line(self, line: bytes) -> None:
        """One line between chunks: the end of one, the size of the next, or a trailer."""
        if self._after_chunk:
            if line:
                raise BadReply("a chunk that is longer than its size")
            self._after_chunk = False
        elif self._trailer:
            self.ended = not line
            self._trailers += len(line)
            if self._trailers > LARGEST_HEAD:
                raise BadReply("trailers without an end")
        else:
            text = line.partition(b";")[0].strip()
            if not _SIZE.fullmatch(text):
                raise BadReply(f"no size of a chunk: {text[:20]!r}")
            self._left = int(text, 16)
            self._trailer = not self._left


def _fields(lines: list[str]) -> dict[str, str]:
    fields: dict[str, str] = {}
    for line in lines:
        name, colon, value = line.partition(":")
        if not colon or not _NAME.fullmatch(name):
            raise BadReply(f"no header: {line[:40]!r}")
        name, value = name.lower(), value.strip(" \t")
        fields[name] = f"{fields[name]}, {value}" if name in fields else value
    return fields
