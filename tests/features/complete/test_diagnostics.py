"""What is wrong near the cursor comes into the prompt, as long as it is about the line as it is."""

from __future__ import annotations

import pytest

from qwen_lsp.features.complete.diagnostics import Complaint, Diagnostics
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

A = RelPath("a.py")
TEXT = "import os\nx = undefined\ny = 1\n" + "z = 2\n" * 20


def known(*complaints: tuple[int, str]) -> Diagnostics:
    found = Diagnostics()
    index = LineIndex(TEXT)
    found.note(A, range(30), [Complaint(line, index.line_text(line), said) for line, said in complaints])
    return found


def told(found: Diagnostics, line: int, text: str = TEXT) -> str | None:
    near = found.near(A, line, LineIndex(text), Gate(None))
    return None if near is None else near[1]


def test_the_nearest_come_first() -> None:
    found = known((0, "unused import"), (1, "undefined name\n  'undefined'"))
    assert told(found, 2) == "line 2: undefined name 'undefined'\nline 1: unused import\n"


@pytest.mark.parametrize("line", [5, 20])
def test_what_is_far_away_is_left_out(line: int) -> None:
    assert told(known((1, "undefined name")), line) is None


def test_a_line_that_changed_is_no_longer_wrong() -> None:
    found = known((1, "undefined name"))
    assert told(found, 2, TEXT.replace("x = undefined", "x = defined")) is None


def test_what_an_editor_no_longer_tells_is_over() -> None:
    found = known((0, "unused import"), (1, "undefined name"))
    found.note(A, range(1, 2), [])
    assert told(found, 1) == "line 1: unused import\n"


def test_a_secret_in_a_message_is_not_passed_on() -> None:
    key = "AKIA" + "Q3EGRIWDF5TJ7XYZ"
    said = told(known((1, f"bad key {key}")), 1)
    assert said is not None
    assert key not in said


def test_half_a_secret_is_not_passed_on_either() -> None:
    key = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
    said = told(known((1, f"{'it is wrong ' * 15}{key}")), 1)
    assert said is not None
    assert key[:12] not in said


def test_a_key_of_several_lines_is_known_for_one() -> None:
    body = "\n".join("MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj" for _ in range(2))
    key = f"-----BEGIN PRIVATE KEY-----\n{body}\n-----END PRIVATE KEY-----"
    said = told(known((1, f"bad:\n{key}")), 1)
    assert said is not None
    assert "MIIEvQIBADANBgkqhkiG9w0" not in said


def test_what_is_told_again_with_another_line_is_said_once() -> None:
    """A diagnostic of several lines comes with each of them."""
    found = known((1, "this statement never ends"))
    wrong = Complaint(1, LineIndex(TEXT).line_text(1), "this statement never ends")
    found.note(A, range(2, 3), [wrong])
    found.note(A, range(3, 4), [wrong])
    assert told(found, 2) == "line 2: this statement never ends\n"


def test_a_line_of_a_megabyte_is_not_kept() -> None:
    text = "x = 1;" * 200_000
    found = Diagnostics()
    found.note(A, range(1), [Complaint(0, text, "wrong")])
    assert found.near(A, 0, LineIndex(text), Gate(None)) is None


def test_other_files_are_other_files() -> None:
    assert known((1, "wrong")).near(RelPath("b.py"), 1, LineIndex(TEXT), Gate(None)) is None
