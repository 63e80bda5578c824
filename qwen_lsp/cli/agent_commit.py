"""Commit and push of what has landed, each shown whole and made on a yes of its own."""

from __future__ import annotations

import asyncio
import os
import shlex
import subprocess
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from qwen_lsp.cli.agent_questions import quoted, typed
from qwen_lsp.context.visible import seen, seen_name
from qwen_lsp.runs.commit import Question, Yes, commit, propose_commit, propose_push, push
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit


class Committing:
    """The questions of one commit. `asks`: a person decides; else what the command line says counts."""

    def __init__(self, console: Console, *, asks: bool) -> None:
        self.console, self.asks = console, asks
        self._edits = False
        self._answered = 0

    async def commit(self, session: Session, edits: Sequence[FileEdit], *, task: str, summary: str) -> str:
        """Commit landed edits; the commit's name, empty where the answer was no. Raises UserError."""
        proposed, message = await propose_commit(session, edits, task=task, summary=summary)
        while True:
            self._edits, self._answered = False, 0
            made = await commit(proposed, message, self._may_edit if self.asks else self._said)
            if not self._edits:
                break
            message = await self._rewritten(message)
        if made is None:
            self.console.print(Text("Not committed."))
            return ""
        said = f"Committed as {made.id[:12]}: {seen_name(made.subject)}"
        self.console.print(Text(said), soft_wrap=True)
        return made.id

    async def push(self, session: Session) -> bool:
        """Push the branch; whether it was. Raises UserError."""
        self._answered = 0
        agreed: Yes = self._yes if self.asks else self._said
        said = await push(await propose_push(session), agreed)
        self.console.print(Text("Not pushed." if said is None else seen(said) or "Pushed."), soft_wrap=True)
        return said is not None

    async def _said(self, question: Question) -> bool:
        """The first question is answered by the command line; what is odd about it is a no."""
        self._answered += 1
        if self._answered > 1:
            self.console.print(Text(f"{seen_name(question.title)} Not without a person to ask."))
        return self._answered == 1

    async def _may_edit(self, question: Question) -> bool:
        self._answered += 1
        if self._answered > 1:
            return await self._yes(question)
        quoted(self.console, question.detail)
        answer = await self._typed(f"{question.title} [y/e/N, e edits the message]")
        self._edits = answer in ("e", "edit")
        return answer in ("y", "yes")

    async def _yes(self, question: Question) -> bool:
        if question.detail:
            quoted(self.console, question.detail)
        return await self._typed(f"{question.title} [y/N]") in ("y", "yes")

    async def _typed(self, question: str) -> str:
        try:
            return (await typed(self.console, seen_name(question))).lower()
        except EOFError:
            return ""

    async def _rewritten(self, message: str) -> str:
        """The message as the person wants it: from their editor, or as one typed line."""
        editor = os.environ.get("VISUAL") or os.environ.get("EDITOR")
        if not editor:
            try:
                return await typed(self.console, "Message:") or message
            except EOFError:
                return message
        return await asyncio.to_thread(_in_editor, message, editor)


def _in_editor(message: str, editor: str) -> str:
    """The text as the person's editor leaves it; as it was where that fails or leaves nothing."""
    out, name = tempfile.mkstemp(".txt", "commit-message-")
    file = Path(name)
    try:
        with os.fdopen(out, "w", encoding="utf-8") as written:
            written.write(message)
        done = subprocess.run([*shlex.split(editor), name], check=False)
        left = file.read_text(encoding="utf-8").strip() if done.returncode == 0 else ""
        return left or message
    finally:
        file.unlink(missing_ok=True)
