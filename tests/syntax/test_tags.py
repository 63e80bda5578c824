"""Facts of a tree, and facts that follow edits."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.syntax import incremental
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.languages import Language, available, by_id
from qwen_lsp.syntax.parse import parse, reparse
from qwen_lsp.syntax.tags import extract, line_count, update
from qwen_lsp.text.edits import TextEdit, apply
from qwen_lsp.text.positions import Span
from tests.syntax.test_fixtures import DATA, source_of

LANGUAGES = [path.stem for path in sorted(DATA.glob("*.txt"))]


def language(id: str) -> Language:
    found = by_id(id)
    assert found is not None
    return found


def facts_of(id: str, text: str) -> FileFacts:
    return extract(parse(text, language(id)))


def brief(id: str, text: str) -> list[str]:
    return [
        f"{d.kind} {facts_of(id, text).qualified_name(i)}"
        for i, d in enumerate(facts_of(id, text).definitions)
    ]


@pytest.mark.parametrize(
    ("text", "lines"), [("", 0), ("a", 1), ("a\n", 1), ("a\nb", 2), ("a\r\nb\rc\n", 3), ("\n", 1)]
)
def test_line_count(text: str, lines: int) -> None:
    assert line_count(text) == lines
    assert facts_of("python", text).lines == lines


@pytest.mark.parametrize(
    ("id", "text", "expected"),
    [
        ("c", "#ifdef H\nAPI int (*get)(int n) ATTR;\nextern S one;\n#if X\nint two;\n#endif\n#endif",
         ["variable get", "variable one", "variable two"]),
        ("python", "class A:\n  def __init__(self): pass\n  def f(self):\n    def g(): pass\n",
         ["class A", "constructor A.__init__", "method A.f", "function A.f.g"]),
        ("python", "try:\n  import x\nexcept E:\n  class A: pass\n", ["class A"]),
        ("python", "def f():\n  x = 1\nA = 1\nA_B: int\nab = c = 2\n",
         ["function f", "variable A", "constant A_B", "variable ab"]),
        ("python", "def (): pass\nclass : pass\n", []),
        ("javascript", "x = () => 1; a.b = function () {}; ({ c() {}, d: () => 2 })",
         ["function x", "function b", "method c", "method d"]),
        ("typescript", "class A { private constructor(readonly b: B) {} get c() { return 1 } }",
         ["class A", "constructor A.constructor", "field A.constructor.b", "method A.c"]),
        ("rust", "impl A for B { fn f() {} } fn g() {}", ["impl B", "method B.f", "function g"]),
        ("c", "typedef struct node { int a, *b; } node_t; int f(void);",
         ["type node_t", "struct node_t.node", "field node_t.node.a", "field node_t.node.b", "function f"]),
        ("cpp", "namespace n { struct S { void f(); }; } void n::S::f() {}",
         ["module n", "struct n.S", "method n.S.f", "method f"]),
        ("java", "class A { A() {} int x, y; class B {} }",
         ["class A", "constructor A.A", "field A.x", "field A.y", "class A.B"]),
        ("ruby", "class A::B\n  attr_accessor :x\n  def self.f; end\nend\n",
         ["class B", "property B.x", "method B.f"]),
        ("json", '{"a": {"b": {"c": 1}}, "d": []}', ["key a", "key a.b", "key d"]),
        ("markdown", "# A\n## B\n# C\n", ["section A", "section A.B", "section C"]),
    ],
)  # fmt: skip
def test_definitions(id: str, text: str, expected: list[str]) -> None:
    assert brief(id, text) == expected


@pytest.mark.parametrize(
    ("id", "text", "header_end", "end_line"),
    [
        ("python", "def f(\n    a,\n) -> int:\n    return a\n", 2, 3),
        ("python", "def f(a):\n\n    # why\n\n    return a\n", 0, 4),
        ("python", "X = [\n    1,\n]\n", 0, 2),
        ("c", "int\nf(int a)\n{\n    return a;\n}\n", 1, 4),
        ("java", "class A\n    extends B {\n}\n", 1, 2),
        ("javascript", "const f = async (\n  a,\n) => {\n  b();\n};\n", 2, 4),
        ("rust", "fn f<T>(\n    a: T,\n) -> T\nwhere\n    T: B,\n{\n    a\n}\n", 4, 7),
        ("ruby", "def f(\n  a\n)\n  a\nend\n", 2, 4),
        ("markdown", "# A\n\ntext\n\n\n# B\n", 0, 2),
    ],
)
def test_where_a_header_ends(id: str, text: str, header_end: int, end_line: int) -> None:
    first = facts_of(id, text).definitions[0]
    assert (first.line, first.header_end, first.end_line) == (0, header_end, end_line)


def followed(id: str, text: str, edits: list[TextEdit]) -> tuple[FileFacts, FileFacts]:
    """Facts by way of the edits and facts read anew."""
    tree = parse(text, language(id))
    after, changed = reparse(tree, edits, apply(text, edits))
    return update(tree, extract(tree), after, changed), extract(after)


INSERTED = [
    *("", "x", " ", "    ", ", b", "\n", "\n\n", "\r\n", "é", "(", ")", "{", "}", '"', "'", ":", "#", "//"),
    *("@a\n", "#[a]\n", "def f():\n    pass\n", "class A:\n", "import os\n", "fn a() {}\n"),
    *("function q() {}\n", "let z = 1;\n", "a: 1\n"),
]
REMOVED = [0, 0, 0, 1, 3, 40]


@pytest.mark.parametrize("id", LANGUAGES)
def test_update_equals_extract(id: str) -> None:
    if not available(language(id)):
        pytest.skip("not installed")
    _, text = source_of(DATA / f"{id}.txt")

    @settings(deadline=None, max_examples=25)
    @given(
        st.lists(
            st.tuples(st.integers(0, len(text)), st.sampled_from(REMOVED), st.sampled_from(INSERTED)),
            min_size=1,
            max_size=4,
        )
    )
    def check(steps: list[tuple[int, int, str]]) -> None:
        current, tree = text, parse(text, language(id))
        facts = extract(tree)
        for at, removed, inserted in steps:
            at = min(at, len(current))
            edit = TextEdit(Span(at, min(at + removed, len(current))), inserted)
            current = apply(current, [edit])
            after, changed = reparse(tree, [edit], current)
            facts = update(tree, facts, after, changed)
            assert facts == extract(after)
            tree = after

    check()


SEAMS = [
    ("python", "class A:\n    def f(self): pass\n\n\n\n    def g(self): pass\n", "x = 1\n", "A:", ":"),
    ("python", "@a\ndef f():\n    pass\n", "x = 1\n", "@a\n", ""),
    ("python", "import a; import b\n", "x = 1\n", "b", "b, c"),
    ("rust", "#[a]\n#[b]\n#[c]\nfn f() {}\n", "fn g() {}\n", "#[b]\n", ""),
    ("rust", "#[a]\nstruct S {\n    b: u8,\n\n\n\n    c: u8,\n}\n", "fn g() {}\n", "c: u8", "d: u16"),
    ("typescript", "export class A {\n  a() {}\n\n\n\n  b() {}\n}\n", "f();\n", "b() {}", "b() {} c() {}"),
    ("go", "package a\n\ntype (\n\tA struct{}\n\n\n\n\tB struct{}\n)\n", "var x = 1\n", "B", "BB"),
]


@pytest.mark.parametrize(("id", "text", "filler", "old", "new"), SEAMS)
def test_update_at_the_seams(id: str, text: str, filler: str, old: str, new: str) -> None:
    at = text.index(old)
    text += filler * 20
    got, expected = followed(id, text, [TextEdit(Span(at, at + len(old)), new)])
    assert got == expected


def test_update_asks_only_about_the_change() -> None:
    text = "".join(f"class A{n}:\n    def f(self):\n        return g{n}()\n\n" for n in range(50))
    tree = parse(text, language("python"))
    facts = extract(tree)
    at = text.index("g25()")
    edit = [TextEdit(Span(at, at), "h(")]
    after, changed = reparse(tree, edit, apply(text, edit))
    lines = line_count(after.text)
    assert incremental.updated(tree, facts, after, changed, lines) == extract(after)
    edit = [TextEdit(Span(at, at), '"""')]
    after, changed = reparse(tree, edit, apply(text, edit))
    assert update(tree, facts, after, changed) == extract(after)


def test_nothing_changed() -> None:
    tree = parse("x = 1\n", language("python"))
    facts = extract(tree)
    assert update(tree, facts, tree, ()) is facts
