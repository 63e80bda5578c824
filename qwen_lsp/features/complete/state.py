"""What inline completion knows of one workspace from one request to the next."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from time import monotonic

from qwen_lsp.features.complete.cache import Answers
from qwen_lsp.features.complete.diagnostics import Diagnostics
from qwen_lsp.features.complete.flight import Flight
from qwen_lsp.features.complete.frame import Frames
from qwen_lsp.features.complete.idle import Idle
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.outcome import Outcomes
from qwen_lsp.features.complete.pace import Pace
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.popup import Typing
from qwen_lsp.features.complete.receipt import Receipt
from qwen_lsp.features.complete.tally import Tally
from qwen_lsp.features.complete.turn import Turn
from qwen_lsp.features.complete.window import Window, Windows
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.workspace.paths import RelPath

GRACE = 0.15
"""Seconds that a flight is kept for whoever asks again, after a client left it because of what was typed."""
_RECEIPTS = 20


@dataclass(eq=False)
class Completions:
    """The state of one workspace's inline completion. Lives on the event loop."""

    answers: Answers = field(default_factory=Answers)
    frames: Frames = field(default_factory=Frames)
    windows: Windows = field(default_factory=Windows)
    diagnostics: Diagnostics = field(default_factory=Diagnostics)
    pace: Pace = field(default_factory=Pace)
    receipts: deque[Receipt] = field(default_factory=lambda: deque[Receipt](maxlen=_RECEIPTS))
    """The newest last."""
    outcomes: Outcomes = field(default_factory=Outcomes)
    tally: Tally = field(default_factory=Tally)
    typing: Typing = field(default_factory=Typing)
    idle: Idle = field(default_factory=Idle)
    last_sent: Window | None = None
    """What the endpoint was given to read last."""
    _made_with: object = None
    _ahead: Flight | None = None
    _flights: dict[RelPath, Flight] = field(default_factory=dict[RelPath, Flight])
    _turns: dict[RelPath, Turn] = field(default_factory=dict[RelPath, Turn])
    _left: dict[Flight, asyncio.TimerHandle] = field(default_factory=dict[Flight, "asyncio.TimerHandle"])

    # -- what they are made with -------------------------------------------------------------------------

    def use(self, means: Means) -> None:
        """Completions are made with these from now on; what was made with others is forgotten."""
        made_with = (means.endpoint, means.gate.fingerprint, means.settings)
        if self._made_with is not None and made_with != self._made_with:
            self.forget()
        self._made_with = made_with

    def forget(self) -> None:
        """Forget what was said and what was sent, and end what is under way."""
        self.idle.end()
        for turn in self._turns.values():
            turn.end()
        for flight in self._under_way():
            self._abort(flight)
        self.answers.clear()
        self.frames = Frames(counts=self.frames.counts)
        self.windows = Windows()
        self.pace = Pace()
        self.last_sent = None

    def closed(self, path: RelPath) -> None:
        """A document was closed, or opened anew: what is in it may be another text."""
        self.idle.end()
        if (turn := self._turns.get(path)) is not None:
            turn.end()
        for flight in self._under_way():
            if flight.place.path == path:
                self._abort(flight)
        self.answers.forget(path)
        self.windows.forget(path)
        self.diagnostics.forget(path)
        self.tally.closed(path)

    # -- the latest request of a file wins ---------------------------------------------------------------

    def turn(self, path: RelPath) -> Turn:
        """The turn of a new request; the one before it for the same file is over."""
        if (older := self._turns.get(path)) is not None:
            older.end()
        turn = self._turns[path] = Turn()
        return turn

    def answered(self, path: RelPath, turn: Turn) -> None:
        """The request has been answered."""
        if self._turns.get(path) is turn:
            del self._turns[path]

    # -- flights ----------------------------------------------------------------------------------------

    def flight(self, place: Place) -> Flight | None:
        """The request under way that answers a place, taken over; any other of the file is aborted."""
        flight = self._flights.get(place.path)
        if flight is None:
            return self._arrived(place)
        if (handle := self._left.pop(flight, None)) is not None:
            handle.cancel()
        if flight.landed is None and flight.answers(place):
            return flight
        self._abort(flight)
        return self._arrived(place)

    def _arrived(self, place: Place) -> Flight | None:
        """The request fetched ahead, when somebody has come to its place."""
        flight, self._ahead = self._ahead, None
        if flight is None or flight.landed is not None:
            return None
        if not flight.answers(place):
            self._abort(flight)
            return None
        self._flights[place.path] = flight
        return flight

    def is_fetching(self, place: Place) -> bool:
        """Whether what is fetched ahead is for this place."""
        return self._ahead is not None and self._ahead.landed is None and self._ahead.answers(place)

    def go_ahead(self, flight: Flight) -> None:
        """From now on this is what is fetched ahead; everything that somebody asks for comes before it."""
        if self._ahead is not None:
            self._abort(self._ahead)
        self._ahead = flight

    @property
    def flights(self) -> Collection[Flight]:
        """The requests under way."""
        return self._flights.values()

    def take_off(self, flight: Flight) -> None:
        """From now on this is the request of its file."""
        if (older := self._flights.get(flight.place.path)) is not None:
            self._abort(older)
        self._flights[flight.place.path] = flight

    def landed(self, flight: Flight) -> None:
        if self._flights.get(flight.place.path) is flight:
            del self._flights[flight.place.path]
        if self._ahead is flight:
            self._ahead = None
        if (handle := self._left.pop(flight, None)) is not None:
            handle.cancel()

    def drop(self, flight: Flight) -> None:
        """It is of no use for the place that is asked about now."""
        if flight.landed is None:
            self._abort(flight)

    def left(self, flight: Flight) -> None:
        """Whoever waited for it has gone. Typing makes clients go and ask again: that moment it is kept."""
        if flight.landed is not None:
            return
        if not flight.typed:
            self._abort(flight)
        elif flight not in self._left:
            self._left[flight] = asyncio.get_running_loop().call_later(GRACE, self._abort, flight)

    def _abort(self, flight: Flight) -> None:
        flight.abort()
        self.landed(flight)

    def changed(self, path: RelPath, before: str, edits: Sequence[TextEdit]) -> None:
        """A document changed: `edits` are places in the text `before`. A flight that it refutes ends now."""
        self.idle.end()
        flight = self._flights.get(path)  # whatever is here has not landed
        for edit in edits:
            self.answers.declarations.changed(path, before, edit)
            self.tally.changed(path, before, edit)
            self.typing.changed(path, edit, monotonic())
            refuted = flight is not None and not flight.changed(edit.span.start, edit.span.end, edit.text)
            if flight is not None and refuted:
                self._abort(flight)
                flight = None

    def _under_way(self) -> list[Flight]:
        return [*self._flights.values(), *([self._ahead] if self._ahead is not None else [])]

    async def aclose(self) -> None:
        """Abort what is under way."""
        self.tally.close()
        tasks = [task for flight in self._under_way() if (task := flight.task) is not None]
        if self.idle.task is not None:
            tasks.append(self.idle.task)
        self.forget()
        await asyncio.gather(*tasks, return_exceptions=True)
