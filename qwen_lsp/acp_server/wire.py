"""JSON messages, one a line, over two pipes: what is no message is answered or left out, and ends nothing."""

from __future__ import annotations

import asyncio
import json
import logging
from typing import Any, cast

log = logging.getLogger(__name__)

_PARSE_ERROR, _INVALID_REQUEST = -32700, -32600


class Wire:
    """The client at the other end, as the protocol's library wants it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader, self._writer = reader, writer
        self._turn = asyncio.Lock()

    async def send(self, message: dict[str, Any]) -> None:
        """Write a message. Raises ConnectionError when the client reads no more."""
        line = json.dumps(message, separators=(",", ":"), default=str).encode() + b"\n"
        async with self._turn:
            self._writer.write(line)
            await self._writer.drain()

    async def receive(self) -> dict[str, Any] | None:
        """The next message; None when the client has gone."""
        while line := await self._line():
            if not line.strip():
                continue
            try:
                message: object = json.loads(line)
            except ValueError:
                await self._refuse(_PARSE_ERROR, "This line is no JSON.")
                continue
            if not isinstance(message, dict):
                await self._refuse(_INVALID_REQUEST, "A message is an object.")
                continue
            found = cast("dict[str, Any]", message)
            if "method" in found or isinstance(found.get("id"), int | str):
                return found
            log.warning("a message that is neither a request nor an answer was left out")
        return None

    async def close(self) -> None:
        self._writer.close()

    async def _refuse(self, code: int, why: str) -> None:
        try:
            await self.send({"jsonrpc": "2.0", "id": None, "error": {"code": code, "message": why}})
        except ConnectionError:
            log.info("the client reads no more")

    async def _line(self) -> bytes:
        """A line, however long; what is there at the end; nothing when there is no more."""
        pieces: list[bytes] = []
        while True:
            try:
                pieces.append(await self._reader.readuntil(b"\n"))
                break
            except asyncio.IncompleteReadError as error:
                pieces.append(error.partial)
                break
            except asyncio.LimitOverrunError as error:
                pieces.append(await self._reader.readexactly(error.consumed))
            except ConnectionError:
                break
        return b"".join(pieces)
