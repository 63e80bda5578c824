"""What a storm on disk does to the real server while somebody types: who waits, and when the index is right.

    python bench/storm.py [DIR] [TREE]

The files of DIR (without one: Python's standard library) are copied into a repository of their own. Storms:
5,000 files written and most of them deleted within two seconds or so, existing ones changed, removed and
their folder renamed; once heard of by the server's own watcher, once through the client's
didChangeWatchedFiles; then a checkout of a branch that differs in 5,000 files, and back. After each the
index is compared with a fresh one of the tree, and the typed text with the server's. The floor is a bare
scandir and stat of the tree. Ends with status 1 where anything is wrong. TREE is another
checkout of this program whose server is measured instead. Linux only.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

from qwen_lsp.index.build import build
from qwen_lsp.index.store import Store
from qwen_lsp.settings import IndexSettings
from qwen_lsp.workspace import disk
from tests.support.editor import CAPABILITIES, Editor, replace, spawned

HERE = Path(__file__).parent
FILES = 5_000
SURVIVORS = 50
MOST = 100_000
SETTLED = 3.0
KEY = 0.03
DOCUMENT = "typed_in_the_storm.py"
EXCLUDED = ("site-packages/", "dist-packages/", "__pycache__/", "lib2to3/tests/", "test/")
STORM = """
import os, sys, time
root, files, survivors, seconds = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), float(sys.argv[4])
begun, told = time.monotonic(), []
def tell(kind, path):
    told.append(f"{kind} {path}")
    if len(told) >= 100:
        flush()
def flush():
    print(*told, sep="\\n", flush=True)
    told.clear()
def name(n):
    return f"storm/p{n % 40}/m{n}.py"
def pace(share):
    time.sleep(max(0.0, begun + seconds * share - time.monotonic()))
def remove(n):
    os.unlink(f"{root}/{name(n)}"); tell(3, name(n))
for n in range(files):
    os.makedirs(f"{root}/storm/p{n % 40}", exist_ok=True)
    with open(f"{root}/{name(n)}", "w") as out:
        out.write(f"def storm_{n}(first, second):\\n    return first + second\\n")
    tell(1, name(n))
    if n >= 500 and n - 500 >= survivors:
        remove(n - 500)
    if n % 50 == 0:
        pace(n / files)
for n in range(files - 500, files):
    remove(n)
for line in sys.stdin.read().split("\\n"):
    kind, _, path = line.partition(" ")
    if kind == "change":
        with open(f"{root}/{path}", "a") as out:
            out.write("\\ndef changed_by_the_storm(): ...\\n")
        tell(2, path)
    elif kind == "delete":
        os.unlink(f"{root}/{path}"); tell(3, path)
    elif kind == "rename":
        os.rename(f"{root}/{path}", f"{root}/{path}_renamed")
        tell(3, path); tell(1, f"{path}_renamed")
