"""What is kept of an answer, case by case."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.features.complete.cleaning import clean
from qwen_lsp.features.complete.place import Place
from qwen_lsp.workspace.paths import RelPath
from tests.features.complete.places import place

CASES: dict[str, tuple[str, ...]] = {
    "plain text is left alone": ("total = <CURSOR>", "a + b", "a + b"),
    "the bracket the editor put there is not doubled": ("print(<CURSOR>)", "value)", "value"),
    "a bracket the answer itself opened is kept": ("print(<CURSOR>)", "len(value)", "len(value)"),
    "two closers at once": ("foo(bar(<CURSOR>))", "x))", "x"),
    "the closing quote is not doubled": ('name = "<CURSOR>"', 'Ada"', "Ada"),
    "a whole repeated rest of the line": ("if <CURSOR> is None:", "value is None:", "value"),
    "a partly repeated rest of the line": ("x = <CURSOR> + offset", "base + off", "base"),
    "the start of the line said again": ("    return <CURSOR>", "    return 1", "1"),
    "indentation said again": ("def f():\n    <CURSOR>", "    pass", "pass"),
    "a Markdown fence": ("x = <CURSOR>", "```python\n1 + 2\n```", "1 + 2"),
    "the next line again": ("a = 1\n<CURSOR>\nb = 2\n", "b = 2", ""),
    "the line above again": ("import os\n<CURSOR>\n", "import os", ""),
    "trailing white space": ("x = <CURSOR>", "1   \n\n", "1"),
    "nothing but white space": ("x = <CURSOR>", "  \n ", ""),
    "spaces become the file's tabs": (
        "class A {\n\tint a;\n\tvoid f() {<CURSOR>\n",
        "\n        a = 1;\n        if (a) {\n            b();\n        }",
        "\n\t\ta = 1;\n\t\tif (a) {\n\t\t\tb();\n\t\t}",
    ),
    "tabs become the file's spaces": (
        "def f():\n  a = 1\n  if a:<CURSOR>\n",
        "\n\t\treturn 1",
        "\n    return 1",
    ),
    "the file's line endings": (
        "if a:\r\n    x()\r\nif b:<CURSOR>\r\n",
        "\n    y()\n    z()",
        "\r\n    y()\r\n    z()",
    ),
    "line endings that the model brought along": ("a = 1\nb = <CURSOR>\n", "2\r", "2"),
    # Brackets and quotes that the editor has closed already.
    "an apostrophe elsewhere on the line is no open quote": ('x = f("it\'s", <CURSOR>)', "g(y)", "g(y)"),
    "nor one in a comment": ("f(<CURSOR>)  # don't", "a)", "a"),
    "a lifetime is no open quote": ("fn f<'a>(x: &'a str, <CURSOR>)", "y: &'a str)", "y: &'a str"),
    "a string argument and the bracket behind it": ('print("<CURSOR>")', 'hello")', "hello"),
    "only the bracket of both": ('print("<CURSOR>")', 'hello"', "hello"),
    "a string that the answer opens and closes": ("print(<CURSOR>)", '"hello"', '"hello"'),
    "a shell variable in quotes": ('echo "${<CURSOR>}"', 'HOME}"', "HOME"),
    "a JavaScript template": ("const s = `a ${<CURSOR>}`", "name}`", "name"),
    "a type argument": ("List<<CURSOR>>", "String>", "String"),
    "a nested type argument": ("Map<String, <CURSOR>>", "List<String>", "List<String>"),
    "a nested type argument closed once too often": (
        "Map<String, <CURSOR>>",
        "List<String>>",
        "List<String>",
    ),
    "an arrow is no bracket": ("xs.map(<CURSOR>)", "x => x.id)", "x => x.id"),
    "a Rust index": ("let a = xs[<CURSOR>];", "0];", "0"),
    "the semicolon alone": ("int a = <CURSOR>;", "b + c;", "b + c"),
    "the colon alone": ("if x<CURSOR>:", " > 1:", " > 1"),
    "the comma alone": ("    key: <CURSOR>,", "1,", "1"),
    "a bracket and what opens a block": ("function f(a, <CURSOR>) {", "b) {", "b"),
    "only the bracket of these": ("function f(a, <CURSOR>) {", "b)", "b"),
    "a bracket that the answer opened, before one that stands there": ("f(<CURSOR>) + 1", "g(x)", "g(x)"),
    "a closing tag": ("<p><CURSOR></p>", "Hello</p>", "Hello"),
    "an attribute": ('<div class="<CURSOR>">', 'box">', "box"),
    "an object between brackets on one line": (
        "const a = {<CURSOR>}",
        "\n  b: 1,\n}",
        "\n  b: 1,\n",
    ),
    "a call between brackets, indented": (
        "def f():\n    g(<CURSOR>)\n",
        "\n        a,\n        b,\n    )",
        "\n        a,\n        b,\n    ",
    ),
    "a bracket that stands on the line below": ("x = foo(<CURSOR>\n)\n", "a, b)", "a, b"),
    "a brace that stands on the line below": ("const a = {<CURSOR>\n}\n", " b: 1 }", " b: 1"),
    "a bracket on the line below that belongs to another": (
        "bar(\n    foo(<CURSOR>\n)\n",
        "a)",
        "a)",
    ),
    # What stands before the cursor, said again.
    "the last word said again, and more of it": ("x = self.rad<CURSOR>", "radius", "ius"),
    "the last word said again, and a call": ("x = compute<CURSOR>", "compute(1)", "(1)"),
    "a word that only begins alike": ("for<CURSOR>", "mat(x)", "mat(x)"),
    "a longer word is not the line again": ("for<CURSOR>", " formatter in x:", " formatter in x:"),
    "two letters are no word said again": ("x = is<CURSOR>", "iso", "iso"),
    "a second space": ("return <CURSOR>", " value", "value"),
    "a space that belongs there": ("return<CURSOR>", " value", " value"),
    "blank lines first": ("def f():\n    <CURSOR>\n", "\n\n    return 1", "return 1"),
    "a new line after a finished one is kept": ("a = 1<CURSOR>\n", "\nb = 2", "\nb = 2"),
    "the line above again, then something new": (
        "import logging\n<CURSOR>\n",
        "import logging\nimport sys",
        "import sys",
    ),
    "two lines above again, indented": (
        "def f(a):\n    b = a + 1\n    c = b * 2\n    <CURSOR>\n",
        "b = a + 1\n    c = b * 2\n    return c",
        "return c",
    ),
    "a short line may come twice": ("    i++;\n    <CURSOR>\n", "i++;\n    j++;", "i++;\n    j++;"),
    "a closing bracket above is no repetition": ("  }\n  <CURSOR>\n", "}\n}", "}\n}"),
    "the line below, on a new line": ("a = 1<CURSOR>\nb = 2\n", "\nb = 2", ""),
    # White space.
    "two spaces a level become tabs": (
        "class A {\n\tint a;\n\tvoid f() {<CURSOR>\n",
        "\n    a = 1;\n    if (a) {\n      b();",
        "\n\t\ta = 1;\n\t\tif (a) {\n\t\t\tb();",
    ),
    "Go without a line to learn from": ("func f() {<CURSOR>\n", "\n    return 1", "\n\treturn 1", "a.go"),
    "tabs after the first sign of a line stay": (
        "\tif a {\n\t}\n\tb := []string{<CURSOR>\n",
        "\n\t\t1,\t// one",
        "\n\t\t1,\t// one",
    ),
    "a comment's star keeps its one space": (
        "class A {\n\tint a;\n\t/**<CURSOR>\n",
        "\n\t * It.\n\t */",
        "\n\t * It.\n\t */",
    ),
    "a fence in Markdown is text": ("Run\n\n<CURSOR>\n", "```sh\nmake\n```", "```sh\nmake\n```", "a.md"),
    "at the very start": ("<CURSOR>import os\n", "import sys\n", "import sys"),
    "at the very end": ("def f():\n    return <CURSOR>", "1\n", "1"),
    "Lua": ("local t = {<CURSOR>}", " a = 1 }", " a = 1"),
    "Ruby": ('puts "#{<CURSOR>}"', 'name}"', "name"),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
def test_clean(case: tuple[str, ...]) -> None:
    text, answer, kept, *path = case
    assert clean(answer, place(text, *path)).text == kept


@given(
    st.text("ab(){}[]<>\"'`,;: \n\t=", max_size=24),
    st.text("ab()}]\"' \n", max_size=12),
    st.text(max_size=24),
)
@settings(deadline=None, max_examples=150)
def test_any_answer_anywhere_gives_a_part_of_itself(before: str, after: str, answer: str) -> None:
    """Nothing is invented: the signs that are kept come from the answer, in its order."""
    kept = clean(answer, Place(RelPath("a.py"), before + after, len(before))).text
    left = iter(answer)
    assert all(sign in left for sign in kept if not sign.isspace())
