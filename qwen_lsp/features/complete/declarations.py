"""Whether what a file declares has changed, told from its edits alone, in time independent of its size.

The state of a file is the exclusive or of a hash for each line that looks like a declaration and was
changed (Zobrist, 1970): taking a change back brings the state before it back.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from qwen_lsp.text.edits import TextEdit
from qwen_lsp.workspace.paths import RelPath

_DECLARES = re.compile(
    r"\b(?:def|class|fn|func|fun|function|struct|enum|interface|trait|type|impl|module|namespace|const|static"
    r"|public|private|protected|internal|extern|export|import|from|use|using|include|require|package|union"
    r"|typedef|template|record|object|val|var|let|readonly|abstract|override|virtual)\b"
    r"|^\s*(?!(?:return|else|await|yield|throw|raise|new|delete|case|go|defer|assert|do|not|in)\b)"
    r"[\w.*&<>:, \[\]]+\s[\w*&:~]+\s*\([^;]*\)?\s*\{?\s*$|^\s*[@#\[]"
    r"|^[\w.]+\s*(?::|=(?!=))|^\s+(?:self|this)\.\w+\s*(?::|=(?!=))"
)
_LONGEST = 50_000


@dataclass(slots=True)
class _State:
    """The lines that are not as they were, before and after, and the exclusive or of their hashes."""

    lines: set[int] = field(default_factory=set[int])
    sum: int = 0


@dataclass(slots=True)
class Declarations:
    """One number for each file: equal when its declarations are as they were."""

    _states: dict[RelPath, _State] = field(default_factory=dict[RelPath, _State])

    def but_for(self, path: RelPath, lines: str, beside: int | None = None) -> int:
        """The state of a file, some lines of it set aside: those that somebody is writing.

        `beside` is one more of them, by its hash.
        """
        state = self._states.get(path)
        if state is None:
            return 0
        found = state.sum
        aside = {hash(line) for line in lines.split("\n")}
        if beside is not None:
            aside.add(beside)
        for line in aside & state.lines:
            found ^= line
        return found

    def forget(self, path: RelPath) -> None:
        """A file was read anew: its state means nothing any more."""
        self._states.pop(path, None)

    def changed(self, path: RelPath, before: str, edit: TextEdit) -> None:
        """Take in an edit of a place in the text `before`."""
        start = before.rfind("\n", 0, edit.span.start) + 1
        end = before.find("\n", edit.span.end)
        end = len(before) if end < 0 else end
        old = before[start:end]
        new = before[start : edit.span.start] + edit.text + before[edit.span.end : end]
        lines = [old, new] if len(old) + len(new) > _LONGEST else [*old.split("\n"), *new.split("\n")]
        if declaring := [line for line in lines if len(line) > _LONGEST or _DECLARES.search(line)]:
            state = self._states.setdefault(path, _State())
            for line in map(hash, declaring):
                state.lines ^= {line}
                state.sum ^= line
