"""Parsing that always ends: what a grammar chokes on is blanked out, line by line.

Some grammars recover from some errors for ever, at tens of megabytes a second: their scanners invent a
token of no width, again and again at one place. The parser tells how far it has come after every hundred
operations; when it no longer moves while recovering, or takes far longer than any sane text of that
length does, it is stopped.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import tree_sitter

_STALLED = 250
"""Reports in a row from one place during recovery. Real code does not reach 10, broken code rarely 100."""
_MOST_REPORTS_PER_BYTE = 0.5
"""Real code needs at most 0.03."""
_LEAST_REPORTS = 2000
_TRIES = 4
_VISIBLE = re.compile(rb"[\x00-\x09\x0b-\x7f]")


class Parsed(NamedTuple):
    """A tree, the source it is the tree of, and the byte ranges that were blanked out to get it."""

    tree: tree_sitter.Tree
    source: bytes
    blanked: tuple[tuple[int, int], ...] = ()


def parse_source(grammar: tree_sitter.Language, source: bytes) -> Parsed:
    """The tree of a source; where the grammar does not come to an end, of as much of it as possible."""
    blanked: list[tuple[int, int]] = []
    for _ in range(_TRIES):
        tree, reached = attempt(grammar, source)
        if tree is not None:
            return Parsed(tree, source, tuple(sorted(blanked)))
        # The parser stands before the text it cannot get over, perhaps still on the line above.
        while reached < len(source) and source[reached : reached + 1].isspace():
            reached += 1
        start = source.rfind(b"\n", 0, reached) + 1
        end = source.find(b"\n", reached)
        end = len(source) if end < 0 else end
        if start == end:
            break
        source = blank(source, [(start, end)])
        blanked.append((start, end))
    return Parsed(tree_sitter.Parser(grammar).parse(b""), source, ((0, len(source)),))


def attempt(
    grammar: tree_sitter.Language, source: bytes, old: tree_sitter.Tree | None = None
) -> tuple[tree_sitter.Tree | None, int]:
    """The tree, or None and how far the parser came before it was stopped."""
    furthest, reports, stalled = 0, 0, 0
    most = _LEAST_REPORTS + int(len(source) * _MOST_REPORTS_PER_BYTE)

    def read(offset: int, _: tree_sitter.Point) -> bytes:
        return source[offset:] if offset else source

    def stop(offset: int, recovering: bool) -> bool:
        nonlocal furthest, reports, stalled
        reports += 1
        if offset > furthest:
            furthest, stalled = offset, 0
        elif recovering:
            stalled += 1
        return stalled > _STALLED or reports > most

    parser = tree_sitter.Parser(grammar)
    try:
        if old is None:
            return parser.parse(read, progress_callback=stop), furthest
        return parser.parse(read, old, progress_callback=stop), furthest
    except ValueError:
        return None, furthest


def blank(source: bytes, ranges: list[tuple[int, int]]) -> bytes:
    """The source with spaces for the ASCII characters in the ranges; every offset stays."""
    result = bytearray(source)
    for start, end in ranges:
        result[start:end] = _VISIBLE.sub(b" ", source[start:end])
    return bytes(result)
