"""A text that lies over the disk: an open document or a file of a fork, with its tree and facts.

Tree and facts are made when first asked for, from those of the text before it where there are any.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qwen_lsp.index.service import IndexService
from qwen_lsp.syntax import parse, tags
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.languages import Language, available, language_in
from qwen_lsp.syntax.parse import SyntaxTree
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.narrow import trimmed
from qwen_lsp.text.positions import LineIndex, Span

_LONGEST_PARSED = 4_000_000


class _Memo:
    """What is known of one buffer so far. Written once per slot; two threads would write equal values."""

    __slots__ = ("before", "digest", "edits", "facts", "lines", "places", "tokens", "tree")

    def __init__(self) -> None:
        self.before: Buffer | None = None
        self.edits: Sequence[TextEdit] | None = None
        self.tree: SyntaxTree | None = None
        self.facts: FileFacts | None = None
        self.lines: LineIndex | None = None
        self.places: Mapping[str, list[int]] | None = None
        self.tokens: int | None = None
        self.digest: str | None = None


@dataclass(frozen=True, slots=True, eq=False)
class Buffer:
    """A path's text in a snapshot. `text` None: the path is deleted there."""

    text: str | None
    version: int | None = None
    """The editor's number for this text; None outside an editor."""
    language: Language | None = None
    original: str | None = None
    """What the disk held when a fork first touched the path; None when there was nothing."""
    memo: _Memo = field(default_factory=_Memo, repr=False)


def make(path: str, text: str | None, version: int | None = None, original: str | None = None) -> Buffer:
    """A buffer that begins from nothing."""
    return Buffer(text, version, None if text is None else _language(path, text), original)


def successor(
    before: Buffer, path: str, text: str | None, version: int | None, edits: Sequence[TextEdit] | None = None
) -> Buffer:
    """The buffer after `before`; `edits` are what leads from its text to this one, when that is known."""
    if text is None:
        return Buffer(None, version, None, before.original)
    language = before.language
    if language is None or before.text is None or before.text[:80] != text[:80]:
        language = _language(path, text)
    after = Buffer(text, version, language, before.original)
    if before.memo.tree is not None:
        after.memo.before, after.memo.edits = before, edits
    else:  # nobody looked at it: go on from what was last looked at
        after.memo.before = before.memo.before
    if before.memo.lines is not None and edits is not None and len(edits) == 1:
        after.memo.lines = before.memo.lines.edited(edits[0].span, edits[0].text, text)
    return after


def tree(buffer: Buffer) -> SyntaxTree | None:
    """The syntax tree, or None for a deleted file, plain text, or a text too long to parse."""
    memo = buffer.memo
    if memo.tree is None and buffer.text is not None and buffer.language is not None:
        before = memo.before
        old = None if before is None else before.memo.tree
        if before is None or old is None or before.language != buffer.language:
            memo.tree = parse.parse(buffer.text, buffer.language)
        else:
            whole = TextEdit(Span(0, len(old.text)), buffer.text)
            edits = memo.edits if memo.edits is not None else [trimmed(old.text, whole)]
            new, changed = parse.reparse(old, edits, buffer.text)
            if before.memo.facts is not None:
                memo.facts = tags.update(old, before.memo.facts, new, changed)
            memo.tree = new
        memo.before = memo.edits = None
    return memo.tree


def facts(buffer: Buffer, service: IndexService) -> FileFacts | None:
    """The facts of the text; those of an equal text on disk where the index has them."""
    memo = buffer.memo
    if memo.facts is None and buffer.text is not None and buffer.language is not None:
        if memo.tree is None and memo.before is None:
            memo.facts = service.facts(digest(buffer), buffer.language.id)
        if memo.facts is None:
            made = tree(buffer)
            if memo.facts is None and made is not None:
                memo.facts = tags.extract(made)
    return memo.facts


def places(buffer: Buffer, service: IndexService) -> Mapping[str, list[int]]:
    """Positions of definitions by name."""
    memo = buffer.memo
    if memo.places is None:
        found: dict[str, list[int]] = {}
        known = facts(buffer, service)
        for i, definition in enumerate(known.definitions if known is not None else ()):
            found.setdefault(definition.name, []).append(i)
        memo.places = found
    return memo.places


def lines(buffer: Buffer) -> LineIndex:
    memo = buffer.memo
    if memo.lines is None:
        memo.lines = LineIndex(buffer.text or "")
    return memo.lines


def digest(buffer: Buffer) -> str:
    """The digest of the text as UTF-8: that of the file on disk when nothing was changed."""
    memo = buffer.memo
    if memo.digest is None:
        data = (buffer.text or "").encode("utf-8", "surrogatepass")
        memo.digest = hashlib.blake2b(data, digest_size=16).hexdigest()
    return memo.digest


def _language(path: str, text: str) -> Language | None:
    if len(text) > _LONGEST_PARSED:
        return None
    language = language_in(path, text)
    return language if language is not None and available(language) else None
