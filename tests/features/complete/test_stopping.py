"""Where an answer ends, case by case; and that streaming decides the same as the whole text does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.stopping import End, end_of
from qwen_lsp.syntax.languages import language_for
from qwen_lsp.workspace.paths import RelPath
from tests.features.complete.places import place

CASES = {
    "inside a line, one line": ("x = foo(<CURSOR>, 1)", "a\nb\n", "a"),
    "the line goes on": ("x = <CURSOR>", "1 + 2", None),
    "an opened block ends where it dedents": (
        "def f(a):<CURSOR>\n",
        "\n    return a\n\ndef g():\n    pass\n",
        "\n    return a",
    ),
    "inside a body, not past the body": (
        "def f(a):\n    <CURSOR>\n",
        "b = a\n    return b\n\nx = f(1)\n",
        "b = a\n    return b",
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
    "a bracket that closes nothing": ("<CURSOR>\n", "{\n}\n}\n}\n", "{\n}"),
    # A line that says something is finished, and no more.
    "a finished statement": ("def f():\n    x = <CURSOR>\n", "1\n    y = 2\n    z = 3\n", "1"),
    "a finished statement at the top": ("x = <CURSOR>\n", "1\n\ny = 2\n", "1"),
    "a chain of calls goes on": (
        "  fetch(url)<CURSOR>\n",
        ".then(a)\n    .then(b)\n  next();\n",
        ".then(a)\n    .then(b)",
    ),
    "an open bracket goes on": ("x = foo(<CURSOR>\n", "a,\n    b,\n)\ny = 1\n", "a,\n    b,\n)"),
    "an open bracket with lines that are not indented": ("x = foo(<CURSOR>\n", "a,\nb)\ny = 1\n", "a,\nb)"),
    "a comment": ("# adds <CURSOR>\n", "two numbers\ndef add(a, b):\n    return a + b\n", "two numbers"),
    "code for a comment": (
        "# adds two numbers<CURSOR>\n",
        "\ndef add(a, b):\n    return a + b\n\n\ndef sub(a, b):\n",
        "\ndef add(a, b):\n    return a + b",
    ),
    "code for a comment that ends in a colon": (
        "# adds:<CURSOR>\n",
        "\nx = a + b\n\ny = 1\n",
        "\nx = a + b",
    ),
    "a docstring is closed": (
        'def f():\n    """<CURSOR>\n',
        'Return it.\n\n    All of it.\n    """\n    return 1\n',
        'Return it.\n\n    All of it.\n    """',
    ),
    "a docstring of one line": (
        'def f():\n    """<CURSOR>\n',
        'Return it."""\n    return 1\n',
        'Return it."""',
    ),
    "a comment block": ("  /**<CURSOR>\n", "\n   * It.\n   */\n  void f();\n", "\n   * It.\n   */"),
    # A block is filled, with what belongs to it.
    "else belongs to the if": (
        "if a:<CURSOR>\n",
        "\n    b()\nelse:\n    c()\nd()\n",
        "\n    b()\nelse:\n    c()",
    ),
    "except belongs to the try": (
        "try:<CURSOR>\n",
        "\n    b()\nexcept E:\n    c()\nd()\n",
        "\n    b()\nexcept E:\n    c()",
    ),
    "else between braces belongs to the if": (
        "  if (a) {<CURSOR>\n",
        "\n    b();\n  } else {\n    c();\n  }\n  d();\n",
        "\n    b();\n  } else {\n    c();\n  }",
    ),
    "a callback that goes on": (
        "get(x => {<CURSOR>\n",
        "\n  a(x);\n}).catch(e => {\n  b(e);\n});\nmore();\n",
        "\n  a(x);\n}).catch(e => {\n  b(e);\n});",
    ),
    "a name that begins like a closing word": (
        "if a:<CURSOR>\n",
        "\n    b()\nendpoint = 1\n",
        "\n    b()",
    ),
    "a variable called end": ("if a:<CURSOR>\n", "\n    b()\nend = 1\n", "\n    b()"),
    "Ruby": ("def area<CURSOR>\n", "\n  @w * @h\nend\n\ndef other\n", "\n  @w * @h\nend"),
    "Lua": ("local function f(a)<CURSOR>\n", "\n  return a\nend\n\nlocal x = 1\n", "\n  return a\nend"),
    "shell if": ('if [ -z "$a" ]; then<CURSOR>\n', "\n  exit 1\nfi\necho b\n", "\n  exit 1\nfi"),
    "shell loop": ("for f in *; do<CURSOR>\n", "\n  rm $f\ndone\nexit\n", "\n  rm $f\ndone"),
    "C, the brace on its own line": (
        "int f(int a)<CURSOR>\n",
        "\n{\n    return a;\n}\n\nint g()\n",
        "\n{\n    return a;\n}",
    ),
    "Rust": ("fn f() -> u8 {<CURSOR>\n", "\n    1\n}\n\nfn g() {\n", "\n    1\n}"),
    "Java, inside a class": (
        "class A {\n    int f() {<CURSOR>\n}\n",
        "\n        return 1;\n    }\n\n    int g() {\n",
        "\n        return 1;\n    }",
    ),
    "HTML": ("  <ul><CURSOR>\n", "\n    <li>a</li>\n  </ul>\n  <p>b</p>\n", "\n    <li>a</li>\n  </ul>"),
    "the rest of an HTML line": ("<p>a<CURSOR>\n", "</p>\n<p>b</p>\n", "</p>"),
    "YAML, a list not indented": ("a:<CURSOR>\n", "\n- b\n- c\n\nd: 1\n", "\n- b\n- c"),
    "a brace below that belongs to another block": (
        "func f() {\n\tif x {<CURSOR>\n}\n",
        "\n\t\treturn\n\t}\n\tmore()\n",
        "\n\t\treturn\n\t}",
    ),
    "brackets that the editor has closed already": (
        "x = {<CURSOR>}\n",
        "\n    1: 2,\n}\ny = 1\n",
        "\n    1: 2,\n}",
    ),
    # An empty line.
    "one paragraph at the top": (
        "<CURSOR>\n",
        "import os\nimport sys\n\nimport re\n",
        "import os\nimport sys",
    ),
    "one function at the top": (
        "<CURSOR>\n",
        "def f():\n    a = 1\n\n    return a\n\n\ndef g():\n    pass\n",
        "def f():\n    a = 1\n\n    return a",
    ),
    "one method in a class": (
        "class A:\n    <CURSOR>\n",
        "def f(self):\n        return 1\n\n    def g(self):\n        return 2\n",
        "def f(self):\n        return 1",
    ),
    "a body with paragraphs": (
        "def f():\n    <CURSOR>\n",
        "a = 1\n\n    b = 2\n    return a + b\n\nf()\n",
        "a = 1\n\n    b = 2\n    return a + b",
    ),
    "a brace after a blank line closes": (
        "<CURSOR>\n",
        "function f() {\n  a();\n\n}\n\nfunction g() {\n",
        "function f() {\n  a();\n\n}",
    ),
    "a block that the editor has not indented": (
        "def f():\n<CURSOR>\n",
        "    a = 1\n    return a\nf()\n",
        "    a = 1\n    return a",
    ),
    "a blank line first": ("def f():\n    <CURSOR>\n", "\n    return 1\n\nx = 1\n", "\n    return 1"),
    "the same line from the first on": ("<CURSOR>\n", "step(x)\nstep(x)\nstep(x)\nstep(x)\n", "step(x)"),
    "CRLF": ("if a:<CURSOR>\r\n", "\r\n    b()\r\nc()\r\n", "\r\n    b()"),
}


