"""What was written where, kept in the user's state folder so that it can be taken back.

A backup holds what a file of the user's held, keys and tokens included, so only the user can read it.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from qwen_lsp.cli.setup.splice import Done, Put
from qwen_lsp.errors import UserError
from qwen_lsp.session.state import state_folder


@dataclass(frozen=True, slots=True)
class Step:
    """One writing of a file."""

    after: str
    """Digest of what was written."""
    before: str | None
    """Name of the backup; None: there was no file."""
    done: tuple[Done, ...] = ()
    folders: tuple[str, ...] = ()


@dataclass(slots=True)
class Record:
    """Every writing of one file that was not taken back yet, oldest first."""

    path: Path
    steps: list[Step] = field(default_factory=list[Step])

    @property
    def file(self) -> Path:
        return _folder() / f"{_name(self.path)}.json"

    def backup(self, step: Step) -> Path | None:
        return _folder() / step.before if step.before else None

    def held(self, step: Step) -> bytes | None:
        """What the file held before a writing; None: there was no file."""
        backup = self.backup(step)
        return backup.read_bytes() if backup else None

    def keep(self, content: bytes) -> str:
        """Put a copy of what the file holds aside; returns the name of the backup."""
        number = 1
        while (file := _folder() / f"{_name(self.path)}-{number}.backup").exists():
            number += 1
        _written(file, content)
        return file.name

    def save(self) -> None:
        if not self.steps:
            self.file.unlink(missing_ok=True)
            return
        steps = [
            {
                "after": step.after,
                "before": step.before,
                "folders": list(step.folders),
                "done": [
                    {
                        "path": list(done.put.path), "value": done.put.value, "item": done.put.item,
                        "old": done.old, "made": done.made,
                    }
                    for done in step.done
                ],
            }
            for step in self.steps
        ]  # fmt: skip
        _written(self.file, json.dumps({"path": str(self.path), "steps": steps}, indent=1).encode())


def cleared(backups: Sequence[Path]) -> None:
    """Delete backups that nobody needs any more, and the folder when it is empty."""
    for backup in backups:
        backup.unlink(missing_ok=True)
    with contextlib.suppress(OSError):
        _folder().rmdir()


def load(path: Path) -> Record:
    """What is known of a file; empty when nothing was written. Raises UserError when that cannot be read."""
    record = Record(path)
    try:
        known = cast("dict[str, Any]", json.loads(record.file.read_bytes()))
        record.steps = [_step(step) for step in known["steps"]]
    except FileNotFoundError:
        return record
    except (OSError, ValueError, KeyError, TypeError):
        raise UserError(f"{record.file}, where setup keeps what it wrote, cannot be read") from None
    return record


def digest(content: bytes) -> str:
    return hashlib.blake2b(content, digest_size=16).hexdigest()


def _step(told: dict[str, Any]) -> Step:
    done = tuple(
        Done(Put(tuple(one["path"]), one["value"], one["item"]), one["old"], one["made"])
        for one in told["done"]
    )
    return Step(told["after"], told["before"], done, tuple(told["folders"]))


def _folder() -> Path:
    return state_folder() / "setup"


def _name(path: Path) -> str:
    return f"{path.stem}-{digest(os.fsencode(path))[:8]}"


def _written(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f".{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as stream:
        stream.write(content)
    new.replace(file)
