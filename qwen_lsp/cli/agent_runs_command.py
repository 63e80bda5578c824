"""`qwen-lsp agent undo | runs | show | page`: what earlier runs did, and taking one back."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Mapping
from datetime import datetime
from pathlib import Path

from rich.console import Console
from rich.text import Text

from qwen_lsp.cli.agent_ending import Ending, Outcome
from qwen_lsp.cli.agent_history import History
from qwen_lsp.cli.agent_page import check_page, write_page
from qwen_lsp.cli.agent_preview import show_cost, show_files
from qwen_lsp.cli.agent_status import Standing
from qwen_lsp.cli.agent_text import spell_out
from qwen_lsp.cli.opening import opened
from qwen_lsp.cli.places import workspace
from qwen_lsp.context.visible import seen_name
from qwen_lsp.errors import UserError
from qwen_lsp.runs.page import page_of
from qwen_lsp.runs.record import NAME
from qwen_lsp.runs.stored import RunInfo, StoredRun, infos, load
from qwen_lsp.runs.story import replayed
from qwen_lsp.runs.undoing import undo_last
from qwen_lsp.runs.words import first_line, money
from qwen_lsp.session.pages import keep_page
from qwen_lsp.session.state import journal_folder
from qwen_lsp.text.words import number
from qwen_lsp.workspace.transaction import undoable

_ENDED: Mapping[str, str] = {
    "done": "done", "cancelled": "stopped", "turns": "out of turns", "tokens": "out of tokens",
    "money": "out of money", "time": "out of time", "loop": "went in circles",
    "malformed": "unreadable calls", "window": "window full", "refused": "refused",
    "endpoint": "endpoint failed", "": "killed",
}  # fmt: skip


def run(args: argparse.Namespace) -> int:
    spell_out()
    words: Mapping[str, Callable[[argparse.Namespace], int]] = {
        "undo": lambda args: asyncio.run(_undone(args.which)),
        "runs": _listed,
        "show": _shown,
        "page": _paged,
        "apply": lambda args: asyncio.run(_applied(args)),
    }
    return words[args.word](args)


async def _undone(which: str) -> int:
    if NAME.fullmatch(which):
        return await undone(Path(load(which).info.meta.root), which)
    return await undone(workspace(which), "")


async def undone(root: Path, run: str) -> int:
    """Take back what a run has applied, or the latest one. Raises QwenLspError, and nothing is changed."""
    if run and not NAME.fullmatch(run):
        raise UserError(f"{run!r} is not the name of a run; `qwen-lsp agent runs` lists them")
    async with opened(root) as session:
        undone = await undo_last(session, run or None)
    what = f"run {run}" if run else "the last run"
    print(f"Took back {what}: {', '.join(map(seen_name, undone.files))}")
    if undone.left:
        print(
            f"Left as the disk has them: {', '.join(map(seen_name, undone.left))}. An editor changed them "
            "and they were not saved, or were taken back there; what it still shows is undone there."
        )
    return 0


async def _applied(args: argparse.Namespace) -> int:
    if args.push and not args.commit:
        raise UserError("--push pushes the commit of this run: say --commit too")
    stored = _named(args.which)
    meta = stored.info.meta
    if stored.info.running:
        raise UserError(f"the run {meta.run} is still going on")
    console = Console(highlight=False)
    root = workspace(meta.root)
    outcome = Outcome(meta.run, meta.task, meta.ended, meta.reason, stored.edits)
    async with opened(root, console) as session:
        ending = Ending(root, console, Standing(), None, yes=args.yes, commit=args.commit, push=args.push)
        complete = await ending.landed(session, outcome)
    return 0 if complete else 1


def _listed(args: argparse.Namespace) -> int:
    root = workspace(args.path)
    found = infos(root)
    applied = {step.run for step in undoable(root, journal_folder(root))}
    if args.json:
        for info in found:
            print(json.dumps({**_row(info), "undoable": info.run in applied}))
        return 0
    console = Console(highlight=False)
    if not found:
        console.print(Text(f"No run of the agent in {root} is kept."), soft_wrap=True)
        return 0
    for info in found:
        meta = info.meta
        said = [
            _when(meta.begun),
            "running" if info.running else _ENDED.get(meta.ended, seen_name(meta.ended)),
            number(len(meta.files), "file"),
            f"cost {money(meta.cost)}" if meta.cost is not None else "",
            "can be undone" if info.run in applied else "",
            "can be resumed" if info.resumable else "",
        ]
        line = Text(info.run, "bold").append(f"  {' · '.join(one for one in said if one)}", "not bold")
        console.print(line, soft_wrap=True)
        task = Text(f"    {seen_name(first_line(meta.task))}")
        task.truncate(console.width, overflow="ellipsis")
        console.print(task, soft_wrap=True)
    return 0


def _row(info: RunInfo) -> Mapping[str, object]:
    meta = info.meta
    return {
        "run": info.run,
        "begun": meta.begun,
        "task": meta.task,
        "ended": meta.ended,
        "reason": meta.reason,
        "running": info.running,
        "resumable": info.resumable,
        "files": list(meta.files),
        "turns": meta.turns,
        "usage": {"prompt": meta.prompt, "cached": meta.cached, "completion": meta.completion},
        "cost": meta.cost,
    }


def _when(begun: str) -> str:
    """In the time of the place where the person is."""
    try:
        return f"{datetime.fromisoformat(begun).astimezone():%Y-%m-%d %H:%M}"
    except ValueError:
        return begun


def _shown(args: argparse.Namespace) -> int:
    stored = _named(args.which)
    console = Console(highlight=False)
    console.print(Text(seen_name(stored.info.meta.task), "bold"), soft_wrap=True)
    clock = [0.0]
    standing = Standing(now=lambda: clock[0])
    history = History(console, streams=not console.is_terminal, asks=False, now=lambda: clock[0])
    for at, event in replayed(stored.events()):
        clock[0] = at
        standing.hear(event)
        history.hear(event)
    history.flush()
    console.print()
    said = f"{number(len(stored.edits), 'file')} changed on its fork:" if stored.edits else "No file changed."
    console.print(Text(said, "bold"))
    show_files(console, stored.edits)
    show_cost(console, standing)
    return 0


def _paged(args: argparse.Namespace) -> int:
    text = page_of(_named(args.which).info.run)
    if args.html == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
    elif args.html:
        check_page(args.html)
        write_page(args.html, text)
        print(args.html)
    else:
        print(keep_page(text))
    return 0


def _named(which: str) -> StoredRun:
    """A run by its name, or the latest one of a workspace. Raises UserError."""
    if NAME.fullmatch(which):
        return load(which)
    root = workspace(which)
    found = infos(root)
    if not found:
        raise UserError(f"no run of the agent in {root} is kept")
    return load(found[0].run)
