"""Questions about a snapshot: symbols by a few letters, text by pattern, paths by glob."""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache as memoised

from qwen_lsp.errors import FileUnreadable, UserError
from qwen_lsp.index import buffers, patience
from qwen_lsp.index.service import How
from qwen_lsp.index.sites import Site
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace.paths import RelPath

_FEW_NAMES = 500
_ENOUGH = 20
_LONGEST_LINE = 400
_MOST_STARTS = 2_000
_QUALIFIER = re.compile(r"[.:#/\s]+")
_TEST_PATH = re.compile(r"(^|/)(tests?|__tests__|spec|testing)/|(^|/)test_|[._-](test|spec)\.|_test\.")
_MINOR_KINDS = frozenset({"variable", "field", "property", "key", "element", "rule", "section", "member"})


@dataclass(frozen=True, slots=True)
class Match:
    """One line that a pattern was found in. Line and column are zero-based."""

    path: RelPath
    line: int
    column: int
    text: str


def symbols(snapshot: Snapshot, query: str, limit: int = 50) -> list[Site]:
    """Definitions whose name has the letters of `query` in order, best first.

    `Outer.inner` and `Outer::inner` also ask for what encloses the definition.
    """
    *outer, word = [part for part in _QUALIFIER.split(query.strip()) if part] or [""]
    most = max(10 * limit, _FEW_NAMES)
    # Names that begin with the letters beat those that hold them, and those beat all others. Mostly there are
    # enough of a better kind, and nobody looks at every name there is.
    kinds: tuple[tuple[How, int], ...] = (("begin", limit), ("hold", min(limit, _ENOUGH)), ("order", 0))
    names: set[str] = set()
    found: list[tuple[float, bool, bool, Site]] = []
    for how, enough in kinds if len(word) > 1 else kinds[:1]:
        names.update(snapshot.service.names(word, how, most))
        found = _found(snapshot, _scored(snapshot, word, names), outer, limit)
        if len(found) >= enough:
            break
    found.sort(key=lambda f: (-f[0], f[1], f[2], f[3].path, f[3].index))
    return [site for *_, site in found[:limit]]


def _found(
    snapshot: Snapshot, scored: Sequence[tuple[float, str]], outer: Sequence[str], limit: int
) -> list[tuple[float, bool, bool, Site]]:
    """The definitions of names, best first, until there are enough: score, kind, whether in tests, site."""
    found: list[tuple[float, bool, bool, Site]] = []
    for score, name in scored:
        if len(found) >= limit and score < found[-1][0]:
            break
        for site in snapshot.definitions(name):
            if not outer or _is_inside(snapshot, site, outer):
                minor = site.definition.kind in _MINOR_KINDS
                found.append((score, minor, _TEST_PATH.search(site.path) is not None, site))
    return found


def _scored(snapshot: Snapshot, word: str, known: Iterable[str]) -> list[tuple[float, str]]:
    """Names of definitions that fit, best first."""
    names = set(known)
    for buffer in snapshot.buffers.values():
        names.update(buffers.places(buffer, snapshot.service))
    scored = [(score, name) for name in names if (score := similarity(word, name)) > 0]
    return sorted(scored, key=lambda item: (-item[0], len(item[1]), item[1]))


def similarity(query: str, name: str) -> float:
    """How well letters fit a name: 0 when they are not all in it, in order; 1 when it is the name.

    Letters that begin a word of the name (`camelCase`, `snake_case`) or follow on one another count more.
    """
    if not query:
        return 0.01
    if query == name:
        return 1.0
    small, letters = name.lower(), query.lower()
    if small == letters:
        return 0.95
    rest = 0.04 * len(query) / len(name)
    if small.startswith(letters):
        return 0.8 + rest
    starts = _word_starts(name)
    at = small.find(letters)
    while at >= 0 and at not in starts:
        at = small.find(letters, at + 1)
    if at >= 0:
        return 0.7 + rest
    if (share := _aligned(letters, small, starts)) is not None:
        return 0.5 + 0.15 * share + rest
    if letters in small:
        return 0.45 + rest
    position, runs = -1, 0
    for letter in letters:
        following = small.find(letter, position + 1)
        if following < 0:
            return 0.0
        runs += following != position + 1
        position = following
    return 0.1 + 0.3 / (1 + runs) + rest


