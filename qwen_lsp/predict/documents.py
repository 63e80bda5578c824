"""One remembered file: where its tokens are, and, while it is being edited, where each of its lines is.

A line is learnt when the cursor has left it: the line last edited stays pending until a change elsewhere,
so half-typed words are never learnt and a completion never quotes the line that asks for it.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator

from qwen_lsp.predict.memory import LONG, Memory, Piece
from qwen_lsp.predict.tokens import GAP, NEWLINE, Vocabulary
from qwen_lsp.text.edits import common_ends

SLICE = 50_000  # characters learnt between two pauses, about 10 ms
CONTEXT_CHARS = 300  # text before an edited line that is written again as its context


class Document:
    """What is remembered of one file; `text` is kept only while it is being edited."""

    __slots__ = ("lines", "pending", "pieces", "text")

    def __init__(self) -> None:
        self.pieces: list[Piece] = []
        self.text: str | None = None
        self.lines = array("I")  # the slot of each line's first token, 0 where nothing is learnt of it
        self.pending: tuple[int, int] | None = None  # a line not learnt yet: its number, its first character


def write(memory: Memory, document: Document, tokens: array[int], context: int) -> Piece:
    """Add tokens to a file, forgetting the oldest files that are in the way."""
    for dropped in memory.make_room(len(tokens)):
        owner = dropped.owner
        if isinstance(owner, Document) and owner is not document:
            forget(memory, owner)
        elif owner is document:
            document.pieces.remove(dropped)
            _unplace(document, dropped)
    piece = memory.write(tokens, document, context=context)
    document.pieces.append(piece)
    return piece


def forget(memory: Memory, document: Document) -> None:
    """Blank everything remembered of a file; it must be learnt whole to be known again."""
    for piece in document.pieces:
        piece.owner = None
        memory.blank(piece.start, piece.end)
    document.pieces.clear()
    document.text = None
    document.lines = array("I")
    document.pending = None


def learn_whole(memory: Memory, vocabulary: Vocabulary, document: Document, text: str) -> Iterator[None]:
    """Learn a file from its text, pausing after each slice; a very large file only from its beginning."""
    room = memory.capacity // 4
    at = 0
    before = array("I", [GAP, NEWLINE])
    while at < len(text) and room > 0:
        end = len(text) if len(text) - at <= SLICE else text.rfind("\n", at, at + SLICE) + 1 or at + SLICE
        tokens = vocabulary.learn(text[at:end].strip())[:room]
        if tokens:
            room -= len(tokens)
            tokens.append(NEWLINE)
            write(memory, document, before + tokens, len(before))
            before = array("I", [GAP]) + tokens[-LONG * 2 :]
        at = end
        yield


def _place_lines(memory: Memory, document: Document, text: str) -> None:
    """Find where each line of a file learnt whole is."""
    starts: list[int] = []
    for piece in document.pieces:
        slot, last = piece.first, piece.end
        while slot < last:
            starts.append(slot)
            slot = memory.tokens.index(NEWLINE, slot, last) + 1
    learnt = iter(starts)
    document.lines = array("I", (next(learnt, 0) if line.strip() else 0 for line in text.split("\n")))


def close_text(memory: Memory, vocabulary: Vocabulary, document: Document) -> None:
    """Learn the pending line and let go of the text; the next change learns the file whole."""
    if document.text is not None and document.pending:
        _settle(memory, vocabulary, document, document.text)
    document.text = None
    document.lines = array("I")


def edit(memory: Memory, vocabulary: Vocabulary, document: Document, text: str) -> None:
    """Take over a changed text: forget the lines changed, learn those that the cursor has left."""
    old = document.text
    if old is None or text == old:
        return
    if not document.lines:
        _place_lines(memory, document, old)
    start, old_end, new_end = _changed(old, text)
    first = text.count("\n", 0, start)
    old_last = first + old.count("\n", start, old_end)
    new_last = first + text.count("\n", start, new_end)
    if document.pending and not first <= document.pending[0] <= old_last:
        _settle(memory, vocabulary, document, old)
    for slot in document.lines[first : old_last + 1]:
        if slot:
            _blank_line(memory, slot)
    document.lines[first : old_last + 1] = array("I", bytes(4 * (new_last - first + 1)))
    document.text = text
    at = text.rfind("\n", 0, start) + 1
    cursor_line = text.rfind("\n", at, new_end) + 1 or at
    if cursor_line > at:
        _learn_lines(memory, vocabulary, document, text, first, at, cursor_line)
    document.pending = (new_last, cursor_line)


def _settle(memory: Memory, vocabulary: Vocabulary, document: Document, text: str) -> None:
    """Learn the pending line, now that the cursor has left it."""
    if document.pending is None:
        return
    number, at = document.pending
    document.pending = None
    end = text.find("\n", at)
    _learn_lines(memory, vocabulary, document, text, number, at, len(text) if end < 0 else end)


def _learn_lines(
    memory: Memory, vocabulary: Vocabulary, document: Document, text: str, number: int, at: int, end: int
) -> None:
    """Learn whole lines from line `number` on, with a copy of the tokens before them as their context."""
    block = text[at:end]
    tokens = vocabulary.learn(block)[: memory.capacity // 4]
    if not tokens:
        return
    context = array("I", vocabulary.look_up(text[max(0, at - CONTEXT_CHARS) : at].strip()))[-LONG * 2 :]
    head = array("I", [GAP]) + context + array("I", [NEWLINE])
    piece = write(memory, document, head + tokens + array("I", [NEWLINE]), len(head))
    slot = piece.first
    for offset, line in enumerate(block.split("\n")):
        if line.strip() and slot < piece.end:
            document.lines[number + offset] = slot
            slot = memory.tokens.index(NEWLINE, slot, piece.end) + 1


def _blank_line(memory: Memory, slot: int) -> None:
    try:
        memory.blank(slot, memory.tokens.index(NEWLINE, slot))
    except ValueError:  # overwritten meanwhile
        return


def _unplace(document: Document, dropped: Piece) -> None:
    """The lines of a piece that was overwritten are no longer learnt."""
    for number, slot in enumerate(document.lines):
        if dropped.start <= slot < dropped.end:
            document.lines[number] = 0


def _changed(old: str, new: str) -> tuple[int, int, int]:
    """The one region that differs: its start in both texts, its end in the old and in the new one."""
    head, tail = common_ends(old, new)
    return head, len(old) - tail, len(new) - tail
