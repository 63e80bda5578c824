"""What a file says about itself at its top, and what a selection names."""

from __future__ import annotations

import pytest

from qwen_lsp.features.overview import file_comment, overview
from qwen_lsp.syntax.languages import language_for
from qwen_lsp.text.positions import Span
from tests.support.fixture import workspace

CASES = {
    "a docstring": ("a.py", '"""It adds.\n\nMore."""\n', "It adds."),
    "a docstring below a licence": (
        "a.py",
        "# Copyright 2020 A.\n# All.\n\n'''It adds.'''\n",
        "It adds.",
    ),
    "a docstring below a drawing": ("a.py", '#  /__)  _  _\n# / (   (- (/\n\n"""It adds."""\n', "It adds."),
    "a comment below one for a tool": (
        "a.rb",
        "# frozen_string_literal: true\n\n# It adds.\n",
        "It adds.",
    ),
    "after a shebang": ("a.sh", "#!/bin/sh\n# It adds.\nexit\n", "It adds."),
    "a block comment below a licence": ("a.js", "/*! MIT Licensed */\n\n/**\n * It adds.\n */\n", "It adds."),
    "nothing": ("a.go", "package a\n\n// It adds.\n", ""),
    "nothing but dashes": ("a.c", "/* ------------ */\nint a;\n", ""),
}


@pytest.mark.parametrize(("path", "text", "said"), CASES.values(), ids=CASES.keys())
def test_file_comment(path: str, text: str, said: str) -> None:
    assert file_comment(text.split("\n"), language_for(path)) == said


def test_words_of_a_comment_are_no_names() -> None:
    made = workspace(
        "#- a.py\n# use render here\nx = render()\n<CURSOR>\n#- b.py\ndef render(): ...\ndef use(): ...\n"
    )
    page = overview(made.snapshot, made.path, Span(0, made.offset))
    assert "`render` is defined in `b.py`" in page
    assert "`use`" not in page