flush()
print("end", time.monotonic(), time.monotonic() - begun, flush=True)
"""


class Bench:
    """One server on the workspace, one document that is typed in, and what was measured so far."""

    def __init__(self, editor: Editor, root: Path, work: Path, cache: Path) -> None:
        self.editor, self.root, self.work, self.cache = editor, root, work, cache
        self.text = (root / DOCUMENT).read_text()
        self.version = 1
        self.answers: list[float] = []
        self.failed = False

    async def type(self) -> None:
        """A character, then a question about the document, again and again."""
        uri = (self.root / DOCUMENT).as_uri()
        while True:
            line = 1 + self.version % 40
            self.editor.change(uri, self.version + 1, replace((line, 0), (line, 0), "#"))
            self.version += 1
            lines = self.text.split("\n")
            lines[line] = "#" + lines[line]
            self.text = "\n".join(lines)
            asked = time.monotonic()
            status = await self.editor.command("qwen.status", {"uri": uri})
            self.answers.append(time.monotonic() - asked)
            assert status["document"]["version"] == self.version
            await asyncio.sleep(KEY)

    async def ask(self, **question: Any) -> dict[str, Any]:
        """What `inside.py` has to say."""
        assert self.editor.process is not None
        answer = self.work / "answer"
        answer.unlink(missing_ok=True)
        (self.work / "question").write_text(json.dumps(question))
        self.editor.process.send_signal(signal.SIGUSR1)
        async with asyncio.timeout(60):
            while not answer.exists():  # noqa: ASYNC110
                await asyncio.sleep(0.01)
        return json.loads(answer.read_text())

    async def indexed(self) -> None:
        """Wait until the index is there and the predictor has read what it reads."""
        while True:
            (folder,) = (await self.editor.command("qwen.status"))["folders"]
            if folder["index"]["complete"] and not folder["learning"]:
                return
            await asyncio.sleep(0.1)

    async def settled(self) -> None:
        """Wait until nothing has been swept for a while."""
        seen, since = -1, time.monotonic()
        while time.monotonic() - since < SETTLED:
            told = await self.ask()
            if told["sweeping"] or len(told["sweeps"]) != seen:
                seen, since = len(told["sweeps"]), time.monotonic()
            await asyncio.sleep(0.25)

    async def measure(self, what: str, storm: Callable[[Bench], Awaitable[tuple[float, float]]]) -> None:
        """A storm, and a line about it. `storm` gives its end and how long it took."""
        await self.ask(clear=True)
        self.answers = []
        typing = asyncio.create_task(self.type())
        await asyncio.sleep(0.3)
        ended, took = await storm(self)
        await asyncio.sleep(2.0)
        typing.cancel()
        with suppress(asyncio.CancelledError):
            await typing
        await self.settled()
        measured = await self.ask()
        told = await self.ask(**await self.fresh())
        typed = hashlib.blake2b(self.text.encode()).hexdigest()
        problems = [
            f"{len(told['wrong'])} files wrong ({', '.join(told['wrong'][:3])})" if told["wrong"] else "",
            f"{len(told['wrong_names'])} names wrong" if told["wrong_names"] else "",
            "typed text lost" if told["texts"].get(DOCUMENT) != typed else "",
        ]
        self.failed |= any(problems)
        sweeps: list[tuple[float, float, float]] = measured["sweeps"]
        after = [sweep for sweep in sweeps if sweep[0] > ended]
        wall, cpu, own = (gap * 1e3 for gap in measured["gap"])
        least = floor(self.root)
        print(f"\n{what} ({took:.1f} s)")
        row("index and text", ", ".join(filter(None, problems)) or "right")
        if told["right_since"] is not None:
            row("right after the storm's end", f"{max(0.0, told['right_since'] - ended):.2f} s")
        row("sweeps", f"{len(sweeps)}", f"{len(after)} begun after its end")
        row(
            "event loop stood still, most",
            f"{wall:.0f} ms wall",
            f"{cpu:.0f} ms CPU",
            f"{own:.0f} ms own CPU",
        )
        row("  one beat in a hundred", f"{measured['late'] * 1e3:.0f} ms wall")
        worst = sorted(self.answers)
        row("longest answer", f"{worst[-1] * 1e3:.0f} ms", f"{median(worst) * 1e3:.1f} ms p50")
        row(
            "CPU of the server and its workers",
            f"{measured['cpu']:.2f} s",
            f"{measured['cpu'] / least:.0f} x floor",
        )
        if sweeps:
            last = sweeps[-1][2]
            row("  of the last sweep", f"{last:.2f} s", f"{last / least:.1f} x floor")
        row("floor: scandir and stat", f"{least:.3f} s CPU")

    async def fresh(self) -> dict[str, Any]:
        """What an index made from nothing says of the tree as it is."""
        with tempfile.TemporaryDirectory() as folder:
            store = Store.at(self.root, IndexSettings(cache_dir=folder, exclude=EXCLUDED))
            await build(store)
            snapshot = store.current
            names = ["changed_by_the_storm", *(f"storm_{n}" for n in range(0, FILES, 7)), "branch_2", "main"]
            found = {
                "files": {path: (e.digest, e.size, e.language) for path, e in snapshot.files.items()},
                "defined": {
                    name: [site.path for site in snapshot.definitions(name, limit=MOST)] for name in names
                },
            }
            store.release()
        return found


def row(what: str, *figures: str) -> None:
    print(f"{what:<36}" + "".join(f"{figure:>24}" for figure in figures))


def floor(root: Path) -> float:
    """CPU seconds to list all folders and to stat every file."""
    spent: list[float] = []
    for _ in range(3):
        begun = time.process_time()
        folders = [str(root)]
        while folders:
            with os.scandir(folders.pop()) as entries:
                for entry in entries:
                    if entry.is_dir(follow_symlinks=False):
                        folders.append(entry.path)
                    else:
                        entry.stat(follow_symlinks=False)
        spent.append(time.process_time() - begun)
    return median(spent)


def run_git(root: Path, *args: str) -> None:
    identity = ["-c", "user.name=b", "-c", "user.email=b@example.org", "-c", "gc.auto=0"]
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


def prepare(source: Path, root: Path) -> Sequence[str]:
    """Copy the files that count, commit them, and make a branch that differs in 5,000 files."""
    listing = disk.list_files(source, exclude=EXCLUDED, max_bytes=1 << 20)
    for path in listing.files:
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source / path, root / path)
    (root / DOCUMENT).write_text("# typed\n" * 50)
    (root / "to_rename" / "inner").mkdir(parents=True)
    for n in range(20):
        (root / "to_rename" / "inner" / f"r{n}.py").write_text(f"def renamed_{n}(): ...\n")
    run_git(root, "init", "-q", "-b", "one")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-qm", "one")
    run_git(root, "checkout", "-q", "-b", "two")
    code = [path for path in sorted(listing.files) if path.endswith((".py", ".c", ".h", ".go", ".rs", ".ts"))]
    changed = code[200 : 200 + FILES // 2]
    for path in changed:
        with (root / path).open("ab") as out:
            out.write(b"\n")
    for n in range(FILES - len(changed)):
        (root / "branch").mkdir(exist_ok=True)
        (root / "branch" / f"b{n}.py").write_text(f"def branch_{n}(): ...\n")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-qm", "two")
    run_git(root, "checkout", "-q", "one")
    return code


async def storm(bench: Bench, orders: Sequence[str], *, tell: bool) -> tuple[float, float]:
    """Let it blow; `tell` passes on what happens, as an editor does that watches the folder."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", STORM, str(bench.root), str(FILES), str(SURVIVORS), "2.0",
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, limit=1 << 24,
    )  # fmt: skip
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write("\n".join(orders).encode())
    process.stdin.close()
    events: list[dict[str, Any]] = []
    sent = time.monotonic()
    while line := (await process.stdout.readline()).decode().split():
        if line[0] == "end":
            ended, took = float(line[1]), float(line[2])
            break
        events.append({"uri": (bench.root / line[1]).as_uri(), "type": int(line[0])})
        if tell and time.monotonic() - sent > 0.1:
            bench.editor.notify("workspace/didChangeWatchedFiles", {"changes": events})
            events, sent = [], time.monotonic()
    else:
        raise RuntimeError("the storm broke off")
    if tell and events:
        bench.editor.notify("workspace/didChangeWatchedFiles", {"changes": events})
    await process.wait()
    return ended, took


