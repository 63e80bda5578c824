"""A streamed chat reply put together from pieces as servers send them, well and badly."""

from __future__ import annotations

from typing import Any

import pytest

from qwen_lsp.model.chat import Assembler
from qwen_lsp.model.messages import ChatDone

SCHEMA = {"type": "object", "properties": {"file_path": {"type": "string"}}, "required": ["file_path"]}
TOOLS: list[dict[str, Any]] = [
    {"type": "function", "function": {"name": "read_file", "description": "", "parameters": SCHEMA}}
]
A, B = '{"file_path": "a"}', '{"file_path": "b"}'
NATIVE = {"name": "read_file", "arguments": A}
NO_PIECES: list[dict[str, Any]] = [
    {"choices": None},
    {"choices": [None]},
    {"choices": ["x"]},
    {"choices": [{"delta": None}]},
    {"choices": [{"delta": []}]},
    {"choices": [{"delta": {"content": 5, "tool_calls": "x"}}]},
    {"choices": [{"delta": {"tool_calls": [None, "x", {"function": []}]}}]},
]
Piece = tuple[int | None, str | None, str | None, str]
"""The index, the id and the name, where the server sends them, and a piece of the arguments."""


def test_pieces_are_joined_by_index() -> None:
    assert calls((0, "x", "read_file", A[:5]), (1, "y", "read_file", B[:7]), (0, None, None, A[5:]),
                 (1, None, None, B[7:])) == [("x", "a"), ("y", "b")]  # fmt: skip


def test_calls_that_all_have_the_same_index_are_told_apart_by_their_ids() -> None:
    assert calls((0, "x", "read_file", A), (0, "y", "read_file", B)) == [("x", "a"), ("y", "b")]


def test_an_id_made_up_for_every_piece_begins_no_call() -> None:
    assert calls((0, "x", "read_file", A[:5]), (0, "y", None, A[5:])) == [("y", "a")]


def test_a_name_said_with_every_piece_begins_no_call() -> None:
    assert calls((0, "x", "read_file", A[:5]), (0, "x", "read_file", A[5:])) == [("x", "a")]


def test_pieces_without_an_index_belong_to_the_latest_call() -> None:
    assert calls((None, "x", "read_file", A[:5]), (None, None, None, A[5:]), (None, "y", "read_file", B)) == [
        ("x", "a"),
        ("y", "b"),
    ]


def test_calls_with_neither_index_nor_id_begin_with_their_names() -> None:
    assert [path for _, path in calls((None, None, "read_file", A), (None, None, "read_file", B))] == [
        "a",
        "b",
    ]


def test_a_call_that_the_server_left_in_the_text_is_one_too() -> None:
    reply = Assembler("host", TOOLS, 100)
    for path in ("a", "b"):
        text = (
            f"<tool_call>\n<function=read_file>\n<parameter=file_path>\n{path}\n</parameter>\n</function>\n"
        )
        reply.feed({"choices": [{"delta": {"content": f"{text}</tool_call>\n"}}]})
    reply.feed({"choices": [{"delta": {"tool_calls": [{"index": 0, "id": "x", "function": NATIVE}]}}]})
    assert [call.arguments["file_path"] for call in done(reply).calls] == ["a", "b"], "each of them once"


@pytest.mark.parametrize("event", NO_PIECES)
def test_what_is_no_piece_is_passed_over(event: dict[str, Any]) -> None:
    reply = Assembler("host", TOOLS, 100)
    assert reply.feed(event) == []
    assert done(reply).calls == ()


def calls(*pieces: Piece) -> list[tuple[str, str]]:
    """The id and the file of each call that these pieces make, none of them with a problem."""
    reply = Assembler("host", TOOLS, 100)
    for index, id_, name, arguments in pieces:
        function = {"arguments": arguments} | ({"name": name} if name else {})
        call: dict[str, Any] = {"function": function}
        call |= {} if index is None else {"index": index}
        call |= {"id": id_} if id_ else {}
        reply.feed({"choices": [{"delta": {"tool_calls": [call]}}]})
    made = done(reply).calls
    assert not any(call.problem for call in made)
    return [(call.id, call.arguments["file_path"]) for call in made]


def done(reply: Assembler) -> ChatDone:
    reply.feed({"choices": [{"delta": {}, "finish_reason": "stop"}]})
    return reply.finish()[1]
