"""Answers already known, and the rule that the latest request for a document wins."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Literal, TypeVar

from qwen_lsp.features.complete.cleaning import clean
from qwen_lsp.features.complete.place import Place
from qwen_lsp.workspace.paths import RelPath

Source = Literal["model", "cache", "embedded"]
T = TypeVar("T")

_AROUND = 512
_CLOSED, _CLOSED_BY_EDITORS = 4, ")]}>\"'`"
_PER_FILE = 24
_FILES = 64


@dataclass(frozen=True, slots=True)
class _Answer:
    before: str
    after: str
    offset: int
    text: str
    source: Source


@dataclass(slots=True)
class CompletionCache:
    """What was answered lately, per file, and which request of a file is the one in flight.

    An answer is found again by the text just before and after the cursor, so a look-up costs the same
    in a small and in a huge file; typing along a suggestion finds the rest of it.
    """

    _answers: dict[RelPath, deque[_Answer]] = field(default_factory=dict[RelPath, deque[_Answer]])
    _running: dict[RelPath, asyncio.Task[object]] = field(
        default_factory=dict[RelPath, "asyncio.Task[object]"]
    )

    def find(self, place: Place) -> tuple[str, Source] | None:
        """What is left of a known answer at this place, and where it came from."""
        for answer in self._answers.get(place.path, ()):
            typed = place.offset - answer.offset
            if not 0 <= typed < len(answer.text):
                continue
            expected = answer.before + answer.text[:typed]
            if place.text.endswith(expected, 0, place.offset) and _same_after(place, answer.after, typed):
                left = answer.text[typed:]
                # Brackets that the editor closed meanwhile are not to be closed again.
                left = left if place.text.startswith(answer.after, place.offset) else clean(left, place)
                return (left, answer.source) if left else None
        return None

    def add(self, place: Place, text: str, source: Source) -> None:
        answers = self._answers.pop(place.path, None) or deque(maxlen=_PER_FILE)
        before = place.text[max(0, place.offset - _AROUND) : place.offset]
        after = place.text[place.offset : place.offset + _AROUND]
        answers.appendleft(_Answer(before, after, place.offset, text, source))
        self._answers[place.path] = answers
        while len(self._answers) > _FILES:
            self._answers.pop(next(iter(self._answers)))

    def clear(self) -> None:
        self._answers.clear()

    async def latest(self, path: RelPath, work: Callable[[], Awaitable[T]]) -> T | None:
        """The result of `work`, or None when a newer request for the same file took its place.

        Cancelling the caller cancels the work, and with it the request to the endpoint.
        """
        if older := self._running.get(path):
            older.cancel()

        async def run() -> T:
            return await work()

        task: asyncio.Task[T] = asyncio.create_task(run())
        self._running[path] = task  # type: ignore[assignment]  # tasks of any result; only ever cancelled
        try:
            done, _ = await asyncio.wait([task])
        except asyncio.CancelledError:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)
            raise
        finally:
            if self._running.get(path) is task:
                del self._running[path]
        return None if done.pop().cancelled() else task.result()


def _same_after(place: Place, after: str, typed: int) -> bool:
    """Whether the text behind the cursor is what it was, but for what an editor closes by itself."""
    for closed in range(min(typed, _CLOSED) + 1):
        at = place.offset + closed
        whole = len(after) == _AROUND or at + len(after) == len(place.text)
        if whole and place.text.startswith(after, at):
            return all(sign in _CLOSED_BY_EDITORS for sign in place.text[place.offset : at])
    return False
