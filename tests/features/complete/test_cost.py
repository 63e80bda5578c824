"""What an answer costs: nothing is parsed for one line, and little is looked at however long the file is."""

from __future__ import annotations

import pytest

from qwen_lsp.features.complete import balance, cleaning, repeats
from qwen_lsp.features.complete.cleaning import clean
from qwen_lsp.features.complete.repeats import kept_of
from qwen_lsp.features.complete.stopping import LONGEST, end_of
from qwen_lsp.syntax.blocks import nesting
from tests.features.complete.places import place

FUNCTION = (
    "def f{0}(a, b):\n    total = a + {0}\n    for item in b:\n        total += item\n    return total\n\n\n"
)


def long_file(middle: str) -> str:
    return "".join(map(FUNCTION.format, range(700))) + middle + "".join(map(FUNCTION.format, range(700)))


@pytest.mark.parametrize(
    ("middle", "said"),
    [
        ("x = <CURSOR>\n", "compute(1)"),
        ("def g(a):\n    print(<CURSOR>)\n", "a)"),
        ("def g(a):\n    <CURSOR>\n    return b\n", "b = a"),
        ("def g(a):\n    b = a <CURSOR> + 1\n", "* 2\n    return b"),
    ],
)
def test_one_line_is_never_parsed(middle: str, said: str) -> None:
    at = place(long_file(middle))
    nesting.cache_clear()
    end = end_of(said, at) or end_of(said + "\n", at, finished=True)
    assert clean(said if end is None else said[: end.at], at).text
    assert nesting.cache_info().misses == 0


def test_a_block_is_parsed_once_for_each_line_that_may_end_it() -> None:
    at = place(long_file("def g(values):<CURSOR>\n"))
    said = "\n    total = 0\n    for value in values:\n        total += value\n    return total\n\nx = 1\n"
    nesting.cache_clear()
    for size in range(len(said) + 1):
        if end_of(said[:size], at) is not None:
            break
    else:
        pytest.fail("it never ends")
    assert nesting.cache_info().misses <= 4


@pytest.mark.parametrize("middle", ["<CURSOR>\n", "def g(a):\n    <CURSOR>\n", "\n\n\nx = [<CURSOR>]\n"])
def test_the_code_that_is_parsed_is_short(middle: str) -> None:
    at = place(long_file(middle))
    assert len(at.text) > 100_000
    assert len(at.head) < 3_100
    assert at.text[: at.offset].endswith(at.head)
    assert len(at.near) < 5_000
    assert sum(map(len, at.lines_below)) < 2_100


def test_a_line_without_an_end_is_looked_at_in_part() -> None:
    at = place("x" * 50_000 + "\n" + "y = <CURSOR>\n" + "z" * 50_000 + "\n")
    assert at.head.endswith("y = ")
    assert clean("1", at).text == "1"


def test_an_answer_without_an_end_is_read_in_part() -> None:
    at = place("def f(a):\n    x = <CURSOR>\n")
    for said in ("1 + " * 9_000, "".join(f"call({n}, a)\n    " for n in range(3_000))):
        end = end_of(said, at)
        assert end is not None
        assert end.at <= LONGEST


@pytest.mark.parametrize("said", ["(" * 4_000, "()" * 2_000, "a" * 4_000])
def test_a_long_line_before_others_is_scanned_a_few_times(said: str, monkeypatch: pytest.MonkeyPatch) -> None:
    at = place("x = foo(<CURSOR>bar, baz)\n")
    scanned = 0

    def scan(code: str, ordinary: int, mark: int) -> object:
        nonlocal scanned
        scanned += len(code)
        return scan_once(code, ordinary, mark)

    scan_once = balance._scan  # pyright: ignore[reportPrivateUsage]
    monkeypatch.setattr(balance, "_scan", scan)
    clean(said, at)
    assert scanned < 40 * len(said)


def test_a_model_that_goes_on_closing_is_not_parsed_again_for_every_bracket() -> None:
    at = place("int main(void) {\n<CURSOR>\n", "a.c")
    for said, most in (("}\n", 10), ("end\n", 210)):
        nesting.cache_clear()
        end_of(said * 1_000, at)
        assert nesting.cache_info().misses <= most


def test_circles_are_looked_for_in_a_few_lines_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[int] = []

    def looked_at(said: list[str]) -> int | None:
        read.append(len(said))
        return kept_of(said)

    monkeypatch.setattr(cleaning, "kept_of", looked_at)
    assert clean("a = 1\n" + "\n" * 2_000 + "b = 2", place("<CURSOR>\n")).text.endswith("b = 2")
    assert max(read) <= repeats.LONGEST
