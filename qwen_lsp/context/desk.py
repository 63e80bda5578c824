"""Desk: what the sheets of one pack share: the workspace, the counter, the gate, and what was withheld."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qwen_lsp.context.texts import as_indexed, counted
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate, Withheld


class Desk:
    """Knows no sheet: thousands of them lie on it for a moment, and without cycles they end with the pack."""

    def __init__(self, snapshot: Snapshot, count: Callable[[str], int], gate: Gate) -> None:
        self.snapshot = as_indexed(snapshot)
        self.count = count
        self.gate = gate
        self._withheld: dict[tuple[str, str, int | None], Withheld] = {}

    def counted(self, text: str) -> int:
        return counted(text, self.count)

    def admit(self, path: RelPath, text: str, lines: Sequence[int]) -> str | None:
        """A text made from lines of a file (zero-based), as the gate lets it pass."""
        admission = self.gate.admit(path, text)
        for item in admission.withheld:
            at = item.line
            if at is not None and lines:
                at = lines[min(at, len(lines)) - 1] + 1
            self.note(Withheld(item.path, item.reason, at))
        return admission.text

    def admits_path(self, path: RelPath) -> str:
        """Why nothing of a file may be shown, by its name, which is noted; empty when it may."""
        reason = self.gate.admits_path(path) or ""
        if reason:
            self.note(Withheld(path, reason))
        return reason

    def note(self, item: Withheld) -> None:
        """Something was withheld; the receipt tells."""
        self._withheld[(item.path, item.reason, item.line)] = item

    def withheld(self) -> tuple[Withheld, ...]:
        return tuple(
            sorted(self._withheld.values(), key=lambda item: (item.path, item.line or 0, item.reason))
        )
