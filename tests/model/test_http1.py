"""A reply in HTTP/1.1 is read the same however its bytes were split, and what is ambiguous is refused."""

from __future__ import annotations

import pytest

from qwen_lsp.model import http1
from qwen_lsp.model.http1 import BadReply, ReplyReader, head

CHUNKED = (
    b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n"
    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n"
    b"X-Twice: a\r\nx-twice:  b \r\n\r\n"
    b"4\r\none \r\n0A;name=value\r\ntwo\r\nthree\r\n0\r\nTrailer: x\r\n\r\n"
)


def read(pieces: list[bytes], *, closed: bool = False) -> tuple[ReplyReader, bytes]:
    """The reader after these pieces, and the body."""
    reader = ReplyReader()
    body = b"".join(reader.feed(piece) for piece in pieces)
    if closed:
        reader.eof()
    return reader, body


def test_every_split_of_a_chunked_reply_after_interim_ones() -> None:
    splits = [[CHUNKED[:at], CHUNKED[at:]] for at in range(len(CHUNKED))]
    splits.append([CHUNKED[at : at + 1] for at in range(len(CHUNKED))])
    for pieces in splits:
        reader, body = read(pieces)
        assert body == b"one two\r\nthree"
        assert (reader.status, reader.ended, reader.reusable) == (200, True, True)
        assert reader.headers["x-twice"] == "a, b"


@pytest.mark.parametrize(
    ("fields", "rest", "body", "reusable"),
    [
        (b"Content-Length: 5\r\n", b"hello", b"hello", True),
        (b"Content-Length: 5, 5\r\n", b"hello", b"hello", True),
        (b"Content-Length: 0\r\n", b"", b"", True),
        (b"Content-Length: 5\r\nConnection: close\r\n", b"hello", b"hello", False),
        (b"Content-Length: 5\r\n", b"hello, there is more", b"hello", False),
        (b"Content-Length: 9\r\nTransfer-Encoding: Chunked\r\n", b"1\r\nx\r\n0\r\n\r\n", b"x", False),
        (b"Transfer-Encoding: chunked\r\n", b"1\r\nx\r\n0\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", b"x", False),
    ],
)
def test_where_a_body_ends_and_whether_the_connection_goes_on(
    fields: bytes, rest: bytes, body: bytes, reusable: bool
) -> None:
    reader, found = read([b"HTTP/1.1 200 OK\r\n" + fields + b"\r\n" + rest])
    assert (found, reader.ended, reader.reusable) == (body, True, reusable)


def test_a_body_without_a_length_ends_with_the_connection() -> None:
    reader, body = read([b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo"], closed=True)
    assert (body, reader.ended, reader.reusable) == (b"hello", True, False)
    assert read([b"HTTP/1.1 204 No Content\r\n\r\n"])[0].ended


@pytest.mark.parametrize(
    "cut",
    [
        b"",
        b"HTTP/1.1 200 OK\r\nContent-",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhell",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n",
    ],
)
def test_a_reply_that_is_cut_is_not_whole(cut: bytes) -> None:
    with pytest.raises(BadReply, match="before the reply was whole"):
        read([cut], closed=True)


@pytest.mark.parametrize(
    ("reply", "says"),
    [
        (b"SSH-2.0-OpenSSH_9.6\r\n", "no HTTP"),
        (b"HTTP/2 200\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "no HTTP"),
        (b"HTTP/1.1 101 Switching Protocols\r\n\r\n", "another protocol"),
        (b"HTTP/1.1 200 OK\r\nA b: c\r\n\r\n", "no header"),
        (b"HTTP/1.1 200 OK\r\nA: b\r\n folded\r\n\r\n", "no header"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", "impossible length"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n", "impossible length"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", "unknown transfer encoding"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0x5\r\n", "no size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\n", "no size"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabc\r\n", "longer than its size"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * http1.LARGEST_HEAD, "headers without an end"),
        (b"HTTP/1.1 200 OK\r\nA: " + b"a" * http1.LARGEST_HEAD + b"\r\n\r\n", "headers without an end"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1" * (http1.LARGEST_HEAD + 1),
            "line without an end",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n" + b"a: b\r\n" * http1.LARGEST_HEAD,
            "trailers without an end",
        ),
    ],
)
def test_what_is_no_reply_is_refused(reply: bytes, says: str) -> None:
    with pytest.raises(BadReply, match=says):
        read([reply])


@pytest.mark.parametrize("value", ["a\r\nX-Evil: 1", "a\nb", "a\x00b", "über\u2028"])
def test_no_value_of_a_header_leaves_its_line(value: str) -> None:
    with pytest.raises(ValueError, match="Authorization"):
        head("POST", "/v1", {"Authorization": value})
    with pytest.raises(ValueError, match="header"):
        head("POST", "/v1", {f"X: {value}": "a"})


@pytest.mark.parametrize("target", ["", "/a b", "/a\r\nHost: evil", "/é"])
def test_no_target_leaves_its_line(target: str) -> None:
    with pytest.raises(ValueError, match="no request target"):
        head("GET", target, {})


def test_a_request_as_it_is_sent() -> None:
    sent = head("POST", "/v1/completions", {"Host": "h:1", "X": "é"})
    assert sent == b"POST /v1/completions HTTP/1.1\r\nHost: h:1\r\nX: \xe9\r\n"
