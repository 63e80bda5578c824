"""One completion, from the place to what is shown."""

from __future__ import annotations

import asyncio
import fnmatch
from dataclasses import dataclass, replace
from time import perf_counter

from qwen_lsp.features.complete.ahead import IDLE, READING, allowed, fetch_ahead, warm_up
from qwen_lsp.features.complete.cache import Known
from qwen_lsp.features.complete.cleaning import clean
from qwen_lsp.features.complete.flight import Flight, Landed
from qwen_lsp.features.complete.frame import Frame
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.prompt import Spot, frame_of, window_of
from qwen_lsp.features.complete.receipt import PromptPart, Receipt, Source
from qwen_lsp.features.complete.state import Completions
from qwen_lsp.features.complete.turn import Turn
from qwen_lsp.features.complete.window import Window
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.settings import CompletionSettings
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

_AROUND = 4_000
"""Characters on each side of the cursor that the embedded predictor looks at."""
_RANKING_INVOKED = 1.0
"""Seconds that a request which somebody asked for waits for other files: it should be good before all."""
_PATIENCE = 2.0
"""Times the usual latency, after which a request that has said nothing is not worth waiting for."""
_PATIENCE_AT_FIRST = 0.25  # seconds, while nothing is known of the endpoint


@dataclass(frozen=True, slots=True)
class Completion:
    """Text to put in place of `span` (empty: an insertion), and where it came from."""

    text: str
    span: Span
    source: Source
    problem: str = ""
    """Why the endpoint did not answer, when the embedded default did instead."""


async def complete(
    snapshot: Snapshot, path: RelPath, offset: int, means: Means, state: Completions, *, invoked: bool = False
) -> Completion | None:
    """What belongs at `offset`, or None when there is nothing worth showing.

    A known answer costs no request. A newer call for the same file ends this one, which then gives None.
    Raises nothing for a failing endpoint: `means.failed` is told, and the embedded default answers if it can.
    """
    language = snapshot.language(path)
    if not wanted(path, language.id if language else "", means.settings, invoked=invoked):
        return None
    place = Place(path, snapshot.text(path), offset, language)
    if place.in_word:
        return None
    asked = _Asked(Spot(snapshot, place), means, state, asyncio.get_running_loop().time(), perf_counter())
    state.pace.key(asked.at)
    state.idle.end()
    turn = state.turn(path)
    try:
        if known := state.answers.find(place, snapshot):
            return asked.again(known)
        if means.endpoint is None:
            return asked.embedded("")
        return await asked.answer(means.endpoint, turn, invoked=invoked)
    finally:
        state.answered(path, turn)


