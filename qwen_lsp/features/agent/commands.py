"""The tools that run programs: a command line, and the project's own checks.

Both run on the scratch copy of the fork, inside the sandbox, and each wants leave for exactly what it runs.
What they print goes through the secrets gate before the model reads it.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncGenerator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from qwen_lsp.errors import SandboxFailed, ToolRefused
from qwen_lsp.features.agent.approval import Approval
from qwen_lsp.features.agent.checking import Checking, Checks
from qwen_lsp.features.agent.meanwhile import without_news
from qwen_lsp.features.agent.project import Check
from qwen_lsp.features.agent.toolbox import Act, Arguments, Desk, Outcome, Tool, number_of, text_of
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.sandbox.command import Command, Exit, Limits, NoSandbox, Sandbox
from qwen_lsp.sandbox.scratch import Ran, Scratch
from qwen_lsp.settings import AgentSettings
from qwen_lsp.text.words import listed
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

DEFAULT_TIMEOUT, LONGEST_TIMEOUT = 120_000, 600_000
"""Milliseconds, as in Qwen Code."""
MOST_CHARS, _HEAD = 30_000, 8_000
"""Of what a command prints, for the model; and how many of them are its beginning."""
_MOST_NAMES = 50
_KINDS = ("test", "lint", "type", "build")
_ENDED = {
    "time": "It took too long and was stopped after {seconds:g} s",
    "output": "It printed too much and was stopped",
    "memory": "It used too much memory and was stopped",
    "processes": "It started too many processes and was stopped",
    "disk": "It wrote too much to the disk and was stopped",
}


def command_tools(scratch: Scratch, approval: Approval, checks: Checks) -> tuple[Tool, ...]:
    """`run_shell_command` and `run_checks` for one run."""
    told: list[str] = []

    async def run_shell_command(desk: Desk, arguments: Arguments) -> Outcome:
        outcome = await _command(scratch, approval, desk, arguments)
        if told or not scratch.absent:
            return outcome
        told.append(_absent(scratch.absent))
        return replace(outcome, text=f"{outcome.text}\n{told[0]}")

    async def run_checks(desk: Desk, arguments: Arguments) -> Outcome:
        return await _checks(checks, approval, desk, arguments)

    return _rows(run_shell_command, run_checks, network=checks.settings.network == "ask")


@contextlib.asynccontextmanager
async def program_tools(
    base: Snapshot,
    sandbox: Sandbox | NoSandbox,
    *,
    approval: Approval,
    gate: Gate,
    settings: AgentSettings,
    place: Path | None = None,
) -> AsyncGenerator[tuple[Tool, ...]]:
    """The tools that run programs, for as long as a run lasts; its scratch copy is removed with it.

    `base` is the snapshot that the run began with. `place` is for the copies, when not the user's cache.
    """
    if isinstance(sandbox, NoSandbox):
        yield without_commands(sandbox)
        return
    async with Scratch.at(base.root, sandbox, allowed=gate.withholds, place=place) as scratch:
        yield command_tools(scratch, approval, Checks(scratch, base, settings))


def without_commands(why: NoSandbox) -> tuple[Tool, ...]:
    """The same tools where there is no sandbox: each call is answered with the reason."""

    async def refused(desk: Desk, arguments: Arguments) -> Outcome:
        raise ToolRefused(f"Commands are off: {why.reason}. {why.advice} Work without running anything.")

    return _rows(refused, refused, network=False)


async def _command(scratch: Scratch, approval: Approval, desk: Desk, arguments: Arguments) -> Outcome:
    line = text_of(arguments, "command").strip()
    if not line or "\0" in line:
        raise ToolRefused("run_shell_command needs a command line.")
    if arguments.get("is_background", False):
        raise ToolRefused(
            "Nothing runs in the background here: everything a command starts ends with it. Start what is "
            "needed, use it and stop it in one command line."
        )
    folder = _folder(desk, text_of(arguments, "directory"))
    timeout = min(max(number_of(arguments, "timeout", DEFAULT_TIMEOUT), 1_000), LONGEST_TIMEOUT)
    network = bool(arguments.get("network", False))
    await approval.command_leave(line, folder)
    if network:
        await approval.command_leave(line, folder, network=True)
    try:
        ran = await scratch.run(
            desk.snapshot,
            Command(line, folder),
            Limits(seconds=timeout / 1_000),
            desk.printed,
            network=network,
        )
    except SandboxFailed as error:
        raise ToolRefused(f"The command was not run: {error}") from None
    fork, changed, left_out = await _with_leave(approval, without_news(desk, ran))
    text = "\n".join(
        (how_it_ended(ran.exit), *_changes(changed, left_out), *_output(desk.gate, ran.exit.output))
    )
    return Outcome(fork, text, ok=(ran.exit.ending, ran.exit.status) == ("exited", 0))


async def _checks(checks: Checks, approval: Approval, desk: Desk, arguments: Arguments) -> Outcome:
    kinds: Sequence[Any] = arguments.get("kinds") or _KINDS[:3]
    if unknown := [kind for kind in kinds if kind not in _KINDS]:
        raise ToolRefused(f"run_checks: there is no kind {unknown[0]!r}; the kinds are {', '.join(_KINDS)}.")
    paths = [desk.path(str(path)) for path in arguments.get("paths") or ()]
    try:
        planned = await checks.plan(desk.snapshot, [str(kind) for kind in kinds], paths)
        if not planned:
            raise ToolRefused(
                f"No check of this kind was found ({', '.join(map(str, kinds))}), or its program is not "
                "installed. If you know how the project is checked, use run_shell_command."
            )
        planned = await _allowed(approval, planned)
        checking = await checks.run(desk.snapshot, planned, desk.printed)
    except SandboxFailed as error:
        raise ToolRefused(f"The checks were not run: {error}") from None
    return Outcome(desk.snapshot, _fitting(desk.gate, checking.text), ok=checking.ok)


async def _allowed(approval: Approval, planned: Checking) -> Checking:
    """The checks that somebody allows. Raises ToolRefused where that is none of them."""
    allowed: list[Check] = []
    refused: ToolRefused | None = None
    for check in planned.checks:
        try:
            await approval.command_leave(check.line, check.folder)
        except ToolRefused as error:
            refused = error
        else:
            allowed.append(check)
    if refused is not None and not allowed:
        raise refused
    return Checking(tuple(allowed))


async def _with_leave(
    approval: Approval, ran: Ran
) -> tuple[Snapshot, list[RelPath], list[tuple[RelPath, str]]]:
    """The fork with those changes of touchy paths that somebody allows."""
    fork, changed, left_out = ran.fork, list(ran.changed), list(ran.left_out)
    for path, text in ran.touchy:
        try:
            await approval.path_leave(path)
        except ToolRefused:
            left_out.append((path, "the user did not allow it"))
        else:
            fork = fork.edited(path, text)
            changed.append(path)
    return fork, changed, left_out


def how_it_ended(ended: Exit) -> str:
    """One line: the exit status, or why the command was stopped."""
    if ended.ending != "exited":
        return _ENDED[ended.ending].format(seconds=ended.seconds) + "."
    return f"Exit status {ended.status}." if ended.status >= 0 else f"Ended by signal {-ended.status}."


def shortened(text: str, most: int = MOST_CHARS) -> str:
    """A long text as its beginning and its end, in whole lines, with a line that says what is between."""
    if len(text) <= most:
        return text
    room = most - 100
    head, tail = text[: min(_HEAD, room // 3)], text[-(room - min(_HEAD, room // 3)) :]
    head = head[: head.rfind("\n") + 1] or head
    tail = tail[tail.find("\n") + 1 :] if "\n" in tail[:2_000] else tail
    between = text[len(head) : len(text) - len(tail)]
    return (
        f"{head}[... {between.count(chr(10)) or 1} lines with {len(between)} characters left out ...]\n{tail}"
    )


def _output(gate: Gate, output: str) -> list[str]:
    shown = _fitting(gate, output).rstrip()
    return ["Output:", shown] if shown else ["It printed nothing."]


def _fitting(gate: Gate, text: str) -> str:
    """What the model may see of what was printed, as much as there is room for."""
    return shortened(gate.redacted(text))


def _changes(changed: Sequence[RelPath], left_out: Sequence[tuple[RelPath, str]]) -> list[str]:
    lines: list[str] = []
    if changed:
        lines.append(f"Files it changed: {listed(changed, _MOST_NAMES)}.")
    if left_out:
        lines.append("Not kept: " + "; ".join(f"{path} ({reason})" for path, reason in left_out) + ".")
    return lines


def _absent(absent: Sequence[tuple[RelPath, str]]) -> str:
    """What commands do not see of the workspace, one example for each reason."""
    by_reason: dict[str, list[RelPath]] = {}
    for path, reason in absent:
        by_reason.setdefault(reason, []).append(path)
    named = [
        f"{paths[0]}{f' and {len(paths) - 1} more' if len(paths) > 1 else ''} ({reason})"
        for reason, paths in list(by_reason.items())[:10]
    ]
    return f"[Commands do not see: {'; '.join(named)}.]"


def _folder(desk: Desk, text: str) -> str:
    """The folder below the root; empty for the root itself. Raises ToolRefused where there is none."""
    text = text.strip().rstrip("/")
    if text in ("", ".", str(desk.snapshot.root)):
        return ""
    folder = desk.path(text)
    known = any(path.startswith(f"{folder}/") for path in desk.snapshot.paths())
    if not known and not (desk.snapshot.root / folder).is_dir():
        raise ToolRefused(f"There is no folder {folder} in the workspace.")
    return folder


def _rows(run_shell_command: Act, run_checks: Act, *, network: bool) -> tuple[Tool, ...]:
    asks: tuple[tuple[str, dict[str, Any]], ...] = ()
    if network:
        asks = (("network", {"type": "boolean", "description": "It needs the network; the user is asked."}),)
    offline = "No network unless it is asked for" if network else "No network"
    return (
        Tool(
            "run_shell_command",
            "Run a command line with /bin/sh in a sandboxed copy of the workspace with all edits so far. "
            f"Text files that it changes become edits. {offline}, no git writes; the user may be asked.",
            parameters=(
                ("command", {"type": "string", "description": "The exact command line."}),
                ("is_background", {"type": "boolean", "description": "Must be false."}),
                (
                    "timeout",
                    {"type": "integer", "description": "Milliseconds; default 120000, at most 600000."},
                ),
                ("description", {"type": "string", "description": "What it does, in a few words."}),
                (
                    "directory",
                    {"type": "string", "description": "Folder to run it in; the top one if left out."},
                ),
                *asks,
            ),
            optional=frozenset({"is_background", "timeout", "description", "directory", "network"}),
            kind="command",
            act=run_shell_command,
        ),
        Tool(
            "run_checks",
            "Run the project's own tests, linters and type checkers on the edited files. Answers only what "
            "fails now and did not before your edits; before any edit, all that fails.",
            parameters=(
                (
                    "kinds",
                    {
                        "type": "array",
                        "items": {"type": "string", "enum": list(_KINDS)},
                        "description": "Which checks; test, lint and type when left out.",
                    },
                ),
                (
                    "paths",
                    {
                        "type": "array",
                        "items": {"type": "string"},
                        "description": "Check only these files or folders, where a tool can.",
                    },
                ),
            ),
            optional=frozenset({"kinds", "paths"}),
            kind="command",
            act=run_checks,
        ),
    )
