"""The page of a run: everything is on it, nothing of it runs, and nothing is fetched."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import pytest

from qwen_lsp.features.agent.events import (
    AgentEvent,
    Asked,
    Began,
    Called,
    Changed,
    Observed,
    Planned,
    Said,
    Stopped,
    Turned,
    as_json,
)
from qwen_lsp.model.messages import Message, Usage
from qwen_lsp.runs.page import page_of
from qwen_lsp.runs.record import EVENTS, Meta, Record
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath

RUN = "20260101T000000-abcdef"
EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">\u202e"\'`&lt;'


def kept(
    events: Sequence[AgentEvent],
    edits: Sequence[FileEdit] = (),
    *,
    task: str = "Round halves down.",
    messages: Sequence[Message] = (),
) -> str:
    """The page of a run with these events, written down as a run is."""
    tools = ({"type": "function", "function": {"name": "read_file"}},)
    begun = "2026-01-01T00:00:00+00:00"
    record = Record(Meta(RUN, "/home/me/calc", task, "qwen3-coder", "ask", begun, tools, "done"))
    for message in messages:
        record.said(message)
    record.worked({RelPath(edit.path): edit for edit in edits}, {})
    record.close()
    lines = [json.dumps(as_json(event) | {"at": 1_767_225_600.0 + at}) for at, event in enumerate(events)]
    (record.folder / EVENTS).write_text("\n".join(lines))
    return page_of(RUN)


class Reader(HTMLParser):
    """The elements of a page with their attributes, and its words."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str | None]]] = []
        self.words = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words += data


def run(said: str = "I look.") -> list[AgentEvent]:
    return [
        Began(RUN, "Round halves down.", "qwen3-coder"),
        Said(said),
        Turned(1, Usage(1_000, 50, 0), 1.5, 0.01),
        Planned((("Change the rule", "in_progress"),)),
        Called("a", "edit", {"file_path": "calc/money.py"}),
        Observed("a", "edit", True, "Edited."),
        Changed("a", ("calc/money.py",), "--- a/m\n+++ b/m\n@@ -1 +1 @@\n-2 >= s\n+2 > s\n"),
        Called("b", "run_shell_command", {"command": "make test"}),
        Asked("Run this command?", "make test"),
        Asked("Run this command?", "make test", "no: later"),
        Observed("b", "run_shell_command", False, "The user did not allow it."),
        Said("It is done."),
        Turned(2, Usage(1_200, 20, 900), 0.5, 0.02),
        Stopped("done", "The task is done."),
    ]


def test_everything_that_happened_is_on_the_page() -> None:
    page = kept(
        run(),
        [FileEdit("calc/money.py", "2 >= s\n", "2 > s\n"), FileEdit("calc/new.py", None, "X = 1\n")],
        messages=[Message("system", "You are an agent."), Message("user", "# Context of the task")],
    )
    words = " ".join(Reader(page).words.split())
    for said in (
        "Round halves down.", "done", "2,200 tokens, 41% cached", "70 tokens", "0.0200", "I look.",
        "It is done.", "Plan: 0 of 1 step done; now: Change the rule", "make test", "no: later",
        "The user did not allow it.", "What it changes: 2 files", "calc/new.py", "new", "You are an agent.",
        "# Context of the task", "read_file", "Turn 2",
    ):  # fmt: skip
        assert said in words, said
    assert '<span class="add">+2 &gt; s</span>' in page


def test_each_request_is_a_bar_of_what_was_cached_new_and_written() -> None:
    page = kept(run())
    bars = re.findall(r'<a href="#t(\d)"><title>([^<]*)</title>(.*?)</a>', page)
    assert [(turn, title) for turn, title, _ in bars] == [
        ("1", "Turn 1: 1,000 sent, 0% cached; 50 written"),
        ("2", "Turn 2: 1,200 sent, 75% cached; 20 written"),
    ]
    tall = [dict(re.findall(r'class="(\w+)"[^>]* height="([\d.]+)"', bar)) for *_, bar in bars]
    assert [set(one) for one in tall] == [{"new", "written"}, {"cached", "new", "written"}]
    assert float(tall[1]["cached"]) == pytest.approx(3 * float(tall[1]["new"]), rel=0.01)
    ids = [attributes.get("id") for _, attributes in Reader(page).elements]
    assert {"t1", "t2"} <= set(ids)
    assert len([one for one in ids if one]) == len({one for one in ids if one})


def test_nothing_foreign_is_markup() -> None:
    events: list[AgentEvent] = [
        Began(RUN, EVIL, EVIL),
        Said(EVIL),
        Turned(1, Usage(10, 1, 0)),
        Planned(((EVIL, EVIL),)),
        Called("a", EVIL, {EVIL: EVIL, "file_path": EVIL}),
        Asked(EVIL, EVIL, EVIL),
        Observed("a", EVIL, False, EVIL),
        Changed("a", (EVIL,), f"--- a/x\n+++ b/x\n@@ -1 +1 @@\n-{EVIL}\n+{EVIL}\n"),
        Stopped("endpoint", EVIL),
    ]
    page = kept(events, [FileEdit(EVIL, EVIL, f"{EVIL}!")], task=EVIL, messages=[Message("system", EVIL)] * 2)
    tags = {tag for tag, _ in Reader(page).elements}
    assert not tags & {"script", "img", "iframe", "object", "form", "base", "link"}
    assert not any(name.startswith("on") for _, attributes in Reader(page).elements for name in attributes)
    assert "\u202e" not in page
    assert "U+202E" in page


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    read = Reader(kept(run()))
    policy = next(a["content"] for t, a in read.elements if t == "meta" and "http-equiv" in a)
    assert policy is not None
    assert policy.startswith("default-src 'none'; style-src 'sha256-")
    assert "script-src" not in policy
    for _, attributes in read.elements:
        assert "style" not in attributes, "the policy would not let it in"
        assert not {"src", "srcset", "action", "data"} & set(attributes)
        assert (attributes.get("href") or "#").startswith("#")


def test_a_run_that_said_nothing_has_a_page_too() -> None:
    words = " ".join(Reader(kept([])).words.split())
    assert "not over" in words
    assert "What it changes" not in words


def test_a_very_long_text_is_cut_and_says_so() -> None:
    page = kept(
        [
            Began(RUN, "Read.", "m"),
            Turned(1, Usage(1, 1, 0)),
            Called("a", "read_file", {"file_path": "a"}),
            Observed("a", "read_file", True, "x" * 1_000_000),
        ]
    )
    assert len(page) < 60_000
    assert "the first 20,000 of 1,000,000 characters" in page


def test_the_same_record_gives_the_same_bytes(tmp_path: Path) -> None:
    first = kept(run())
    assert page_of(RUN) == first