def grep(
    snapshot: Snapshot, pattern: str, *, glob: str = "", limit: int = 200, seconds: float = 10.0
) -> tuple[list[Match], bool]:
    """Lines that a regular expression is found in, in order of path; False where the time was over first.

    `^` and `$` are the ends of a line, and the search stops at `limit`. Raises UserError for a pattern that
    is wrong, or that takes too long.
    """
    try:
        re.compile(pattern, re.MULTILINE)
    except (re.error, RecursionError, OverflowError) as error:
        raise UserError(f"pattern {pattern!r} is not a regular expression: {error}") from None
    literal = pattern if pattern and re.escape(pattern) == pattern else ""
    wanted = glob_pattern(glob) if glob else None
    until = time.monotonic() + seconds
    texts = ((path, text) for path, text in _texts(snapshot, wanted, until) if not literal or literal in text)
    found: list[Match] = []
    for path, text, starts in patience.matches(pattern, texts, _MOST_STARTS, seconds):
        found += _lines_with(starts, path, text, limit - len(found))
        if len(found) >= limit:
            return found, True
    return found, time.monotonic() <= until


def _texts(snapshot: Snapshot, wanted: re.Pattern[str] | None, until: float) -> Iterator[tuple[RelPath, str]]:
    """The files of these paths that can be read, for as long as there is time."""
    for path in snapshot.paths():
        if wanted is not None and not wanted.fullmatch(path):
            continue
        if time.monotonic() > until:
            return
        try:
            yield path, snapshot.text(path)
        except FileUnreadable:
            continue


def glob(snapshot: Snapshot, pattern: str) -> list[RelPath]:
    """Paths that match: `*` within a part, `**` across parts, `{a,b}`; without a slash, at any depth."""
    compiled = glob_pattern(pattern)
    return [path for path in snapshot.paths() if compiled.fullmatch(path) and snapshot.has(path)]


@memoised
def glob_pattern(pattern: str) -> re.Pattern[str]:
    """A glob as a regular expression for whole paths."""
    pattern = pattern.removeprefix("./").removeprefix("/")
    if "/" not in pattern:
        pattern = f"**/{pattern}"
    out: list[str] = []
    i = depth = 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out.append("(?:[^/]+/)*")
            i += 3
            continue
        char = pattern[i]
        closing = pattern.find("]", i + 2) if char == "[" else -1
        if pattern.startswith("**", i):
            out.append(".*")
            i += 1
        elif char == "*":
            out.append("[^/]*")
        elif char == "?":
            out.append("[^/]")
        elif closing > 0:
            inside = pattern[i + 1 : closing].replace("\\", r"\\").replace("[", r"\[")
            out.append(f"[^{inside[1:]}]" if inside[0] in "!^" else f"[{inside}]")
            i = closing
        elif char == "{" and "}" in pattern[i:]:
            out.append("(?:")
            depth += 1
        elif char == "}" and depth:
            out.append(")")
            depth -= 1
        else:
            out.append("|" if char == "," and depth else re.escape(char))
        i += 1
    try:
        return re.compile("".join(out) + ")" * depth, re.DOTALL)
    except re.error:
        return re.compile(re.escape(pattern))


def _lines_with(starts: Iterable[int], path: RelPath, text: str, limit: int) -> list[Match]:
    found: list[Match] = []
    index: LineIndex | None = None
    for start in starts:
        index = index or LineIndex(text)
        line = index.line_at(start)
        if found and found[-1].line == line:
            continue
        if len(found) >= limit:
            break
        shown = index.line_text(line)[:_LONGEST_LINE]
        found.append(Match(path, line, start - index.start_of(line), shown))
    return found


def _word_starts(name: str) -> frozenset[int]:
    return frozenset(
        i
        for i, char in enumerate(name)
        if char.isalnum()
        and (i == 0 or not name[i - 1].isalnum() or (char.isupper() and not name[i - 1].isupper()))
    )


def _aligned(letters: str, small: str, starts: frozenset[int]) -> float | None:
    """The share of a name's words that letters begin, when every letter begins one or goes on in one."""
    position, words = -1, 0
    for letter in letters:
        if position >= 0 and position + 1 < len(small) and small[position + 1] == letter:
            position += 1
            words += position in starts
            continue
        following = [i for i in sorted(starts) if i > position and small[i] == letter]
        if not following:
            return None
        position = following[0]
        words += 1
    return words / max(1, len(starts))


def _is_inside(snapshot: Snapshot, site: Site, outer: Sequence[str]) -> bool:
    facts = snapshot.facts(site.path)
    if facts is None:
        return False
    around = facts.qualified_name(site.index).split(".")[:-1]
    module = _QUALIFIER.split(site.path.rpartition(".")[0])
    names = [name.lower() for name in (*module, *around)]
    return all(part.lower() in names for part in outer)
