"""`qwen-lsp agent`: a task carried out on a fork, shown as it goes, previewed as one, landed as one."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from pathlib import Path

from pydantic import ValidationError
from rich.console import Console

from qwen_lsp.cli import keyboard
from qwen_lsp.cli.agent_ending import Ending, Outcome
from qwen_lsp.cli.agent_lines import Lines
from qwen_lsp.cli.agent_page import check_page, write_page
from qwen_lsp.cli.agent_questions import Person
from qwen_lsp.cli.agent_text import spell_out
from qwen_lsp.cli.agent_view import View
from qwen_lsp.cli.opening import opened
from qwen_lsp.cli.places import workspace
from qwen_lsp.cli.stopping import until_stopped
from qwen_lsp.errors import EndpointError, QwenLspError, UserError
from qwen_lsp.features.agent.events import AgentEvent, Printed
from qwen_lsp.runs.front import Plain
from qwen_lsp.runs.page import page_of
from qwen_lsp.runs.run import carry_out
from qwen_lsp.runs.stored import load, resumable
from qwen_lsp.session import Session
from qwen_lsp.settings import AgentSettings, Settings
from qwen_lsp.workspace.paths import RelPath, inside


def run(args: argparse.Namespace) -> int:
    spell_out()
    root = workspace(args.path)
    if args.push and not args.commit:
        raise UserError("--push pushes the commit of this run: say --commit too")
    if args.undo is not None:
        from qwen_lsp.cli.agent_runs_command import undone

        return asyncio.run(undone(root, args.undo))
    check_page(args.html)
    task = args.prompt or ""
    if args.resume is None:
        task = task or ("" if keyboard.is_there() else _piped())
        if not task.strip():
            raise UserError('say what to do: qwen-lsp agent -p "…", or write it to standard input')
    return asyncio.run(_Run(root, task, args).done())


def _piped() -> str:
    """The task on standard input; nothing where that is closed. Raises UserError for what is no text."""
    try:
        return sys.stdin.read() if sys.stdin is not None else ""  # pyright: ignore[reportUnnecessaryComparison]
    except UnicodeDecodeError as error:
        raise UserError(f"the task on standard input is no text: {error.reason}") from None


class _Beside(Console):
    """Sentences beside the JSON lines: where nobody reads them any more, the lines go on."""

    def on_broken_pipe(self) -> None:
        self.quiet = True


class _Run:
    """One run at the command line, from its words to its landing."""

    def __init__(self, root: Path, task: str, args: argparse.Namespace) -> None:
        self.root, self.task, self.args = root, task, args
        self.console = _Beside(highlight=False, stderr=True) if args.json else Console(highlight=False)
        asks = keyboard.is_there() and not args.yes
        self.view = View(self.console, asks=asks, live=not args.json)
        self.lines = Lines(self.view.standing) if args.json else None
        self.ending = Ending(
            root,
            self.console,
            self.view.standing,
            self.lines,
            yes=args.yes,
            commit=args.commit,
            push=args.push,
        )
        self.ran = False

    async def done(self) -> int:
        async with opened(self.root, self.console, self._adjusted) as session:
            try:
                outcome = await self._carried_out(session)
            except QwenLspError as error:
                self._failed(error)
                raise
            if outcome.ended == "cancelled":
                self.ending.say("Stopped; nothing was changed.")
            try:
                complete = await self.ending.landed(session, outcome)
            finally:
                if self.args.html and outcome.run:
                    write_page(self.args.html, page_of(outcome.run))
        if not outcome.finished:
            self._go_on_hint(outcome.run)
        if outcome.ended == "cancelled":
            return 130
        return 0 if outcome.finished and complete else 1

    def _failed(self, error: QwenLspError) -> None:
        """A run that had begun ends with a result, whatever it ends with."""
        self._go_on_hint(self.view.standing.run)
        if self.lines is not None and self.view.standing.run:
            ended = "endpoint" if isinstance(error, EndpointError) else "refused"
            self.lines.result(ended, str(error), applied=False, files=[])

    def _go_on_hint(self, run: str) -> None:
        if run:
            path = shlex.quote(str(self.root))
            self.ending.say(f"`qwen-lsp agent {path} --resume {run}` goes on with it.")

    async def _carried_out(self, session: Session) -> Outcome:
        args, view = self.args, self.view
        person = Person(view, yes=args.yes)
        resume = self._resumed() if args.resume is not None else None
        paths = self._paths(session.root)

        async def carried() -> Outcome:
            if session.endpoint is not None:
                view.standing.window = await session.endpoint.window()
            done = await carry_out(
                session,
                self.task,
                front=Plain(self._heard, person.approve, person.ask),
                mode=args.mode,
                paths=paths,
                resume=resume,
                more=self.task if resume else "",
            )
            result = done.result
            return Outcome(
                done.run, self.task, result.ended, result.reason, done.edits, self.ran, result.summary
            )

        async with view.shown():
            outcome = await until_stopped(carried(), view.stopping)
        if outcome is not None:
            return outcome
        began = view.standing.run
        edits = load(began).edits if began else ()
        return Outcome(began, self.task, "cancelled", "Stopped by the user.", edits, self.ran)

    def _heard(self, event: AgentEvent) -> None:
        self.ran = self.ran or isinstance(event, Printed)
        if self.lines is None:
            self.view(event)
        else:
            self.view.standing.hear(event)
            self.lines.event(event)

    def _resumed(self) -> str:
        """The name of the run to go on with; the latest where none is named. Raises UserError."""
        if self.args.resume:
            return load(self.args.resume).info.run
        left = resumable(self.root)
        if not left:
            raise UserError(
                "no run of this workspace has stopped before it was done; see qwen-lsp agent runs"
            )
        return left[0].run

    def _paths(self, root: Path) -> list[RelPath]:
        """The files pointed at, named from here or from the workspace. Raises UserError for one not there."""
        found: list[RelPath] = []
        for name in self.args.files:
            here = Path(name).resolve()
            file = here if here.is_file() else root / name
            if not file.is_file():
                raise UserError(f"--file {name}: no such file")
            found.append(inside(root, str(file)))
        return found

    def _adjusted(self, settings: Settings) -> Settings:
        """The settings as the command line wants them. Raises UserError for an impossible limit."""
        said = {
            name: value
            for name in ("max_turns", "max_cost", "max_seconds")
            if (value := getattr(self.args, name)) is not None
        }
        if self.args.check:
            said["check_after_edits"] = True
        if not said:
            return settings
        try:
            agent = AgentSettings.model_validate({**settings.agent.model_dump(), **said})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            option = str(first["loc"][0]).replace("_", "-")
            raise UserError(f"--{option}: {first['msg']}") from None
        return settings.model_copy(update={"agent": agent})
