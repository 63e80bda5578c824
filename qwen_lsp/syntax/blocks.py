"""What is open at the end of a piece of code: brackets, blocks, tags and texts, told by the grammar's tokens.

A piece of code that ends in the middle has no tree worth the name, but its tokens are right: what is a
string, a comment or a regular expression is told by the lexer of the language, and so is which `end`
belongs to a block. So the tokens are read off the tree and counted here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

import tree_sitter

from qwen_lsp.syntax.languages import Language, available
from qwen_lsp.syntax.parse import STRING_NODES, SyntaxTree, parse

MOST = 12_000
"""Characters of code that are looked at; beyond that nothing is said."""
_BRACKETS = {"{": "}", "(": ")", "[": "]", "${": "}", "$(": ")", "#{": "}"}
_RUBY = ("class", "module", "def", "if", "unless", "while", "until", "case", "for", "begin", "do")
_KEYWORDS: dict[str, dict[str, str]] = {
    "lua": {"function": "end", "do": "end", "if": "end", "repeat": "until"},
    "shellscript": {"if": "fi", "case": "esac", "do": "done"},
    "ruby": dict.fromkeys(_RUBY, "end"),
    "elixir": {"do": "end", "fn": "end"},
}
_TAGS_OPEN = frozenset({"start_tag", "jsx_opening_element"})
_TAGS_CLOSE = frozenset({"end_tag", "erroneous_end_tag", "jsx_closing_element"})
_VOID = frozenset(
    ("area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track",
     "wbr", "!doctype")
)  # fmt: skip
_TAG = re.compile(rb"</?\s*([\w.:!-]*)")
_TEXT = re.compile(
    r"string|comment|heredoc_body|template_literal|text_block|quoted_attribute|raw_text|^heredoc$|^nowdoc$"
)
_NOT_TEXT = frozenset({"string_array", "string_start"})
_QUOTES = frozenset(("string_start", '"', "'", '"""', "'''", "`", "[["))
_LONG = ('"""', "'''", "`", "[[")
_LONG_IN = frozenset({"rust", "php", "ruby", "shellscript"})
"""Languages whose plain strings go over lines."""
_BEFORE_VALUE = frozenset(
    ("=", "(", ",", "[", "{", "return", "&&", "||", "do", "then", "|", "=>", "+", "<<", "and", "or",
     "not", "!")
)  # fmt: skip
_LOOPS = frozenset({"while", "until", "for"})


@dataclass(frozen=True, slots=True)
class Nesting:
    """What is open at the end of some code. Offsets are code points of that code."""

    open: int
    """Brackets, blocks and tags that began at or behind the place in question and are still open."""
    outer_closed_at: int | None
    """Where something is closed behind the place that had begun before it."""
    in_text: bool
    """The code ends inside a string or a comment that goes over lines."""


@lru_cache(maxsize=96)
def nesting(language: Language, head: str, rest: str, since: int) -> Nesting | None:
    """What `head + rest` leaves open of what begins at `since`, an offset in `head`.

    Something closed counts as closed behind the place only in `rest`. None: nothing can be told, as the
    grammar is not installed, the code is too long, or the grammar cannot get over it.
    """
    if not available(language) or len(head) + len(rest) > MOST:
        return None
    opening = "<?php\n" if language.id == "php" and "<?" not in head else ""
    tree = parse(opening + head + rest, language)
    if tree.blanked:
        return None
    shift = len(opening)
    return _Count(tree, since + shift, len(head) + shift).result(shift)


class _Count:
    """Reads tokens in order and keeps what is open."""

    def __init__(self, tree: SyntaxTree, since: int, cursor: int) -> None:
        self.tree = tree
        self.language = tree.language.id
        self.comment = tree.language.block_comment[0] if tree.language.block_comment else ""
        self.since = tree.to_byte(since)
        self.cursor = tree.to_byte(cursor)
        self.stack: list[tuple[str, int]] = []
        """What closes each open one, and the byte where it began."""
        self.outer: int | None = None
        self.in_text = False
        self.before = ""
        self.loop_row = -1
        self.keywords = _KEYWORDS.get(self.language, {})
        self.closers = frozenset(_BRACKETS.values()) | frozenset(self.keywords.values())

    def result(self, shift: int) -> Nesting:
        for node in self._tokens():
            if node.type in _TAGS_OPEN or node.type in _TAGS_CLOSE:
                self._tag(node)
            elif self._begins_text(node):
                self.in_text = True
                break
            elif node.start_byte < node.end_byte:
                self._token(node)
                self.before = node.type
        outer = None if self.outer is None else self.tree.to_offset(self.outer) - shift
        return Nesting(sum(at >= self.since for _, at in self.stack), outer, self.in_text)

    def _tokens(self) -> Iterator[tree_sitter.Node]:
        """Leaves and tags, in order; a text that is over is skipped, one that is not ends it all."""
        cursor = self.tree.tree.walk()
        end = len(self.tree.source.rstrip())
        while True:
            node = cursor.node
            deeper = False
            if node is None or node.is_missing:
                pass
            elif _is_text(node):
                if self._is_open_comment(node):
                    self.in_text = True
                    return
                if node.end_byte >= end and _is_unfinished(node):
                    self.in_text = True
                    return
            elif node.type in _TAGS_OPEN or node.type in _TAGS_CLOSE or node.child_count == 0:
                yield node
            else:
                # What is whole and over has closed whatever it opened.
                deeper = node.end_byte > self.since or node.has_error
            if deeper and cursor.goto_first_child():
                continue
            while not cursor.goto_next_sibling():
                if not cursor.goto_parent():
                    return

    def _begins_text(self, node: tree_sitter.Node) -> bool:
        """Whether a token begins a text that never ends: what follows was taken for code.

        Texts that end are no tokens here, so the quote that begins one of several lines is enough of a sign.
        """
        kind = node.type
        said = self.tree.source[node.start_byte : node.start_byte + 5].decode("utf-8", "replace")
        if kind == "<<<" or (self.comment and said.startswith(self.comment)):
            return True
        if self.language == "shellscript" and kind != '"':
            return False
        if kind == '"' and not said.startswith('"""'):
            return self.language in _LONG_IN
        if kind in _QUOTES or node.is_error:
            return said.lstrip("rRbBfFuU$@").startswith(_LONG) or said.startswith(('@"', '$@"'))
        return False

    def _is_open_comment(self, node: tree_sitter.Node) -> bool:
        """A comment without an end, taken for a regular expression."""
        return node.type == "regex" and self.tree.source.startswith(b"/*", node.start_byte)

    def _tag(self, node: tree_sitter.Node) -> None:
        match = _TAG.match(self.tree.source, node.start_byte)
        name = match[1].decode("utf-8", "replace").lower() if match else ""
        if node.type in _TAGS_OPEN:
            if name not in _VOID:
                self.stack.append((f"</{name}", node.start_byte))
            return
        self._close(f"</{name}", node.start_byte)

    def _token(self, node: tree_sitter.Node) -> None:
        kind = node.type
        closer = _BRACKETS.get(kind) or self.keywords.get(kind)
        if closer and (kind in _BRACKETS or self._opens(node)):
            self.stack.append((closer, node.start_byte))
        elif kind in self.closers:
            self._close(kind, node.start_byte)

    def _opens(self, node: tree_sitter.Node) -> bool:
        """Whether a keyword begins a block: `if` behind a statement and the `do` of a loop do not."""
        if self.language != "ruby":
            return True
        kind, row = node.type, node.start_point.row
        if kind == "do":
            return row != self.loop_row
        parent = node.parent
        if parent is not None and parent.type.endswith("_modifier"):
            return False
        if kind == "def" and parent is not None and any(child.type == "=" for child in parent.children):
            return False
        line = self.tree.source.rfind(b"\n", 0, node.start_byte) + 1
        first = not self.tree.source[line : node.start_byte].strip()
        opens = first or kind in ("class", "module", "def") or self.before in _BEFORE_VALUE
        if opens and kind in _LOOPS:
            self.loop_row = row
        return opens

    def _close(self, kind: str, at: int) -> None:
        for index in range(len(self.stack) - 1, -1, -1):
            if self.stack[index][0] == kind:
                began = self.stack[index][1]
                del self.stack[index:]
                break
        else:
            if self.language == "shellscript" and kind == ")":
                return  # the end of a pattern
            began = -1
        if began < self.since and at >= self.cursor and self.outer is None:
            self.outer = at


def _is_text(node: tree_sitter.Node) -> bool:
    kind = node.type
    if kind in STRING_NODES:
        return True
    return node.is_named and kind not in _NOT_TEXT and _TEXT.search(kind) is not None


def _is_unfinished(text: tree_sitter.Node) -> bool:
    """Whether a string or a comment at the end of the code lacks its end."""
    if text.has_error:
        return True
    if text.type == "heredoc_body":
        ends = [node for node in (*text.children, text.next_sibling) if node and node.type == "heredoc_end"]
        return all(node.start_byte == node.end_byte for node in ends)
    last = text
    while last.children:
        last = last.children[-1]
    return last.is_missing
