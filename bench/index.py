"""What the index costs beside the bare parser, in one run: cold, reopened, a keystroke, lookups, memory.

    python bench/index.py [DIR]

DIR: a repository of some 20 MB; without one, Python's standard library. The floor is one process that
parses the files which the index parses and takes the names that the grammar's own `tags.scm` captures, with
text and row. Times are CPU seconds of all processes except where wall time is said, gaps are wall time; only
ratios of one run say much, and those of wall time only on a machine that has nothing else to do.
"""

from __future__ import annotations

import asyncio
import os
import random
import re
import resource
import sys
import sysconfig
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from statistics import median, quantiles
from typing import NamedTuple

import tree_sitter

from qwen_lsp.index.build import IndexReport, build
from qwen_lsp.index.search import symbols
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings
from qwen_lsp.syntax.grammar import grammar
from qwen_lsp.syntax.languages import Language, by_id
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

ROUNDS = 3
KEYS = 400
LINES = 5_000
BEAT = 0.002
CREWS = (1, 2)
STATEMENT = re.compile(r"^ {8}\w+ = [\w.]+(\(\w*\))?(?=\n {8}\w)", re.MULTILINE)
"""A line inside a function that is complete, with another after it."""
TYPED = '\n        total = self.compute(items[0], "name") + 1'
EXCLUDED = ("site-packages/", "dist-packages/", "__pycache__/", "idlelib/help.html")


async def main(root: Path, cache: Path) -> None:
    settings = IndexSettings(cache_dir=str(cache), exclude=EXCLUDED)
    before = rss()
    colds: list[IndexReport] = []
    floors: list[Spent] = []
    reopened: list[float] = []
    after = on_disk = 0.0
    for i in range(ROUNDS):
        own = settings.model_copy(update={"cache_dir": str(cache / str(i))})
        store = Store.at(root, own)
        colds.append(await build(store))
        after = after or rss()
        store.release()
        on_disk = size_of(cache / str(i))
        store = Store.at(root, own)
        reopened.append((await build(store)).cpu_seconds)
        floors.append(floor(root, store.current))
        store.release()
    # Again from nothing, with requests meanwhile; apart from the first, to which their cost is foreign.
    crews = {workers: await Crew.at_work(root, cache, workers) for workers in CREWS}
    store = Store.at(root, settings.model_copy(update={"cache_dir": str(cache / "0")}))
    await build(store)

    cold = colds[0]
    most = ", ".join(f"{name} {n:,}" for name, n in Counter(cold.languages).most_common(6))
    print(f"{root.name}: {cold.files:,} files, {parsed_bytes(store.current) / 1e6:.1f} MB parsed ({most})")
    print(
        f"{cold.definitions:,} definitions, {cold.references:,} references, {on_disk / 1e6:.1f} MB on disk\n"
    )
    base, again = median(spent.cpu for spent in floors), median(reopened)
    cpu = median(report.cpu_seconds for report in colds)
    ratios = [report.cpu_seconds / spent.cpu for report, spent in zip(colds, floors, strict=True)]
    row("floor: parse and tag names", f"{base:.2f} s CPU")
    row(
        "cold index",
        f"{cpu:.2f} s CPU",
        f"{median(ratios):.2f} x floor",
        f"({min(ratios):.2f} to {max(ratios):.2f})",
    )
    row("unchanged reopen", f"{again:.3f} s CPU", f"{again / cpu:.3f} x cold")
    wall = median(spent.wall for spent in floors)
    row("floor, wall time", f"{wall:.2f} s")
    for workers, crew in crews.items():
        name = f"{workers} worker{'s' if workers > 1 else ''}"
        row(f"cold index, {name}, wall time", f"{crew.seconds:.2f} s", f"{crew.seconds / wall:.2f} x floor")
        walls, cpus = [wall for wall, _ in crew.gaps], [cpu for _, cpu in crew.gaps]
        row(
            "  gap of the event loop",
            f"{max(walls) * 1e3:.1f} ms most",
            f"{percentile(walls, 99) * 1e3:.1f} ms p99",
        )
        row(
            "  of it CPU of this process",
            f"{max(cpus) * 1e3:.1f} ms most",
            f"{percentile(cpus, 99) * 1e3:.1f} ms p99",
        )
    row("memory the index took", f"{after - before:.1f} MB", f"{before:.0f} MB before")
    keystrokes(store)
    lookups(store.current)
    store.release()


def row(what: str, *figures: str) -> None:
    print(f"{what:<34}" + "".join(f"{figure:>20}" for figure in figures))


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def parsed_bytes(snapshot: Snapshot) -> int:
    return sum(entry.size for entry in snapshot.files.values() if entry.language is not None)


class Spent(NamedTuple):
    cpu: float
    wall: float


class Crew(NamedTuple):
    """A cold index by some number of workers: how long it took, and the gaps of the event loop meanwhile."""

    seconds: float
    gaps: list[tuple[float, float]]

    @classmethod
    async def at_work(cls, root: Path, cache: Path, workers: int) -> Crew:
        folder = str(cache / f"by {workers}")
        store = Store.at(root, IndexSettings(cache_dir=folder, exclude=EXCLUDED, workers=workers))
        gaps: list[tuple[float, float]] = []
        heart = asyncio.create_task(heartbeat(store, gaps))
        report = await build(store)
        heart.cancel()
        store.release()
        return cls(report.seconds, gaps)


