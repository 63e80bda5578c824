"""The client's own view of files: texts that are open and not saved, and writes that its undo takes back.

A client may give texts with other line ends than the disk has, or without the last one; that is no change of
the user's. What is written has the line ends in which the client gave the file.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from acp import schema
from acp.exceptions import RequestError
from acp.interfaces import Client

from qwen_lsp.errors import ConflictError, WorkspaceError
from qwen_lsp.text.edits import ended
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.disk import TextFile
from qwen_lsp.workspace.paths import RelPath

log = logging.getLogger(__name__)

_AT_ONCE = 8
_PATIENCE = 20.0
"""Seconds for an answer about one file; a client may fail over a text and never say so."""
_BLIND = frozenset({"CodeCompanion.nvim"})
"""Clients that give the disk's text of a file and write over the open one, where what is not saved would go:
they are not asked. Files land on the disk, and the editor says where its text is another one."""
_NO_METHOD = -32601


@dataclass(frozen=True, slots=True)
class Held:
    """One file as the client has it."""

    text: str
    """As it would stand on the disk."""
    saved: TextFile
    """The file on the disk."""
    given: str
    """What the client sent."""

    @property
    def unsaved(self) -> bool:
        return self.text != self.saved.text

    @property
    def exact(self) -> bool:
        """Whether the client keeps every character: what is written through it comes out as it was meant."""
        plain = self.saved.encoding == "utf-8" and not self.saved.bom
        return plain and ("\r" in self.given) == ("\r" in self.saved.text)


class Buffers:
    """What one client can read and write, for one session."""

    def __init__(
        self, client: Client, session: str, root: Path, named: Path, can: schema.FileSystemCapabilities
    ) -> None:
        self._client, self._session, self._root = client, session, root
        self._named = named
        """The root as the client calls it, which may be a link to it."""
        self._reads = bool(can.read_text_file)
        self._writes = bool(can.write_text_file)
        self._turn = asyncio.Semaphore(_AT_ONCE)

    @property
    def writes(self) -> bool:
        """Whether edits can be made through the client: it must also say what it holds."""
        return self._reads and self._writes

    async def held(self, path: RelPath) -> Held | None:
        """The file as the client has it; None where it does not say, or there is no text of that name."""
        if not self._reads:
            return None
        try:
            saved = await asyncio.to_thread(disk.read, self._root, path)
            async with self._turn, asyncio.timeout(_PATIENCE):
                reply = await self._client.read_text_file(self._session, str(self._named / path))
        except RequestError as error:
            self._reads = self._reads and error.code != _NO_METHOD
            log.info("the client does not read %s: %s", path, error)
            return None
        except (WorkspaceError, ConnectionError, TimeoutError):
            return None
        return Held(_as_on_disk(reply.content, saved.text), saved, reply.content)

    async def unsaved(self, paths: Sequence[RelPath]) -> Mapping[RelPath, str | None]:
        """The texts that are not saved; None for a file that is as the disk has it."""
        found = await asyncio.gather(*(self.held(path) for path in paths))
        pairs = zip(paths, found, strict=True)
        return {path: held.text if held.unsaved else None for path, held in pairs if held is not None}

    def over_disk(self, path: RelPath, given: str) -> str | None:
        """A text that came from the client, as it would stand on the disk; None where it stands there."""
        try:
            saved = disk.read(self._root, path).text
        except WorkspaceError:
            return given
        text = _as_on_disk(given, saved)
        return None if text == saved else text

    async def write(self, path: RelPath, before: Held, text: str) -> None:
        """Have the client hold `text` in place of `before`. Raises ConflictError where it does not."""
        content = text if "\r" in before.given else text.replace("\r\n", "\n")
        try:
            async with asyncio.timeout(_PATIENCE):
                await self._client.write_text_file(self._session, str(self._named / path), content)
        except TimeoutError:
            raise ConflictError(f"{path}: the editor did not say whether it wrote it") from None
        except (RequestError, ConnectionError) as error:
            raise ConflictError(f"{path}: the editor did not write it ({error})") from None
        now = await self.held(path)
        plain = _plain(content)
        # Editors leave out the last line end, or set it.
        if now is None or _plain(now.given) not in (plain, plain.removesuffix("\n"), f"{ended(plain)}\n"):
            raise ConflictError(f"{path}: the editor holds another text than it was given")


def usable(
    can: schema.ClientCapabilities | None, client: schema.Implementation | None
) -> schema.FileSystemCapabilities:
    """What a client can do with files, as far as nothing of the user's can get lost by it."""
    if can is None or can.fs is None or (client is not None and client.name in _BLIND):
        return schema.FileSystemCapabilities()
    return can.fs


def _as_on_disk(given: str, saved: str) -> str:
    """A client's text with the line ends of the disk."""
    given = given.removeprefix("\ufeff")
    if ended(_plain(given)) == ended(_plain(saved)):
        # Editors set the last line end, and all line ends, by rules of their own.
        return saved
    if "\r\n" in saved and "\r" not in given:
        given = given.replace("\n", "\r\n")
    line_end = "\r\n" if "\r\n" in saved else "\n"
    return given if given.endswith("\n") or not saved.endswith("\n") else f"{given}{line_end}"


def _plain(text: str) -> str:
    return text.replace("\r\n", "\n")
