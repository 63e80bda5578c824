"""Known answers: what finds them again, and what must not."""

from __future__ import annotations

import pytest

from qwen_lsp.features.complete.cache import Answers
from qwen_lsp.features.complete.place import Place
from qwen_lsp.text.edits import TextEdit, diff
from qwen_lsp.text.positions import Span
from tests.features.complete.places import place
from tests.support.fixture import workspace

NOTHING = workspace("#- a.py\n")


def answers(text: str, said: str, *, reach: tuple[int, int] = (4_000, 1_000), holds: bool = True) -> Answers:
    """What is known once `said` was answered at the cursor of `text`."""
    known = Answers()
    known.add(place(text), said, reach, lambda _: holds)
    return known


def left(known: Answers, text: str) -> str | None:
    found = known.find(place(text), NOTHING.snapshot)
    return None if found is None else found.text


def edited(known: Answers, before: str, after: str) -> None:
    """Somebody changed the file from one text to the other."""
    old, new = (text.replace("<CURSOR>", "") for text in (before, after))
    for edit in reversed(diff(old, new)):
        known.declarations.changed(place("<CURSOR>").path, old, edit)


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("x = <CURSOR>\n", "foo(1)"),
        ("x = f<CURSOR>\n", "oo(1)"),
        ("x = foo(<CURSOR>\n", "1)"),
        ("x = b<CURSOR>\n", None),
        ("x = foo(1)<CURSOR>\n", None),
        ("y = <CURSOR>\n", None),
        ("x = <CURSOR>\nchanged = 1\n", None),
        ("x = foo(<CURSOR>)\n", "1"),
        ("x = foo(1<CURSOR>)\n", ""),
        ("x = foo(<CURSOR>, 2)\n", None),
        ("x = <CURSOR>)\n", None),
        # Taking back what stood before it suggests it again.
        ("x =<CURSOR>\n", " foo(1)"),
        ("x<CURSOR>\n", " = foo(1)"),
        ("<CURSOR>\n", "x = foo(1)"),
        ("y<CURSOR>\n", None),
    ],
)
def test_typing_along_and_back(text: str, rest: str | None) -> None:
    assert left(answers("x = <CURSOR>\n", "foo(1)"), text) == rest


def test_an_answer_that_was_nothing_is_known_too() -> None:
    known = answers("x = <CURSOR>\n", "")
    assert left(known, "x = <CURSOR>\n") == ""
    assert left(known, "x = f<CURSOR>\n") is None
    assert left(known, "x =<CURSOR>\n") is None


def test_the_newest_answer_is_found() -> None:
    known = answers("x = <CURSOR>\n", "old()")
    known.add(place("x = <CURSOR>\n"), "new()", (100, 100), lambda _: True)
    assert left(known, "x = <CURSOR>\n") == "new()"
    assert left(known, "x = o<CURSOR>\n") == "ld()"


def test_lines_are_accepted_one_by_one() -> None:
    known = answers("def f():<CURSOR>\n", "\n    a = 1\n    return a")
    assert left(known, "def f():\n    a = 1<CURSOR>\n") == "\n    return a"
    assert left(known, "def f():\n    a = 1\n    <CURSOR>\n") == "return a"
    assert left(known, "def f():\n    a = 2\n    <CURSOR>\n") is None


def test_typing_along_over_windows_line_endings() -> None:
    known = answers("if a:<CURSOR>\r\n", "\r\n    b()\r\n    c()")
    assert left(known, "if a:\r\n    b(<CURSOR>\r\n") == ")\r\n    c()"


def test_an_answer_at_the_end_of_a_file_is_not_one_before_more() -> None:
    known = answers("x = <CURSOR>", "1")
    assert left(known, "x = <CURSOR>") == "1"
    assert left(known, "x = <CURSOR>\ny = 2\n") is None


def test_another_file_knows_nothing() -> None:
    known = answers("x = <CURSOR>\n", "1")
    assert known.find(place("x = <CURSOR>\n", "b.py"), NOTHING.snapshot) is None


def test_lines_far_above_move_a_place_without_a_harm() -> None:
    above = "".join(f"print({n})\n" for n in range(300))
    known = answers(f"{above}x = <CURSOR>\n", "foo(1)", reach=(500, 100))
    moved = f"print('new')\n{above}x = f<CURSOR>\n"
    edited(known, f"{above}x = \n", f"print('new')\n{above}x = \n")
    assert left(known, moved) == "oo(1)"


def test_what_the_prompt_held_above_must_be_the_same() -> None:
    above = "a = 1\n" + "".join(f"print({n})\n" for n in range(30))
    known = answers(f"{above}x = <CURSOR>\n", "foo(1)")
    assert left(known, above.replace("a = 1", "a = 2") + "x = <CURSOR>\n") is None


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("def area(r):", "def area(r, unit):"),
        ("class Shape:", "class Form:"),
        ("    self.size = 1", "    self.size = 'big'"),
        ("import shapes", "import forms"),
        ("type Area = number", "type Area = string"),
        ("func Area(r int) int {", "func Area(r, s int) int {"),
        ("int area(int r) {", "int area(long r) {"),
        ("pub fn area(r: f64) -> f64 {", "pub fn area(r: f32) -> f64 {"),
        ("LIMIT = 3", "LIMIT = 4"),
    ],
)
def test_a_declaration_far_above_that_changed(old: str, new: str) -> None:
    """It was in no prompt, but who changes it wants to be asked anew; taken back, all is as before."""
    far = "".join(f"print({n})\n" for n in range(300))
    before, after = f"{old}\n{far}x = <CURSOR>\n", f"{new}\n{far}x = <CURSOR>\n"
    known = answers(before, "area(1)", reach=(500, 100))
    edited(known, before, after)
    assert left(known, after) is None
    edited(known, after, before)
    assert left(known, before) == "area(1)"


def test_declarations_that_are_typed_along_change_nothing() -> None:
    known = answers("class A:\n    <CURSOR>\n", "def f(self):\n        self.a = 1\n        return 2")
    text = "class A:\n    \n"
    for typed in ("def f(self):", "\n        self.a = 1", "\n        retu"):
        at = len(text) - 1
        edit = TextEdit(Span(at, at), typed)
        known.declarations.changed(place("<CURSOR>").path, text, edit)
        text = text[:at] + typed + text[at:]
    asked = Place(place("<CURSOR>").path, text, len(text) - 1)
    found = known.find(asked, NOTHING.snapshot)
    assert found is not None
    assert found.text == "rn 2"


def test_other_files_that_changed() -> None:
    assert left(answers("x = <CURSOR>\n", "1", holds=False), "x = <CURSOR>\n") is None


def test_only_so_many_answers_are_kept() -> None:
    known = Answers()
    for n in range(500):
        known.add(place(f"x{n} = <CURSOR>\n", f"m{n % 60}.py"), "1", (100, 100), lambda _: True)
    kept = [
        n for n in range(500) if known.find(place(f"x{n} = <CURSOR>\n", f"m{n % 60}.py"), NOTHING.snapshot)
    ]
    assert len(kept) < 500
    assert kept[-1] == 499
