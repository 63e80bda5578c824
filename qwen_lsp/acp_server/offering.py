"""The whole change of a turn, shown as one call, asked for by one question, and landed as one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from pathlib import Path

from acp import schema

from qwen_lsp.acp_server.buffers import Buffers
from qwen_lsp.acp_server.diffs import of_edits
from qwen_lsp.acp_server.landing import fitted, land
from qwen_lsp.acp_server.line import Line, option
from qwen_lsp.acp_server.line import shown as words
from qwen_lsp.acp_server.updates import begun, note, progress
from qwen_lsp.context.visible import seen_name
from qwen_lsp.errors import QwenLspError
from qwen_lsp.runs.record import Fate, settle
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.words import listed, number

log = logging.getLogger(__name__)

_LISTED, _NAMED = 20, 4
_OPTIONS = (
    option("apply", "Apply all", "allow_once"),
    option("leave", "Leave the files as they are", "reject_once"),
)


class Offer:
    """Asks for a change and lands it."""

    def __init__(
        self, line: Line, session: Session, buffers: Buffers, landing: asyncio.Lock, root: Path, run: str
    ) -> None:
        self._line, self._session, self._buffers = line, session, buffers
        self._landing, self._root, self._run = landing, root, run

    async def made(self, edits: Sequence[FileEdit], *, unasked: bool) -> bool:
        """Land the edits on a yes, or without a question where `unasked`; whether they have landed.

        What the person refuses is no longer the run's. What could not land stays with it, and why is told.
        """
        id = self._line.new_id("change")
        title = f"Apply the change of {number(len(edits), 'file')}"
        try:
            fits = (await fitted(self._session, self._buffers, edits)).edits
        except QwenLspError as error:
            self._line.tell(note(f"{error}"), note("The change is kept: say how to go on, or /apply."))
            return False
        if not fits:
            return True  # the files have all of it already
        title += f": {listed([seen_name(edit.path) for edit in fits], _NAMED)}"
        shown = schema.ToolCallUpdate(
            tool_call_id=id,
            title=title,
            kind="edit",
            status="in_progress" if unasked else "pending",
            content=of_edits(self._root, fits),
            locations=[schema.ToolCallLocation(path=str(self._root / edit.path)) for edit in fits],
        )
        self._line.tell(begun(shown))
        try:
            answer = "apply" if unasked else await self._line.ask(shown, _OPTIONS)
            if answer != "apply":
                self._line.tell(progress(id, status="failed"))
                if answer is None:
                    self._line.tell(note("Not applied: nobody answered. /apply offers the change again."))
                else:
                    await self.settled("refused", [edit.path for edit in edits])
                return False
            return await self._landed(id, title, edits)
        except asyncio.CancelledError:
            self._line.tell(progress(id, status="failed"))
            raise

    async def _landed(self, id: str, title: str, edits: Sequence[FileEdit]) -> bool:
        try:
            async with self._landing:
                done = await land(self._session, self._buffers, edits, run=self._run, label=title)
        except QwenLspError as error:
            self._line.tell(progress(id, status="failed", content=[words(str(error))]), note(str(error)))
            return False
        self._line.tell(progress(id, status="completed"))
        await self.settled("landed", [edit.path for edit in done])
        return True

    async def settled(self, fate: Fate, files: Sequence[str]) -> None:
        """Keep what became of the changes of files, and say it."""
        said = f"{_SAID[fate]}: {listed(files, _LISTED)}."
        self._line.tell(note(said))
        try:
            await asyncio.to_thread(settle, self._run, fate, files, said)
        except OSError as error:
            log.error("what became of a change cannot be written down: %s", error.strerror)


_SAID: dict[Fate, str] = {"landed": "Applied", "refused": "Not applied", "undone": "Taken back"}
