"""Texts that hang, explode or crash an unguarded parser."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from time import thread_time

import pytest

from qwen_lsp.syntax.guard import blank, parse_source
from qwen_lsp.syntax.languages import Language, by_id
from qwen_lsp.syntax.parse import parse, reparse
from qwen_lsp.syntax.tags import extract, update
from qwen_lsp.text.edits import TextEdit, apply
from qwen_lsp.text.positions import Span
from tests.syntax.test_fixtures import DATA, source_of


def language(id: str) -> Language:
    found = by_id(id)
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("id", "text"),
    [
        ("yaml", "\n".join(" " * depth + "a:" for depth in range(600))),
        ("yaml", "\n".join("  " * depth + "- x" for depth in range(400))),
        ("yaml", "- " * 600 + "x"),
        ("scala", "a b " * 50_000),
        ("ruby", "a b " * 50_000),
        ("lua", "é b " * 20_000),
        ("python", "([{" * 7000),
        ("typescript", "<a>" * 5000),
        ("cpp", "," * 20_000),
    ],
)
def test_parsing_ends(id: str, text: str) -> None:
    start = thread_time()
    facts = extract(parse(text, language(id)))
    assert facts.lines == text.count("\n") + 1
    assert thread_time() - start < 10


def test_a_key_that_sets_a_grammar_looping() -> None:
    _, kotlin = source_of(DATA / "kotlin.txt")
    tree = parse(kotlin, language("kotlin"))
    facts = extract(tree)
    at = kotlin.index("}\n\n    private fun")
    edits = [TextEdit(Span(at, at), "#")]
    broken, changed = reparse(tree, edits, apply(kotlin, edits))
    assert broken.blanked
    assert broken.has_errors
    after = update(tree, facts, broken, changed)
    assert after == extract(broken)
    mended, changed = reparse(broken, [TextEdit(Span(at, at + 1), "")], kotlin)
    assert not mended.has_errors
    assert update(broken, after, mended, changed) == facts


def test_an_edit_elsewhere_keeps_the_line_left_out() -> None:
    text = "def f\n  1\nend\n" + "a b " * 6000 + "\ndef g\n  2\nend\n"
    tree = parse(text, language("ruby"))
    assert len(tree.blanked) == 1
    at = text.rindex("2")
    edits = [TextEdit(Span(at, at + 1), "33")]
    after, changed = reparse(tree, edits, apply(text, edits))
    assert after.blanked == tree.blanked
    assert changed[0].start > tree.blanked[0][1]
    facts = update(tree, extract(tree), after, changed)
    assert facts == extract(after)
    assert [d.name for d in facts.definitions] == ["f", "g"]
    typed = [TextEdit(Span(20, 20), "x")]
    again, changed = reparse(tree, typed, apply(text, typed))
    assert changed == (Span(0, len(text) + 1),)
    assert again.blanked


def test_a_long_literal_is_no_hazard() -> None:
    facts = extract(parse(f"KEY = '{'Zm9v' * 20_000}'\n", language("python")))
    assert [d.name for d in facts.definitions] == ["KEY"]
    assert not facts.has_errors


def test_blank_keeps_every_offset() -> None:
    source = "aé\n\tb\0c\n".encode()
    assert blank(source, [(0, len(source))]) == " é\n    \n".encode()
    assert blank(source, []) is source


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_parsing_again_and_again_keeps_no_memory() -> None:
    """The binding never gives up what a read callback returned; nothing of a source may hang on that."""
    source = b"def f(a, b):\n    return a + b\n\n\n" * 4_000

    def resident() -> int:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    for _ in range(4):
        parse_source(language("python"), source + b"#")
    before = resident()
    for n in range(40):
        parse_source(language("python"), source + b"# %d" % n)
    assert resident() - before < 10 * len(source)
