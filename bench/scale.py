"""What the number of files costs: the same questions to a part of a large workspace and to all of it.

    python bench/scale.py DIR [--index FOLDER] [--part FOLDER] [--small FILES]

DIR: a workspace of some ten thousand files or more, such as the source of Linux in a git repository. Its
index is made in the folder --index, or taken from there when there is one; else it is made for this run
alone, which takes CPU minutes. The same holds for the part and its index, in --part. The part is made of
hard links. Every row is a process of its own: the real server for the first answer and its memory, one that
only indexes for pauses of the event loop and for lookups. Times are CPU. A pause of the event loop is given
three times: as what its own thread worked in it, as what the process worked in it, which is what it would
last on a machine that does nothing else, and by the clock.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from statistics import median, quantiles
from typing import Any

from qwen_lsp.index.build import build
from qwen_lsp.index.references import references
from qwen_lsp.index.search import symbols
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath
from tests.support.editor import Editor, spawned

BEAT = 0.002
NAMES = 1_000
POLL = 0.05
STARTS = 3
Json = dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("workspace", type=Path)
    parser.add_argument("--index", type=Path, help="folder in which the index is kept")
    parser.add_argument("--part", type=Path, help="folder in which the part and its index are kept")
    parser.add_argument("--small", type=int, default=10_000, help="files of the small workspace")
    parser.add_argument("--child", help=argparse.SUPPRESS)
    args = parser.parse_args()
    root = args.workspace.resolve()
    if args.child:
        print(json.dumps(asyncio.run(CHILDREN[args.child](root, args.index))))
        return
    with tempfile.TemporaryDirectory(prefix="qwen-lsp-scale-", dir=root.parent) as folder:
        kept = args.index.resolve() if args.index else Path(folder) / "index"
        scratch = args.part.resolve() if args.part else Path(folder)
        compare(root, kept, scratch, args.small)


def compare(root: Path, kept: Path, scratch: Path, small: int) -> None:
    part = scratch / f"{root.name}-part"
    if not part.exists():
        link(root, part, small)
    part_index = scratch / "part-index"
    both = (("part", part, part_index), ("all", root, kept))
    colds: dict[str, Json] = {}
    for name, place, where in both:
        if not where.exists():
            colds[name] = child("cold", place, where)
    for name, cold in colds.items():
        title(f"cold index, {name}: {cold['files']:,} files, {cold['bytes'] / 1e6:,.0f} MB")
        row("CPU of all processes", f"{cold['cpu']:.1f} s", f"{cold['cpu'] / cold['bytes'] * 1e6:.3f} s/MB")
        row("wall", f"{cold['wall']:.1f} s")
        row("on disk", f"{cold['disk'] / 1e6:,.0f} MB")
        row("memory at most, indexing process", f"{cold['peak']:.0f} MB")
        row("first good answer at the open file", f"after {cold['first'] or 0:.1f} s of {cold['wall']:.1f} s")
        pauses(cold)
    title("reopened")
    looked = {name: child("lookups", place, where) for name, place, where in both}
    for name, found in looked.items():
        row(f"{name}: files", f"{found['files']:,}", f"{found['bytes'] / 1e6:,.0f} MB")
        row(f"{name}: whole reopen, sweep included", f"{found['cpu']:.2f} s CPU")
        row(f"{name}: memory of the index alone", f"{found['rss']:.0f} MB", f"{found['peak']:.0f} MB most")
        pauses(found)
    title("lookups")
    for key in looked["all"]["lookups"]:
        one, other = (looked[name]["lookups"][key] for name in ("part", "all"))
        row(
            key,
            f"{one[0]:.3f} ms",
            f"{other[0]:.3f} ms p50",
            f"x {other[0] / one[0]:.2f}",
            f"{other[1]:.2f} ms p99",
        )
    title("the real server, from its start: a file opened, and what a model would be shown in its middle")
    for name, place, where in both:
        ratios: list[float] = []
        runs: list[Json] = []
        for _ in range(STARTS):
            floor = asyncio.run(alone(looked[name]["place"]))
            runs.append(asyncio.run(served(place, where, looked[name]["place"])))
            ratios.append(runs[-1]["first_cpu"] / floor)
        first, same = median(run["first_cpu"] for run in runs), min(run["same"] for run in runs)
        ratio = f"{median(ratios):.2f} x one file alone"
        row(f"{name}: first answer", f"{first:.2f} s CPU", ratio)
        row("  parts of it that the last answer has too", f"{same:.0%} of {runs[0]['parts']}")
        row(f"{name}: until all files were looked at", f"{median(run['done_cpu'] for run in runs):.2f} s CPU")
        rss, peak = max(run["rss"] for run in runs), max(run["peak"] for run in runs)
        row(f"{name}: memory", f"{rss:.0f} MB", f"{peak:.0f} MB most")


def title(text: str) -> None:
    print(f"\n{text}")


def row(what: str, *figures: str) -> None:
    print(f"  {what:<42}" + "".join(f"{figure:>22}" for figure in figures), flush=True)


def pauses(found: Json) -> None:
    row("longest work of the event loop", f"{found['pause']:.1f} ms", f"{found['pause99']:.2f} ms p99")
    row("longest pause, CPU of all threads in it", f"{found['held']:.1f} ms", f"{found['held99']:.2f} ms p99")
    row("longest pause of the event loop, wall", f"{found['gap']:.1f} ms", f"{found['gap99']:.2f} ms p99")


def child(what: str, root: Path, index: Path) -> Json:
    command = [sys.executable, __file__, str(root), "--index", str(index), "--child", what]
    done = subprocess.run(command, stdout=subprocess.PIPE, check=True)
    return json.loads(done.stdout)


def link(root: Path, part: Path, count: int) -> None:
    """The files of whole folders, taken evenly from all over the workspace, as hard links."""
    folders: dict[str, list[RelPath]] = {}
    files = disk.list_files(root, max_bytes=1 << 20).files
    for path in files:
        folders.setdefault(path.rpartition("/")[0], []).append(path)
    chosen = sorted(folders)
    random.Random(7).shuffle(chosen)
    taken = 0
    for folder in chosen:
        if taken >= count:
            break
        (part / folder).mkdir(parents=True, exist_ok=True)
        for path in folders[folder]:
            if path.endswith(".gitignore"):
                continue  # what is tracked is taken, whatever the rules say of it
            try:
                os.link(root / path, part / path)
            except OSError:
                shutil.copy2(root / path, part / path)
            taken += 1


# -- one process each ----------------------------------------------------------------------------------


async def cold(root: Path, index: Path) -> Json:
    store = Store.at(root, IndexSettings(cache_dir=str(index)))
    place = some_file(root)
    store.open(place, (root / place).read_text(encoding="utf-8", errors="replace"), 1)
    firsts: list[float] = []
    begun = time.perf_counter()

    def look(_done: int, _total: int) -> None:
        snapshot = store.current
        if not firsts and good(snapshot, place):
            firsts.append(time.perf_counter() - begun)

    beats = Beats()
    async with beats:
        report = await build(store, progress=look)
    found = {"files": report.files, "bytes": report.bytes, "cpu": report.cpu_seconds, "wall": report.seconds}
    store.release()
    size = await asyncio.to_thread(size_of, index)
    first = firsts[0] if firsts else None
    return {**found, "disk": size, "peak": memory("self")[1], "first": first, **beats.figures()}


def size_of(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def good(snapshot: Snapshot, place: RelPath) -> bool:
    """Whether what the file calls and the files around it define is found."""
    beside = [p for p in snapshot.manifest.in_folder(place.rpartition("/")[0]) if snapshot.language(p)]
    return all((entry := snapshot.files.get(p)) is not None and entry.digest for p in beside)


async def lookups(root: Path, index: Path) -> Json:
    store = Store.at(root, IndexSettings(cache_dir=str(index)))
    beats = Beats()
    async with beats:
        report = await build(store)
    snapshot = store.current
    rss, peak = memory("self")
    chooser = random.Random(7)
    code = [path for path, entry in snapshot.files.items() if entry.language in ("c", "python")]
    names: list[str] = []
    for path in chooser.sample(code, min(300, len(code))):
        facts = snapshot.facts(path)
        if facts is not None:
            names += list(facts.references)[:10]
    chooser.shuffle(names)
    names = names[:NAMES]
    common = [name for name, _ in Counter(names).most_common(30)]
    wide = sorted(set(names), key=lambda name: -len(snapshot.service.definitions(name, 5_000)))[:30]
    near = (chooser.choice(code),)
    asked: dict[str, tuple[Callable[[str], object], list[str]]] = {
        "definitions of a name": (snapshot.definitions, names),
        "  the 30 most often defined": (snapshot.definitions, wide * 5),
        "  the same, near a file": (lambda name: snapshot.definitions(name, near=near), wide * 5),
        "files that use a name": (snapshot.using, names),
        "  the 30 most often used": (snapshot.using, common * 5),
        "symbols by two letters": (lambda q: symbols(snapshot, q, 50), [n[:2] for n in names[:40]]),
        "symbols by three letters": (lambda q: symbols(snapshot, q, 50), [n[:3] for n in names[:40]]),
        "symbols by five letters": (lambda q: symbols(snapshot, q, 50), [n[:5] for n in names[:40]]),
        "symbols by inner letters": (lambda q: symbols(snapshot, q, 50), [n[3:8] for n in names[:20]]),
        "references by a name": (lambda name: references(snapshot, name, 100), names[:10]),
    }
    timed = {what: spent(ask, values) for what, (ask, values) in asked.items()}
    found = {
        "files": report.files,
        "bytes": report.bytes,
        "cpu": report.cpu_seconds,
        "place": some_file(root),
    }
    found |= {"rss": rss, "peak": peak}
    store.release()
    return {**found, "lookups": timed, **beats.figures()}


def spent(ask: Callable[[str], object], values: list[str]) -> tuple[float, float]:
    """Milliseconds of CPU, p50 and p99, of a question asked once before."""
    times: list[float] = []
    for value in values:
        ask(value)
        begun = time.thread_time()
        ask(value)
        times.append((time.thread_time() - begun) * 1e3)
    return median(times), quantiles(times, n=100)[98]


def some_file(root: Path) -> RelPath:
    """A file of C or Python with much to import and neighbours, the same one each time."""
    listed = [path for path in disk.list_files(root, max_bytes=60_000).files if path.endswith((".c", ".py"))]
    chosen = random.Random(11).sample(sorted(listed), 60)

    def imports(path: RelPath) -> int:
        text = (root / path).read_text(encoding="utf-8", errors="replace")
        return sum(line.startswith(("#include", "import ", "from ")) for line in text.splitlines())

    return max(chosen, key=imports)


class Beats:
    """Wakes every few milliseconds, to see for how long nothing else could."""

    def __init__(self) -> None:
        self._gaps: list[tuple[float, float, float]] = []
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._beat())

    async def __aexit__(self, *_: object) -> None:
        if self._task is not None:
            self._task.cancel()

    async def _beat(self) -> None:
        wall, cpu, all_cpu = time.perf_counter(), time.thread_time(), time.process_time()
        while True:
            await asyncio.sleep(BEAT)
            now, now_cpu, now_all = time.perf_counter(), time.thread_time(), time.process_time()
            gap = (now - wall - BEAT, now_cpu - cpu, now_all - all_cpu)
            self._gaps.append((gap[0] * 1e3, gap[1] * 1e3, gap[2] * 1e3))
            wall, cpu, all_cpu = now, now_cpu, now_all

    def figures(self) -> Json:
        found: Json = {}
        for place, name in enumerate(("gap", "pause", "held")):
            times = sorted(gap[place] for gap in self._gaps)
            found[name], found[f"{name}99"] = times[-1], times[int(len(times) * 0.99)]
        return found


CHILDREN = {"cold": cold, "lookups": lookups}


# -- the real server -----------------------------------------------------------------------------------


async def served(root: Path, index: Path, name: str) -> Json:
    """Start the server on an indexed workspace, open a file, and ask what a model would be shown there."""
    path = RelPath(name)
    text = (root / path).read_text(encoding="utf-8", errors="replace")
    line = text.count("\n") // 2
    uri = (root / path).as_uri()
    asked: Json = {"uri": uri, "position": {"line": line, "character": 0}, "budget": 4_096}
    # What is installed has its bytecode; to compile every module again is no cost of a start.
    async with spawned(environ={"PYTHONDONTWRITEBYTECODE": ""}) as editor:
        assert editor.process is not None
        pid = editor.process.pid
        await editor.initialize(root, initializationOptions={"index": {"cacheDir": str(index)}})
        editor.open(uri, text, language="c")
        await until(editor, "index", "files")
        early = await editor.command("qwen.showContext", asked)
        first = cpu(pid)
        await until(editor, "index", "complete")
        done = cpu(pid)
        final = await editor.command("qwen.showContext", asked)
        await until(editor, "learning", value=False)
        rss, peak = memory(str(pid))
        await editor.leave()
    shown = [{(part["path"], part["kind"]) for part in answer["parts"]} for answer in (early, final)]
    same = len(shown[0] & shown[1]) / max(len(shown[1]), 1)
    return {
        "first_cpu": first,
        "done_cpu": done,
        "same": same,
        "parts": len(shown[1]),
        "rss": rss,
        "peak": peak,
    }


async def alone(name: str) -> float:
    """What the same takes with nothing around the file: the floor."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "w"
        root.mkdir()
        (root / Path(name).name).write_text("int main(void) { return 0; }\n" * 50, encoding="utf-8")
        return (await served(root, Path(folder) / "index", Path(name).name))["first_cpu"]


async def until(editor: Editor, *keys: str, value: bool = True) -> None:
    """Wait until something in the status of the only folder is so."""
    while True:
        found: Any = (await editor.command("qwen.status"))["folders"][0]
        for key in keys:
            found = found[key]
        if bool(found) == value:
            return
        await asyncio.sleep(POLL)


def cpu(pid: int) -> float:
    """CPU seconds of all threads of a process so far."""
    total = 0.0
    for thread in Path(f"/proc/{pid}/task").iterdir():
        total += int((thread / "schedstat").read_text().split()[0]) / 1e9
    return total


def memory(pid: str) -> tuple[float, float]:
    """Resident megabytes, now and at most."""
    found = {"VmRSS": 0.0, "VmHWM": 0.0}
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        key = line.partition(":")[0]
        if key in found:
            found[key] = int(line.split()[1]) / 1024
    return found["VmRSS"], found["VmHWM"]


if __name__ == "__main__":
    main()
