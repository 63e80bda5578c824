"""One completion, from the place to what is shown."""

from __future__ import annotations

import asyncio
import contextlib
import fnmatch
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass

from qwen_lsp.context.visits import Visit
from qwen_lsp.errors import EndpointError, EndpointTimeout
from qwen_lsp.features.complete.cache import CompletionCache, Source
from qwen_lsp.features.complete.cleaning import clean
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.stopping import end_of
from qwen_lsp.features.complete.window import window
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import FimRequest
from qwen_lsp.predict.predictor import Predictor
from qwen_lsp.settings import CompletionSettings
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

_AROUND = 4_000
"""Characters on each side of the cursor that the embedded predictor looks at."""


@dataclass(frozen=True, slots=True)
class Completion:
    """Text to put in place of `span` (empty: an insertion), and where it came from."""

    text: str
    span: Span
    source: Source
    problem: str = ""
    """Why the endpoint did not answer, when the embedded default did instead."""


async def complete(
    snapshot: Snapshot,
    path: RelPath,
    offset: int,
    *,
    endpoint: Endpoint | None,
    predictor: Predictor | None,
    gate: Gate,
    settings: CompletionSettings,
    count: Callable[[str], int],
    cache: CompletionCache,
    invoked: bool = False,
    visits: Sequence[Visit] = (),
    failed: Callable[[str], None] = lambda problem: None,
) -> Completion | None:
    """What belongs at `offset`, or None when there is nothing worth showing.

    A known answer costs no request. A newer call for the same file ends this one, which then gives None.
    Raises nothing for a failing endpoint: `failed` is told, and the embedded default answers if it can.
    """
    language = snapshot.language(path)
    if not wanted(path, language.id if language else "", settings, invoked=invoked):
        return None
    place = Place(path, snapshot.text(path), offset, language)
    if place.in_word:
        return None
    if known := cache.find(place):
        text, _ = known
        return _shown(place, text, "cache")

    async def work() -> Completion | None:
        problem = ""
        if endpoint is not None:
            if not invoked:
                await asyncio.sleep(settings.debounce_ms / 1000)
            try:
                asked = await asyncio.to_thread(
                    window, snapshot, place, budget=settings.budget_tokens, max_tokens=settings.max_tokens,
                    count=count, gate=gate, visits=visits,
                )  # fmt: skip
                if asked is None:
                    return None
                text = await _ask(endpoint, asked.request, place, settings.first_token_timeout)
                cache.add(place, text, "model") if text else None
                return _shown(place, text, "model")
            except EndpointError as error:
                problem = str(error)
                failed(problem)
        return _embedded(place, predictor, problem) if settings.embedded else None

    return await cache.latest(path, work)


def wanted(path: RelPath, language: str, settings: CompletionSettings, *, invoked: bool) -> bool:
    """Whether the settings let a completion be offered here at all."""
    if not settings.enabled or (settings.trigger == "manual" and not invoked):
        return False
    return language not in settings.disabled_languages and not any(
        fnmatch.fnmatch(path, glob) for glob in settings.disabled_globs
    )


async def _ask(endpoint: Endpoint, request: FimRequest, place: Place, first_token: float) -> str:
    """Stream an answer, stop the model where it has said enough, and clean what it said."""
    said = ""
    # Closing the stream closes the socket, which is what stops the model.
    stream = endpoint.complete(request)
    async with contextlib.aclosing(stream):
        async for piece in _timely(stream, first_token):
            said += piece
            if (end := end_of(said, place)) is not None:
                return clean(said[:end], place)
    end = end_of(said + "\n", place, finished=True)
    return clean(said if end is None else said[:end], place)


async def _timely(stream: AsyncIterator[str], first_token: float) -> AsyncIterator[str]:
    """The pieces of a stream. Raises EndpointTimeout when the first one takes too long."""
    try:
        async with asyncio.timeout(first_token):
            first = await anext(stream, None)
    except TimeoutError:
        raise EndpointTimeout(f"the endpoint gave no token within {first_token:g} s") from None
    if first is not None:
        yield first
        async for piece in stream:
            yield piece


def _embedded(place: Place, predictor: Predictor | None, problem: str) -> Completion | None:
    if predictor is None or not place.whole_line_ahead:
        return None
    before = place.text[max(0, place.offset - _AROUND) : place.offset]
    after = place.text[place.offset : place.offset + _AROUND]
    guess = predictor.suggest(place.path, before, after)
    return _shown(place, clean(guess.text, place), "embedded", problem) if guess else None


def _shown(place: Place, text: str, source: Source, problem: str = "") -> Completion | None:
    return Completion(text, Span(place.offset, place.offset), source, problem) if text else None
