"""What the terminal shows, at the widths people have."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from qwen_lsp.cli import screen
from qwen_lsp.cli.trial import Cut, Trial
from qwen_lsp.workspace.paths import RelPath


def _shown(width: int = 40) -> tuple[Console, io.StringIO]:
    out = io.StringIO()
    return Console(file=out, width=width, highlight=False), out


def test_a_paragraph_is_indented_on_every_line_and_never_markup() -> None:
    console, out = _shown(30)
    screen.say(console, "On ", ("app/[id]/page.tsx", "bold"), " and quite some more words after it")
    lines = out.getvalue().splitlines()
    assert "app/[id]/page.tsx" in lines[0]
    assert len(lines) > 1
    assert all(line.startswith("  ") and line == line.rstrip() and len(line) <= 30 for line in lines)


def test_a_line_to_copy_is_never_broken() -> None:
    console, out = _shown(20)
    screen.verbatim(console, "export A=" + "x" * 60)
    assert out.getvalue() == "    export A=" + "x" * 60 + "\n"


@pytest.mark.parametrize(
    ("path", "width", "short"),
    [
        ("a/b.py", 10, "a/b.py"),
        ("one/two/three.py", 14, "…/two/three.py"),
        ("one/two/three.py", 12, "…/three.py"),
        ("a_very_long_name.py", 8, "…name.py"),
    ],
)
def test_a_path_is_shortened_from_its_beginning(path: str, width: int, short: str) -> None:
    assert screen.short_path(path, width) == short
    assert len(short) <= width


def test_ghost_text_stays_within_the_width() -> None:
    console, out = _shown(30)
    text = "\tif a:\n\t\treturn compute(a, [b])" + " # long" * 9 + "\n\tend"
    screen.ghost(console, Trial(RelPath("a.py"), text, ()), Cut(RelPath("a.py"), 1, 9, ""), "compute(a)\n  b")
    lines = out.getvalue().splitlines()
    assert lines[1].startswith("      2         return ▏")
    assert all(len(line) <= 30 and "\t" not in line for line in lines)


def test_a_reason_that_actions_share_is_told_once() -> None:
    console, out = _shown(80)
    screen.offers(
        console, [("a:0", "Do `a`", "no model"), ("b:0", "Do `b`", "no model"), ("c:0", "Explain", "")]
    )
    assert out.getvalue().splitlines() == [
        "  c:0  Explain", "  a:0  Do `a`", "  b:0  Do `b`", "  not now: no model",
    ]  # fmt: skip


def test_tables_have_no_white_space_at_their_end() -> None:
    console, out = _shown(80)
    screen.receipt(
        console,
        {
            "parts": [{"path": "a/[x].ts", "kind": "whole", "tokens": 1234, "why": "imported"}],
            "tokens": 1234,
            "budget": 8192,
        },
        14,
    )
    assert "a/[x].ts" in out.getvalue()
    assert all(line == line.rstrip() for line in out.getvalue().splitlines())
    assert "1,234 of 8,192 tokens; 0 withheld, 0 left out" in out.getvalue()


def test_the_title_of_a_page_is_not_said_twice() -> None:
    console, out = _shown(80)
    screen.markdown(console, "# `a.py`\n\nOne.\n\nTwo.\n\nThree.", 3)
    assert "a.py" not in out.getvalue()
    assert "more lines" in out.getvalue()
