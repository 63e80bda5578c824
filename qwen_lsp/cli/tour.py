"""`qwen-lsp tour`: the real server, driven over stdio as an editor would, on a real workspace."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import re
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn
from rich.text import Text

from qwen_lsp import __version__
from qwen_lsp.cli import screen, trial
from qwen_lsp.cli.client import Client, started
from qwen_lsp.cli.endpoint_choice import choose, embedded_note
from qwen_lsp.cli.places import workspace
from qwen_lsp.errors import QwenLspError
from qwen_lsp.text.positions import code_units
from qwen_lsp.text.words import number
from qwen_lsp.workspace.paths import RelPath, to_uri

_EMBEDDED_TRIES, _MODEL_TRIES = 40, 4
_EXPLAIN_LINES, _RECEIPT_ROWS = 40, 14
_RECEIPT_BUDGET = 8_192


def run(args: argparse.Namespace) -> int:
    root = workspace(args.path)
    console = Console(record=bool(args.record), width=110 if args.record else None, highlight=False)
    asking = sys.stdin.isatty() and not args.no_questions
    asyncio.run(_tour(root, console, asking=asking, log=Path(args.log) if args.log else None))
    if args.record:
        picture = console.export_svg(title="qwen-lsp tour")
        # The picture would load its font from the network; any fixed-width font of the reader's will do.
        picture = re.sub(r"@font-face\s*{[^}]*}", "", picture)
        Path(args.record).write_text(picture, encoding="utf-8")
    return 0


async def _tour(root: Path, console: Console, *, asking: bool, log: Path | None) -> None:
    console.print(Text.assemble((f"qwen-lsp {__version__}", "bold"), f", on {root.name}/"))
    screen.heading(console, "The model")
    options = await choose(console, asking=asking)
    texts = await asyncio.to_thread(trial.files, root)
    trials = [trial.to_type(path, text) for path, text in texts]
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}", markup=False), BarColumn(),
        TextColumn("{task.fields[said]}", markup=False), TimeElapsedColumn(), console=console, transient=True,
    ) as bars:  # fmt: skip
        desk = _Desk(console, bars)
        async with started(
            root, options=options, on_request=desk.answer, on_notification=desk.hear, log=log
        ) as (
            client,
            initialized,
        ):
            # Opened without some of their lines before anything is indexed or learnt: when those lines are
            # typed, the server has never seen them.
            for one in trials:
                desk.show(client, to_uri(root, one.path), one.before(0, typing=False))
            server = initialized["serverInfo"]
            screen.say(console, f"{server['name']} {server['version']} answered over stdio.")
            await desk.ready(client)
            await _index(client, desk)
            if not texts:
                screen.say(console, "No code here in a language it knows, so there is nothing to try on.")
                return
            await _completion(client, desk, root, trials)
            for one in trials:
                desk.show(client, to_uri(root, one.path), one.text)
            chosen = await asyncio.to_thread(trial.function, texts)
            await _explain(client, desk, root, chosen.path if chosen else texts[0][0])
            if chosen is not None:
                await _actions(client, desk, root, chosen)
                await _receipt(client, desk, root, chosen)
    if options or os.environ.get("OPENAI_BASE_URL"):
        await _agent(console, root, options)
    else:
        embedded_note(console)


class _Desk:
    """The editor's side: answers the server's requests and turns its progress into bars."""

    def __init__(self, console: Console, bars: Progress) -> None:
        self.console, self.bars = console, bars
        self._tasks: dict[str | int, Any] = {}
        self._done = asyncio.Event()
        self._opened: dict[str, int] = {}

    def answer(self, method: str, params: Any) -> Any:
        if method == "workspace/configuration":
            return [None for _ in params["items"]]
        if method == "workspace/applyEdit":
            return {"applied": False}
        return None

    def hear(self, method: str, params: Any) -> None:
        if method != "$/progress":
            return
        token, value = params["token"], params["value"]
        kind = value.get("kind")
        if kind == "begin":
            self._tasks[token] = self.bars.add_task(value["title"], total=100, said="")
        elif token in self._tasks:
            self.bars.update(
                self._tasks[token], completed=value.get("percentage"), said=(value.get("message") or "")[:60]
            )
        if kind == "end":
            self._done.set()
            if token in self._tasks:
                self.bars.remove_task(self._tasks.pop(token))

    async def ready(self, client: Client) -> None:
        """Wait until the server says that its index is complete and its predictor has read the files."""
        while True:
            folder = (await self.status(client))["folders"][0]
            if folder["index"]["complete"] and not folder["learning"]:
                return
            self._done.clear()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._done.wait(), 0.2)

    async def status(self, client: Client) -> Mapping[str, Any]:
        return await client.request("workspace/executeCommand", {"command": "qwen.status", "arguments": []})

    def show(self, client: Client, uri: str, text: str) -> None:
        """Open a document, or replace its whole text."""
        version = self._opened.get(uri, 0) + 1
        self._opened[uri] = version
        document = {"uri": uri, "version": version}
        if version == 1:
            client.notify(
                "textDocument/didOpen", {"textDocument": {**document, "languageId": "", "text": text}}
            )
        else:
            client.notify(
                "textDocument/didChange", {"textDocument": document, "contentChanges": [{"text": text}]}
            )


async def _index(client: Client, desk: _Desk) -> None:
    screen.heading(desk.console, "The index")
    index = (await desk.status(client))["folders"][0]["index"]
    screen.say(
        desk.console,
        f"{number(index['files'], 'file')} ({index['bytes'] / 1e6:,.1f} MB), "
        f"{number(index['definitions'], 'definition')}, "
        f"{number(index['references'], 'reference')} in {index['seconds']:.1f} s",
    )
    if languages := sorted(index["languages"].items(), key=lambda item: -item[1]):
        screen.say(desk.console, ", ".join(f"{name} {number:,}" for name, number in languages[:12]))
    if skipped := index["skipped"]:
        said = ", ".join(f"{number:,} {reason}" for reason, number in sorted(skipped.items()))
        screen.say(desk.console, (f"left out: {said}", "dim"))


async def _completion(client: Client, desk: _Desk, root: Path, trials: list[trial.Trial]) -> None:
    screen.heading(desk.console, "Inline completion")
    has_model = (await desk.status(client))["endpoint"]["configured"]
    turns = range(max((len(one.cuts) for one in trials), default=0))
    places = [(one, turn) for turn in turns for one in trials if turn < len(one.cuts)]
    places = places[: _MODEL_TRIES if has_model else _EMBEDDED_TRIES]
    files = len({one.path for one, _ in places})
    shown: tuple[trial.Trial, trial.Cut, str, float] | None = None
    spoke = right = 0
    for one, turn in places:
        cut, uri = one.cuts[turn], to_uri(root, one.path)
        desk.show(client, uri, one.before(turn, typing=True))
        began = time.perf_counter()
        answer = await client.request(
            "textDocument/inlineCompletion",
            {
                "textDocument": {"uri": uri},
                "position": {
                    "line": one.line_in(turn),
                    "character": code_units(one.text.split("\n")[cut.line][: cut.column], "utf-16"),
                },
                "context": {"triggerKind": 1},
            },
        )
        took = (time.perf_counter() - began) * 1000
        desk.show(client, uri, one.before(turn + 1, typing=False))
        items: list[Any] = answer["items"] if answer else []
        if not items:
            continue
        text = str(items[0]["insertText"])
        spoke += 1
        exact = text.split("\n")[0].rstrip() == cut.written
        right += exact
        if shown is None or (exact and len(text) > max(8, len(shown[2]))):
            shown = (one, cut, text, took)
    screen.say(
        desk.console,
        f"{number(len(places), 'line')} of {number(files, 'file')} were taken out before "
        f"the server saw them, and typed again up to the middle. It offered an end for {spoke}; {right} "
        f"{'was' if right == 1 else 'were'} exactly what the author wrote.",
    )
    if shown is not None:
        one, cut, text, took = shown
        place = (f"{cut.path}:{cut.line + 1}", "bold")
        screen.say(desk.console, "One of them, ", place, f", after {took:.0f} ms:")
        desk.console.print()
        screen.ghost(desk.console, one, cut, text)
    await _told_failures(client, desk)


async def _told_failures(client: Client, desk: _Desk) -> None:
    """What the endpoint failed at, since a completion is answered around it without a word."""
    for error in [*(await desk.status(client))["errors"]][-2:]:
        screen.say(desk.console, (error, "yellow"))


async def _explain(client: Client, desk: _Desk, root: Path, path: RelPath) -> None:
    screen.heading(desk.console, "Explain a file")
    screen.say(desk.console, (path, "bold"))
    try:
        text = await client.request(
            "workspace/executeCommand",
            {
                "command": "qwen.explainFile",
                "arguments": [{"uri": to_uri(root, path)}],
                "workDoneToken": "explain",
            },
        )
    except QwenLspError as error:
        screen.say(desk.console, (f"{error}", "yellow"))
        screen.say(desk.console, ("`qwen-lsp doctor` looks at the endpoint.", "yellow"))
        return
    screen.markdown(desk.console, str(text), _EXPLAIN_LINES)


async def _actions(client: Client, desk: _Desk, root: Path, chosen: trial.Selected) -> None:
    screen.heading(desk.console, "Code actions")
    screen.say(desk.console, "On ", (chosen.name, "bold"), " in ", (chosen.path, "bold"))
    uri = to_uri(root, chosen.path)
    desk.show(client, uri, chosen.text)
    actions = await client.request(
        "textDocument/codeAction",
        {
            "textDocument": {"uri": uri},
            "range": {
                "start": {"line": chosen.first, "character": 0},
                "end": {
                    "line": chosen.last,
                    "character": code_units(chosen.text.split("\n")[chosen.last], "utf-16"),
                },
            },
            "context": {"diagnostics": []},
        },
    )
    disabled = [action.get("disabled", {}).get("reason", "") for action in actions or ()]
    screen.offers(
        desk.console,
        [("", action["title"], reason) for action, reason in zip(actions or (), disabled, strict=True)],
    )


async def _receipt(client: Client, desk: _Desk, root: Path, chosen: trial.Selected) -> None:
    line = (chosen.first + chosen.last) // 2
    screen.heading(desk.console, "What a model would be sent")
    place = (f"{chosen.path}:{line + 1}", "bold")
    screen.say(desk.console, "At ", place, f", within {number(_RECEIPT_BUDGET, 'token')}:")
    shown = await client.request(
        "workspace/executeCommand",
        {
            "command": "qwen.showContext",
            "arguments": [
                {
                    "uri": to_uri(root, chosen.path),
                    "position": {"line": line, "character": 0},
                    "budget": _RECEIPT_BUDGET,
                }
            ],
        },
    )
    screen.receipt(desk.console, shown, _RECEIPT_ROWS)
    if any(part["why"].startswith("edited ") for part in shown["parts"]):
        screen.say(desk.console, ("The files edited a moment ago are those that this tour typed in.", "dim"))


async def _agent(console: Console, root: Path, options: Mapping[str, Any]) -> None:
    from qwen_lsp.cli.scratch_run import edit_scratch_copy

    screen.heading(console, "An agentic edit, on a scratch copy")
    try:
        await edit_scratch_copy(console, root, options)
    except QwenLspError as error:
        screen.say(console, (str(error), "yellow"))
