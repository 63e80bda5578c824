"""Code out of replies: what is taken, what is refused, how it is made to fit."""

from __future__ import annotations

import pytest

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.replies import fitted, omission, read_answer


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        ("```python\nx = 1\n```", "x = 1"),
        ("Sure, here it is:\n\n```\nx = 1\n```\nIt sets x.", "x = 1"),
        ("~~~py\nx = 1\n~~~", "x = 1"),
        ("````md\n```\ninner\n```\n````", "```\ninner\n```"),
        ("x = 1\ny = 2\n", "x = 1\ny = 2"),
        ("```\nshort\n```\n```\nthe longer one wins\n```", "the longer one wins"),
        ("```python\n 12| a = 1\n 13| b = 2\n```", "a = 1\nb = 2"),
        ("```\r\nx = 1\r\n```\r\n", "x = 1"),
    ],
)
def test_code_is_found(reply: str, code: str) -> None:
    assert read_answer(reply, "stop").code == code


def test_imports_stand_beside_the_code() -> None:
    answer = read_answer("```python\nos.getcwd()\n```\n```imports\nimport os\n```\n", "stop")
    assert answer.code == "os.getcwd()"
    assert answer.imports == ("import os",)


@pytest.mark.parametrize(
    ("reply", "reason", "said"),
    [
        ("```python\nx = 1\n", "stop", "no end"),
        ("```python\nx = 1\n```", "length", "cut"),
        ("   \n", "stop", "no code"),
        ("```imports\nimport os\n```", "stop", "no code"),
    ],
)
def test_a_cut_or_empty_reply_is_refused(reply: str, reason: str, said: str) -> None:
    with pytest.raises(EditRejected, match=said):
        read_answer(reply, "length" if reason == "length" else "stop")


@pytest.mark.parametrize(
    "line",
    [
        "# ... rest of the code unchanged",
        "    // existing code",
        "// ...",
        "/* remaining methods stay the same */",
        "# the rest of the function goes here",
        "    # ... (previous implementation)",
        "<!-- rest of the file unchanged -->",
        "# unchanged",
        "// other methods here... same as before",
    ],
)
def test_a_placeholder_is_noticed(line: str) -> None:
    assert omission(f"def f():\n{line}\n    return 1\n", "def f():\n    return 1\n") == line.strip()
    assert omission(line, line) == "", "a line that was there before may stay"


@pytest.mark.parametrize(
    "line",
    [
        "# the other side of the window",
        "# previous value, kept for undo",
        "x = ...",
        "    ...",
        "# e.g. code points",
        "// rest parameters are allowed here: f(...args)",
        "# Everything below is private.",
        "- remaining time is shown",
    ],
)
def test_ordinary_comments_are_no_placeholders(line: str) -> None:
    assert omission(line, "") == ""


def test_indentation_and_line_ends_are_those_of_the_region() -> None:
    assert (
        fitted("def f():\n    return 1", "    def f():\n        pass\n") == "    def f():\n        return 1\n"
    )
    assert fitted("  a\n  b", "a\n") == "a\nb\n"
    assert fitted("a\nb", "a\r\n") == "a\r\nb\r\n"
    assert fitted("a\n\n", "a") == "a"
    assert fitted("\tif x:\n\t\ty", "    if x:\n        z\n") == "    if x:\n    \ty\n"
    assert fitted("    a\nb", "a\n") == "    a\nb\n", "not shifted where a line stands further left"