async def heartbeat(store: Store, gaps: list[tuple[float, float]]) -> None:
    """Wake every few milliseconds; now and then do what a request does. The gap includes it."""
    names = ("__init__", "name", "get", "main", "run")
    last, last_cpu = time.perf_counter(), time.process_time()
    beats = 0
    while True:
        await asyncio.sleep(BEAT)
        beats += 1
        if beats % 10 == 0:
            snapshot = store.current
            snapshot.definitions(names[beats // 10 % len(names)])[:10]
        now, now_cpu = time.perf_counter(), time.process_time()
        gaps.append((now - last - BEAT, now_cpu - last_cpu))
        last, last_cpu = now, now_cpu


def floor(root: Path, snapshot: Snapshot) -> Spent:
    """Seconds to parse every file the index parsed and take the names that tags.scm captures."""
    queries: dict[str, tree_sitter.Query | None] = {}
    cpu = wall = 0.0
    for path, entry in snapshot.files.items():
        language = None if entry.language is None else by_id(entry.language)
        if language is None:
            continue
        if language.id not in queries:
            queries[language.id] = wheel_tags(language)
        query = queries[language.id]
        begun, begun_wall = time.process_time(), time.perf_counter()
        source = (root / path).read_bytes()
        tree = tree_sitter.Parser(grammar(language)).parse(source)
        if query is not None:
            captures = tree_sitter.QueryCursor(query).captures(tree.root_node)
            for name, nodes in captures.items():
                if name == "name" or name.startswith("name."):
                    _ = [
                        (source[n.start_byte : n.end_byte].decode("utf-8", "replace"), n.start_point[0])
                        for n in nodes
                    ]
        cpu += time.process_time() - begun
        wall += time.perf_counter() - begun_wall
    return Spent(cpu, wall)


def wheel_tags(language: Language) -> tree_sitter.Query | None:
    """The query that comes with the grammar; None when there is none, and the floor is the parse alone."""
    packages = [language.package]
    if language.package == "tree_sitter_typescript":
        packages.insert(0, "tree_sitter_javascript")
    texts: list[str] = []
    for package in packages:
        file = files(import_module(package)) / "queries" / "tags.scm"
        if file.is_file():
            texts.append(file.read_text(encoding="utf-8"))
    try:
        return tree_sitter.Query(grammar(language), "\n".join(texts)) if texts else None
    except tree_sitter.QueryError:
        return None


def keystrokes(store: Store) -> None:
    """One character after another in a large file, each followed by reading the text and the facts."""
    path, text = large_file(store.current)
    store.open(path, text, 1)
    store.current.tree(path)
    store.current.facts(path)
    chooser = random.Random(7)
    spent: list[float] = []
    at = 0
    for key in range(KEYS):
        typed = TYPED[key % len(TYPED)]
        if key % len(TYPED) == 0:
            ends = [m.end() for m in STATEMENT.finditer(store.current.text(path))]
            at = chooser.choice(ends or [len(text) // 2])
        begun = time.thread_time()
        store.change(path, [TextEdit(Span(at, at), typed)], key + 2)
        snapshot = store.current
        facts = snapshot.facts(path)
        spent.append(time.thread_time() - begun)
        assert facts is not None
        assert snapshot.text(path).startswith(typed, at)
        at += 1
    store.close(path)
    figures = (
        f"{median(spent) * 1e3:.2f} ms p50",
        f"{percentile(spent, 99) * 1e3:.1f} ms p99",
        f"{max(spent) * 1e3:.1f} ms max",
    )
    row(f"keystroke in {LINES:,} lines, CPU", *figures)


def large_file(snapshot: Snapshot) -> tuple[RelPath, str]:
    """A file of the workspace, repeated or cut to the length that is measured."""
    sizes = {path: entry.size for path, entry in snapshot.files.items() if entry.language == "python"} or {
        path: entry.size for path, entry in snapshot.files.items() if entry.language is not None
    }
    path = max(sizes, key=lambda p: sizes[p])
    lines = snapshot.text(path).splitlines(keepends=True)
    while len(lines) < LINES:
        lines += lines
    return path, "".join(lines[:LINES])


def lookups(snapshot: Snapshot) -> None:
    chooser = random.Random(7)
    paths = [path for path, entry in snapshot.files.items() if entry.language is not None]
    names: list[str] = []
    for path in chooser.sample(paths, min(200, len(paths))):
        facts = snapshot.facts(path)
        if facts is not None:
            names += list(facts.references)[:10]
    chooser.shuffle(names)
    row("definitions of a name, CPU", *timed(snapshot.definitions, names[:1000]))
    row("files that use a name, CPU", *timed(snapshot.using, names[:1000]))
    row(
        "symbols by three letters, CPU",
        *timed(lambda q: symbols(snapshot, q, 20), [n[:3] for n in names[:20]]),
    )


def timed(ask: Callable[[str], object], values: list[str]) -> tuple[str, str]:
    spent: list[float] = []
    for value in values:
        begun = time.thread_time()
        ask(value)
        spent.append(time.thread_time() - begun)
    return f"{median(spent) * 1e6:.0f} us p50", f"{percentile(spent, 99) * 1e6:.0f} us p99"


def percentile(values: list[float], percent: int) -> float:
    return quantiles(values, n=100)[percent - 1]


def rss() -> float:
    """Resident megabytes of this process; the most so far where the system does not say."""
    status = Path("/proc/self/status")
    if status.exists():
        for line in status.read_text().splitlines():
            if line.startswith("VmRSS"):
                return int(line.split()[1]) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


if __name__ == "__main__":
    # What is installed has its bytecode: to compile every module for each worker is no cost of the index.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(sysconfig.get_path("stdlib"))
    with tempfile.TemporaryDirectory(prefix="qwen-lsp-bench-") as folder:
        asyncio.run(main(chosen.resolve(), Path(folder)))
