"""What outlives a session: journals of edits and records of agent runs, in the user's state folder."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from qwen_lsp.workspace.paths import user_folder


def state_folder() -> Path:
    """The user's folder for what must outlive a cache."""
    return user_folder("XDG_STATE_HOME", ".local/state")


def journal_folder(root: Path) -> Path:
    """Where the journals of one workspace's edits are kept, for undo and for recovery."""
    name = hashlib.blake2b(os.fsencode(root), digest_size=8).hexdigest()
    return state_folder() / "journals" / f"{root.name}-{name}"
