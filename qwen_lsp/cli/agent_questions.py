"""What a run asks of the person at the terminal: leave for a thing, or an answer to the model's question."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from rich.console import Console
from rich.text import Text

from qwen_lsp.cli import keyboard
from qwen_lsp.cli.agent_view import View
from qwen_lsp.context.visible import seen, seen_name
from qwen_lsp.features.agent.approval import Answer, Ask, No
from qwen_lsp.runs.front import Question


async def typed(console: Console, question: str) -> str:
    """The line typed after a question. Raises EOFError at the end of input."""
    console.print(Text(question, "bold"), end=" ", soft_wrap=True)
    try:
        return await keyboard.line()
    except EOFError:
        console.print()
        raise


class Person:
    """Whoever sits at this terminal, if anybody does: the side of a run that decides."""

    def __init__(self, view: View, *, yes: bool) -> None:
        self._view = view
        self._yes = yes
        self._there = keyboard.is_there() and not yes

    async def approve(self, ask: Ask, /) -> Answer:
        """Shows exactly what would happen; with --yes it may, without a terminal it may not."""
        if not self._there:
            return "once" if self._yes else "no"
        console = self._view.console
        with self._view.paused():
            console.print(Text("  ? ", "bold yellow").append(seen_name(ask.title), "bold"), soft_wrap=True)
            if ask.kind != "path":
                quoted(console, ask.detail)
            again = "from now on" if ask.lasting else "always in this run"
            console.print(Text(f"    y once · a {again} · n no (n and words: tells the model why)", "dim"))
            while True:
                try:
                    answer = await typed(console, "  y, a or n?")
                except EOFError:
                    return "no"
                head, _, words = answer.partition(" ")
                if head.lower() in ("y", "yes"):
                    return "once"
                if head.lower() in ("a", "all", "always"):
                    return "request"
                if head.lower().rstrip(",:;.") in ("n", "no"):
                    return No(words.strip()) if words.strip() else "no"

    @property
    def ask(self) -> Callable[[Question], Awaitable[str]] | None:
        """Puts the model's question; None where nobody would answer."""
        return self._answer if self._there else None

    async def _answer(self, question: Question) -> str:
        console = self._view.console
        with self._view.paused():
            console.print(Text("  ? The model asks", "bold yellow"))
            quoted(console, question.text)
            for number, choice in enumerate(question.choices, 1):
                console.print(Text(f"    {number}  ", "bold").append(seen_name(choice)), soft_wrap=True)
            hint = "  A number, or your own words:" if question.choices else "  Your answer:"
            try:
                answer = await typed(console, hint)
            except EOFError:
                return ""
        if answer.isdecimal() and 1 <= int(answer) <= len(question.choices):
            return question.choices[int(answer) - 1]
        return answer


def quoted(console: Console, text: str) -> None:
    """A text that is not ours, line by line behind a bar, so that nothing in it looks like a word of ours."""
    for line in seen(text).split("\n"):
        console.print(Text("    │ ", "dim").append(line, "not dim"), soft_wrap=True)
