"""Known answers, and the rule that the latest request wins."""

from __future__ import annotations

import asyncio

import pytest

from qwen_lsp.features.complete.cache import CompletionCache
from qwen_lsp.workspace.paths import RelPath
from tests.features.complete.places import place

A = RelPath("a.py")


@pytest.fixture
def cache() -> CompletionCache:
    cache = CompletionCache()
    cache.add(place("x = <CURSOR>\n"), "foo(1)", "model")
    return cache


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("x = <CURSOR>\n", "foo(1)"),
        ("x = f<CURSOR>\n", "oo(1)"),
        ("x = foo(<CURSOR>\n", "1)"),
        ("x = b<CURSOR>\n", None),
        ("x = foo(1)<CURSOR>\n", None),
        ("y = <CURSOR>\n", None),
        ("x = <CURSOR>\nchanged = 1\n", None),
        ("x =<CURSOR>\n", None),
        ("x = foo(<CURSOR>)\n", "1"),
        ("x = foo(1<CURSOR>)\n", None),
        ("x = foo(<CURSOR>, 2)\n", None),
        ("x = <CURSOR>)\n", None),
    ],
)
def test_typing_along_finds_the_rest(cache: CompletionCache, text: str, left: str | None) -> None:
    found = cache.find(place(text))
    assert (found and found[0]) == left


def test_typing_along_over_windows_line_endings() -> None:
    cache = CompletionCache()
    cache.add(place("if a:<CURSOR>\r\n"), "\r\n    b()\r\n    c()", "model")
    assert cache.find(place("if a:\r\n    b(<CURSOR>\r\n")) == (")\r\n    c()", "model")


def test_an_answer_at_the_end_of_a_file_is_not_one_before_more() -> None:
    cache = CompletionCache()
    cache.add(place("x = <CURSOR>"), "1", "model")
    assert cache.find(place("x = <CURSOR>")) == ("1", "model")
    assert cache.find(place("x = <CURSOR>\ny = 2\n")) is None


def test_another_file_knows_nothing(cache: CompletionCache) -> None:
    assert cache.find(place("x = <CURSOR>\n", "b.py")) is None


async def test_a_newer_request_takes_the_place_of_an_older_one() -> None:
    cache = CompletionCache()
    began, closed = asyncio.Event(), asyncio.Event()

    async def slow() -> str:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            closed.set()
        return "never"

    async def quick() -> str:
        return "now"

    older = asyncio.create_task(cache.latest(A, slow))
    await began.wait()
    assert await cache.latest(A, quick) == "now"
    assert await older is None
    assert closed.is_set()


async def test_requests_of_two_files_do_not_meet() -> None:
    cache = CompletionCache()
    go = asyncio.Event()

    async def waiting() -> str:
        await go.wait()
        return "first"

    async def quick() -> str:
        go.set()
        return "second"

    first = asyncio.create_task(cache.latest(A, waiting))
    await asyncio.sleep(0)
    assert await cache.latest(RelPath("b.py"), quick) == "second"
    assert await first == "first"


async def test_cancelling_the_caller_cancels_the_work() -> None:
    cache = CompletionCache()
    began, closed = asyncio.Event(), asyncio.Event()

    async def slow() -> None:
        began.set()
        try:
            await asyncio.Event().wait()
        finally:
            closed.set()

    caller = asyncio.create_task(cache.latest(A, slow))
    await began.wait()
    caller.cancel()
    with pytest.raises(asyncio.CancelledError):
        await caller
    assert closed.is_set()


async def test_an_error_reaches_the_caller() -> None:
    async def broken() -> None:
        raise ValueError("as it is")

    with pytest.raises(ValueError, match="as it is"):
        await CompletionCache().latest(A, broken)
