"""Identifiers around a cursor, from text alone."""

from __future__ import annotations

from qwen_lsp.context.names import identifiers, near, receiver_types


def test_nearer_names_weigh_more_and_words_of_the_language_nothing() -> None:
    text = "far = 1\n\n\n\n\n\n\nclose.call(here)\n"
    found = near(text, len(text) - 1)
    assert found["close"].weight > found["far"].weight
    assert found["call"].dotted
    assert found["call"].called
    assert found["call"].receiver == "close"
    assert not found["here"].dotted
    assert near("return self\n", 0) == {}
    assert list(near("pla net", 2)) == ["pl", "net"], "what is behind the cursor in a word is not a name"


def test_types_of_receivers() -> None:
    text = "a = pkg.Foo(1)\nlet b: Bar = x;\nself.c = await Baz(2)\nconst d = new n.Qux()\ndef f(e: 'L8')\n"
    assert receiver_types(text) == {"a": "Foo", "b": "Bar", "c": "Baz", "d": "Qux", "e": "L8"}


def test_identifiers_in_order_each_once() -> None:
    assert identifiers("class A(B, C[D], B): pass") == ["A", "B", "C", "D"]
