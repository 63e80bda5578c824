"""Page: one file as a model may see it, whole or as an outline, and what each of the two costs.

What is found out about a content is kept, so that the next pack neither reads, scans nor counts it again.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qwen_lsp.context.render import heading, piece
from qwen_lsp.context.texts import content_of, counted, fits, indexed_name, lines_of, name_of, outline_of
from qwen_lsp.errors import FileUnreadable
from qwen_lsp.index.memory import Memory
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.outline import header
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate, Withheld

UNREADABLE = "cannot be read"
_SAFE_CUT = re.compile(r"[\r\n](?=\S)")
_NEAR_END = 2_000


@dataclass(slots=True)
class _Known:
    """What the gate said of a content, and the tokens of its pieces as far as they were asked for."""

    withheld: tuple[Withheld, ...]
    unchanged: bool
    whole: int = -1
    outline: int = -1
    """0: there is no outline."""


_NOTHING = _Known((), unchanged=True)

_PAGES: Memory[_Known] = Memory(30_000)
_HEADERS: Memory[list[int]] = Memory(400_000)
"""Tokens of each signature of a content, -1 until they are asked for."""


class Page:
    """One content of one file behind the gate. `problem` says why nothing of it can be shown.

    Without `check` it is the content that the index knows, until somebody asks for a text or calls `confirm`:
    what a page costs is asked of many more files than are shown, and most of it is known without the disk.
    """

    __slots__ = (
        "_count", "_facts", "_gate", "_headers", "_is_confirmed", "_known", "_snapshot", "_text", "name",
        "path", "problem", "withheld",
    )  # fmt: skip

    def __init__(
        self,
        snapshot: Snapshot,
        path: RelPath,
        count: Callable[[str], int],
        gate: Gate,
        *,
        check: bool = True,
    ) -> None:
        self.path = path
        self.name = ""
        """Equal for equal contents; empty where nothing can be shown."""
        self.problem = gate.admits_path(path) or ""
        self.withheld: tuple[Withheld, ...] = (Withheld(path, self.problem),) if self.problem else ()
        self._snapshot, self._count, self._gate = snapshot, count, gate
        self._known = _NOTHING
        self._text: str | None = None
        self._headers: list[int] | None = None
        self._facts: FileFacts | None = None
        self._is_confirmed = False
        if not self.problem and not (not check and self._recall(indexed_name(snapshot, path))):
            self._look()

    def confirm(self) -> bool:
        """Whether this is still the file's content; if not, the page is by now that of another one."""
        if self._is_confirmed or self.problem:
            return True
        name = name_of(self._snapshot, self.path)
        if name and name == self.name:
            self._is_confirmed = True
            return True
        self._headers = None
        self._look()
        return False

    def _recall(self, name: str) -> bool:
        """Take what is known of a content; False when nothing is."""
        known = _PAGES.get((self.path, name, self._gate, self._count)) if name else None
        if known is None:
            return False
        self.name, self._known, self.withheld = name, known, known.withheld
        return True

    def _look(self) -> None:
        """Take the content as it is on disk now."""
        self._is_confirmed = True
        if self._recall(name_of(self._snapshot, self.path)):
            return
        text, name = content_of(self._snapshot, self.path)
        if text is None:
            self.problem = UNREADABLE
        elif not self._recall(name):
            admission = self._gate.admit(self.path, text)
            known = _Known(admission.withheld, admission.text == text)
            _PAGES.keep((self.path, name, self._gate, self._count), known, 1)
            self._text = admission.text
            self.name, self._known, self.withheld = name, known, known.withheld

    def header_tokens(self, index: int) -> int:
        """Tokens of the signature at a position of the facts, with the end of its line; 0 without any."""
        known = self._headers if self._headers is not None else self._known_headers()
        if not 0 <= index < len(known):
            return 0
        if known[index] < 0:
            if not self.confirm():
                return self.header_tokens(index)
            lines = self.lines
            if not lines:
                return 0  # gone or changed just now, which is nothing to remember of the content
            text = header(lines, self.facts.definitions[index])
            known[index] = self._count(f"{text}\n") if text else 0
        return known[index]

    def _known_headers(self) -> list[int]:
        name = self.name if fits(self._snapshot, self.path, self.name) else ""
        key = (name, self.facts.language, self._count)
        known = _HEADERS.get(key) if name else None
        if known is None:
            known = [-1] * len(self.facts.definitions)
            if name and self.path not in self._snapshot.buffers:
                _HEADERS.keep(key, known, len(known) + 10)
        self._headers = known
        return known

    @property
    def unchanged(self) -> bool:
        """Whether the gate lets all of the file pass, and with it any of its lines."""
        return self._known.unchanged and not self._known.withheld and not self.problem

    @property
    def facts(self) -> FileFacts:
        if self._facts is None:
            self._facts = self._snapshot.facts(self.path) or FileFacts(language="", lines=0)
        return self._facts

    @property
    def lines(self) -> Sequence[str]:
        """The lines of the file as it is, before the gate; empty where the facts are those of other lines."""
        self.confirm()
        fitting = fits(self._snapshot, self.path, self.name)
        return lines_of(self._snapshot, self.path, self.name) if fitting else ()

    @property
    def text(self) -> str:
        """The text as the gate lets it pass; empty with a `problem`."""
        self.confirm()
        if self._text is None and not self.problem:
            raw, name = content_of(self._snapshot, self.path, self.name)
            if raw is None or name != self.name:
                # Gone, or another content by now, of which the gate has said nothing.
                self.problem = UNREADABLE
                return ""
            self._text = raw if self._known.unchanged else self._gate.admit(self.path, raw).text
        return self._text or ""

    @property
    def outline(self) -> str:
        """The file reduced to its signatures, made from the text that passed the gate; empty without any."""
        self.confirm()
        if self._known.outline == 0 or self.problem:
            return ""
        redacted = not self._known.unchanged
        try:
            return outline_of(self._snapshot, self.path, self._readable, self.name, redacted=redacted)
        except FileUnreadable:
            return ""

    def _readable(self) -> str:
        text = self.text
        if self.problem:
            raise FileUnreadable(self.path, self.problem)
        return text

    @property
    def whole_tokens(self) -> int:
        """Tokens of the whole file under its heading."""
        if self._known.whole < 0 and not self.problem:
            self.confirm()
        if self._known.whole < 0 and not self.problem:
            text = self.text
            if not self.problem:
                name = "" if self.path in self._snapshot.buffers or not self._known.unchanged else self.name
                self._known.whole = counted_whole(self._snapshot, self.path, text, self._count, name)
        return max(self._known.whole, 0)

    @property
    def outline_tokens(self) -> int:
        """Tokens of the outline under the file's heading; 0 when there is none."""
        if self._known.outline < 0 and not self.problem:
            self.confirm()
        if self._known.outline < 0 and not self.problem:
            made = self.outline
            if not self.problem:
                self._known.outline = self._count(piece(self.path, made)) if made else 0
        return max(self._known.outline, 0)


def counted_whole(
    snapshot: Snapshot, path: RelPath, text: str, count: Callable[[str], int], name: str = ""
) -> int:
    """The tokens of a piece, from those of the file, which the index keeps by `name`, and its two ends.

    Tokens add up where a line begins with something visible, so only the first and the last such line
    are counted again, as they stand in the piece.
    """
    bare = text.rstrip()
    first = _SAFE_CUT.search(bare, 0, _NEAR_END)
    if first is None:
        return count(piece(path, text))
    last = first.end()
    for found in _SAFE_CUT.finditer(bare, max(last, len(bare) - _NEAR_END)):
        last = found.end()
    known = snapshot.service.tokens(name) if name else None
    if known is None:
        known = count(text)
        if name:
            snapshot.service.keep_tokens(name, known)
    head, tail, end = text[: first.end()], bare[last:], text[last:]
    shown = counted(heading(path) + head, count) - counted(head, count)
    return known + shown + counted(f"{tail}\n\n", count) - counted(end, count)
