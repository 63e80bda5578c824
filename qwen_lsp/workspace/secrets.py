"""The one gate in front of every byte that can reach a prompt.

A file is withheld as a whole when its name says what it holds; in all others single secrets are replaced
by `<redacted: …>`, and every line stays where it was.
"""

from __future__ import annotations

import hashlib
import re
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from qwen_lsp.workspace.paths import RelPath, within
from qwen_lsp.workspace.patterns import Patterns
from qwen_lsp.workspace.secret_formats import Found, known_formats
from qwen_lsp.workspace.secret_paths import path_reason
from qwen_lsp.workspace.secret_values import by_place

_REMEMBERED = 4_096
_REMEMBERED_TEXT = 8 * 1024 * 1024
_BARE_SUFFIXES = (
    ".yml", ".yaml", ".ini", ".cfg", ".conf", ".config", ".cnf", ".properties", ".env", ".sh", ".bash",
    ".zsh", ".fish", ".ksh", ".bat", ".cmd", ".ps1", ".txt", ".toml", ".service", ".plist", ".tf", ".hcl",
    ".log", ".reg", ".http", ".rest", "dockerfile", "containerfile", "makefile", "rc", "profile",
)  # fmt: skip
"""Files whose language writes a text without quotes."""


@dataclass(frozen=True, slots=True)
class Withheld:
    """Something that was kept back: a whole file, or (with a line, 1-based) one secret in it."""

    path: str
    reason: str
    line: int | None = None


@dataclass(frozen=True, slots=True)
class Admission:
    """What may be shown of a text. `text` None: nothing of it."""

    text: str | None
    withheld: tuple[Withheld, ...]


class Gate:
    """Decides what of the workspace may be shown to a model. May be asked from any thread."""

    def __init__(
        self,
        root: Path | None,
        *,
        globs: Sequence[str] = (),
        patterns: Sequence[str] = (),
        ignored: Callable[[RelPath], bool] | None = None,
    ) -> None:
        """`globs` and `patterns` are the user's own: paths in .gitignore syntax, regular expressions.

        Raises re.error for a pattern that is not a regular expression.
        """
        self._root = root
        self._own_globs = tuple(globs)
        self._globs = Patterns.compile(globs)
        self._patterns = tuple(re.compile(pattern) for pattern in patterns)
        self._ignored = ignored
        self._lock = threading.Lock()
        self._known: dict[tuple[str, int, int], Admission | None] = {}
        self._held = 0

    @property
    def fingerprint(self) -> str:
        """Names the rules: gates with the same name withhold the same of the same workspace."""
        state = hashlib.blake2b(_rules(), digest_size=16)
        state.update(repr((self._own_globs, [p.pattern for p in self._patterns])).encode())
        return state.hexdigest()

    def admits_path(self, path: RelPath | str) -> str | None:
        """Why nothing of this file may be shown, by its name; None when its text may be looked at."""
        if reason := self.withholds(path):
            return reason
        name = self._name(path)
        if self._ignored is not None and not name.startswith("/") and self._ignored(RelPath(name)):
            return "ignored file"
        return None

    def withholds(self, path: RelPath | str) -> str | None:
        """The same of secrets alone: it does not matter here whether the file is ignored."""
        name = self._name(path)
        if reason := path_reason(name):
            return reason
        named = self._globs and self._is_named_by_a_setting(name)
        return "withheld by a setting" if named else None

    def admit(self, path: RelPath | str, text: str) -> Admission:
        """The text with every secret replaced, or no text at all; the number of lines stays."""
        if reason := self.admits_path(path):
            return Admission(None, (Withheld(str(path), reason),))
        key = (str(path), len(text), hash(text))
        with self._lock:
            if key in self._known:
                known = self._known[key]
                return known if known is not None else Admission(text, ())
        spans = self.secrets(path, text)
        admission = _redact(str(path), text, spans) if spans else None
        self._remember(key, admission)
        return admission if admission is not None else Admission(text, ())

    def redacted(self, text: str) -> str:
        """A text that is no file of the workspace, such as what a program printed, without its secrets."""
        spans = self.secrets("", text)
        return _redact("", text, spans).text or "" if spans else text

    def admit_around(self, path: RelPath | str, text: str, offset: int) -> tuple[Admission, Admission]:
        """What may be shown of the text before and after an offset, where a secret may stand across it."""
        whole = self.admit(path, text)
        if whole.text is None:
            return whole, whole
        if not whole.withheld:
            return Admission(text[:offset], ()), Admission(text[offset:], ())
        spans = self.secrets(path, text)
        before = [Found(s.start, min(s.end, offset), s.reason) for s in spans if s.start < offset]
        after = [
            Found(max(s.start, offset) - offset, s.end - offset, s.reason) for s in spans if s.end > offset
        ]
        first_line = text.count("\n", 0, offset)
        return (
            _redact(str(path), text[:offset], before),
            _redact(str(path), text[offset:], after, first_line),
        )

    def secrets(self, path: RelPath | str, text: str) -> list[Found]:
        """Every secret in a text, in order, none overlapping another."""
        one_byte = text.encode("latin-1", "replace")
        name = self._name(path).rpartition("/")[2].lower()
        found = list(known_formats(text, one_byte))
        found += by_place(text, one_byte, bare=name.endswith(_BARE_SUFFIXES) or "." not in name)
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                group = 1 if pattern.groups and match[1] else 0
                if match[group]:
                    found.append(Found(*match.span(group), "withheld by a setting"))
        return _merged(found)

    def _is_named_by_a_setting(self, name: str) -> bool:
        parts = name.split("/")
        folders = ("/".join(parts[:i]) for i in range(1, len(parts)))
        return bool(self._globs.match(name) or any(self._globs.match(folder, True) for folder in folders))

    def _name(self, path: RelPath | str) -> str:
        name = str(path)
        if self._root is not None and name.startswith("/"):
            return within(self._root, Path(name)) or name
        return name

    def _remember(self, key: tuple[str, int, int], admission: Admission | None) -> None:
        size = len(admission.text or "") if admission is not None else 0
        with self._lock:
            self._known[key] = admission
            self._held += size
            while len(self._known) > _REMEMBERED or self._held > _REMEMBERED_TEXT:
                old = self._known.pop(next(iter(self._known)))
                self._held -= len(old.text or "") if old is not None else 0


@cache
def _rules() -> bytes:
    """A digest of the code that decides."""
    state = hashlib.blake2b(digest_size=16)
    for file in sorted(Path(__file__).parent.glob("secret*.py")):
        state.update(file.read_bytes())
    return state.digest()


def _redact(path: str, text: str, spans: Sequence[Found], first_line: int = 0) -> Admission:
    pieces: list[str] = []
    withheld: list[Withheld] = []
    at, line = 0, first_line + 1
    for span in spans:
        line += text.count("\n", at, span.start)
        withheld.append(Withheld(path, span.reason, line))
        lines = text.count("\n", span.start, span.end)
        line += lines
        pieces += (text[at : span.start], f"<redacted: {span.reason}>", "\n" * lines)
        at = span.end
    pieces.append(text[at:])
    return Admission("".join(pieces), tuple(withheld))


def _merged(found: list[Found]) -> list[Found]:
    """In order and apart; of two that overlap the reason of the earlier, and of the longer, is kept."""
    merged: list[Found] = []
    for span in sorted(found, key=lambda f: (f.start, -f.end)):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            merged[-1] = Found(last.start, max(last.end, span.end), last.reason)
        else:
            merged.append(span)
    return merged
