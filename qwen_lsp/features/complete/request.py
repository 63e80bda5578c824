"""One completion, from the place to what is shown."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, replace
from time import perf_counter

from qwen_lsp.features.complete.ahead import IDLE, READING, allowed, fetch_ahead, warm_up
from qwen_lsp.features.complete.cache import Known
from qwen_lsp.features.complete.cleaning import clean
from qwen_lsp.features.complete.flight import Flight, Landed
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.outcome import CANCELLED, NEWER, Outcome, unfinished, without_model
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.prompt import Spot, frame_of, window_of
from qwen_lsp.features.complete.receipt import PromptPart, Receipt, Source
from qwen_lsp.features.complete.state import Completions
from qwen_lsp.features.complete.turn import Turn
from qwen_lsp.features.complete.wanted import why_silent
from qwen_lsp.features.complete.window import Window
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

_AROUND = 4_000
"""Characters on each side of the cursor that the embedded predictor looks at."""
_BEFORE = 200
"""Characters of the line before the cursor by which a secret in an answer is known for one."""
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
    place = Place(path, snapshot.text(path), offset, language)
    spot = Spot(snapshot, place)
    outcome = state.outcomes.begin(path, spot.line)
    state.use(means)
    turn = state.turn(path)
    if why := why_silent(place, means.settings, invoked=invoked):
        state.answered(path, turn)
        return outcome.nothing(why)
    now, since = asyncio.get_running_loop().time(), state.tally.now
    asked = _Asked(spot, means, state, outcome, now, perf_counter(), since)
    state.pace.key(asked.at)
    state.idle.end()
    try:
        if known := state.answers.find(place, snapshot):
            return asked.again(known)
        if means.endpoint is None:
            return asked.embedded("")
        return await asked.answer(means.endpoint, turn, invoked=invoked)
    except asyncio.CancelledError:
        outcome.nothing(CANCELLED)
        raise
    finally:
        state.answered(path, turn)


@dataclass(frozen=True, slots=True)
class _Asked:
    """One request: what it is about, and the steps of answering it."""

    spot: Spot
    means: Means
    state: Completions
    outcome: Outcome
    at: float
    """When it came, on the clock of the event loop."""
    began: float
    since: int
    """The change of the text after which it came."""

    @property
    def place(self) -> Place:
        return self.spot.place

    async def answer(self, endpoint: Endpoint, turn: Turn, *, invoked: bool) -> Completion | None:
        """By the request that is under way, if what was typed agrees with it; else by one of its own."""
        state, place, settings = self.state, self.place, self.means.settings
        if (flight := state.flight(place)) is not None:
            await self._follow(flight, turn, self._patience(flight))
            if flight.said:  # it has begun to speak meanwhile
                await self._follow(flight, turn, None)
            if turn.over:
                return self.outcome.nothing(NEWER)
            if flight.landed is not None and flight.landed.problem:
                self.means.failed(flight.landed.problem)
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
            return self.outcome.nothing(NEWER)
        deadline = max(settings.ranking_ms / 1000, _RANKING_INVOKED if invoked else 0.0)
        frame = await frame_of(self.spot, self.means, state.frames, deadline)
        ranked = perf_counter()
        if turn.over:
            return self.outcome.nothing(NEWER)
        window = window_of(self.spot, self.means, state.windows, frame, state.diagnostics)
        if window is None:
            why = self.means.gate.admits_path(place.path)
            return self.outcome.nothing(f"the file may not be sent: {why}")
        flight = Flight(place)
        state.last_sent = window
        state.take_off(flight)
        stages = (
            ("waited", (waited - self.began) * 1_000),
            ("context", (ranked - waited) * 1_000),
            ("prompt", (perf_counter() - ranked) * 1_000),
        )

        def landed(flight: Flight, landed: Landed) -> None:
            state.landed(flight)
            if landed.complete:
                flight.receipt = self._receipt_of(endpoint, window, landed, stages)
                state.pace.answered(landed.seconds)
                holds = window.frame.contents.hold
                state.answers.add(place, landed.text, window.reach, holds, flight.receipt)

        flight.begin(endpoint, window.request, landed)
        await self._follow(flight, turn, None)
        if turn.over or flight.landed is None:
            return self.outcome.nothing(NEWER)
        if flight.landed.problem:
            self.means.failed(flight.landed.problem)
            return self.embedded(flight.landed.problem)
        if not flight.landed.complete:
            return self.outcome.nothing(unfinished(flight.landed))
        return self._shown(flight.landed.text, "model", flight.receipt)

    async def _follow(self, flight: Flight, turn: Turn, seconds: float | None) -> None:
        """Wait until a flight has landed, or a newer request took over."""
        flight.waiter = turn
        try:
            if flight.landed is None and not turn.over:
                await turn.wait(seconds)
        except asyncio.CancelledError:
            # Clients cancel the older request after they have sent the newer one, which waits for it by then.
            if flight.waiter is turn:
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

    def _receipt_of(self, endpoint: Endpoint, window: Window, landed: Landed, stages: Stages) -> Receipt:
        stages = (*stages, ("first text", landed.first * 1_000), ("answer", landed.seconds * 1_000))
        return replace(
            self._receipt("model"),
            text=landed.text,
            model=endpoint.model,
            host=endpoint.host,
            route=endpoint.route or "",
            tokens=window.tokens,
            parts=_parts(self.place, window),
            withheld=(*window.frame.withheld, *window.withheld),
            raw=landed.raw,
            ended=landed.ended,
            removed=landed.removed,
            stages=stages,
        )

    def again(self, known: Known) -> Completion | None:
        """What is left of a known answer."""
        self.state.tally.requests_avoided += 1
        receipt = (known.answer.receipt or self._ahead(known)).shown(
            known.text, "cache", known.typed, perf_counter() - self.began
        )
        return self._shown(known.text, "cache", receipt, answer=known.answer.receipt)

    def _ahead(self, known: Known) -> Receipt:
        """The receipt of an answer that nobody had asked for when it came."""
        endpoint = self.means.endpoint
        receipt = replace(self._receipt("cache"), ahead=True, raw=known.answer.text)
        return receipt if endpoint is None else replace(receipt, model=endpoint.model, host=endpoint.host)

    def embedded(self, problem: str) -> Completion | None:
        """What the workspace itself has shown, marked as such."""
        place, predictor = self.place, self.means.predictor
        if (why := self._no_guess()) or predictor is None:
            return self.outcome.nothing(without_model(problem, why))
        before = place.text[max(0, place.offset - _AROUND) : place.offset]
        after = place.text[place.offset : place.offset + _AROUND]
        guess = predictor.suggest(place.path, before, after)
        if guess is None:
            return self.outcome.nothing(without_model(problem, "the embedded default was not sure enough"))
        cleaned = clean(guess.text, place)
        took = (perf_counter() - self.began) * 1_000
        receipt = replace(
            self._receipt("embedded"), text=cleaned.text, raw=guess.text, removed=cleaned.removed,
            problem=problem, confidence=guess.confidence, stages=(("guess", took),),
        )  # fmt: skip
        return self._shown(cleaned.text, "embedded", receipt, problem)

    def _no_guess(self) -> str:
        """Why the embedded default is not asked."""
        if not self.means.settings.embedded:
            return "the embedded default is off by `completion.embedded`"
        if self.means.predictor is None:
            return "there is no embedded default for this file"
        return "" if self.place.whole_line_ahead else "the embedded default completes ends of lines only"

    def _receipt(self, source: Source) -> Receipt:
        column = self.place.offset - self.place.line_start
        before = self.place.line_before[-_BEFORE:]
        return Receipt(self.place.path, self.spot.line, column, source, before=before)

    def _shown(
        self, text: str, source: Source, receipt: Receipt | None, problem: str = "",
        *, answer: Receipt | None = None,
    ) -> Completion | None:  # fmt: skip
        if receipt is not None:
            self.state.receipts.append(receipt)
        self._plan(text)
        self.outcome.answered(receipt, text)
        if not text:
            return None
        at, language = self.place.offset, self.place.language
        self.state.tally.shown(
            self.place.path, language.id if language else "", at, text, source,
            answer=answer or receipt, since=self.since,
        )  # fmt: skip
        return Completion(text, Span(at, at), source, problem)

    def _plan(self, text: str) -> None:
        """What is to be done if nobody types for a while."""
        means, state, spot = self.means, self.state, self.spot
        if text and allowed(means.settings.fetch_ahead, means):
            state.idle.after(READING, lambda: fetch_ahead(spot, text, means, state))
        elif allowed(means.settings.warm_up, means):
            state.idle.after(IDLE, lambda: warm_up(spot, means, state))


Stages = tuple[tuple[str, float], ...]


def _parts(place: Place, window: Window) -> tuple[PromptPart, ...]:
    files = [PromptPart(file.path, file.tokens, file.why) for file in window.frame.files]
    if window.note is not None:
        files.append(PromptPart(window.note, window.note_tokens, "what is wrong near the cursor"))
    before = PromptPart(place.path, window.before, "the text before the cursor")
    behind = PromptPart(place.path, window.behind, "the text behind the cursor")
    return (*files, before, behind)
