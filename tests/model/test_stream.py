"""A stream is read the same however its bytes were split."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.errors import MalformedReply
from qwen_lsp.model.stream import DONE, Event, EventReader

SSE = (
    'data: {"a": "é👋"}\n\n: a comment\r\n\r\nevent: x\r\ndata: {"b":\r\ndata: 1}\r\n\r\nid: 7\n'
    'data:{"c":2}\n\ndata: [DONE]\n\n'
)
WANTED: list[Event] = [{"a": "é👋"}, {"b": 1}, {"c": 2}, DONE]


def read(pieces: list[bytes]) -> list[Event]:
    reader = EventReader("h")
    return [event for piece in pieces for event in reader.feed(piece)] + reader.finish()


@given(st.lists(st.integers(0, 30), max_size=20))
@settings(deadline=None)
def test_any_split(sizes: list[int]) -> None:
    data = SSE.encode()
    pieces: list[bytes] = []
    for size in sizes:
        pieces.append(data[:size])
        data = data[size:]
    assert read([*pieces, data]) == WANTED


def test_every_two_way_split() -> None:
    data = SSE.encode()
    for at in range(len(data)):
        assert read([data[:at], data[at:]]) == WANTED


def test_json_lines() -> None:
    lines = b'{"response": "a", "done": false}\n{"response": "", "done": true}'
    assert read([lines]) == [{"response": "a", "done": False}, {"response": "", "done": True}]


def test_the_last_event_needs_no_line_end_but_half_an_event_is_none() -> None:
    assert read([b'data: {"a": 1}']) == [{"a": 1}]
    assert read([b'data: {"a": 1}\n\ndata: {"b"']) == [{"a": 1}]


def test_nothing_follows_the_end() -> None:
    assert read([b'data: [DONE]\n\ndata: {"a": 1}\n\n']) == [DONE]


def test_an_error_field_is_an_error_event() -> None:
    assert read([b'error: {"message": "x"}\n\n']) == [{"error": {"message": "x"}}]


@pytest.mark.parametrize("bad", [b"data: {\n\n", b"data: []\n\n", b"{nope}\n"])
def test_nonsense_is_refused(bad: bytes) -> None:
    with pytest.raises(MalformedReply):
        read([bad])


def test_an_endless_line_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qwen_lsp.model.stream.LARGEST", 100)
    with pytest.raises(MalformedReply, match="endless"):
        read([b"data: " + json.dumps("x" * 200).encode()])


def test_an_endless_event_of_short_lines_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qwen_lsp.model.stream.LARGEST", 100)
    with pytest.raises(MalformedReply, match="endless"):
        read([b"data: x\n"] * 20)
