"""A run as it happens: the history scrolls, and below it a few lines say what is going on at the moment.

Those lines exist on a terminal only, are redrawn in place and gone when the run is over. Elsewhere the
history is all there is.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Generator

from rich.console import Console, ConsoleRenderable, Group
from rich.live import Live
from rich.text import Text

from qwen_lsp.cli import keyboard
from qwen_lsp.cli.agent_history import History
from qwen_lsp.cli.agent_status import Standing
from qwen_lsp.features.agent.events import AgentEvent, Observed

_TICK = 0.125
_OUTPUT = 5
_SHORTEST_WITH_PLAN = 16


class _Fresh(Live):
    """Live lines that are up to date below each line that scrolls: they no longer hold what it says."""

    def process_renderables(self, renderables: list[ConsoleRenderable]) -> list[ConsoleRenderable]:
        self._live_render.set_renderable(self.renderable)
        return super().process_renderables(renderables)


class View:
    """What a person sees of one run."""

    def __init__(self, console: Console, *, asks: bool, live: bool = True) -> None:
        self.console = console
        self.live = live and console.is_terminal and not console.is_dumb_terminal
        self.standing = Standing()
        self.history = History(console, streams=not self.live, asks=asks)
        self.hint = "Ctrl-C stops"
        self._heard = time.monotonic()
        self._screen: Live | None = None

    def __call__(self, event: AgentEvent) -> None:
        """Show one event."""
        self._heard = time.monotonic()
        self.standing.hear(event)
        self.history.hear(event)
        if isinstance(event, Observed):
            # What the call changed is told right behind it, or not at all.
            asyncio.get_running_loop().call_soon(self.history.settle)

    def stopping(self) -> None:
        """Ctrl-C was heard: say so while what runs is being ended."""
        self.hint = "stopping; Ctrl-C again leaves at once"
        if self._screen is not None:
            self._screen.refresh()

    @contextlib.asynccontextmanager
    async def shown(self) -> AsyncGenerator[None]:
        """While the run goes on: the live lines on a terminal, where typing is not echoed meanwhile."""
        if not self.live:
            yield
            self.history.flush()
            return
        ticking = asyncio.create_task(self._tick())
        try:
            with self._drawn():
                yield
        finally:
            ticking.cancel()
            await asyncio.gather(ticking, return_exceptions=True)

    @contextlib.contextmanager
    def paused(self) -> Generator[None]:
        """While a question stands on the screen: no live lines, and what is typed is seen."""
        self.history.flush()
        if self._screen is None:
            yield
            return
        self._undraw()
        try:
            with keyboard.open_to_typing():
                yield
        finally:
            self._draw()

    @contextlib.contextmanager
    def _drawn(self) -> Generator[None]:
        with keyboard.quiet():
            self._draw()
            try:
                yield
            finally:
                self.history.flush()
                self._undraw()

    def _draw(self) -> None:
        self._screen = _Fresh(
            get_renderable=self._region, console=self.console, auto_refresh=False, transient=True
        )
        self._screen.start()

    def _undraw(self) -> None:
        screen, self._screen = self._screen, None
        if screen is not None:
            screen.stop()

    async def _tick(self) -> None:
        while True:
            await asyncio.sleep(_TICK)
            if self._screen is not None:
                self._screen.refresh()

    def _region(self) -> Group:
        """The live lines: words that are being said, what runs, the plan, and the standing. Never wrapped."""
        width, height = self.console.width - 1, self.console.height
        if self._screen is None:
            return Group()
        rows = [*self._now(width)]
        plan = self.standing.steps() if height >= _SHORTEST_WITH_PLAN else []
        rows = rows[-max(2, height // 2 - len(plan) - 1) :]
        for row in (*rows, *plan):
            row.truncate(width, overflow="ellipsis")
        return Group(*rows, *plan, self.standing.line(width, self.hint))

    def _now(self, width: int) -> list[Text]:
        now = time.monotonic()
        if self.history.rest:
            return [Text(self.history.rest)]
        rows: list[Text] = []
        for call in self.history.open.values():
            row = Text("  ▸ ", "cyan").append(f"{call.tool}  ", "not cyan")
            seconds = f"  {now - call.began:.0f} s"
            room = max(8, width - row.cell_len - len(seconds))
            about = Text(call.about, "default")
            about.truncate(room, overflow="ellipsis")
            rows.append(row.append_text(about).append(seconds, "dim"))
            rows += [Text(f"    │ {line}", "dim") for line in call.tail(_OUTPUT)]
        if not rows and now - self._heard > 1:
            rows.append(Text(f"  … waiting for the model, {now - self._heard:.0f} s", "dim"))
        return rows
