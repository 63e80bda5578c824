"""Whether the next edit is offered where people really went on: precision on commits of real repositories.

    python -m bench.next_edit CLONE …                     the commits of bench/data/next_edit.txt
    python -m bench.next_edit CLONE … --select 400        the newest 400 commits that qualify instead
    python -m bench.next_edit CLONE … --show              each offer that missed, to look at

A commit qualifies when it changes code in at most ten files, in two to forty places, or in exactly one place
of one file (where anything offered is a false offer). The files are as they were before the commit, all of
them open; its first change, in order of path and line, is made as the person's edit; then the next place is
asked for, without a model. A hit is a place whose line another change of the same commit replaces or
deletes. The text of a mechanical change is right when the whole line, as offered, stands in what the commit
put there; its words, when what was put in stands there: people often change a line in two ways at once.
"Related" are the commits where another change puts the same words in the place of the same words as the
first one; told from the commit alone. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path

from qwen_lsp.features.next_edit.history import Edit
from qwen_lsp.features.next_edit.kinds import Renamed, Reshaped
from qwen_lsp.features.next_edit.places import NextPlace, next_places
from qwen_lsp.features.next_edit.words import is_name, swaps
from qwen_lsp.index import buffers
from qwen_lsp.index.buffers import Buffer
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.syntax.languages import language_for
from qwen_lsp.text.edits import TextEdit, apply, diff
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath

LIST = Path(__file__).parent / "data" / "next_edit.txt"
MOST_FILES, MOST_CHANGES, LARGEST = 10, 40, 400_000
MOST_TURNS = 8


@dataclass(frozen=True, slots=True)
class Changed:
    """One file of a commit, and its changes as edits of the text before."""

    path: RelPath
    before: str
    after: str
    edits: tuple[TextEdit, ...]


@dataclass(frozen=True, slots=True)
class Commit:
    """One commit that qualifies."""

    id: str
    files: tuple[Changed, ...]

    @property
    def changes(self) -> int:
        return sum(len(file.edits) for file in self.files)


@dataclass(slots=True)
class Row:
    """What was counted for one group of commits."""

    commits: int = 0
    offers: int = 0
    hits: int = 0
    mechanical: int = 0
    mechanical_hits: int = 0
    texts: int = 0
    words: int = 0
    places: int = 0
    place_hits: int = 0
    seconds: list[float] = field(default_factory=list[float])

    def __iadd__(self, other: Row) -> Row:
        for name in (
            "commits",
            "offers",
            "hits",
            "mechanical",
            "mechanical_hits",
            "texts",
            "words",
            "places",
            "place_hits",
        ):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.seconds += other.seconds
        return self


class Clone:
    """A clone, read through git alone; texts are parsed once for each content."""

    def __init__(self, given: str) -> None:
        """`given` is a path, or a name, an equals sign and a path."""
        name, _, path = given.rpartition("=")
        git_dir = Path(path) / ".git" if (Path(path) / ".git").exists() else Path(path)
        self.git = ["git", f"--git-dir={git_dir}", "-c", "core.quotePath=false"]
        self.name = name or Path(path).resolve().name
        self._batch = subprocess.Popen(
            [*self.git, "cat-file", "--batch"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        self._known: dict[tuple[str, str], Buffer | None] = {}
        self._service = Store(Path("/nowhere/workspace"), Cache(None)).current

    def ask(self, *arguments: str) -> str:
        done = subprocess.run([*self.git, *arguments], capture_output=True, check=True)
        return done.stdout.decode("utf-8", "replace")

    def text(self, blob: str) -> str | None:
        assert self._batch.stdin is not None
        assert self._batch.stdout is not None
        self._batch.stdin.write(f"{blob}\n".encode())
        self._batch.stdin.flush()
        head = self._batch.stdout.readline().split()
        data = self._batch.stdout.read(int(head[2]) + 1)[:-1]
        try:
            return data.decode("utf-8") if len(data) <= LARGEST and b"\0" not in data else None
        except UnicodeDecodeError:
            return None

    def has(self, id: str) -> bool:
        asked = [*self.git, "cat-file", "-e", f"{id}^{{commit}}"]
        return subprocess.run(asked, capture_output=True, check=False).returncode == 0

    def newest(self) -> list[str]:
        return self.ask("log", "--no-merges", "--format=%H").split()

    def commit(self, id: str) -> Commit | None:
        """The commit when it qualifies."""
        raw = self.ask(
            "diff-tree", "-r", "-z", "--no-commit-id", "--no-renames", "--raw", "--root", id
        ).split("\0")
        rows = list(zip(raw[::2], raw[1::2], strict=False))
        if not rows or len(rows) > MOST_FILES:
            return None
        files: list[Changed] = []
        for head, name in rows:
            language = language_for(RelPath(name))
            _, _, old, new, status = head.split(" ")
            if status != "M":
                return None
            if language is None or not language.is_code:
                continue
            before, after = self.text(old), self.text(new)
            if before is None or after is None or "\r" in before:
                return None
            files.append(Changed(RelPath(name), before, after, tuple(diff(before, after))))
        files.sort(key=lambda file: file.path)
        found = Commit(id, tuple(file for file in files if file.edits))
        if found.changes == 1 and len(rows) > 1:
            return None  # what else it changed may be what the edit called for
        return found if 1 <= found.changes <= MOST_CHANGES else None

    def before(self, id: str) -> Snapshot:
        """The workspace before a commit, every file of it open."""
        known: dict[tuple[str, str], Buffer | None] = {}
        for line in self.ask("ls-tree", "-r", "-z", f"{id}^").split("\0"):
            head, _, name = line.partition("\t")
            language = language_for(RelPath(name)) if name else None
            if language is None or not language.is_code or not head.startswith("100"):
                continue
            key = (name, head.split(" ")[2])
            if key in self._known:
                known[key] = self._known[key]
            else:
                text = self.text(key[1])
                known[key] = None if text is None else buffers.make(name, text)
        self._known = known
        overlay = {RelPath(name): buffer for (name, _), buffer in known.items() if buffer is not None}
        return replace(self._service, buffers=overlay, complete=True)


def trial(before: Snapshot, commit: Commit, file: Changed, number: int) -> tuple[Row, NextPlace | None, bool]:
    """One change made, the next place asked for: counts, the first offer, whether it was a hit."""
    edit = file.edits[number]
    made = Edit(file.path, edit.span.start, file.before[edit.span.start : edit.span.end], edit.text)
    snapshot = before.edited(file.path, apply(file.before, [edit]))
    began = time.process_time()
    places = next_places(snapshot, [made], limit=10)
    row = Row(commits=1, seconds=[time.process_time() - began])
    for position, place in enumerate(places):
        hit, text, words = judged(snapshot, commit, file, edit, place)
        row.places += 1
        row.place_hits += hit
        if not position:
            row.offers, row.hits = 1, int(hit)
            row.mechanical = int(place.text is not None)
            row.mechanical_hits = int(hit and place.text is not None)
            row.texts, row.words = int(text), int(words)
    first = places[0] if places else None
    return row, first, bool(row.hits)


def judged(
    snapshot: Snapshot, commit: Commit, file: Changed, made: TextEdit, place: NextPlace
) -> tuple[bool, bool, bool]:
    """Whether another change of the commit is at the place, has the lines offered, has the words."""
    index = snapshot.lines(place.path)
    last = index.line_at(max(place.span.start, place.span.end - 1))
    lines = index.lines_span(place.line, last)
    other = next((f for f in commit.files if f.path == place.path), None)
    if other is None:
        return False, False, False
    shift = 0
    if place.path == file.path and lines.start >= made.span.start + len(made.text):
        shift = len(made.text) - len(made.span)
    was = Span(lines.start - shift, lines.end - shift)
    for edit in other.edits:
        if edit is not made and edit.span.start < was.end and was.start < edit.span.end:
            if place.text is None:
                return True, False, False
            new = (
                index.text[lines.start : place.span.start]
                + place.text
                + index.text[place.span.end : lines.end]
            )
            lines_there = edit.text.split("\n")
            exact = all(line in lines_there for line in new.strip("\n").split("\n"))
            return True, exact, place.text in edit.text
    return False, False, False


def related(commit: Commit, made: TextEdit, where: Changed) -> bool:
    """Whether another change of the commit puts the same words in the place of the same words as this one."""

    def swapped(file: Changed, edit: TextEdit) -> set[tuple[str, str]]:
        pairs = swaps(file.before[edit.span.start : edit.span.end], edit.text)
        return {(pair.old, pair.new) for pair in pairs if len(pair.old) > 2}

    mine = swapped(where, made)
    return any(mine & swapped(file, edit) for file in commit.files for edit in file.edits if edit is not made)


def chosen(clone: Clone, select: int) -> Iterator[Commit]:
    """The commits of the list, or the newest ones that qualify."""
    if select:
        left = select
        for id in clone.newest():
            if left and (found := clone.commit(id)) is not None:
                left -= 1
                yield found
        return
    for name, ids in listed().items():
        if clone.has(ids[0]):
            clone.name = name
            yield from (found for id in ids if (found := clone.commit(id)) is not None)


def listed() -> dict[str, list[str]]:
    """The commits of the list by the name of their repository."""
    found: dict[str, list[str]] = defaultdict(list)
    for line in LIST.read_text(encoding="utf-8").splitlines():
        if line and not line.startswith("#"):
            name, _, id = line.partition(" ")
            found[name].append(id)
    return found


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("clone", nargs="+", help="a clone, or NAME=CLONE")
    parser.add_argument(
        "--select", type=int, default=0, help="the newest N commits that qualify, not the list"
    )
    parser.add_argument("--print", action="store_true", help="print the commits asked about and nothing else")
    parser.add_argument(
        "--every", action="store_true", help="each of the first eight changes made first in turn"
    )
    parser.add_argument("--show", action="store_true", help="print each offer that missed")
    asked = parser.parse_args()
    groups: dict[str, dict[str, Row]] = {}
    kinds: dict[str, Row] = defaultdict(Row)
    for path in asked.clone:
        clone = Clone(path)
        for commit in chosen(clone, asked.select):
            rows = groups.setdefault(clone.name, defaultdict(Row))
            if asked.print:
                print(clone.name, commit.id[:16])
                continue
            before = clone.before(commit.id)
            turns = [(file, number) for file in commit.files for number in range(len(file.edits))]
            for file, number in turns[: MOST_TURNS if asked.every else 1]:
                row, place, hit = trial(before, commit, file, number)
                alike = related(commit, file.edits[number], file)
                group = "single" if commit.changes == 1 else "related" if alike else "other"
                rows[group] += row
                if place is None:
                    continue
                kinds[f"{sort_of(place)}{' (single)' if group == 'single' else ''}"] += row
                if asked.show and not hit:
                    show(clone, commit, file, number, place, group)
    if not asked.print:
        table(groups)
        by_kind(kinds)
    return 0


def sort_of(place: NextPlace) -> str:
    """The sort of edit that the place was found by, as the table names it."""
    kind = place.kind
    if isinstance(kind, Renamed):
        return f"renamed {kind.what}"
    if isinstance(kind, Reshaped):
        return "reshaped"
    shape = "lines" if kind.lines else "name" if is_name(kind.old) and is_name(kind.new) else "words"
    return f"replaced {shape} seen {min(kind.seen, 3)}"


def show(clone: Clone, commit: Commit, file: Changed, number: int, place: NextPlace, group: str) -> None:
    edit = file.edits[number]
    print(f"--- {clone.name} {commit.id[:10]} {group} {file.path}")
    for sign, text in (("-", file.before[edit.span.start : edit.span.end]), ("+", edit.text)):
        print("\n".join(f"{sign}{line}" for line in text.splitlines()[:6]))
    other = next((f for f in commit.files if f.path == place.path), None)
    print(f"  => {place.path}:{place.line + 1} {place.why} [{sort_of(place)}]")
    if other is not None:
        print("     changed there:", [LineIndex(other.before).line_at(e.span.start) + 1 for e in other.edits])


def percent(part: int, whole: int) -> str:
    return f"{part / whole:.2f}" if whole else "-"


def table(groups: dict[str, dict[str, Row]]) -> None:
    print(f"{'repository':<22} {'group':<8} commits offers share  place  text words all-places  ms")
    total: dict[str, Row] = defaultdict(Row)
    for name, rows in groups.items():
        for group, row in sorted(rows.items()):
            total[group] += row
            if group != "single":
                total["multi"] += row
            line(name, group, row)
    for group, row in sorted(total.items()):
        line("all", group, row)


def line(name: str, group: str, row: Row) -> None:
    median = sorted(row.seconds)[len(row.seconds) // 2] * 1000 if row.seconds else 0
    print(
        f"{name:<22} {group:<8} {row.commits:>7} {row.offers:>6} {percent(row.offers, row.commits):>5} "
        f"{percent(row.hits, row.offers):>6} {percent(row.texts, row.mechanical):>5} "
        f"{percent(row.words, row.mechanical):>5} {percent(row.place_hits, row.places):>6} "
        f"({row.places:>4}) {median:>5.0f}"
    )


def by_kind(kinds: dict[str, Row]) -> None:
    for name, row in sorted(kinds.items()):
        place, text = percent(row.hits, row.offers), percent(row.texts, row.mechanical)
        words = percent(row.words, row.mechanical)
        print(f"{name:<30} offers {row.offers:>4}  place {place}  text {text}  words {words}")


if __name__ == "__main__":
    sys.exit(main())
