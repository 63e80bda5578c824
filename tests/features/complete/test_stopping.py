"""Where an answer ends, case by case; and that streaming decides the same as the whole text does."""

from __future__ import annotations

import pytest

from qwen_lsp.features.complete.stopping import end_of
from tests.features.complete.places import place

CASES = {
    "inside a line, one line": ("x = foo(<CURSOR>, 1)", "a\nb\n", "a"),
    "the line goes on": ("x = <CURSOR>", "1 + 2", None),
    "an opened block ends where it dedents": (
        "def f(a):<CURSOR>\n",
        "\n    return a\n\ndef g():\n    pass\n",
        "\n    return a\n",
    ),
    "inside a body, not past the body": (
        "def f(a):\n    <CURSOR>\n",
        "b = a\n    return b\n\nx = f(1)\n",
        "b = a\n    return b\n",
    ),
    "a closing brace belongs to the block that the line opened": (
        "func f() {<CURSOR>\n",
        "\n\treturn 1\n}\n\nfunc g() {\n",
        "\n\treturn 1\n}",
    ),
    "but not when it stands below already": (
        "func f() {<CURSOR>\n}\n",
        "\n\treturn 1\n}\n",
        "\n\treturn 1",
    ),
    "the line below is reached": (
        "a = 1\n<CURSOR>\nresult = compute(a)\n",
        "b = 2\nresult = compute(a)\nmore()\n",
        "b = 2",
    ),
    "the same line three times is kept once": (
        "<CURSOR>\n",
        "one()\nstep(x)\nstep(x)\nstep(x)\nstep(x)\n",
        "one()\nstep(x)",
    ),
    "blank lines and closing brackets may repeat": ("<CURSOR>\n", "{\n}\n}\n}\n", None),
}


@pytest.mark.parametrize(("text", "answer", "kept"), CASES.values(), ids=CASES.keys())
def test_end_of(text: str, answer: str, kept: str | None) -> None:
    end = end_of(answer, place(text))
    assert (None if end is None else answer[:end]) == kept


@pytest.mark.parametrize(("text", "answer", "kept"), CASES.values(), ids=CASES.keys())
def test_deciding_while_it_streams_gives_the_same(text: str, answer: str, kept: str | None) -> None:
    at = place(text)
    ends = [(answer[:size], end_of(answer[:size], at)) for size in range(len(answer) + 1)]
    first = next(((said, end) for said, end in ends if end is not None), None)
    assert (first and first[0][: first[1]]) == kept
