"""How good and how quick a pack is.

    python bench/pack.py DIR                                   time of rank and pack at several budgets
    python bench/pack.py DIR --recall truth.json               share of definitions that a pack holds

The truth comes from `bench/pack_truth.py` (Python; needs jedi: `pip install jedi`) or from
`bench/pack_truth_ctags.py` (other languages; needs universal-ctags). A line that uses names of other files is
blanked in the text; the pack is made for that place; a definition counts as found when its header line, or
that of its prototype, stands in the part of its file. "unseen": only names that the file has nowhere else.
With `--mask-imports` the imports that lead to the wanted names are blanked as well: code that is new to its file.
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
from dataclasses import dataclass, replace
from functools import cache
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
from qwen_lsp.model.tokens import count
from qwen_lsp.settings import IndexSettings
from qwen_lsp.syntax.facts import Import
from qwen_lsp.workspace.paths import rel_path
from qwen_lsp.workspace.secrets import Gate

BUDGETS = (1_024, 2_048, 8_192, 32_768, 262_144)


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
    parser.add_argument("--budgets", type=int, nargs="*", default=list(BUDGETS))
    parser.add_argument("--lines", type=int, default=0, help="only the first so many samples")
    parser.add_argument("--places", type=int, default=40, help="random places to time without --recall")
    parser.add_argument("--mask-imports", action="store_true", help="blank the imports of wanted names, too")
    parser.add_argument("--misses", action="store_true", help="print what was not found at the first budget")
    arguments = parser.parse_args()
    snapshot = indexed(arguments.root.resolve())
    if arguments.recall is None:
        timing(snapshot, arguments.budgets, arguments.places)
    else:
        samples = [Sample(**item) for item in json.loads(arguments.recall.read_text(encoding="utf-8"))]
        samples = [
            blanked(snapshot, s, imports=arguments.mask_imports) for s in samples[: arguments.lines or None]
        ]
        recall(snapshot, samples, arguments.budgets, misses=arguments.misses)
    return 0


def indexed(root: Path) -> Snapshot:
    """The workspace, indexed by the product itself into a private cache kept beside the temporary files."""
    cache = Cache.open(root, Path("/tmp/qwen-lsp-bench"))  # noqa: S108
    store = Store(root, cache)
    started = time.perf_counter()
    asyncio.run(build(store, IndexSettings()))
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
        for line in range(imp.line, statement_end(lines, imp.line) + 1):
            if leads & targets or wanted & set(re.findall(r"\w+", lines[line])):
                lines[line] = ""
    text = "\n".join(lines)
    unseen = {name: re.search(rf"\b{re.escape(name)}\b", text) is None for name in wanted}
    names = [{**name, "unseen": unseen[str(name["name"])]} for name in sample.names]
    return replace(sample, names=names, text=text)


def statement_end(lines: Sequence[str], first: int) -> int:
    """The line on which the brackets close that a statement opens."""
    depth = 0
    for number in range(first, min(first + 200, len(lines))):
        depth += sum(map(lines[number].count, "([{")) - sum(map(lines[number].count, ")]}"))
        if depth <= 0:
            return number
    return first


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


def timing(snapshot: Snapshot, budgets: Sequence[int], places: int) -> None:
    rng = random.Random(3)
    coded = [p for p in snapshot.paths() if (language := snapshot.language(p)) and language.is_code]
    paths = [p for p in coded if snapshot.files[p].size > 2_000]
    print("  budget   CPU ms p50    p90    max   tokens p50")
    for budget in budgets:
        spent: list[float] = []
        tokens: list[int] = []
        for _ in range(places):
            path = rng.choice(paths)
            text = snapshot.text(path)
            offset = rng.randrange(len(text))
            opened = snapshot.edited(path, text)
            opened.facts(path)
            packed, seconds = timed(lambda s=opened, p=path, o=offset, b=budget: made(s, p, o, b, s.root))
            assert packed.tokens <= budget
            spent.append(1000 * seconds)
            tokens.append(packed.tokens)
        print(
            f"  {budget:>6}   {median(spent):>8.1f}   {quantiles(spent, n=10)[8]:>6.1f} {max(spent):>6.1f}"
            f"   {median(tokens):>8.0f}"
        )


def percent(part: int, whole: int) -> str:
    return f"{100 * part / whole:3.0f} %" if whole else "  - "


if __name__ == "__main__":
    sys.exit(main())