@pytest.mark.parametrize(("text", "answer", "kept"), CASES.values(), ids=CASES.keys())
def test_end_of(text: str, answer: str, kept: str | None) -> None:
    end = end_of(answer, place(text))
    assert (None if end is None else answer[: end.at]) == kept


def test_a_reason_is_given() -> None:
    end = end_of("\n    return a\n\nb = 1\n", place("def f(a):<CURSOR>\n"))
    assert end == End(13, "the block is closed")


def test_another_answer_at_the_same_place_is_read_from_its_beginning() -> None:
    at = place("def f(a):<CURSOR>\n")
    assert end_of("\n    b = a\n    ret", at) is None
    assert end_of("\n    return a\n", at) is None
    assert end_of("\n    return a\nb = 1\n", at) == End(13, "the block is closed")


@pytest.mark.parametrize(("text", "answer", "kept"), CASES.values(), ids=CASES.keys())
def test_deciding_while_it_streams_gives_the_same(text: str, answer: str, kept: str | None) -> None:
    at = place(text)
    ends = [(answer[:size], end_of(answer[:size], at)) for size in range(len(answer) + 1)]
    first = next(((said, end) for said, end in ends if end is not None), None)
    assert (first and first[0][: first[1].at]) == kept


# fmt: off
SAID = [
    "", "a = 1", "b(", "c)", "}", "{", "} else {", "else:", "end", "if x:", "return 1", '"""', "// it's",
    "f(x => {", "});", "- a", "def f():", "int f() {", "@a", "`", "```", "```py", "<|fim_pad|>",
    "a<|cursor|>", "<", "Here is the code:", "Sure", "This code adds.", "</ul>", "<li>", "/*", "*/", "#if A",
    "case 1:", "fi", "[[", "<<EOF",
]
PLACES = [
    "", "    ", "x = ", "  if a {", "    def f():", '  """', "f(", "\t", "# note", "a:\n    b = 1\n    ",
    "class A {\n\t", "def f():\n    a = 1\n    ", "def f():\n    a = 1\n    return", "  x = `", "<ul>\n  ",
    "def f\n  ", "<ul>", "  const a = [",
]
# fmt: on
LINES = st.lists(
    st.tuples(st.sampled_from(["", "  ", "    ", "\t", "        "]), st.sampled_from(SAID)).map("".join),
    max_size=8,
).map("\n".join)
BEFORE = st.sampled_from(PLACES)
AFTER = st.sampled_from(
    ["", "\n}\n", ")", "}", "\n    return 1\n", " + 1", "\r\nend\r\n", "\n</ul>\n", "`;\n"]
)
PATHS = st.sampled_from(
    ["a.py", "a.ts", "a.c", "a.rb", "a.sh", "a.html", "a.yaml", "a.lua", "a.md", "a.unknown"]
)


@given(PATHS, BEFORE, AFTER, LINES)
@settings(deadline=None, max_examples=300)
def test_streamed_or_whole(path: str, before: str, after: str, answer: str) -> None:
    """Every cut of the stream decides as the whole does: no rule looks at how much has come."""
    at = Place(RelPath(path), before + after, len(before), language_for(path))
    whole = end_of(answer, at)
    for size in range(len(answer) + 1):
        if (end := end_of(answer[:size], at)) is not None:
            assert whole is not None
            assert (answer[: end.at], end.why) == (answer[: whole.at], whole.why)
            return
    assert whole is None
