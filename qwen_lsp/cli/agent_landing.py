"""What was accepted of a run, written to disk as one, and what the person is told about it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from qwen_lsp.features.agent.task import landed
from qwen_lsp.index.build import refresh
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.transaction import commit


async def fitted(session: Session, edits: Sequence[FileEdit]) -> list[FileEdit]:
    """The edits as they fit what the files are by now. Raises ConflictError."""
    await refresh(session.store, {RelPath(edit.path) for edit in edits})
    return landed(edits, session.snapshot)


async def apply(session: Session, edits: Sequence[FileEdit]) -> None:
    """Write all of it or nothing; once it has begun, Ctrl-C waits until it is over."""
    writing = asyncio.create_task(asyncio.to_thread(commit, session.root, edits, session.journal))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await writing
        raise
