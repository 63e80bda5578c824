"""The words that names are made of, and what a place is about."""

from __future__ import annotations

import pytest

from qwen_lsp.context.names import Near, near
from qwen_lsp.context.words import Subject, words_of


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("parseHTTPHeader", ("parse", "http", "header")),
        ("parse_http_header", ("parse", "http", "header")),
        ("PARSE_HTTP", ("parse", "http")),
        ("get_x2", ()),
        ("setNewName", ("name",)),
        ("größe_max", ("max",)),
        ("", ()),
    ],
)
def test_words(name: str, expected: tuple[str, ...]) -> None:
    assert words_of(name) == expected


def test_likeness_grows_with_the_words_shared_and_with_nearness() -> None:
    text = "schedule = read_schedule()\n\n\n\n\n\n\ndef crontab_delay():\n"
    subject = Subject.of(near(text, len(text)).values())
    assert subject.likeness("crontab_delay") > subject.likeness("crontab_parser") > 0
    assert subject.likeness("delay") > subject.likeness("schedule") > 0
    assert subject.likeness("unrelated") == subject.likeness("get") == 0
    assert subject.likeness("crontab_delay") <= 1


def test_the_nearest_and_longest_words_are_searched_for() -> None:
    names = [
        Near(name, weight, 0, dotted=False, called=False)
        for name, weight in (("far_away", 0.1), ("key", 1.0), ("schedule", 1.0))
    ]
    assert Subject.of(names).nearest(2) == ["schedule", "key"]
