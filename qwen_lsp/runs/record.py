"""A run's folder in the user's state folder: what was said, what happened, what the fork holds.

Everything is written when it happens, a line each, so that a run which was killed can be gone on with: a torn
last line is the only thing that can be missing. Readable by the user only; the newest runs are kept.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import re
import secrets
import shutil
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal, TextIO, cast

from qwen_lsp.errors import UserError
from qwen_lsp.features.agent.events import AgentEvent, Noted, as_json
from qwen_lsp.features.agent.log import Changes
from qwen_lsp.index.turns import Turn
from qwen_lsp.model.messages import Message, ToolSpec, Usage
from qwen_lsp.session.state import state_folder
from qwen_lsp.workspace.paths import RelPath

log = logging.getLogger(__name__)

KEPT = 50
"""Runs that are kept, of all workspaces together."""
META, MESSAGES, EVENTS, WORK = "meta.json", "messages.jsonl", "events.jsonl", "work.jsonl"
Fate = Literal["landed", "refused", "undone"]
"""What became of a run's changes."""
NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")


@dataclass(frozen=True, slots=True)
class Meta:
    """What a run is, and how it ended."""

    run: str
    root: str
    task: str
    model: str
    mode: str
    begun: str
    """UTC, ISO 8601."""
    tools: tuple[ToolSpec, ...]
    """As they stand in each request of the run."""
    ended: str = ""
    """Empty while it goes on, and for good when it was killed."""
    reason: str = ""
    turns: int = 0
    prompt: int = 0
    completion: int = 0
    cached: int = 0
    """Tokens so far, all requests together."""
    cost: float | None = None
    files: tuple[str, ...] = ()
    """Files it has changed on its fork."""

    @property
    def usage(self) -> Usage:
        return Usage(self.prompt, self.completion, self.cached)


def runs_folder() -> Path:
    """Where the folders of runs are, one each."""
    return state_folder() / "runs"


def folder_of(run: str) -> Path:
    """The folder of a run. Raises UserError for what is no run's name."""
    if not NAME.fullmatch(run):
        raise UserError(f"{run!r} is not the name of a run")
    return runs_folder() / run


class Record:
    """The log of one run, open for writing. Raises UserError for a run that goes on elsewhere."""

    def __init__(self, meta: Meta, *, resumed: bool = False) -> None:
        self.meta = meta
        self.folder = folder_of(meta.run)
        with contextlib.suppress(OSError):  # which the first line written finds out, and tells
            self.folder.mkdir(parents=True, mode=0o700, exist_ok=True)
        self.problem = ""
        """Why the record is not whole, when the disk would not take it; the run goes on all the same."""
        self._turn = Turn(self.folder / "run")
        if not self._turn.take():
            raise UserError(f"The run {meta.run} is still going on elsewhere.")
        self._files: dict[str, TextIO] = {}
        self._keep_meta()
        if not resumed:
            _forget(self.folder)

    # -- the log of the loop ---------------------------------------------------------------------------

    def said(self, message: Message, /) -> None:
        """A message joined the history."""
        self._line(MESSAGES, asdict(message))

    def restarted(self, history: Sequence[Message], /) -> None:
        """The history was shortened to this one."""
        self._line(MESSAGES, {"history": [asdict(message) for message in history]})

    def worked(self, changed: Changes, seen: Mapping[RelPath, str], /) -> None:
        """A call changed these files of the fork, and showed the model files with these digests."""
        edits = {path: asdict(edit) if edit else None for path, edit in changed.items()}
        self._line(WORK, {"changed": edits, "seen": dict(seen)})

    def told_fates(self) -> None:
        """The model knows by now what became of its changes."""
        self._line(WORK, {"changed": {}, "seen": {}, "told": True})

    # -- what front ends were shown ----------------------------------------------------------------------

    def event(self, event: AgentEvent) -> None:
        """Something happened; `at` is seconds since the epoch."""
        self._line(EVENTS, as_json(event) | {"at": round(time.time(), 3)})

    def update(self, meta: Meta) -> None:
        """What the run has come to by now."""
        self.meta = meta
        self._keep_meta()

    def close(self) -> None:
        """Let go of the files; the run may be resumed from now on."""
        for file in self._files.values():
            with contextlib.suppress(OSError):
                file.close()
        self._files.clear()
        self._turn.give_back()

    # -- files ---------------------------------------------------------------------------------------------

    def _line(self, name: str, value: Mapping[str, Any]) -> None:
        try:
            file = self._files.get(name)
            if file is None:
                file = self._files[name] = _appending(self.folder / name)
            file.write(json.dumps(value, default=str) + "\n")
            file.flush()
        except OSError as error:
            self._broken(error)

    def _keep_meta(self) -> None:
        """All of it or what it was before."""
        new = self.folder / f"{META}.new"
        # Written between a reply and the next request: neither copied deep nor written piece by piece.
        row = {field.name: getattr(self.meta, field.name) for field in fields(self.meta)}
        try:
            with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
                out.write(json.dumps(row, default=str))
            new.replace(self.folder / META)
        except OSError as error:
            self._broken(error)

    def _broken(self, error: OSError) -> None:
        self.problem = f"This run cannot be written down, nor resumed: {error.strerror or error}."


