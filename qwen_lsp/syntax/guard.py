"""Parsing that always ends: what a grammar chokes on is blanked out, line by line.

Some grammars recover from some errors for ever, at tens of megabytes a second: their scanners invent a
token of no width, again and again at one place. Others take quadratic time over one endless line of
words, and one writes past the end of its memory when blocks nest too deep. The parser tells how far it
has come after every hundred operations and can be stopped there; what cannot be stopped is not begun.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from time import thread_time
from typing import NamedTuple

import tree_sitter

from qwen_lsp.syntax.grammar import grammar
from qwen_lsp.syntax.languages import Language

_PIECE = 16_384
_STALLED = 1000
"""Reports in a row without getting further; one during recovery counts for four. Sane code hardly ever has
any before its end; at its end, where the finished tree is put in balance, they do not count."""
_SECONDS = 2.0
_SECONDS_PER_BYTE = 2e-6
"""Of processor time; twenty times what real code takes."""
_TRIES = 4
_LONG_LINE = 20_000
_MOST_BLANKS = 4_000
"""Blanks in one long line of code; a long literal has few, minified code hardly more."""
_YAML_DEPTH = 100
"""The scanner has room for 250 levels."""
_YAML_MARKERS = re.compile(rb"^ *(?:[-?:][ \t]+){50}.*", re.MULTILINE)
_VISIBLE = re.compile(rb"[\x00-\x09\x0b-\x7f]")

Range = tuple[int, int]


class _Scratch(threading.local):
    """What a parser is handed its source in, one for each thread.

    py-tree-sitter (0.26) never gives up what a read callback returned. That is always the same object
    here, so that nothing is lost; the parser looks at it until it asks for the next piece, and no longer.
    """

    def __init__(self) -> None:
        self.piece = bytearray()


_scratch = _Scratch()


class Parsed(NamedTuple):
    """A tree, the source it is the tree of, and the byte ranges that were blanked out to get it."""

    tree: tree_sitter.Tree
    source: bytes
    blanked: tuple[Range, ...] = ()


def parse_source(language: Language, source: bytes, *, guarded: bool = True) -> Parsed:
    """The tree of a source; where the grammar does not come to an end, of as much of it as possible.

    Unguarded it is the same tree at up to a tenth less, but a grammar that does not come to an end is not
    stopped: only for a process that is ended then.
    """
    blanked = hazards(language, source)
    source = blank(source, blanked)
    if not guarded:
        return Parsed(tree_sitter.Parser(grammar(language)).parse(source), source, tuple(sorted(blanked)))
    deadline = _deadline(source)
    for _ in range(_TRIES):
        tree, reached = attempt(language, source, deadline=deadline)
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
    return Parsed(tree_sitter.Parser(grammar(language)).parse(b""), source, ((0, len(source)),))


def attempt(
    language: Language, source: bytes, old: tree_sitter.Tree | None = None, deadline: float | None = None
) -> tuple[tree_sitter.Tree | None, int]:
    """The tree, or None and how far the parser came before it was stopped."""
    furthest, stalled, reports = 0, 0, 0
    last = len(source.rstrip())
    end = _deadline(source) if deadline is None else deadline

    piece: bytearray | None = _scratch.piece

    def read(offset: int, _: tree_sitter.Point) -> bytes | bytearray:
        # The text of a node, which predicates compare, is read back through this when the tree is there.
        if piece is None:
            return source[offset : offset + _PIECE]
        # All at once to a parser that starts at the front; one that goes on from an old tree needs little.
        piece[:] = source[offset : offset + _PIECE] if offset else source
        return piece

    def stop(offset: int, recovering: bool) -> bool:
        nonlocal furthest, stalled, reports
        reports += 1
        if offset > furthest:
            furthest, stalled = offset, 0
        elif offset < last:
            stalled += 4 if recovering else 1
        # Asking the clock at every report would be a twentieth of all the work on real code.
        return stalled > _STALLED or (reports % 32 == 0 and thread_time() > end)

    parser = tree_sitter.Parser(grammar(language))
    try:
        if old is None:
            return parser.parse(read, progress_callback=stop), furthest
        return parser.parse(read, old, progress_callback=stop), furthest
    except ValueError:
        return None, furthest
    finally:
        piece = None
        del _scratch.piece[_PIECE:]


def _deadline(source: bytes) -> float:
    return thread_time() + _SECONDS + _SECONDS_PER_BYTE * len(source)


def hazards(language: Language, source: bytes) -> list[Range]:
    """Lines that must not be parsed at all."""
    if language.id == "yaml":
        return list(_deep_yaml(source))
    return list(_endless_lines(source)) if language.is_code else []


def _endless_lines(source: bytes) -> Iterator[Range]:
    start = 0
    while start + _LONG_LINE < len(source):
        end = source.rfind(b"\n", start, start + _LONG_LINE)
        if end < 0:
            end = source.find(b"\n", start + _LONG_LINE)
            end = len(source) if end < 0 else end
            if source.count(b" ", start, end) + source.count(b"\t", start, end) > _MOST_BLANKS:
                yield start, end
        start = end + 1


def _deep_yaml(source: bytes) -> Iterator[Range]:
    yield from (match.span() for match in _YAML_MARKERS.finditer(source))
    if b" " * _YAML_DEPTH in source:
        indents = {len(indent) for indent in re.findall(rb"^ *", source, re.MULTILINE)}
        if len(indents) > _YAML_DEPTH:
            too_deep = rb"^ {%d}.*" % sorted(indents)[_YAML_DEPTH]
            yield from (match.span() for match in re.finditer(too_deep, source, re.MULTILINE))


def blank(source: bytes, ranges: list[Range]) -> bytes:
    """The source with spaces for the ASCII characters in the ranges; every offset stays."""
    if not ranges:
        return source
    result = bytearray(source)
    for start, end in ranges:
        result[start:end] = _VISIBLE.sub(b" ", source[start:end])
    return bytes(result)
