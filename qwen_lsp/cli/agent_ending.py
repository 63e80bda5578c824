"""After a run: the preview, what of it is accepted, and its landing. Nothing of the user's moves before."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.text import Text

from qwen_lsp.cli import agent_preview, keyboard
from qwen_lsp.cli.agent_lines import Lines
from qwen_lsp.cli.agent_status import Standing
from qwen_lsp.errors import QwenLspError
from qwen_lsp.runs.landing import fitted, land
from qwen_lsp.runs.words import first_line
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.words import number


@dataclass(frozen=True, slots=True)
class Outcome:
    """A run that is over, whoever ended it."""

    run: str
    """Empty where it never began."""
    task: str
    ended: str
    reason: str
    edits: tuple[FileEdit, ...]
    ran: bool = False
    """Whether something was tried out on what the run had changed."""
    summary: str = ""
    """What the model said last."""

    @property
    def finished(self) -> bool:
        return self.ended == "done"


class Ending:
    """How the run of one command line ends. `lines` None: for a person; else as JSON."""

    def __init__(
        self,
        root: Path,
        console: Console,
        standing: Standing,
        lines: Lines | None,
        *,
        yes: bool,
        commit: bool = False,
        push: bool = False,
    ) -> None:
        self.root, self.console, self.standing, self.lines, self.yes = root, console, standing, lines, yes
        self.commit, self.push = commit, push

    async def landed(self, session: Session, outcome: Outcome) -> bool:
        """Show what there is, ask about it, land what is accepted, and commit it where that was asked for.

        Whether something landed, or there was nothing to. Raises ConflictError, what a landing raises, and
        UserError for a commit that cannot be made; as JSON the result comes first all the same.
        """
        edits: Sequence[FileEdit] = outcome.edits
        files = [edit.path for edit in edits]
        applied, made = False, ""
        try:
            edits = await fitted(session, outcome.edits)
            self._preview(edits)
            accepted = await self._accepted(outcome, edits)
            files = [edit.path for edit in accepted or edits]
            if accepted:
                landed = await land(session, accepted, run=outcome.run, label=first_line(outcome.task))
                applied = True
                undo = f"qwen-lsp agent undo {shlex.quote(str(self.root))}"
                self.say(f"Changed {number(len(accepted), 'file')}. `{undo}` takes it back.")
                made = await self._committed(session, outcome, landed.edits)
            elif edits and outcome.run:
                self.say(f"`qwen-lsp agent apply {outcome.run}` offers it again.")
        except QwenLspError as error:
            self._result(outcome, str(error), files, applied=applied, commit=made)
            raise
        self._result(outcome, outcome.reason, files, applied=applied, commit=made)
        return applied or not edits

    async def _committed(self, session: Session, outcome: Outcome, edits: Sequence[FileEdit]) -> str:
        if not self.commit or not edits:
            return ""
        from qwen_lsp.cli.agent_commit import Committing

        committing = Committing(self.console, asks=keyboard.is_there() and not self.yes)
        made = await committing.commit(session, edits, task=outcome.task, summary=outcome.summary)
        if made and self.push:
            await committing.push(session)
        return made

    def say(self, text: str) -> None:
        """A sentence for the person, who may be reading a log."""
        self.console.print(Text(text), soft_wrap=True)

    def _preview(self, edits: Sequence[FileEdit]) -> None:
        if self.lines is not None:
            self.lines.diff(edits)
            return
        agent_preview.show_diff(self.console, edits)
        if edits:
            self.console.print()
        said = f"{number(len(edits), 'file')} to change:" if edits else "No file to change."
        self.console.print(Text(said, "bold"))
        agent_preview.show_files(self.console, edits)
        if self.standing.turns:
            agent_preview.show_cost(self.console, self.standing)

    async def _accepted(self, outcome: Outcome, edits: Sequence[FileEdit]) -> tuple[FileEdit, ...]:
        if not edits:
            return ()
        if self.yes:
            # A run that was cut short is applied only by somebody who has looked at what it left undone.
            if outcome.ended not in ("done", "cancelled"):
                self.say("Nothing was changed, since the run did not finish.")
            return tuple(edits) if outcome.finished else ()
        if not keyboard.is_there():
            self.say("Nothing was changed: there is no terminal to ask, and --yes was not given.")
            return ()
        return await agent_preview.chosen(self.console, edits, finished=outcome.finished, ran=outcome.ran)

    def _result(
        self, outcome: Outcome, reason: str, files: Sequence[str], *, applied: bool, commit: str
    ) -> None:
        if self.lines is not None:
            self.lines.result(outcome.ended, reason, applied=applied, files=files, commit=commit)