def settle(run: str, fate: Fate, files: Sequence[str], said: str, *, others: bool = True) -> None:
    """The run's changes are no longer its own: they have landed, or they are not wanted.

    What it does when it goes on starts from the files as they are then, and the model is told `fate` of these
    files. Without `others` the run's changes of other files stay its own. `said` is for whoever looks at the
    run. Raises OSError where the state folder takes nothing.
    """
    folder = folder_of(run)
    with _appending(folder / WORK) as work:
        changed = {} if others else dict.fromkeys(files)
        row = {"settled": fate, "files": list(files), "others": others, "changed": changed, "seen": {}}
        work.write(json.dumps(row) + "\n")
    with _appending(folder / EVENTS) as events:
        events.write(json.dumps(as_json(Noted(said)) | {"at": round(time.time(), 3)}) + "\n")


def note_fate(run: str, fate: Literal["landed", "undone"], files: Iterable[str]) -> None:
    """These files were taken back, or have landed once more; nothing where no such run is kept.

    What was taken back may still land once more, but a run that goes on leaves it as it is.
    """
    folder = runs_folder() / run
    if not NAME.fullmatch(run) or not (folder / META).exists():
        return
    try:
        with _appending(folder / WORK) as work:
            work.write(json.dumps({fate: sorted(set(files)), "changed": {}, "seen": {}}) + "\n")
    except OSError as error:
        log.error("what became of a change cannot be written down: %s", error.strerror)


def new_name() -> str:
    """A name for a run; those of later runs sort behind it, within a second too."""
    now = datetime.now(UTC)
    return f"{now:%Y%m%dT%H%M%S}-{now.microsecond * 0x10000 // 1_000_000:04x}{secrets.token_hex(1)}"


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """The JSON objects of a file, a line each; what is torn is left out."""
    try:
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError:
        return
    for line in text.split("\n"):
        try:
            value: object = json.loads(line)
        except ValueError:
            continue
        if isinstance(value, dict):
            yield cast("dict[str, Any]", value)


def _appending(path: Path) -> TextIO:
    """A file to add lines to, whose last line, torn when its writer was killed, is ended first."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
    torn = os.lseek(descriptor, 0, os.SEEK_END) > 0
    if torn:
        os.lseek(descriptor, -1, os.SEEK_END)
        torn = os.read(descriptor, 1) != b"\n"
    file = os.fdopen(descriptor, "a", encoding="utf-8", errors="backslashreplace", newline="\n")
    if torn:
        file.write("\n")
    return file


def _forget(newest: Path) -> None:
    """Remove all but the newest runs, none that goes on."""
    try:
        found = sorted(path for path in newest.parent.iterdir() if NAME.fullmatch(path.name))
    except OSError:
        return
    for folder in found[:-KEPT]:
        turn = Turn(folder / "run")
        if folder != newest and turn.take():
            turn.give_back()
            shutil.rmtree(folder, ignore_errors=True)
