"""Outlines: what is shown of a file, and what stands for the rest. Whole files: `test_fixtures`."""

from __future__ import annotations

import pytest

from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.languages import by_id
from qwen_lsp.syntax.outline import doc_comment, header, outline, outline_lines, split_lines
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract

SOURCE = '''\
import os
if os.name == "nt":
    import winreg

# One thing.
# In two lines.
class Thing(Base):
    """A thing.

    With words.
    """

    size = 1

    @property
    def area(self) -> int:
        """Its area."""
        import math

        return self.size

    class Inner:
        def f(self): return 1


def last():
    return 1
'''


def facts_of(id: str, text: str) -> FileFacts:
    language = by_id(id)
    assert language is not None
    return extract(parse(text, language))


def shown(id: str, text: str, depth: int | None = None, docs: bool = False) -> str:
    return outline(text, facts_of(id, text), depth=depth, docs=docs)


def test_bodies_are_elided() -> None:
    assert shown("python", SOURCE) == (
        "import os\n"
        'if os.name == "nt":\n'
        "    import winreg\n"
        "class Thing(Base):\n"
        "    size = 1\n"
        "    @property\n"
        "    def area(self) -> int: ...\n"
        "    class Inner:\n"
        "        def f(self): return 1\n"
        "def last(): ...\n"
    )


def test_a_name_behind_its_body_closes_it() -> None:
    text = (
        "typedef struct {\n    int x;\n} point;\n"
        "typedef struct node {\n    int v;\n    int w;\n} node_t, *node_p;\n"
        "typedef enum\n{\n    A,\n} letter;\n"
    )
    assert shown("c", text) == text
    folded = ["typedef struct { ... } point;", "typedef struct node { ... } node_t, *node_p;"]
    assert shown("c", text, depth=1).splitlines() == [*folded, "typedef enum", "{ ... } letter;"]
    facts, lines = facts_of("c", text), text.split("\n")
    headers = {d.name: header(lines, d) for d in facts.definitions}
    assert headers["point"] == folded[0]
    assert headers["node_t"] == headers["node_p"] == folded[1]
    assert headers["node"] == "typedef struct node {"


def test_depth_counts_levels() -> None:
    assert "class Inner: ..." in shown("python", SOURCE, depth=2)
    assert shown("python", SOURCE, depth=1).splitlines()[3:] == ["class Thing(Base): ...", "def last(): ..."]
    assert shown("python", SOURCE, depth=0).count("\n") == 3


def test_docs_are_shown_on_request() -> None:
    text = shown("python", SOURCE, docs=True)
    assert '    """A thing.\n\n    With words.\n    """\n    size = 1\n' in text
    assert '        """Its area."""\n        ...\n' in text
    go = "// F does it.\n// Well.\nfunc F() {\n\ta()\n}\n"
    assert shown("go", "package a\n\n" + go, docs=True) == "// F does it.\n// Well.\nfunc F() { ... }\n"


def test_lines_say_where_they_come_from() -> None:
    lines = outline_lines(SOURCE, facts_of("python", SOURCE))
    source = SOURCE.split("\n")
    assert lines == sorted(lines, key=lambda line: line[0])
    for number, text in lines:
        assert source[number].startswith(text.removesuffix(" ..."))


def test_nothing_to_declare() -> None:
    assert shown("python", "") == ""
    assert shown("python", "print(1)\n") == ""


def test_headers_are_as_written() -> None:
    lines = split_lines(SOURCE)
    facts = facts_of("python", SOURCE)
    assert header(lines, facts.definitions[2]) == "    @property\n    def area(self) -> int:"
    long = "X = '" + "a" * 1000 + "'\n"
    assert header(split_lines(long), facts_of("python", long).definitions[0]).endswith("a ...")
    wide = "def f(\n" + "    a=1,\n" * 100 + "): pass\n"
    assert header(split_lines(wide), facts_of("python", wide).definitions[0]).count("\n") == 31


@pytest.mark.parametrize(
    ("id", "text", "expected"),
    [
        ("python", SOURCE, "A thing.\n\nWith words."),
        ("python", "def f():\n    'one line'\n", "one line"),
        ("python", 'def f():\n    r"""open', ""),
        ("python", "# above\ndef f(): pass\n", ""),
        ("javascript", "/**\n * Does it.\n * @param a\n */\nfunction f() {}\n", "Does it.\n@param a"),
        ("javascript", "/* one */\nfunction f() {}\n", "one"),
        ("javascript", "code();\n\nfunction f() {}\n", ""),
        ("rust", "/// Does it.\n#[inline]\nfn f() {}\n", "Does it."),
        ("rust", "#[derive(A)]\n// why\nstruct S;\n", "why"),
        ("go", "package a\n\n// F does.\nfunc F() {}\n", "F does."),
        ("lua", "--- Does it.\n-- Well.\nlocal function f() end\n", "Does it.\nWell."),
        ("ruby", "# Does it.\ndef f; end\n", "Does it."),
        ("sql", "-- Customers.\nCREATE TABLE c (id INT);\n", "Customers."),
        ("csharp", "/// <summary>It.</summary>\nclass A {}\n", "<summary>It.</summary>"),
    ],
)
def test_doc_comment(id: str, text: str, expected: str) -> None:
    assert doc_comment(split_lines(text), facts_of(id, text), 0) == expected


@pytest.mark.parametrize(
    ("id", "text", "expected"),
    [
        ("javascript", "const a = f({\n  b: 1,\n});\n", "const a = f({ ... })\n"),
        ("go", "package a\n\nvar (\n\tA = 1\n)\n", "var (\n\tA = 1\n)\n"),
        (
            "csharp",
            "class A\n{\n    void F()\n    {\n        G();\n    }\n}\n",
            "class A\n{\n    void F() { ... }\n}\n",
        ),
        ("ruby", "class A\n  def f(a)\n    a\n  end\nend\n", "class A\n  def f(a) ... end\nend\n"),
        ("python", "from a import (  # why\n    b,  # this\n    c,\n)\n", "from a import ( b, c, )\n"),
        ("c", "#ifndef A_H\n#define A_H\nint f(int);\n#endif\n", "int f(int);\n"),
    ],
)
def test_shapes(id: str, text: str, expected: str) -> None:
    assert shown(id, text) == expected
