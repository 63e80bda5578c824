"""Parsing, re-parsing and what is where in a tree."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.syntax.languages import Language, by_id
from qwen_lsp.syntax.parse import (
    SyntaxTree,
    errors,
    in_comment_or_string,
    parse,
    reparse,
)
from qwen_lsp.syntax.tags import extract, occurrences
from qwen_lsp.text.edits import TextEdit, apply
from qwen_lsp.text.positions import Span


def language(id: str) -> Language:
    found = by_id(id)
    assert found is not None
    return found


def placed(id: str, text: str) -> tuple[SyntaxTree, int]:
    """The tree of a text and the offset of its one cursor."""
    before, after = text.split("<CURSOR>")
    return parse(before + after, language(id)), len(before)


def shape(tree: SyntaxTree) -> str:
    return str(tree.tree.root_node)


@pytest.mark.parametrize(
    "text",
    ["", "\0", "def f(\0): pass", "x = '\ud800'", "\udfff", "\ufeffx = 1", "(" * 5000, "  " * 5000 + "x"],
)
@pytest.mark.parametrize("id", ["python", "typescript", "rust", "yaml", "markdown", "html", "shellscript"])
def test_any_text_has_a_tree(id: str, text: str) -> None:
    tree = parse(text, language(id))
    assert tree.text == text
    extract(tree)
    errors(tree)
    in_comment_or_string(tree, len(text) // 2)


def test_offsets_are_code_points() -> None:
    text = "größe = 'π😀'\ndef ärger(): pass\n"
    tree = parse(text, language("python"))
    assert not tree.ascii
    assert [text[s.start : s.end] for s in occurrences(tree, "ärger")] == ["ärger"]
    for offset in range(len(text) + 1):
        assert tree.to_offset(tree.to_byte(offset)) == offset


def test_a_lone_carriage_return_ends_a_line() -> None:
    facts = extract(parse("def f():\r    pass\rdef g():\r\n    pass\r\n", language("python")))
    assert [(d.name, d.line, d.end_line) for d in facts.definitions] == [("f", 0, 1), ("g", 2, 3)]
    assert facts.lines == 4


def test_errors_are_the_outermost() -> None:
    text = "def f(:\n    pass\n\nx = (1,\n"
    tree = parse(text, language("python"))
    assert tree.has_errors
    spans = errors(tree)
    assert spans
    assert all(a.end <= b.start for a, b in pairwise(spans))
    assert errors(parse("x = 1\n", language("python"))) == ()


@pytest.mark.parametrize(
    ("id", "text", "expected"),
    [
        ("python", "x = 1  # he<CURSOR>re", "comment"),
        ("python", "x = 1  # here<CURSOR>", "comment"),
        ("python", "x = 1  # here<CURSOR>\ny = 2", "comment"),
        ("python", "x = 1  <CURSOR># here", None),
        ("python", "x = 'a<CURSOR>b'", "string"),
        ("python", "x = '<CURSOR>ab'", "string"),
        ("python", "x = 'ab<CURSOR>'", "string"),
        ("python", "x = 'ab'<CURSOR>", None),
        ("python", "x = <CURSOR>'ab'", None),
        ("python", "x = f'a{b<CURSOR>c}d'", None),
        ("python", "x = f'a{bc}<CURSOR>d'", "string"),
        ("python", "'''doc<CURSOR>\nmore'''", "string"),
        ("python", "ab<CURSOR>c = 1", None),
        ("javascript", "f(`a${b<CURSOR>}c`)", None),
        ("javascript", "f(`a<CURSOR>${b}c`)", "string"),
        ("javascript", "/* a <CURSOR>*/ b", "comment"),
        ("javascript", "/* a */<CURSOR> b", None),
        ("javascript", "// a<CURSOR>", "comment"),
        ("rust", 'let a = "b<CURSOR>";', "string"),
        ("rust", "let a = 1; // b<CURSOR>", "comment"),
        ("go", "var a = `b<CURSOR>`", "string"),
        ("c", 'char *a = "b<CURSOR>c"; /* d */', "string"),
        ("shellscript", 'echo "a<CURSOR>b"', "string"),
        ("ruby", 'x = "a#{b<CURSOR>}c"', None),
        ("lua", "local a = 1 -- b<CURSOR>", "comment"),
        ("java", 'String a = "b<CURSOR>";', "string"),
        ("csharp", 'var a = "b<CURSOR>";', "string"),
    ],
)
def test_in_comment_or_string(id: str, text: str, expected: str | None) -> None:
    assert in_comment_or_string(*placed(id, text)) == expected


def test_occurrences_are_names_only() -> None:
    text = "def f(x):  # f here\n    return f(x) + o.f + 'f' + ff\n"
    found = occurrences(parse(text, language("python")), "f")
    assert [s.start for s in found] == [4, text.index("f(x) +"), text.index("f + 'f'")]
    assert occurrences(parse(text, language("python")), "") == []


def test_keys_of_data_are_occurrences() -> None:
    assert occurrences(parse('{"name": 1}', language("json")), "name") == [Span(2, 6)]


EDITS = st.lists(
    st.tuples(
        st.integers(0, 200),
        st.integers(0, 8),
        st.sampled_from(
            ["", "x", "\n", "\r", "\r\n", "é", "😀", "(", '"', "def f():\n    pass\n", "    ", "#"]
        ),
    ),
    max_size=3,
)
TEXT = 'class A:\r\n    """doc"""\n\n    def f(self, x):\r        return [x, "é", g(x)]\n\n# ende\ny = A()\n'


@settings(deadline=None, max_examples=150)
@given(EDITS)
def test_reparse_gives_the_tree_of_the_new_text(edits: list[tuple[int, int, str]]) -> None:
    tree = parse(TEXT, language("python"))
    chosen: list[TextEdit] = []
    at = 0
    for start, length, new in sorted(edits):
        start = max(start % (len(TEXT) + 1), at)
        at = min(start + length, len(TEXT))
        chosen.append(TextEdit(Span(start, at), new))
    text = apply(TEXT, chosen)
    again, changed = reparse(tree, chosen, text)
    fresh = parse(text, tree.language)
    assert again.text == text
    assert again.source == fresh.source
    if not fresh.has_errors:
        assert shape(again) == shape(fresh)
    assert all(0 <= span.start <= span.end <= len(text) for span in changed)
    assert all(a.end < b.start for a, b in pairwise(changed))


def test_changed_ranges_cover_the_edit_and_its_consequences() -> None:
    text = "a = 1\n" * 50
    tree = parse(text, language("python"))
    edit = [TextEdit(Span(60, 60), "), TextEdit(Span(120, 120), ")]
    _, changed = reparse(tree, edit, apply(text, edit))
    assert changed[0].start <= 60
    assert changed[-1].end >= 126
    same, none = reparse(tree, [], text)
    assert none == ()
    assert shape(same) == shape(tree)
