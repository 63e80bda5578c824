"""Frames: any division of the bytes, any kind of damage, and the next good message still arrives."""

from __future__ import annotations

import json
import resource

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.server.wire import MAX_BODY, FrameReader, Message, Refused, encode

PROBE = {"jsonrpc": "2.0", "id": "probe", "method": "probe"}


def framed(body: bytes, header: str = "Content-Length") -> bytes:
    return f"{header}: {len(body)}\r\n\r\n".encode() + body


DAMAGED: dict[str, bytes] = {
    "garbage": b"garbage",
    "garbage line": b"garbage\r\n",
    "garbage with a space": b"hello world",
    "nul bytes": b"\0" * 100,
    "binary": bytes(range(256)) * 50,
    "long line": b"a" * 40_000,
    "many headers": b"X-Header: value\r\n" * 2_000,
    "http request": b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n",
    "no header": b'{"jsonrpc":"2.0","id":1,"method":"shutdown"}',
    "no header, line": b'{"jsonrpc":"2.0","id":1,"method":"shutdown"}\n',
    "no length": b"Content-Type: x\r\n\r\n{}",
    "empty length": b"Content-Length: \r\n\r\n{}",
    "negative length": b"Content-Length: -2\r\n\r\n{}",
    "signed length": b"Content-Length: +2\r\n\r\n{}",
    "hexadecimal length": b"Content-Length: 0x2\r\n\r\n{}",
    "fractional length": b"Content-Length: 2.0\r\n\r\n{}",
    "length in other digits": "Content-Length: ٢\r\n\r\n{}".encode(),
    "length with unit": b"Content-Length: 2 bytes\r\n\r\n{}",
    "zero length": b"Content-Length: 0\r\n\r\n",
    "length too short": b'Content-Length: 3\r\n\r\n{"a":1}',
    "length too short, still valid": b"Content-Length: 1\r\n\r\n123",
    "length too long by one": b"Content-Length: 3\r\n\r\n{}",
    "length too long by ten": b"Content-Length: 12\r\n\r\n{}",
    "length too long by a thousand": b"Content-Length: 1002\r\n\r\n{}",
    "length over the limit": b"Content-Length: 67108865\r\n\r\n{}",
    "length beyond all bounds": b"Content-Length: 99999999999999999999999999\r\n\r\n{}",
    "header cut": b"Content-Len",
    "header cut after the name": b"Content-Length:",
    "header cut in the number": b"Content-Length: 10",
    "header cut after its line": b"Content-Length: 10\r\n",
    "body missing": b"Content-Length: 10\r\n\r\n",
    "body cut": b'Content-Length: 20\r\n\r\n{"jsonrpc"',
    "no blank line": b"Content-Length: 2\r\n{}",
    "carriage returns only": b"Content-Length: 2\r\r{}",
    "two lengths": b"Content-Length: 2\r\nContent-Length: 9\r\n\r\n{}",
    "colon missing": b"Content-Length 2\r\n\r\n{}",
    "byte order mark": b"\xef\xbb\xbfContent-Length: 2\r\n\r\n{}",
    "utf-16": "Content-Length: 2\r\n\r\n{}".encode("utf-16"),
    "truncated JSON": framed(b'{"a":'),
    "two values": framed(b"{}{}"),
    "deep JSON": framed(b"[" * 100_000),
    "invalid UTF-8": framed(b'"\xff"'),
    "UTF-16 body": framed('{"a":1}'.encode("utf-16")),
    "NaN": framed(b"NaN"),
    "endless number": framed(b"1" * 5_000),
    "raw line break in a string": framed(b'"a\nb"'),
    "single quotes": framed(b"{'a': 1}"),
}


def read(data: bytes, size: int) -> list[Message | Refused]:
    reader = FrameReader()
    return [event for i in range(0, len(data), size) for event in reader.feed(data[i : i + size])]


@pytest.mark.parametrize("size", [1, 7, 1_000_000])
@pytest.mark.parametrize("kind", DAMAGED)
def test_the_message_after_damage_arrives(kind: str, size: int) -> None:
    if size == 1 and len(DAMAGED[kind]) > 10_000:
        size = 1_000
    events = read(DAMAGED[kind] + encode(PROBE), size)
    assert events[-1] == Message(PROBE)
    assert sum(event == Message(PROBE) for event in events) == 1


def test_there_are_thirty_kinds_of_damage_and_more() -> None:
    assert len(DAMAGED) >= 30


@pytest.mark.parametrize(
    "data",
    [
        b"content-length: 2\r\n\r\n{}",
        b"CONTENT-LENGTH:2\r\n\r\n{}",
        b"Content-Length: 2\n\n{}",
        b"Content-Length:\t 2 \r\n\r\n{}",
        b"Content-Type: application/vscode-jsonrpc; charset=utf-16\r\nContent-Length: 2\r\n\r\n{}",
        b"Content-Length: 2\r\nContent-Type: x\r\n\r\n{}",
        b"\r\n\r\nContent-Length: 2\r\n\r\n{}\r\n",
        b"Content-Length: 0002\r\n\r\n{}",
    ],
)
def test_headers_are_read_liberally(data: bytes) -> None:
    assert read(data, 1) == read(data, 1_000) == [Message({})]


def test_one_damaged_frame_is_refused_once() -> None:
    assert read(framed(b"{bad}") + encode(PROBE), 1) == [
        Refused("parse", "the message is not valid JSON"),
        Message(PROBE),
    ]


def test_a_header_inside_a_document_is_text() -> None:
    document = {"text": "Content-Length: 5\r\n\r\nhello\nContent-Length: 9\n"}
    assert read(encode(document) + encode(PROBE), 1) == [Message(document), Message(PROBE)]


def test_a_body_over_the_limit_is_skipped_without_being_kept() -> None:
    reader = FrameReader()
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    events = list(reader.feed(b"Content-Length: %d\r\n\r\n" % (MAX_BODY + 1)))
    chunk = b" " * 65_536
    for _ in range(MAX_BODY // len(chunk)):
        events += reader.feed(chunk)
    events += reader.feed(b" " + encode(PROBE))
    assert [type(event) for event in events] == [Refused, Message]
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 10_000  # KiB


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@settings(deadline=None, max_examples=60)
@given(st.lists(json_values, max_size=5), st.integers(1, 40))
def test_messages_arrive_whole_in_any_division(values: list[object], size: int) -> None:
    data = b"".join(
        framed(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) for value in values
    )
    expected = [json.loads(json.dumps(v, ensure_ascii=False).encode("utf-8", "replace")) for v in values]
    assert read(data, size) == [Message(value) for value in expected]


@settings(deadline=None, max_examples=150)
@given(st.lists(st.sampled_from(sorted(DAMAGED)) | st.binary(max_size=40), max_size=6), st.integers(1, 60))
def test_any_mixture_of_damage_is_survived(pieces: list[str | bytes], size: int) -> None:
    data = b"".join(
        DAMAGED[p] if isinstance(p, str) else p for p in pieces if p not in ("deep JSON", "long line")
    )
    # Two probes, since a header cut at the very end may take the first one's own for its rest.
    assert read(data + encode(PROBE) + encode(PROBE), size)[-1] == Message(PROBE)
