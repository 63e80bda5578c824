"""What the sandbox adds to a command, in one run with the same commands outside it.

    python bench/sandbox.py [RUNS]

Each round runs every command once outside and once inside, in turn, through the same code that reads its
output. Wall times are medians in milliseconds; the CPU time is that of this process and all that it starts,
which says more where other work shares the machine. The copy holds a tree of a thousand files.
"""

from __future__ import annotations

import asyncio
import resource
import statistics
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.sandbox.command import Cage, Command, Limits, NoSandbox
from qwen_lsp.sandbox.find import find

COMMANDS = {
    "true": "true",
    "python": f"{Path(sys.executable).resolve()} -S -c 'print(1)'",
    "grep over the copy": "grep -rc return . | tail -1",
}
FILES = 1_000


@dataclass(slots=True)
class Times:
    """Of all rounds of one command, in milliseconds; the CPU time is their sum."""

    wall: list[float] = field(default_factory=list[float])
    cpu: float = 0.0


def used() -> float:
    """CPU seconds of this process and of those it has started and waited for."""
    return sum(sum(resource.getrusage(who)[:2]) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))


async def outside(line: str, folder: Path) -> float:
    """Seconds of a command started as the sandbox starts its own."""
    began = time.perf_counter()
    process = await asyncio.create_subprocess_exec(
        "/bin/sh", "-c", line, cwd=folder, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    assert process.stdout is not None
    await process.stdout.read()
    assert await process.wait() == 0
    return time.perf_counter() - began


def lay(folder: Path) -> None:
    for number in range(FILES):
        path = folder / f"pkg{number % 20}/module{number}.py"
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"def f{number}() -> int:\n    return {number}\n" * 20, "utf-8")
    (folder / ".vscode").mkdir()
    (folder / ".github/workflows").mkdir(parents=True)


async def measured(base: Path, runs: int) -> None:
    root, scratch = base / "root", base / "scratch"
    for folder in (root, scratch):
        folder.mkdir()
        lay(folder)
    (root / "node_modules").mkdir()
    (root / ".git").mkdir()
    began = time.perf_counter()
    box = find(root)
    if isinstance(box, NoSandbox):
        sys.exit(f"{box.reason}. {box.advice}")
    print(
        f"found {box.name} in {1_000 * (time.perf_counter() - began):.0f} ms, once a process; {runs} rounds"
    )
    cage = Cage(root, scratch, (root / "node_modules", root / ".git"))

    async def inside(line: str) -> float:
        began = time.perf_counter()
        done = await box.run(cage, Command(line), Limits())
        assert (done.ending, done.status) == ("exited", 0), done
        return time.perf_counter() - began

    times = {name: (Times(), Times()) for name in COMMANDS}
    for round_ in range(runs + 1):
        for name, line in COMMANDS.items():
            for kept, ran in zip(times[name], (outside(line, scratch), inside(line)), strict=True):
                cpu = used()
                took = await ran
                if round_:  # the first round reads programs from the disk
                    kept.wall.append(1_000 * took)
                    kept.cpu += 1_000 * (used() - cpu)
    columns = ("outside", "inside", "added", "ratio", "p95", "CPU", "CPU more")
    print(f"{'command':<20}" + "".join(f"{column:>10}" for column in columns))
    for name, (bare, caged) in times.items():
        added = statistics.median(c - b for b, c in zip(bare.wall, caged.wall, strict=True))
        out, into = statistics.median(bare.wall), statistics.median(caged.wall)
        last = statistics.quantiles(caged.wall, n=20)[-1]
        more = (caged.cpu - bare.cpu) / runs
        row = (out, into, added, into / out, last, bare.cpu / runs, more)
        print(f"{name:<20}" + "".join(f"{value:>10.1f}" for value in row))


def main() -> None:
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else 60
    with tempfile.TemporaryDirectory(prefix="sandbox-") as folder:
        asyncio.run(measured(Path(folder), runs))


if __name__ == "__main__":
    main()
