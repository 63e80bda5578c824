"""Flight: one request to the endpoint, from the first byte sent to the answer, kept while typing agrees.

It belongs to a place, not to whoever asked: an editor asks anew after each key, and what it asks is answered
by the request that is on its way as long as the typed text is what the model says.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from time import perf_counter

from qwen_lsp.errors import QwenLspError
from qwen_lsp.features.complete.cleaning import clean
from qwen_lsp.features.complete.closing import SIGNS, closed_behind
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.receipt import Receipt
from qwen_lsp.features.complete.stopping import end_of
from qwen_lsp.features.complete.turn import Turn
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import FimRequest

log = logging.getLogger(__name__)

_ANCHOR = 64
_BEHIND = 256


@dataclass(slots=True)
class Landed:
    """How a flight ended. `text` is clean, and empty when nothing worth showing was said."""

    text: str = ""
    raw: str = ""
    ended: str = ""
    """Why no more was read."""
    removed: tuple[str, ...] = ()
    problem: str = ""
    """Why the endpoint gave no answer."""
    first: float = 0.0
    """Seconds to the first text."""
    seconds: float = 0.0
    complete: bool = False
    """Whether it is all that the model had to say; else it was broken off."""


@dataclass(eq=False)
class Flight:
    """A request under way. All methods are called on the event loop."""

    place: Place
    said: str = ""
    typed: str = ""
    """What was typed since, as far as it is known."""
    landed: Landed | None = None
    receipt: Receipt | None = None
    waiter: Turn | None = None
    """Whoever asked last."""
    task: asyncio.Task[None] | None = None
    began: float = field(default_factory=perf_counter)

    def begin(
        self, endpoint: Endpoint, request: FimRequest, landed: Callable[[Flight, Landed], None]
    ) -> None:
        """Send the request; `landed` is called when there is an answer, or none to come."""

        async def fly() -> None:
            try:
                self.landed = await self._fly(endpoint, request)
            except QwenLspError as error:
                self.landed = Landed(problem=str(error))
            except Exception:
                log.exception("a completion failed")
                self.landed = Landed(problem="internal error; the log says more")
            try:
                landed(self, self.landed)
            finally:  # nobody waits for ever, whatever went wrong
                self.tell()

        self.task = asyncio.get_running_loop().create_task(fly(), name="completion")

    async def _fly(self, endpoint: Endpoint, request: FimRequest) -> Landed:
        """Stream an answer, stop the model where it has said enough, and clean what it said."""
        first = 0.0
        # Closing the stream closes the socket, which is what stops the model.
        async with contextlib.aclosing(endpoint.complete(request)) as stream:
            async for piece in stream:
                first = first or perf_counter() - self.began
                self.said += piece
                if (end := end_of(self.said, self.place)) is not None:
                    return self._answer(end.at, end.why, first)
                if self.typed and not self.agrees(self.typed):
                    return Landed(raw=self.said, ended="something else was typed", first=first)
        end = end_of(self.said + "\n", self.place, finished=True)
        if end is None:
            return self._answer(len(self.said), "the model was done", first)
        return self._answer(end.at, end.why, first)

    def _answer(self, at: int, why: str, first: float) -> Landed:
        found = clean(self.said[:at], self.place)
        seconds = perf_counter() - self.began
        return Landed(found.text, self.said, why, found.removed, first=first, seconds=seconds, complete=True)

    # -- what is typed meanwhile -------------------------------------------------------------------------

    def answers(self, place: Place) -> bool:
        """Whether this is the request for a place: for the same text, but for what was typed along."""
        origin, typed = self.place, place.offset - self.place.offset
        if typed < 0 or place.path != origin.path:
            return False
        said = place.text[origin.offset : place.offset]
        start = max(0, origin.offset - _ANCHOR)
        if place.text[start : origin.offset] != origin.text[start : origin.offset]:
            return False
        behind = origin.text[origin.offset : origin.offset + _BEHIND]
        closed = closed_behind(place.text, place.offset, typed, lambda at: place.text.startswith(behind, at))
        return closed is not None and self.agrees(said)

    def agrees(self, typed: str) -> bool:
        """Whether what was typed is what the model says, as far as it has said anything."""
        self.typed = typed
        if _is_beginning(typed, self.said):
            return True
        # What is shown may differ from what was said by its beginning: blanks, or the line so far.
        return _is_beginning(typed, clean(self.said, self.place).text)

    def changed(self, start: int, end: int, text: str) -> bool:
        """Take note of an edit of the document; whether the flight can still be of use."""
        origin = self.place.offset
        if start < origin or end > origin + len(self.typed):
            return False
        typed = self.typed[: start - origin] + text + self.typed[end - origin :]
        return self.agrees(typed) or self.agrees(typed.rstrip(SIGNS))

    # -- its end -----------------------------------------------------------------------------------------

    def tell(self) -> None:
        """Whoever waits is told that it has landed."""
        if self.waiter is not None:
            self.waiter.wake()

    def abort(self) -> None:
        """Close the connection; whoever waits is told that there is no answer."""
        if self.task is not None and not self.task.done():
            self.task.cancel()
        if self.landed is None:
            self.landed = Landed(ended="aborted")
        self.tell()


def _is_beginning(typed: str, said: str) -> bool:
    return said.startswith(typed) or typed.startswith(said)