async def checkout(bench: Bench, branch: str) -> tuple[float, float]:
    begun = time.monotonic()
    await asyncio.to_thread(run_git, bench.root, "checkout", "-q", branch)
    return time.monotonic(), time.monotonic() - begun


async def nothing(bench: Bench) -> tuple[float, float]:
    """git says that the branch is another one, and it is not."""
    head = bench.root / ".git" / "HEAD"
    head.with_name("HEAD.new").write_text(head.read_text())
    head.with_name("HEAD.new").replace(head)
    return time.monotonic(), 0.0


def windows(root: Path, count: int) -> float:
    """CPU seconds of so many programs that index the folder at the same time, from nothing."""
    before = os.times()
    with tempfile.TemporaryDirectory() as cache:
        command = [sys.executable, "-m", "qwen_lsp", "index", str(root), "--json"]
        environ = {**os.environ, "XDG_CACHE_HOME": cache, "PYTHONPATH": str(HERE.parent)}
        started = [
            subprocess.Popen(command, env=environ, cwd=cache, stdout=subprocess.DEVNULL) for _ in range(count)
        ]
        if any(process.wait() for process in started):
            raise RuntimeError("an index was not made")
    after = os.times()
    return after.children_user + after.children_system - before.children_user - before.children_system


async def main(source: Path, tree: Path, folder: Path) -> int:
    root, failed = folder / "workspace", False
    root.mkdir()
    code = await asyncio.to_thread(prepare, source, root)
    print(
        f"{source.name}: {sum(1 for _ in root.rglob('*') if _.is_file() and '.git' not in _.parts):,} files"
    )
    environ = {
        "XDG_CACHE_HOME": str(folder / "cache"), "XDG_STATE_HOME": str(folder / "state"),
        "PYTHONPATH": os.pathsep.join([str(tree), str(HERE.parent)]),
    }  # fmt: skip
    watched = {"didChangeWatchedFiles": {"dynamicRegistration": True}}
    for who, workspace in (("its own watcher", {}), ("the client's events", watched)):
        work = folder / who.replace(" ", "-").replace("'", "")
        work.mkdir()
        command = (sys.executable, str(HERE / "inside.py"), str(work / "question"), str(work / "answer"))
        async with spawned(command, environ) as editor:
            capabilities = {**CAPABILITIES, "workspace": {**CAPABILITIES["workspace"], **workspace}}
            options = {"index": {"exclude": list(EXCLUDED)}}
            await editor.initialize(root, capabilities=capabilities, initializationOptions=options)
            bench = Bench(editor, root, work, folder / "fresh")
            editor.open((root / DOCUMENT).as_uri(), bench.text)
            await bench.indexed()
            await bench.settled()
            renamed = "to_rename" if not workspace else "to_rename_renamed"
            shift = 100 if workspace else 0
            orders = [*(f"change {path}" for path in code[shift : shift + 60])]
            orders += [*(f"delete {path}" for path in code[shift + 60 : shift + 80]), f"rename {renamed}"]
            await bench.measure(f"storm, {who}", partial(storm, orders=orders, tell=bool(workspace)))
            await asyncio.to_thread(shutil.rmtree, root / "storm")
            if not workspace:
                run_git(root, "add", "-A")
                run_git(root, "commit", "-qm", "after the storm")
                await bench.settled()
                await bench.measure(f"checkout, {who}", partial(checkout, branch="two"))
                await bench.measure(f"checkout back, {who}", partial(checkout, branch="one"))
                await bench.measure("a sweep where nothing changed", nothing)
                one, two = [await asyncio.to_thread(windows, root, count) for count in (1, 2)]
                print("\ntwo windows on one workspace, both at once, nothing indexed before")
                row("CPU of one alone", f"{one:.2f} s")
                row("CPU of both", f"{two:.2f} s", f"{two / one:.2f} x one")
            failed |= bench.failed
            await editor.leave()
    return int(failed)


if __name__ == "__main__":
    chosen = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(sysconfig.get_path("stdlib"))
    program = Path(sys.argv[2]) if len(sys.argv) > 2 else HERE.parent
    with tempfile.TemporaryDirectory(prefix="qwen-lsp-storm-") as where:
        raise SystemExit(asyncio.run(main(chosen.resolve(), program.resolve(), Path(where))))
