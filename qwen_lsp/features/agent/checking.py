"""Checks run on the fork, and on the base where something fails, so that only what is new is told.

A check that passes on the fork needs nothing to compare with; what failed before the run is found out once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from qwen_lsp.features.agent.checks import find
from qwen_lsp.features.agent.failures import Failure, failures, new_failures
from qwen_lsp.features.agent.project import Check
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.sandbox.command import Command, Exit, Limits
from qwen_lsp.sandbox.scratch import Scratch
from qwen_lsp.settings import AgentSettings
from qwen_lsp.workspace.paths import RelPath

_MOST_SHOWN, _MOST_CHARS = 30, 12_000
"""Failures shown of one check, and how much of them; what is not shown is counted."""
_MOST_CHECKS, _PROBE_SECONDS = 8, 30.0
_ENVIRONMENT = {"CI": "true", "NO_COLOR": "1", "FORCE_COLOR": "0"}
"""Programs that watch for changes or paint do not where they are told that nobody is there."""


@dataclass(frozen=True, slots=True)
class Checking:
    """Checks, and once they have run what is to be said of them."""

    checks: tuple[Check, ...]
    text: str = ""
    ok: bool = True
    """Whether nothing fails that did not fail before."""

    def __bool__(self) -> bool:
        return bool(self.checks)


@dataclass(slots=True)
class Checks:
    """The checks of one run, with what failed before it."""

    scratch: Scratch
    base: Snapshot
    settings: AgentSettings
    _before: dict[tuple[str, str], list[Failure] | None] = field(
        default_factory=dict[tuple[str, str], list[Failure] | None]
    )
    """What failed on the base, by folder and line; None where it could not be told."""
    _there: dict[tuple[str, str], bool] = field(default_factory=dict[tuple[str, str], bool])

    async def plan(self, fork: Snapshot, kinds: Sequence[str], paths: Sequence[RelPath]) -> Checking:
        """The checks of these kinds whose programs are there. Raises SandboxFailed where nothing runs."""
        changed = [RelPath(edit.path) for edit in fork.changes_since(self.base)]
        found = [c for c in find(fork, changed, paths, self.settings.checks) if c.kind in kinds]
        found = found[:_MOST_CHECKS]
        await self._look_for(fork, [c for c in found if c.needs and (c.folder, c.needs) not in self._there])
        return Checking(tuple(c for c in found if not c.needs or self._there[c.folder, c.needs]))

    async def run(self, fork: Snapshot, planned: Checking, on_output: Callable[[str], None]) -> Checking:
        """Run the checks on the fork. What they change is thrown away: a check is no edit."""
        said: list[str] = []
        ok = True
        edited = bool(fork.changes_since(self.base))
        for check in planned.checks:
            passed, text = await self._one(fork, check, on_output, edited=edited)
            said.append(text)
            ok = ok and passed
        return Checking(planned.checks, "\n\n".join(said), ok)

    async def _look_for(self, fork: Snapshot, checks: Sequence[Check]) -> None:
        by_folder: dict[str, list[str]] = {}
        for check in checks:
            by_folder.setdefault(check.folder, []).append(check.needs)
        for folder, needs in by_folder.items():
            line = "; ".join(f"if {{ {n}; }} >/dev/null 2>&1; then echo {i}; fi" for i, n in enumerate(needs))
            ended = await self._ran(fork, Check("test", line, folder), lambda text: None, _PROBE_SECONDS)
            there = set(ended.output.split())
            self._there.update({(folder, need): str(i) in there for i, need in enumerate(needs)})

    async def _one(
        self, fork: Snapshot, check: Check, on_output: Callable[[str], None], *, edited: bool
    ) -> tuple[bool, str]:
        where = f" in {check.folder}" if check.folder else ""
        head = f"{check.kind} (`{check.line}`{where}):"
        ended = await self._ran(fork, check, on_output, self.settings.check_seconds)
        if (ended.ending, ended.status) == ("exited", 0):
            return True, f"{head} passed."
        now = failures(ended.output, str(self.scratch.root))
        if ended.ending != "exited":
            stopped = f"{head} stopped after {ended.seconds:.0f} s (limit: {ended.ending}), not finished."
            return False, f"{stopped}\n{ended.output[-_MOST_CHARS:].strip()}"
        if not edited:
            self._before[check.folder, check.line] = now
            counted = f"{len(now)} failing before any edit." if now else f"exit status {ended.status}."
            return False, f"{head} {counted}\n{_shown(now) if now else ended.output.strip()}"
        if not now:
            return await self._unread(check, ended, head)
        before = await self._failed_before(check, on_output)
        if before is None:
            untold = (
                "New and old failures are not told apart: the check could not be run on the state before."
            )
            return False, f"{head} {len(now)} failing. {untold}\n{_shown(now)}"
        new = new_failures(now, before)
        gone = len(new_failures(before, now))
        rest = f"; failing before: {len(now) - len(new)} (not shown)" if len(now) > len(new) else ""
        rest += f"; {gone} that failed before no longer do" if gone else ""
        if not new:
            return True, f"{head} nothing new fails{rest}."
        return False, f"{head} {len(new)} new{rest}.\n{_shown(new)}"

    async def _unread(self, check: Check, ended: Exit, head: str) -> tuple[bool, str]:
        """What failed could not be read from the output: it is shown as it is, unless it is as it was."""
        base = await self._ran(self.base, check, lambda text: None, self.settings.check_seconds)
        same = (base.ending, base.status, base.output) == (ended.ending, ended.status, ended.output)
        if same:
            return True, f"{head} fails just as it did before your edits (exit status {ended.status})."
        before = "passed" if (base.ending, base.status) == ("exited", 0) else "failed"
        note = f"Its output could not be read as single failures; before your edits it {before}."
        return False, f"{head} exit status {ended.status}. {note}\n{ended.output[-_MOST_CHARS:].strip()}"

    async def _failed_before(self, check: Check, on_output: Callable[[str], None]) -> list[Failure] | None:
        key = (check.folder, check.line)
        if key not in self._before:
            on_output("[the same on the files as they were before]\n")
            ended = await self._ran(self.base, check, on_output, self.settings.check_seconds)
            found = failures(ended.output, str(self.scratch.root))
            told = ended.ending == "exited" and (ended.status == 0 or bool(found))
            self._before[key] = found if told else None
        return self._before[key]

    async def _ran(
        self, snapshot: Snapshot, check: Check, on_output: Callable[[str], None], seconds: float
    ) -> Exit:
        command = Command(check.line, check.folder, _ENVIRONMENT)
        return (await self.scratch.run(snapshot, command, Limits(seconds=seconds), on_output)).exit


def _shown(listed: Sequence[Failure]) -> str:
    pieces: list[str] = []
    size = 0
    for failure in listed[:_MOST_SHOWN]:
        size += len(failure.shown) + 1
        if size > _MOST_CHARS and pieces:
            break
        pieces.append(failure.shown[:_MOST_CHARS])
    if len(pieces) < len(listed):
        pieces.append(f"[and {len(listed) - len(pieces)} more]")
    return "\n".join(pieces)
