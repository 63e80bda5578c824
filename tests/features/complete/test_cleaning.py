"""What is kept of an answer, case by case."""

from __future__ import annotations

import pytest

from qwen_lsp.features.complete.cleaning import clean
from tests.features.complete.places import place

CASES = {
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
}


@pytest.mark.parametrize(("text", "answer", "kept"), CASES.values(), ids=CASES.keys())
def test_clean(text: str, answer: str, kept: str) -> None:
    assert clean(answer, place(text)) == kept
