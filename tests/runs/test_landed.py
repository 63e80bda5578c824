"""What several landings of one run come to."""

from __future__ import annotations

import pytest

from qwen_lsp.runs.landed import LandedEdit, Step, composed
from qwen_lsp.text.edits import FileEdit


def edit(before: str | None, after: str | None, executable: bool | None = None) -> FileEdit:
    return FileEdit("a.sh", before, after, executable=executable)


@pytest.mark.parametrize(
    ("first", "then", "whole"),
    [
        (edit("1", "2"), edit("2", "3"), edit("1", "3")),
        (edit("1", "2"), edit("2", "1"), None),
        (edit(None, "1"), edit("1", None), None),
        (edit("1", "2", True), edit("2", "1"), edit("1", "1", True)),
        (edit("1", "2", True), edit("2", "1", False), None),
        (edit(None, "1"), edit("1", "1", True), edit(None, "1", True)),
        (edit("1", "1", True), edit("1", None, True), edit("1", None, False)),
    ],
)
def test_two_edits_of_a_file_are_one(first: FileEdit, then: FileEdit, whole: FileEdit | None) -> None:
    landings = [Step("", (LandedEdit(each, "disk"),)) for each in (first, then)]
    assert composed(landings, "disk") == ([whole] if whole is not None else [])
