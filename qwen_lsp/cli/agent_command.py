"""`qwen-lsp agent`: a task carried out on a fork, shown as one diff, landed as one transaction."""

from __future__ import annotations

import argparse
import asyncio
import json
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from qwen_lsp.cli import screen
from qwen_lsp.cli.asking import agreed
from qwen_lsp.cli.opening import opened
from qwen_lsp.cli.places import workspace
from qwen_lsp.errors import UserError
from qwen_lsp.features.agent.events import AgentEvent, Called, Observed, Said, Stopped, as_json
from qwen_lsp.features.agent.loop import AgentResult
from qwen_lsp.index.build import refresh
from qwen_lsp.index.landing import landed
from qwen_lsp.runs.front import Plain
from qwen_lsp.runs.run import carry_out
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit, unified
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.transaction import commit, undo_last

_OBSERVED = 100


def run(args: argparse.Namespace) -> int:
    root = workspace(args.path)
    if args.undo:
        return asyncio.run(_undone(root))
    task = args.prompt or ("" if sys.stdin.isatty() else sys.stdin.read())
    if not task.strip():
        raise UserError('say what to do: qwen-lsp agent -p "…", or write it to standard input')
    return asyncio.run(_done(root, task, yes=args.yes, as_lines=args.json))


async def _done(root: Path, task: str, *, yes: bool, as_lines: bool) -> int:
    console = Console(highlight=False, stderr=as_lines)
    async with opened(root, console) as session:
        try:
            result = await carried_out(session, task, _lines if as_lines else shown_on(console))
            edits = await _landed(session, result.edits)
        except asyncio.CancelledError:
            console.print("\nStopped; nothing was changed.")
            raise
        if as_lines:
            _line({"event": "diff", "text": _diff(edits)})
        else:
            summarised(console, result, edits)
        finished = result.ended == "done"
        # A run that was cut short is applied only by somebody who has looked at what it left undone.
        apply = bool(edits) and ((yes and finished) or (not yes and _agreed(console, finished=finished)))
        if apply:
            # Once more: somebody may have written a file while the question stood there.
            await _applied(session, await _landed(session, result.edits))
            undo = f"qwen-lsp agent {shlex.quote(str(root))} --undo"
            said = f"Changed {screen.number(len(edits), 'file')}. `{undo}` takes it back."
            console.print(said, markup=False, soft_wrap=True)
        elif yes and edits:
            console.print("Nothing was changed, since the run did not finish.")
        if as_lines:
            files = [edit.path for edit in edits]
            _line({"event": "result", "ended": result.ended, "applied": apply, "files": files})
    return 0 if finished and (apply or not edits) else 1


async def _landed(session: Session, edits: Sequence[FileEdit]) -> list[FileEdit]:
    """The edits as they fit what the files are by now. Raises ConflictError."""
    await refresh(session.store, {RelPath(edit.path) for edit in edits})
    return landed(edits, session.snapshot)


async def _applied(session: Session, edits: Sequence[FileEdit]) -> None:
    """Write all of it or nothing; once it has begun, Ctrl-C waits until it is over."""
    writing = asyncio.create_task(asyncio.to_thread(commit, session.root, edits, session.journal))
    try:
        await asyncio.shield(writing)
    except asyncio.CancelledError:
        await writing
        raise


async def carried_out(session: Session, task: str, show: Callable[[AgentEvent], None]) -> AgentResult:
    """Run a task in an open workspace; nothing is written but its record. Raises EndpointMissing."""
    return (await carry_out(session, task, front=Plain(show))).result


def shown_on(console: Console) -> Callable[[AgentEvent], None]:
    """A function that prints events for a person: the model's words, each call, what went wrong."""
    at_start = True

    def show(event: AgentEvent) -> None:
        nonlocal at_start
        if isinstance(event, Said):
            console.print(event.text, end="", markup=False, soft_wrap=True)
            at_start = event.text.endswith("\n") if event.text else at_start
            return
        if not at_start:
            console.print()
        at_start = True
        if isinstance(event, Called):
            said = ", ".join(f"{k}={_short(v)}" for k, v in event.arguments.items())
            console.print(Text("  ").append(event.tool, "cyan").append(f" {said}"), soft_wrap=True)
        elif isinstance(event, Observed) and not event.ok:
            console.print(f"    refused: {_short(event.text)}", style="yellow", markup=False, soft_wrap=True)
        elif isinstance(event, Stopped) and event.ended != "done":
            console.print(event.reason, style="yellow", markup=False)

    return show


def summarised(console: Console, result: AgentResult, edits: Sequence[FileEdit]) -> None:
    """The diff and what the run cost; nothing about a run that never came to be."""
    if not result.turns:
        return
    usage = result.usage
    screen.diff(console, _diff(edits), most_lines=2_000)
    console.print(
        f"{screen.number(len(edits), 'file')} to change, {screen.number(result.turns, 'turn')}, "
        f"{usage.prompt:,} tokens sent ({usage.cached:,} cached), {usage.completion:,} written."
    )


def _agreed(console: Console, *, finished: bool) -> bool:
    if not sys.stdin.isatty():
        console.print("Nothing was changed: there is no terminal to ask, and --yes was not given.")
        return False
    question = "Apply this?" if finished else "The run did not finish. Apply what it has?"
    return agreed(console, question, default=finished)


async def _undone(root: Path) -> int:
    async with opened(root) as session:
        files = await asyncio.to_thread(undo_last, root, session.journal)
    print(f"Took back the last run: {', '.join(files)}")
    return 0


def _lines(event: AgentEvent) -> None:
    _line(as_json(event))


def _line(event: Mapping[str, Any]) -> None:
    print(json.dumps(event, default=str), flush=True)


def _diff(edits: Sequence[FileEdit]) -> str:
    return "".join(unified(edit) for edit in edits)


def _short(value: object) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= _OBSERVED else f"{text[:_OBSERVED]}…"
