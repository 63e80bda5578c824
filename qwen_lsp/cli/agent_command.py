"""`qwen-lsp agent`: a task carried out on a fork, shown as it goes, previewed as one, landed as one."""

from __future__ import annotations

import argparse
import asyncio
import shlex
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from rich.console import Console
from rich.text import Text

from qwen_lsp.cli import agent_preview, keyboard
from qwen_lsp.cli.agent_lines import Lines
from qwen_lsp.cli.agent_questions import Person
from qwen_lsp.cli.agent_view import View
from qwen_lsp.cli.opening import opened
from qwen_lsp.cli.places import workspace
from qwen_lsp.cli.stopping import until_stopped
from qwen_lsp.errors import ConflictError, UserError
from qwen_lsp.features.agent.events import AgentEvent, Printed
from qwen_lsp.runs.front import Plain
from qwen_lsp.runs.landing import fitted, land
from qwen_lsp.runs.run import carry_out
from qwen_lsp.runs.stored import load, resumable
from qwen_lsp.runs.words import first_line, number
from qwen_lsp.session import Session
from qwen_lsp.settings import AgentSettings, Settings
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath, inside


@dataclass(frozen=True, slots=True)
class _Outcome:
    """A run that is over, whoever ended it."""

    ended: str
    reason: str
    edits: tuple[FileEdit, ...]

    @property
    def finished(self) -> bool:
        return self.ended == "done"


def run(args: argparse.Namespace) -> int:
    root = workspace(args.path)
    if args.push and not args.commit:
        raise UserError("--push pushes the commit of this run: say --commit too")
    if args.undo is not None:
        from qwen_lsp.cli.agent_runs_command import undone

        return asyncio.run(undone(root, args.undo))
    task = args.prompt or ""
    if args.resume is None:
        task = task or ("" if keyboard.is_there() else sys.stdin.read())
        if not task.strip():
            raise UserError('say what to do: qwen-lsp agent -p "…", or write it to standard input')
    return asyncio.run(_Run(root, task, args).done())


