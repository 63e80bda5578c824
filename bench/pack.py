"""How good and how quick a pack is.

    python bench/pack.py DIR                                   CPU time of rank and pack at several budgets
    python bench/pack.py DIR --recall truth.json               share of definitions that a pack holds

Times are told for the first pack of a process; and as medians over random places for the first pack in
another file, for the same place again, for another line of the file, and after a key was typed in it.
Facts of the typed text are made before the clock runs: that is the parser's time (bench/syntax.py). Each
budget has a process of its own, so that none profits from what the one before has read.

The truth comes from `bench/pack_truth.py` (Python; needs jedi: `pip install jedi`) or from
`bench/pack_truth_ctags.py` (other languages; needs universal-ctags). A line that uses names of other files is
blanked in the text; the pack is made for that place; a definition counts as found when its header line, or
that of its prototype, stands in the part of its file. "unseen": only names that the file has nowhere else.
With `--mask-imports` the imports that lead to the wanted names are blanked as well, as in code that is new.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import re
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cache
from multiprocessing import get_context
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from qwen_lsp.context.pack import Pack, pack
from qwen_lsp.context.rank import limit_for, rank
from qwen_lsp.index.build import build
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.graph import resolve_all
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.model.tokens import count, preload
from qwen_lsp.settings import IndexSettings
from qwen_lsp.syntax.facts import Import
from qwen_lsp.syntax.outline import until_closed
from qwen_lsp.workspace.paths import RelPath, rel_path
from qwen_lsp.workspace.secrets import Gate

LONGEST_IMPORT = 200
"""Lines of one import statement."""
BUDGETS = (1_024, 2_048, 8_192, 32_768, 262_144)
TIMED_BUDGETS = (8_192, 262_144, 1_048_576)


@dataclass(frozen=True)
class Sample:
    """One blanked line and the definitions that it needs."""

    file: str
    line: int
    names: Sequence[Mapping[str, Any]]
    text: str = ""
    """The text of the file without that line."""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--recall", type=Path, metavar="TRUTH", help="output of bench/pack_truth*.py")
    parser.add_argument("--budgets", type=int, nargs="*")
    parser.add_argument("--lines", type=int, default=0, help="only the first so many samples")
    parser.add_argument("--places", type=int, default=20, help="random places to time without --recall")
    parser.add_argument("--mask-imports", action="store_true", help="blank the imports of wanted names, too")
    parser.add_argument("--misses", action="store_true", help="print what was not found at the first budget")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    snapshot = indexed(root)
    if arguments.recall is None:
        timing(root, arguments.budgets or TIMED_BUDGETS, arguments.places)
    else:
        samples = [Sample(**item) for item in json.loads(arguments.recall.read_text(encoding="utf-8"))]
        samples = [
            blanked(snapshot, s, imports=arguments.mask_imports) for s in samples[: arguments.lines or None]
        ]
        recall(snapshot, samples, arguments.budgets or BUDGETS, misses=arguments.misses)
    return 0


def indexed(root: Path, *, quiet: bool = False) -> Snapshot:
    """The workspace, indexed by the product itself into a private cache kept beside the temporary files."""
    cache = Cache.open(root, Path("/tmp/qwen-lsp-bench"))  # noqa: S108
    store = Store(root, cache)
    started = time.perf_counter()
    asyncio.run(build(store, IndexSettings()))
    if not quiet:
        print(f"{root.name}: {len(store.current.files):,} files, index {time.perf_counter() - started:.1f} s")
    return store.current


@dataclass(slots=True)
class Tally:
    """What was found among what was asked for."""

    names: int = 0
    found: int = 0
    unseen: int = 0
    found_unseen: int = 0

    def add(self, hit: bool, unseen: bool) -> None:
        self.names += 1
        self.found += hit
        self.unseen += unseen
        self.found_unseen += hit and unseen


def recall(snapshot: Snapshot, samples: Sequence[Sample], budgets: Sequence[int], *, misses: bool) -> None:
    names = sum(len(s.names) for s in samples)
    unseen = sum(bool(n["unseen"]) for s in samples for n in s.names)
    print(f"{len(samples)} lines, {names} definitions in other files, {unseen} of them unseen")
    print("  budget   language      names    all   unseen   tokens   CPU ms p50   p90")
    for budget in budgets:
        tallies: dict[str, Tally] = {}
        spent: list[float] = []
        tokens: list[int] = []
        for sample in samples:
            packed, seconds = packed_at(snapshot, sample, budget)
            spent.append(1000 * seconds)
            tokens.append(packed.tokens)
            assert packed.tokens <= budget
            language = snapshot.language(rel_path(sample.file))
            tally = tallies.setdefault(language.name if language else "-", Tally())
            for name in sample.names:
                hit = shows(snapshot, packed, name)
                tally.add(hit, bool(name["unseen"]))
                if misses and not hit and budget == budgets[0]:
                    print("   missed", sample.file, sample.line, name)
        size = median(tokens)
        times = f"{median(spent):>8.1f}   {quantiles(spent, n=10)[8]:>8.1f}"
        for language, tally in sorted(tallies.items()):
            shares = f"{percent(tally.found, tally.names)}   {percent(tally.found_unseen, tally.unseen)}"
            print(f"  {budget:>6}   {language:<12} {tally.names:>6}  {shares}     {size:>6.0f}   {times}")


def blanked(snapshot: Snapshot, sample: Sample, *, imports: bool) -> Sample:
    """The sample with its text; `imports`: without what imports the wanted names or the files they are in."""
    path = rel_path(sample.file)
    lines = snapshot.text(path).split("\n")
    lines[sample.line - 1] = ""
    if not imports:
        return replace(sample, text="\n".join(lines))
    wanted = {str(name["name"]) for name in sample.names}
    targets = {str(name["path"]) for name in sample.names}
    facts = snapshot.facts(path)
    for imp in facts.imports if facts is not None else ():
        leads = {
            *resolve_all(snapshot, path, imp),
            *resolve_all(snapshot, path, Import(imp.module, (), imp.line)),
        }
        statement = until_closed(lines[imp.line : imp.line + LONGEST_IMPORT])
        for number, line in enumerate(statement, imp.line):
            if leads & targets or wanted & set(re.findall(r"\w+", line)):
                lines[number] = ""
    text = "\n".join(lines)
    unseen = {name: re.search(rf"\b{re.escape(name)}\b", text) is None for name in wanted}
    names = [{**name, "unseen": unseen[str(name["name"])]} for name in sample.names]
    return replace(sample, names=names, text=text)


def packed_at(snapshot: Snapshot, sample: Sample, budget: int) -> tuple[Pack, float]:
    """The pack for a place whose line is blank, as an open document would have it; and its CPU time."""
    path = rel_path(sample.file)
    offset = sum(len(line) + 1 for line in sample.text.split("\n")[: sample.line - 1])
    opened = snapshot.edited(path, sample.text)
    opened.facts(path)
    return timed(lambda: made(opened, sample.file, offset, budget, opened.root))


def made(snapshot: Snapshot, file: str, offset: int, budget: int, root: Path) -> Pack:
    candidates = rank(snapshot, rel_path(file), offset, limit=limit_for(budget))
    return pack(snapshot, candidates, budget=budget, count=count, gate=gate_of(root))


@cache
def gate_of(root: Path) -> Gate:
    """One gate for the whole run, as a session has: it remembers the texts it has looked at."""
    return Gate(root)


def timed(work: Callable[[], Pack]) -> tuple[Pack, float]:
    started = time.process_time()
    result = work()
    return result, time.process_time() - started


def shows(snapshot: Snapshot, packed: Pack, name: Mapping[str, Any]) -> bool:
    """Whether a line that says what the name is stands in the part of its file."""
    for site in ({"path": name["path"], "line": name["line"]}, *name.get("also", ())):
        path = rel_path(str(site["path"]))
        line = snapshot.text(path).split("\n")[int(site["line"]) - 1].strip()
        if any(part.path == path and line in part.text for part in packed.parts):
            return True
    return False


def timing(root: Path, budgets: Sequence[int], places: int) -> None:
    with ProcessPoolExecutor(1, mp_context=get_context("spawn"), max_tasks_per_child=1) as pool:
        print("   CPU ms  very first   other file   same place   other line    keystroke     p90      tokens")
        for budget in budgets:
            print(pool.submit(times, root, budget, places).result())


def times(root: Path, budget: int, places: int) -> str:
    """One row of the table, measured in a process that has not packed anything yet."""
    preload()
    snapshot = indexed(root, quiet=True)
    rng = random.Random(3)
    coded = [p for p in snapshot.paths() if (language := snapshot.language(p)) and language.is_code]
    paths = rng.sample([p for p in coded if snapshot.files[p].size > 2_000], places + 1)
    spent: dict[str, list[float]] = {"file": [], "again": [], "line": [], "key": []}
    tokens: list[int] = []

    def pack_at(opened: Snapshot, path: RelPath, offset: int, kind: str) -> None:
        opened.facts(path)
        packed, seconds = timed(lambda: made(opened, path, offset, budget, root))
        assert packed.tokens <= budget
        spent[kind].append(1000 * seconds)
        tokens.append(packed.tokens)

    for path in paths:
        text = snapshot.text(path)
        here, elsewhere = rng.randrange(len(text)), rng.randrange(len(text))
        opened = snapshot.edited(path, text)
        pack_at(opened, path, here, "file")
        pack_at(opened, path, here, "again")
        pack_at(opened, path, elsewhere, "line")
        pack_at(opened.edited(path, f"{text[:here]}x{text[here:]}"), path, here + 1, "key")
    first, *spent["file"] = spent["file"]
    middle = {kind: median(each) for kind, each in spent.items()}
    slow = quantiles([*spent["again"], *spent["line"], *spent["key"]], n=10)[8]
    warm = "".join(f"{middle[kind]:>13.1f}" for kind in ("file", "again", "line", "key"))
    return f"  {budget:>9,} {first:>9.1f}{warm} {slow:>7.1f} {median(tokens):>11,.0f}"


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:3.0f} %" if whole else "  - "


if __name__ == "__main__":
    sys.exit(main())
