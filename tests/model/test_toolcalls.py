"""Every published case of the format, whole, per character and at every split, and its properties.

The cases are Markdown: a `##` title, perhaps a sentence why, the reply in a `~~~~ reply` fence (with
its finish reason, or `json` where line ends matter), and what is expected as a list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from qwen_lsp.model.messages import TextDelta, ToolCall
from qwen_lsp.model.toolcalls import Reader, Reply, parse

DATA = Path(__file__).parent / "data" / "toolcalls"
TOOLS: list[dict[str, Any]] = json.loads((DATA / "tools.json").read_text("utf-8"))
CASE = re.compile(
    r"^## (?P<title>.+?)\n.*?^~~~~ reply *(?P<how>\w*)\n(?P<reply>.*?)^~~~~\n(?P<want>.*)",
    re.MULTILINE | re.DOTALL,
)


@dataclass(frozen=True)
class Case:
    title: str
    text: str
    finish: str
    want: tuple[str, ...]


def read_cases() -> list[Case]:
    cases: list[Case] = []
    for path in sorted(DATA.glob("*.md")):
        text = path.read_text("utf-8")
        for section in re.split(r"^(?=## )", text, flags=re.MULTILINE)[1:]:
            found = CASE.match(section)
            assert found, f"{path.name}: not a case:\n{section}"
            raw, how = found["reply"].removesuffix("\n"), found["how"]
            reply = json.loads(raw) if how == "json" else raw
            want = tuple(line for line in found["want"].splitlines() if line)
            finish = how if how not in ("", "json") else "stop"
            cases.append(Case(f"{path.stem}: {found['title']}", reply, finish, want))
    return cases


CASES = read_cases()


def in_pieces(pieces: Sequence[str], finish: str = "stop") -> Reply:
    """The reply as a stream gives it; what was shown and called on the way has to be the reply."""
    reader = Reader(TOOLS)
    events = [event for piece in pieces for event in reader.feed(piece)]
    reply = reader.finish(finish)
    events += reply.tail
    assert "".join(event.text for event in events if isinstance(event, TextDelta)) == reply.content
    called = [event for event in events if isinstance(event, ToolCall)]
    assert [call for call in called if not call.problem] == reply.calls
    assert [call for call in called if call.problem] == reply.rejected
    return reply


def test_there_are_cases_enough() -> None:
    assert len(CASES) >= 120
    assert len({case.title for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_case(case: Case) -> None:
    reply = parse(case.text, TOOLS, case.finish)
    content, calls, refused = "", list[str](), list[tuple[str, str]]()
    for line in case.want:
        kind, _, rest = line.removeprefix("- ").partition(": ")
        if kind == "content":
            content = json.loads(rest)
        elif kind.startswith("call "):
            calls.append(f"{kind[5:]} {json.dumps(json.loads(rest), ensure_ascii=False)}")
        else:
            refused.append((kind.removeprefix("refused").strip(), rest))
    assert reply.content == content
    assert [f"{c.name} {json.dumps(c.arguments, ensure_ascii=False)}" for c in reply.calls] == calls
    assert [c.name for c in reply.rejected] == [name for name, _ in refused]
    for call, (_, words) in zip(reply.rejected, refused, strict=True):
        assert words in call.problem


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_every_split_reads_the_same(case: Case) -> None:
    whole = parse(case.text, TOOLS, case.finish)
    assert in_pieces(list(case.text), case.finish) == whole
    for at in range(len(case.text) + 1):
        assert in_pieces([case.text[:at], case.text[at:]], case.finish) == whole


@pytest.mark.parametrize("case", CASES, ids=[case.title for case in CASES])
def test_no_cut_reply_runs_more_than_its_closed_calls(case: Case) -> None:
    """Whatever the place of the cut: what runs is a beginning of what the whole reply would have run."""
    whole = [(c.name, c.arguments) for c in parse(case.text, TOOLS).calls]
    for at in range(len(case.text)):
        cut = [(c.name, c.arguments) for c in parse(case.text[:at], TOOLS, "length").calls]
        assert cut == whole[: len(cut)]


PIECES = (
    "<tool_call>", "</tool_call>", "<function=edit>", "<function=list_todos>", "<function=x>", "</function>",
    "<parameter=old_string>", "<parameter=file_path>", "<parameter=q>", "</parameter>", "</parameter1>", "\n",
    "\n\n", " ", "text", "`", "```\n", "{", "}", '"', "'", '{"name": "list_todos"}', "<", "</", "=", ">", "é",
    "<tool", "_call>", "<function", "<parameter=old_string=", "\r\n", "/", "~~~\n", "{{ x }}",
)  # fmt: skip


@settings(max_examples=600, deadline=None)
@given(
    st.lists(st.sampled_from(PIECES), max_size=30),
    st.lists(st.integers(1, 9), min_size=1, max_size=5),
    st.sampled_from(("stop", "length", "tool_calls")),
)
@example(["<function=edit>", "{{ x }}", "text", '{"name": "list_todos"}'], [2], "stop")
def test_any_text_reads_the_same_in_any_pieces(parts: list[str], steps: list[int], finish: str) -> None:
    text = "".join(parts)
    whole = in_pieces([text], finish)
    pieces: list[str] = []
    at = 0
    while at < len(text):
        step = steps[len(pieces) % len(steps)]
        pieces.append(text[at : at + step])
        at += step
    assert in_pieces(pieces, finish) == whole
    assert in_pieces(list(text), finish) == whole
    assert all(call.name in {tool["function"]["name"] for tool in TOOLS} for call in whole.calls)


@settings(max_examples=200, deadline=None)
@given(st.text(), st.text(), st.text())
def test_what_the_template_writes_is_read_back(path: str, old: str, new: str) -> None:
    """Values without markup survive the round trip byte for byte, with any blanks around them."""
    values = {"file_path": path, "old_string": old, "new_string": new}
    parts = "".join(f"<parameter={key}>\n{value}\n</parameter>\n" for key, value in values.items())
    reply = in_pieces([f"<tool_call>\n<function=edit>\n{parts}</function>\n</tool_call>"])
    assert reply == Reply("", [ToolCall("edit", values)])


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from(CASES), min_size=1, max_size=3))
def test_calls_nested_in_a_file_stay_in_the_file(inner: list[Case]) -> None:
    """A file made of well-formed replies is written as it is, and nothing in it is called."""
    good = [case.text for case in inner if case.title.startswith("01") and "\r" not in case.text]
    content = "\n".join(good)
    text = (
        "<tool_call>\n<function=write_file>\n<parameter=file_path>\na\n</parameter>\n"
        f"<parameter=content>\n{content}\n</parameter>\n</function>\n</tool_call>"
    )
    assert parse(text, TOOLS) == Reply("", [ToolCall("write_file", {"file_path": "a", "content": content})])


@settings(max_examples=200, deadline=None)
@given(st.text())
def test_text_without_markup_is_content(text: str) -> None:
    if "<tool_call" not in text and "<function" not in text:
        assert in_pieces([text]) == Reply(text)


def test_text_is_shown_as_it_comes() -> None:
    """Only what may become a tag is held back, and a call is delivered with its last tag."""
    reader = Reader(TOOLS)
    assert reader.feed("a < b, ") == [TextDelta("a < b, ")]
    assert reader.feed("x <tool") == [TextDelta("x ")]
    assert reader.feed("box>") == [TextDelta("<toolbox>")]
    assert reader.feed("\n<tool_call>\n<function=list_todos>\n</function>\n") == [TextDelta("\n")]
    assert reader.feed("</tool_call>") == [ToolCall("list_todos", {})]
    assert reader.finish() == Reply("a < b, x <toolbox>\n", [ToolCall("list_todos", {})])


def test_an_unknown_tool_is_told_what_there_is() -> None:
    call = "<tool_call><function=nope></function></tool_call>"
    assert parse(call, []).rejected[0].problem.endswith("no tools are available here.")
    tools = [{"type": "function", "function": {"name": f"t{number}"}} for number in range(99)]
    assert "t29, …" in parse(call, tools).rejected[0].problem


@pytest.mark.parametrize(
    "tool", [{}, {"function": None}, {"function": {"name": ""}}, {"name": "flat", "parameters": 1}]
)
def test_odd_tool_specs_do_no_harm(tool: dict[str, Any]) -> None:
    assert parse("plain", [tool]).content == "plain"


@pytest.mark.parametrize(
    "text",
    [
        "<tool_call><function=write_file><parameter=content>" + "</parameter>\n" * 20_000,
        "<tool_call><function=write_file><parameter=content>" + "<function=a><parameter=b>" * 20_000,
        "<tool_call><function=write_file><parameter=content>" + "</parameter>" + " " * 300_000,
        "<tool_call><function=open-ended.tool>" + "".join(f"\n<parameter=p{n}>x" for n in range(10_000)),
        "<tool_call>" * 50_000,
        "<tool_call>\n<function=x>" * 20_000,
        "`<function=list_todos>\n" * 20_000,
        "<tool_call>{" + '"a": {' * 50_000,
        "<" * 300_000,
        "</tool_call>" * 30_000,
        "<tool_call><function=list_todos>" + "junk <" * 50_000,
        "<tool_call><function=typed><parameter=map>" + "[" * 100_000 + "</parameter></function></tool_call>",
        "<tool_call><function=typed><parameter=whole>"
        + "9" * 100_000
        + "</parameter></function></tool_call>",
    ],
    ids=lambda text: text[30:70].strip(),
)
def test_hostile_text_is_read_in_linear_time(text: str) -> None:
    """Each is some 300,000 characters; quadratic work on one would outlast the whole suite."""
    whole = parse(text, TOOLS)
    assert in_pieces([text[at : at + 997] for at in range(0, len(text), 997)]) == whole