def wanted(path: RelPath, language: str, settings: CompletionSettings, *, invoked: bool) -> bool:
    """Whether the settings let a completion be offered here at all."""
    if not settings.enabled or (settings.trigger == "manual" and not invoked):
        return False
    return language not in settings.disabled_languages and not any(
        fnmatch.fnmatch(path, glob) for glob in settings.disabled_globs
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: what it is about, and the steps of answering it."""

    spot: Spot
    means: Means
    state: Completions
    at: float
    """When it came, on the clock of the event loop."""
    began: float

    @property
    def place(self) -> Place:
        return self.spot.place

    async def answer(self, endpoint: Endpoint, turn: Turn, *, invoked: bool) -> Completion | None:
        """By the request that is under way, if what was typed agrees with it; else by one of its own."""
        state, place, settings = self.state, self.place, self.means.settings
        if (flight := state.flight(place)) is not None:
            await self._follow(flight, turn, self._patience(flight))
            if turn.over:
                return None
            if flight.landed is not None and flight.landed.problem:
                return self.embedded(flight.landed.problem)
            if known := state.answers.find(place, self.spot.snapshot):
                return self.again(known)
            state.drop(flight)
        if not invoked:
            passed = asyncio.get_running_loop().time() - self.at
            if (wait := state.pace.wait(settings.debounce_ms / 1000) - passed) > 0:
                await turn.wait(wait)
        waited = perf_counter()
        if turn.over:
            return None
        deadline = max(settings.ranking_ms / 1000, _RANKING_INVOKED if invoked else 0.0)
        frame = await frame_of(self.spot, self.means, state.frames, deadline)
        ranked = perf_counter()
        if (
            turn.over
            or (window := window_of(self.spot, self.means, state.windows, frame, state.diagnostics)) is None
        ):
            return None
        flight = Flight(place)
        state.sent(window)
        state.take_off(flight)
        stages = (
            ("waited", (waited - self.began) * 1_000),
            ("context", (ranked - waited) * 1_000),
            ("prompt", (perf_counter() - ranked) * 1_000),
        )

        def landed(flight: Flight, landed: Landed) -> None:
            state.landed(flight)
            if landed.complete:
                flight.receipt = self._receipt_of(endpoint, frame, window, landed, stages)
                state.pace.answered(landed.seconds)
                state.answers.add(place, landed.text, window.reach, frame.holds, flight.receipt)

        flight.begin(endpoint, window.request, landed)
        await self._follow(flight, turn, None)
        if turn.over or flight.landed is None:
            return None
        if flight.landed.problem:
            self.means.failed(flight.landed.problem)
            return self.embedded(flight.landed.problem)
        return self._shown(flight.landed.text, "model", flight.receipt)

    async def _follow(self, flight: Flight, turn: Turn, seconds: float | None) -> None:
        """Wait until a flight has landed, or a newer request took over."""
        flight.waiter = turn
        try:
            if flight.landed is None:
                await turn.wait(seconds)
        except asyncio.CancelledError:
            self.state.left(flight)
            raise

    def _patience(self, flight: Flight) -> float | None:
        """How long a request under way that has said nothing yet is worth waiting for."""
        usual = self.state.pace.latency
        if flight.said:
            return None
        if usual is None:
            return _PATIENCE_AT_FIRST
        return max(0.0, _PATIENCE * usual - (perf_counter() - flight.began))

    def _receipt_of(
        self, endpoint: Endpoint, frame: Frame, window: Window, landed: Landed, stages: Stages
    ) -> Receipt:
        stages = (*stages, ("first text", landed.first * 1_000), ("answer", landed.seconds * 1_000))
        return replace(
            self._receipt("model"),
            text=landed.text,
            model=endpoint.model,
            host=endpoint.host,
            route=endpoint.route or "",
            tokens=window.tokens,
            parts=_parts(self.place, frame, window),
            withheld=(*frame.withheld, *window.withheld),
            raw=landed.raw,
            ended=landed.ended,
            removed=landed.removed,
            stages=stages,
        )

    def again(self, known: Known) -> Completion | None:
        """What is left of a known answer."""
        receipt = known.answer.receipt
        if receipt is not None:
            receipt = receipt.shown(known.text, "cache", known.typed, perf_counter() - self.began)
        return self._shown(known.text, "cache", receipt)

    def embedded(self, problem: str) -> Completion | None:
        """What the workspace itself has shown, marked as such."""
        place, predictor = self.place, self.means.predictor
        if predictor is None or not self.means.settings.embedded or not place.whole_line_ahead:
            return None
        before = place.text[max(0, place.offset - _AROUND) : place.offset]
        after = place.text[place.offset : place.offset + _AROUND]
        guess = predictor.suggest(place.path, before, after)
        if guess is None:
            return None
        cleaned = clean(guess.text, place)
        took = (perf_counter() - self.began) * 1_000
        receipt = replace(
            self._receipt("embedded"), text=cleaned.text, raw=guess.text, removed=cleaned.removed,
            problem=problem, confidence=guess.confidence, stages=(("guess", took),),
        )  # fmt: skip
        return self._shown(cleaned.text, "embedded", receipt, problem)

    def _receipt(self, source: Source) -> Receipt:
        return Receipt(self.place.path, self.spot.line, self.place.offset - self.place.line_start, source)

    def _shown(
        self, text: str, source: Source, receipt: Receipt | None, problem: str = ""
    ) -> Completion | None:
        if receipt is not None:
            self.state.receipts.append(receipt)
        self._plan(text)
        at = self.place.offset
        return Completion(text, Span(at, at), source, problem) if text else None

    def _plan(self, text: str) -> None:
        """What is to be done if nobody types for a while."""
        means, state, spot = self.means, self.state, self.spot
        if text and allowed(means.settings.fetch_ahead, means):
            state.idle.after(READING, lambda: fetch_ahead(spot, text, means, state))
        elif allowed(means.settings.warm_up, means):
            state.idle.after(IDLE, lambda: warm_up(spot, means, state))


Stages = tuple[tuple[str, float], ...]


def _parts(place: Place, frame: Frame, window: Window) -> tuple[PromptPart, ...]:
    files = [PromptPart(file.path, file.tokens, file.why) for file in frame.files]
    if window.note is not None:
        files.append(PromptPart(window.note, window.note_tokens, "what is wrong near the cursor"))
    before = PromptPart(place.path, window.before, "the text before the cursor")
    behind = PromptPart(place.path, window.behind, "the text behind the cursor")
    return (*files, before, behind)
