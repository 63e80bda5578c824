"""What the language's own server complains about near the cursor, as far as an editor told it.

Editors tell it with every request for code actions. A complaint about a line counts as long as that line is
as it was: while a line is being typed everything about it is wrong all the time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from qwen_lsp.features.complete.latest import keep_latest
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

_NEAR = 3
_MOST, _LONGEST = 3, 200
_KEPT, _FILES = 40, 16
_READ, _LONGEST_LINE = 10_000, 1_000
"""Characters of a message that are kept, and of a line about which one is."""


@dataclass(frozen=True, slots=True)
class Complaint:
    """One diagnostic: its line (zero-based) with its text, and the message."""

    line: int
    text: str
    message: str


@dataclass(slots=True)
class Diagnostics:
    """The newest complaints about each file. Lives on the event loop."""

    _kept: dict[RelPath, tuple[Complaint, ...]] = field(default_factory=dict[RelPath, tuple[Complaint, ...]])

    def note(self, path: RelPath, lines: range, complaints: Iterable[Complaint]) -> None:
        """An editor told what is wrong in some lines of a file: all of it.

        What begins above those lines is told with them again and again; that counts once. Lines that nobody
        can have written by hand are not remembered.
        """
        new = [replace(c, message=c.message[:_READ]) for c in complaints if len(c.text) <= _LONGEST_LINE]
        old = [c for c in self._kept.pop(path, ()) if c.line not in lines]
        if kept := tuple(dict.fromkeys((*new, *old)))[:_KEPT]:
            keep_latest(self._kept, path, kept, _FILES)

    def forget(self, path: RelPath) -> None:
        self._kept.pop(path, None)

    def near(self, path: RelPath, line: int, index: LineIndex, gate: Gate) -> tuple[str, str] | None:
        """What is wrong near a line, as a file of its own for a prompt: (path, text)."""
        if path not in self._kept:
            return None
        said = [
            f"line {c.line + 1}: {_in_short(c.message, path, gate)}"
            for c in sorted(self._kept[path], key=lambda c: (abs(c.line - line), c.line, c.message))
            if abs(c.line - line) <= _NEAR and index.line_text(c.line) == c.text
        ][:_MOST]
        if not said:
            return None
        name = f"{path}.diagnostics"
        text = gate.admit(path, "\n".join(said) + "\n").text
        return None if text is None else (name, text)


def _in_short(message: str, path: RelPath, gate: Gate) -> str:
    """A message in one line. Half a secret, or one without its line breaks, would not be known for one."""
    return " ".join((gate.admit(path, message).text or "").split())[:_LONGEST]