class _Run:
    """One run at the command line, from its words to its landing."""

    def __init__(self, root: Path, task: str, args: argparse.Namespace) -> None:
        self.root, self.task, self.args = root, task, args
        self.console = Console(highlight=False, stderr=args.json)
        asks = keyboard.is_there() and not args.yes
        self.view = View(self.console, asks=asks, live=not args.json)
        self.lines = Lines(self.view.standing) if args.json else None
        self.ran = False
        """Whether something was tried out on what the run had changed."""

    async def done(self) -> int:
        async with opened(self.root, self.console, self._adjusted) as session:
            outcome = await self._carried_out(session)
            self._explained(outcome)
            edits = await self._preview(session, outcome)
            accepted = await self._accepted(outcome, edits)
            await self._land(session, outcome, edits, accepted)
        if outcome.ended == "cancelled":
            return 130
        return 0 if outcome.finished and (accepted or not edits) else 1

    # -- the run -------------------------------------------------------------------------------------

    async def _carried_out(self, session: Session) -> _Outcome:
        args, view = self.args, self.view
        person = Person(view, yes=args.yes)
        resume = self._resumed() if args.resume is not None else None

        async def carried() -> _Outcome:
            if session.endpoint is not None:
                view.standing.window = await session.endpoint.window()
            done = await carry_out(
                session,
                self.task,
                front=Plain(self._heard, person.approve, person.ask),
                mode=args.mode,
                paths=self._paths(session.root),
                resume=resume,
                more=self.task if resume else "",
            )
            return _Outcome(done.result.ended, done.result.reason, done.edits)

        async with view.shown():
            outcome = await until_stopped(carried(), view.stopping)
        if outcome is not None:
            return outcome
        edits = load(view.standing.run).edits if view.standing.run else ()
        return _Outcome("cancelled", "Stopped.", edits)

    def _heard(self, event: AgentEvent) -> None:
        self.ran = self.ran or isinstance(event, Printed)
        if self.lines is None:
            self.view(event)
        else:
            self.view.standing.hear(event)
            self.lines.event(event)

    def _resumed(self) -> str:
        if self.args.resume:
            return load(self.args.resume).info.run
        left = resumable(self.root)
        if not left:
            raise UserError("no run of this workspace has stopped before it was done; `qwen-lsp agent runs`")
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
        """The settings with the limits of the command line. Raises UserError for an impossible one."""
        said = {
            name: value
            for name in ("max_turns", "max_cost", "max_seconds")
            if (value := getattr(self.args, name)) is not None
        }
        if not said:
            return settings
        try:
            agent = AgentSettings.model_validate({**settings.agent.model_dump(), **said})
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            option = str(first["loc"][0]).replace("_", "-")
            raise UserError(f"--{option}: {first['msg']}") from None
        return settings.model_copy(update={"agent": agent})

    # -- what it came to -----------------------------------------------------------------------------

    def _explained(self, outcome: _Outcome) -> None:
        if outcome.ended == "cancelled" and not outcome.edits:
            self._say("Stopped; nothing was changed.")
        elif outcome.ended == "cancelled":
            self._say("Stopped.")

    async def _preview(self, session: Session, outcome: _Outcome) -> list[FileEdit]:
        """The edits as they fit by now, shown. Raises ConflictError, in JSON after the result."""
        try:
            edits = await fitted(session, outcome.edits)
        except ConflictError as error:
            self._result(outcome, str(error), applied=False, files=[])
            raise
        if self.lines is not None:
            self.lines.diff(edits)
        elif self.view.standing.turns:
            agent_preview.show_diff(self.console, edits)
            self.console.print()
            said = f"{number(len(edits), 'file')} to change:" if edits else "No file to change."
            self.console.print(Text(said, "bold"))
            agent_preview.show_files(self.console, edits)
            agent_preview.show_cost(self.console, self.view.standing)
        return edits

    async def _accepted(self, outcome: _Outcome, edits: Sequence[FileEdit]) -> tuple[FileEdit, ...]:
        if not edits:
            return ()
        if self.args.yes:
            # A run that was cut short is applied only by somebody who has looked at what it left undone.
            if not outcome.finished:
                self._say("Nothing was changed, since the run did not finish.")
            return tuple(edits) if outcome.finished else ()
        if not keyboard.is_there():
            self._say("Nothing was changed: there is no terminal to ask, and --yes was not given.")
            return ()
        return await agent_preview.chosen(self.console, edits, finished=outcome.finished, ran=self.ran)

    async def _land(
        self,
        session: Session,
        outcome: _Outcome,
        edits: Sequence[FileEdit],
        accepted: Sequence[FileEdit],
    ) -> None:
        files = [edit.path for edit in accepted or edits]
        if accepted:
            try:
                await land(session, accepted, run=self.view.standing.run, label=first_line(self.task))
            except ConflictError as error:
                self._result(outcome, str(error), applied=False, files=files)
                raise
            self._say(f"Changed {number(len(accepted), 'file')}. `{self._command('undo')}` takes it back.")
        run = self.view.standing.run
        if run and not outcome.finished:
            self._say(f"`{self._command()} --resume {run}` goes on with it.")
        self._result(outcome, outcome.reason, applied=bool(accepted), files=files)

    def _result(self, outcome: _Outcome, reason: str, *, applied: bool, files: Sequence[str]) -> None:
        if self.lines is not None:
            self.lines.result(outcome.ended, reason, applied=applied, files=files)

    def _command(self, word: str = "") -> str:
        """A command line for this workspace, to copy."""
        return " ".join(["qwen-lsp agent", *([word] if word else []), shlex.quote(str(self.root))])

    def _say(self, text: str, **style: Any) -> None:
        self.console.print(Text(text, **style), soft_wrap=True)
