"""The latest landing of a conversation taken back, in the client's texts and on the disk."""

from __future__ import annotations

import asyncio

from qwen_lsp.acp_server.buffers import Buffers
from qwen_lsp.acp_server.landing import divided, seen_through, written
from qwen_lsp.errors import ConflictError, FileUnreadable, UserError
from qwen_lsp.runs.landed import composed, note_undone, steps
from qwen_lsp.runs.landing import paths_of
from qwen_lsp.runs.undoing import is_kept, seen, write_back
from qwen_lsp.session import Session
from qwen_lsp.text.edits import reversed_edit
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath


async def taken_back(session: Session, buffers: Buffers, run: str) -> tuple[RelPath, ...]:
    """Take the latest landing of a run back, all of it or nothing; the files that it touched.

    Raises UserError where there is nothing to take back, ConflictError naming the files that somebody worked
    on since.
    """
    return await seen_through(_taken_back(session, buffers, run))


async def _taken_back(session: Session, buffers: Buffers, run: str) -> tuple[RelPath, ...]:
    landings = await asyncio.to_thread(steps, run)
    if not landings:
        raise UserError("There is nothing to take back in this conversation.")
    last = landings[-1:]
    by_client, by_disk = composed(last, "editor"), composed(last, "disk")
    paths = sorted(paths_of((*by_client, *by_disk)))
    found = await asyncio.gather(*(buffers.held(path) for path in paths))
    held = {path: one for path, one in zip(paths, found, strict=True) if one is not None}

    def now(path: str) -> str | None:
        one = held.get(RelPath(path))
        try:
            return one.text if one is not None else disk.read(session.root, RelPath(path)).text
        except FileUnreadable:
            return None

    back = [seen(edit, now) for edit in (*by_client, *by_disk)]
    if changed := sorted(one.edit.path for one in back if one.state == "changed"):
        raise ConflictError(f"Nothing was taken back: {', '.join(changed)} changed since.")
    edits = [one.edit for one in back if one.state == "made"]
    parts = divided(buffers, edits, held)
    # The journal gives back every byte, where all that it wrote is as it was written.
    origins = {reversed_edit(edit).path for edit in parts.disk}
    kept = [step for step in last if is_kept(session, step) and origins >= {edit.path for edit in by_disk}]
    journalled = {edit.path for edit in by_disk} if kept else set[str]()
    rest = [edit for edit in parts.disk if reversed_edit(edit).path not in journalled]

    def write() -> str:
        write_back(session, rest, kept)
        return ""

    await written(session, buffers, parts, write, [])
    await asyncio.to_thread(note_undone, run, len(landings) - 1)
    return tuple(paths)
