"""What outlives a session: journals of edits and transcripts of agent runs, in the user's state folder."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Generator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path

from qwen_lsp.model.messages import Message
from qwen_lsp.workspace.paths import user_folder

_TRANSCRIPTS = 50


def state_folder() -> Path:
    """The user's folder for what must outlive a cache."""
    return user_folder("XDG_STATE_HOME", ".local/state")


def journal_folder(root: Path) -> Path:
    """Where the journals of one workspace's edits are kept, for undo and for recovery."""
    name = hashlib.blake2b(os.fsencode(root), digest_size=8).hexdigest()
    return state_folder() / "journals" / f"{root.name}-{name}"


@contextlib.contextmanager
def transcript(root: Path) -> Generator[Callable[[Message], None]]:
    """A function that writes each message of an agent run to a file of the user's, as it is said.

    Readable by the user only; what a run said survives however it ends. The newest are kept.
    """
    folder = state_folder() / "transcripts"
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    for old in sorted(folder.glob("*.jsonl"))[:-_TRANSCRIPTS]:
        old.unlink(missing_ok=True)
    name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{root.name}-{os.getpid()}.jsonl"
    private = os.open(folder / name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    with os.fdopen(private, "a", encoding="utf-8", errors="backslashreplace") as out:

        def record(message: Message) -> None:
            out.write(json.dumps(asdict(message), default=str) + "\n")
            out.flush()

        yield record
