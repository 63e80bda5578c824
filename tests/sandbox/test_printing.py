"""What a command prints is plain text, whatever it sends to the terminal and however it arrives."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_lsp.sandbox.printing import Kept, Reader

SEQUENCES = {
    "colours": ("\x1b[31;1mred\x1b[0m", "red"),
    "colours in 256 and with colons": ("\x1b[38:2::1:2:3mx\x1b[38;5;9my", "xy"),
    "a control sequence in one character": ("\x9b2Jx", "x"),
    "a cursor moved over a warning": ("danger\x1b[6Dsafe  ", "dangersafe  "),
    "the clipboard": ("a\x1b]52;c;cm0gLXJmIC8=\x07b", "ab"),
    "the clipboard, ended otherwise": ("a\x1b]52;c;cm0gLXJmIC8=\x1b\\b", "ab"),
    "the clipboard in single characters": ("a\x9d52;c;eA==\x9cb", "ab"),
    "a title": ("\x1b]0;title\x07text", "text"),
    "a link": ("\x1b]8;;http://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
    "a device control string": ("a\x1bP+q544e\x1b\\b", "ab"),
    "strings of other kinds": ("\x1bXone\x1b\\\x1b^two\x1b\\\x1b_three\x1b\\end", "end"),
    "a string that another sequence breaks off": ("\x1b]0;never ended\x1b[1mtext", "text"),
    "a string that is cancelled": ("\x1b]0;title\x18text", "text"),
    "another alphabet": ("\x1b(0lqk\x1b(B", "lqk"),
    "the whole terminal reset": ("\x1bcx", "x"),
    "a bell, a backspace, a null": ("a\x07b\x08c\0d\x7fe", "abcde"),
    "tabs and lines": ("a\tb\nc\r\nd", "a\tb\nc\nd"),
    "progress on one line": ("10%\r50%\r100%\n", "10%\n50%\n100%\n"),
    "a sequence that is none": ("\x1b[12\nx", "12\nx"),
    "text as it is": ("naïve 漢字 🙂\n", "naïve 漢字 🙂\n"),
}


@pytest.mark.parametrize("case", SEQUENCES)
def test_sequences_go_and_the_text_stays_wherever_it_is_cut(case: str) -> None:
    sent, plain = SEQUENCES[case]
    data = sent.encode()
    for cut in range(len(data) + 1):
        reader = Reader()
        assert reader.feed(data[:cut]) + reader.feed(data[cut:]) + reader.feed(b"", last=True) == plain
    by_byte = Reader()
    pieces = [by_byte.feed(bytes([byte])) for byte in data]
    assert "".join(pieces) + by_byte.feed(b"", last=True) == plain


_SENT = st.lists(st.sampled_from([*"\x1b[]P\\;0m\x07\x18\x9b\x9c\x9d\r\na é漢", "\x1b[3", "\x1b]0;", "\xff"]))


@given(_SENT, st.lists(st.integers(1, 5), max_size=12))
def test_no_control_character_gets_through_and_cuts_make_no_difference(
    sent: list[str], cuts: list[int]
) -> None:
    data = "".join(sent).encode("latin-1", "ignore") if len(cuts) % 2 else "".join(sent).encode()
    whole = Reader()
    expected = whole.feed(data) + whole.feed(b"", last=True)
    assert [c for c in expected if unicodedata.category(c) == "Cc" and c not in "\n\t"] == []
    reader, told, at = Reader(), "", 0
    for cut in cuts:
        told += reader.feed(data[at : at + cut])
        at += cut
    assert told + reader.feed(data[at:]) + reader.feed(b"", last=True) == expected


def test_a_string_that_never_ends_does_not_swallow_the_rest() -> None:
    reader = Reader()
    told = reader.feed(b"\x1b]0;" + b"x" * 5_000)
    assert told + reader.feed(b"the rest\n") == "the rest\n"


def test_bytes_that_are_no_text_are_marked() -> None:
    assert Reader().feed(b"a\xffb", last=True) == "a\ufffdb"


def test_short_text_is_kept_as_it_is() -> None:
    kept = Kept(10)
    kept.add("0123456789")
    assert kept.text() == "0123456789"


def test_the_middle_of_long_text_is_left_out_and_counted() -> None:
    kept = Kept(10)
    for digit in "0123456789" * 100:
        kept.add(digit)
    assert kept.text() == "01234\n[… 990 bytes left out …]\n56789"


@given(st.lists(st.text("ab\n é漢🙂", max_size=20), max_size=30), st.integers(2, 60))
def test_what_is_kept_begins_and_ends_as_the_text_does(pieces: list[str], limit: int) -> None:
    kept = Kept(limit)
    for piece in pieces:
        kept.add(piece)
    whole = "".join(pieces).encode("utf-8", "replace").decode()
    if len(whole.encode()) <= limit:
        assert kept.text() == whole
        return
    head, _, rest = kept.text().partition("\n[… ")
    tail = rest.partition(" bytes left out …]\n")[2]
    assert whole.startswith(head)
    assert whole.endswith(tail)
    assert len(head.encode()) + len(tail.encode()) <= limit
