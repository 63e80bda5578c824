"""Answers to the client that need no conversation: errors as sentences, and which runs are kept."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Sequence
from datetime import UTC, datetime
from pathlib import Path

from acp import schema
from acp.exceptions import RequestError

from qwen_lsp.acp_server.talk import title_of
from qwen_lsp.errors import QwenLspError, UserError
from qwen_lsp.runs.record import META, folder_of
from qwen_lsp.runs.stored import infos

INVALID, FAILED, MISSING = -32602, -32603, -32002
"""Codes of errors: of what was asked, of what came of it, and of a session that is not there."""


@contextlib.contextmanager
def told() -> Generator[None]:
    """Errors raised on purpose, as the protocol's; their texts are sentences for the person."""
    try:
        yield
    except UserError as error:
        raise RequestError(INVALID, str(error)) from error
    except QwenLspError as error:
        raise RequestError(FAILED, str(error)) from error


def sessions(root: Path | None) -> Sequence[schema.SessionInfo]:
    """The runs that are kept, of a workspace or of all, the latest first."""
    return [
        schema.SessionInfo(
            session_id=info.run,
            cwd=info.meta.root,
            title=title_of(info.meta.task),
            updated_at=_updated(info.run),
        )
        for info in infos(root)
    ]


def _updated(run: str) -> str | None:
    """When something was written down about a run last, in UTC."""
    try:
        at = (folder_of(run) / META).stat().st_mtime
    except OSError:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="seconds")
