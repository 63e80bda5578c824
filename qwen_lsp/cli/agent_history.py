"""What has happened in a run, line by line, for a terminal to scroll or a file to keep.

A call is one line once it is over, with the first lines of its diff; a failed command shows how its output
ends. What a command prints while it runs is for the live region; where there is none it is printed here.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from rich.console import Console
from rich.text import Text

from qwen_lsp.cli.agent_text import hunk_lines, plus_minus, words
from qwen_lsp.context.visible import seen, seen_name
from qwen_lsp.features.agent.events import (
    AgentEvent,
    Asked,
    Began,
    Called,
    Changed,
    Compacted,
    Noted,
    Observed,
    Planned,
    Printed,
    Said,
    Stopped,
)
from qwen_lsp.runs.words import about, first_line, planned, shortened
from qwen_lsp.text.words import number

_MOST_DIFF, _MOST_OUTPUT, _SHORT_OUTPUT = 14, 8, 2
_TAIL = 8_000
_RUNS = frozenset({"run_shell_command", "run_checks"})
"""Tools whose output a person wants to see."""


@dataclass(slots=True)
class Open:
    """A call that is under way."""

    tool: str
    about: str
    began: float
    printed: str = ""

    def tail(self, most: int) -> list[str]:
        """The last lines that it printed."""
        return [line for line in self.printed.split("\n") if line.strip()][-most:]


@dataclass(frozen=True, slots=True)
class _Over:
    """A call that has been answered, and when."""

    event: Observed
    at: float


@dataclass(slots=True)
class History:
    """Prints events as they come."""

    console: Console
    streams: bool
    """Whether what commands print goes here too, since nothing else shows it."""
    asks: bool
    """Whether a person here is asked, so that questions stand on the screen already."""
    now: Callable[[], float] = time.monotonic
    open: dict[str, Open] = field(default_factory=dict[str, Open])
    rest: str = ""
    """Words that are not printed yet, since their line may still grow."""
    _plan: str = ""
    _over: _Over | None = None
    """A call that is over and not printed yet, since its change is told right behind it."""
    _silent: bool = True
    """Nothing was said since the last line, so that no empty line is due."""

    def hear(self, event: AgentEvent) -> None:
        """Print what an event adds to the history."""
        if self._over is not None and not (isinstance(event, Changed) and event.id == self._over.event.id):
            self.settle()
        if isinstance(event, Said):
            self._say(event.text)
            return
        self._finish_words()
        match event:
            case Began():
                self._began(event)
            case Called():
                self._called(event)
            case Printed():
                self._printed(event)
            case Observed():
                self._over = _Over(event, self.now())
            case Changed():
                self._changed(event)
            case Asked():
                self._asked(event)
            case Planned():
                self._planned(event)
            case Compacted():
                self._note(shortened(event))
            case Noted():
                self._line(Text(f"  ! {seen_name(event.text)}", "yellow"))
            case Stopped() if event.ended != "done":
                self.console.print(Text(seen(event.reason), "yellow"))
            case _:
                pass

    # -- words ---------------------------------------------------------------------------------------

    def _say(self, text: str) -> None:
        self.rest += words(text)
        *lines, self.rest = self.rest.split("\n")
        for line in lines:
            self._print_words(line)
        if not self.streams:
            self._let_rows_go()

    def _let_rows_go(self) -> None:
        """Rows that are full do not change any more, however long the paragraph gets."""
        width = self.console.width - 1
        words = self.rest.rstrip()
        if len(words) <= width:
            return
        *rows, last = Text(words).wrap(self.console, width)
        # The blank at its end is between this word and the one to come.
        self.rest = last.plain + self.rest[len(words) :]
        for row in rows:
            self._print_words(row.plain)

    def flush(self) -> None:
        """Print what is held back: something else comes now."""
        self.settle()
        self._finish_words()

    def _finish_words(self) -> None:
        rest, self.rest = self.rest, ""
        if rest.strip():
            self._print_words(rest)

    def _print_words(self, line: str) -> None:
        if not line.strip() and self._silent:
            return  # models like to begin with empty lines
        self._silent = not line.strip()
        self.console.print(Text(line.rstrip()), soft_wrap=True)

    # -- calls ---------------------------------------------------------------------------------------

    def _called(self, event: Called) -> None:
        self.open[event.id] = call = Open(
            seen_name(event.tool), seen_name(about(event.tool, event.arguments)), self.now()
        )
        if self.streams and event.tool in _RUNS:
            self._line(Text(f"  ▸ {call.tool}  ").append(call.about))

    def _printed(self, event: Printed) -> None:
        call = self.open.get(event.id)
        if call is None:
            return
        call.printed = (call.printed + seen(event.text))[-_TAIL:]
        if self.streams:
            *lines, call.printed = call.printed.split("\n")
            for line in lines:
                self._output(line)

    def settle(self) -> None:
        """Print a call that is over: nothing more will be told of it."""
        over, self._over = self._over, None
        if over is not None:
            self._ended(over.event, over.at, None)

    def _ended(self, event: Observed, at: float, change: Changed | None) -> None:
        call = self.open.pop(event.id, None) or Open(seen_name(event.tool), "", at)
        if self.streams and call.printed:
            self._output(call.printed)
        if event.tool == "todo_write" and event.ok:
            return  # the plan says it
        sign, style = ("✓", "green") if event.ok else ("✗", "red")
        line = Text("  ").append(sign, style).append(f" {call.tool}  ").append(call.about)
        if change is not None:
            line.append("  ").append_text(plus_minus(change.diff))
        line.append(f"  {at - call.began:.1f} s", "dim")
        self._line(line)
        if not event.ok:
            self._reason(event.text)
        if not self.streams and event.tool in _RUNS:
            for output in call.tail(_SHORT_OUTPUT if event.ok else _MOST_OUTPUT):
                self._output(output)
        if change is not None:
            self._diff(change)

    def _changed(self, event: Changed) -> None:
        over, self._over = self._over, None
        if over is not None:
            self._ended(over.event, over.at, event)
        else:
            self._diff(event)

    def _diff(self, event: Changed) -> None:
        shown = list(hunk_lines(event.diff))
        for line in shown[:_MOST_DIFF]:
            self._line(Text("      ").append_text(line), cut=True)
        if len(shown) > _MOST_DIFF:
            self._note(f"    … and {number(len(shown) - _MOST_DIFF, 'more line')}")

    def _reason(self, text: str) -> None:
        """Why a call came to nothing: two rows of it on a screen, the whole line elsewhere."""
        reason = Text(seen_name(first_line(text)), "yellow")
        if self.streams:
            self._line(Text("      ").append_text(reason))
            return
        first, *rest = reason.wrap(self.console, max(20, self.console.width - 7)) or [reason]
        self._line(Text("      ").append_text(first))
        if rest:
            self._line(Text("      ").append_text(rest[0]).append("…" if rest[1:] else ""))

    def _output(self, line: str) -> None:
        self._line(Text("    │ ", "dim").append(line.rstrip(), "not dim"), cut=not self.streams)

    # -- the rest ------------------------------------------------------------------------------------

    def _began(self, event: Began) -> None:
        verb = "Going on with run" if event.resumed else "Run"
        self._line(Text(f"{verb} {seen_name(event.run)} · {seen_name(event.model)}", "dim"))

    def _asked(self, event: Asked) -> None:
        if not self.asks and event.answer:
            detail = f": {seen_name(event.detail)}" if event.detail else ""
            self._line(Text(f"  ? {seen_name(event.title)}{detail} — {seen_name(event.answer)}", "yellow"))

    def _planned(self, event: Planned) -> None:
        said = f"plan: {seen_name(planned(event.todos))}"
        if said != self._plan:
            self._plan = said
            self._line(Text(f"  ◇ {said}", "cyan"), cut=True)

    def _note(self, text: str) -> None:
        self._line(Text(f"  {text}", "dim"))

    def _line(self, line: Text, *, cut: bool = False) -> None:
        """One line; on a screen a long one ends in an ellipsis when `cut`, in a file it never does."""
        line.expand_tabs(4)
        line.rstrip()
        if cut and not self.streams:
            line.truncate(self.console.width - 1, overflow="ellipsis")
        self._silent = True
        self.console.print(line, soft_wrap=True)
