"""What is shown of an answer, in many languages: each case is a complaint that somebody had, made small.

QWEN_LSP_UPDATE=1 rewrites what is expected; read the diff before committing it.
"""

from __future__ import annotations

import os
from dataclasses import replace

import pytest

from qwen_lsp.features.complete.cleaning import Cleaned, clean
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.stopping import End, end_of
from qwen_lsp.syntax.languages import available
from qwen_lsp.syntax.parse import errors, parse
from tests.features.complete.casefile import CASES, Case, cases_of
from tests.features.complete.places import place

FILES = sorted(CASES.glob("*.txt"))
ALL = [case for file in FILES for case in cases_of(file)]


def shown(said: str, at: Place, step: int) -> tuple[End | None, Cleaned]:
    """What the product shows of an answer that comes in pieces of `step` characters."""
    for size in range(step, len(said) + step, step):
        if (end := end_of(said[:size], at)) is not None:
            return end, clean(said[: end.at], at)
    end = end_of(said + "\n", at, finished=True)
    return end, clean(said if end is None else said[: end.at], at)


def because(end: End | None, cleaned: Cleaned) -> str:
    lines = [f"cut: {end.why}"] if end is not None else []
    return "\n".join([*lines, *(f"left out: {reason}" for reason in cleaned.removed)])


@pytest.mark.parametrize("case", ALL, ids=[f"{case.file.stem}: {case.title}" for case in ALL])
def test_case(case: Case) -> None:
    at = place(case.text, case.path)
    if at.language is not None and not available(at.language):
        pytest.skip(f"{at.language.package} is not installed")
    end, whole = shown(case.said, at, max(len(case.said), 1))
    if os.environ.get("QWEN_LSP_UPDATE"):
        updated = replace(case, shown=whole.text, because=because(end, whole))
        text = case.file.read_text(encoding="utf-8")
        case.file.write_text(_with(text, updated), encoding="utf-8")
        case = updated
    assert whole.text == case.shown
    assert because(end, whole) == case.because
    assert shown(case.said, at, 1)[1] == whole
    assert shown(case.said, at, 3)[1] == whole
    if case.parses:
        assert at.language is not None
        with_it = at.text[: at.offset] + whole.text + at.text[at.offset :]
        assert len(errors(parse(with_it, at.language))) <= len(errors(parse(at.text, at.language)))


def _with(text: str, case: Case) -> str:
    start = text.index(f"=== {case.title}\n")
    end = text.find("\n=== ", start) + 1
    return text[:start] + str(case) + (text[end:] if end else "")


def test_every_case_says_where_it_comes_from() -> None:
    assert [case.title for case in ALL if not case.origin] == []


def test_titles_name_one_case_each() -> None:
    titles = [(case.file, case.title) for case in ALL]
    assert len(titles) == len(set(titles))


def test_there_are_cases_for_many_languages() -> None:
    languages = {at.language.id for at in (place(case.text, case.path) for case in ALL) if at.language}
    assert len(ALL) >= 150
    assert len(languages) >= 14
