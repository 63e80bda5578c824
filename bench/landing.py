"""What a landing is worth: all or nothing under kill -9, nothing of the user's lost, and how long it takes.

    python -m bench.landing --kills 300 [--inside 60]    kill a landing of 40 files at random moments,
                                                         recover, and count what is half or torn
    python -m bench.landing --time [--rounds 20]         milliseconds of 40 files, beside a plain loop of
                                                         write and rename, with and without fsync
    python -m bench.landing --meanwhile 10000            random cases of a user who edits the same files

A process of its own lands each time and says when it is about to decide and when it has put the last file in
place, so that kills can be told apart; what counts is only what is on disk afterwards.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import logging
import os
import random
import shutil
import signal
import statistics
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Generator
from pathlib import Path

from qwen_lsp.errors import ConflictError
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.landing import landed
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import journal, landing
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.transaction import commit, recover, undo_last
from tests.support.meanwhile import case

FILES = 40
_PLACED = FILES + 2
"""Changes that are put in place: a moved file goes from one name and comes to another."""
_OLD = "".join(f"line {n} of what was there\n" for n in range(200))
_NEW = "".join(f"line {n} of what is to be there\n" for n in range(200))


def name(number: int) -> str:
    return f"d{number % 8}/f{number}.py"


def edits() -> list[FileEdit]:
    """Thirty edits, four creations, three deletions, two moves, one change of rights."""
    changes = [FileEdit(name(n), _OLD, _NEW) for n in range(30)]
    changes += [FileEdit(f"new/{name(n)}", None, _NEW) for n in range(30, 34)]
    changes += [FileEdit(name(n), _OLD, None) for n in range(34, 37)]
    changes += [FileEdit(f"moved/{name(n)}", _OLD, _NEW, moved_from=name(n)) for n in range(37, 39)]
    return [*changes, FileEdit(name(39), _OLD, _OLD, executable=True)]


def lay(root: Path) -> None:
    for number in (*range(30), *range(34, FILES)):
        (root / name(number)).parent.mkdir(parents=True, exist_ok=True)
        (root / name(number)).write_text(_OLD, encoding="utf-8")


def on_disk(root: Path) -> dict[str, str]:
    return {
        path.relative_to(root).as_posix(): path.read_text(encoding="utf-8")
        + ("*" if path.stat().st_mode & 0o100 else "")
        for path in sorted(root.rglob("*"))
        if path.is_file()
    }


def after() -> dict[str, str]:
    held = {name(n): _OLD for n in (*range(30), *range(34, FILES))}
    for edit in edits():
        if edit.moved_from is not None:
            del held[edit.moved_from]
        if edit.after is None:
            del held[edit.path]
        else:
            held[edit.path] = edit.after + ("*" if edit.executable else "")
    return held


# -- one landing in a process of its own -----------------------------------------------------------


def land_one(root: Path, journal_dir: Path, tells: int) -> None:
    """Land, telling where it is: b(egun), c(ommitted: decided), f(ile) for each put in place, d(one)."""
    move, put = journal.move, landing.land

    def moved(directory: Path, which: str, old: journal.State, new: journal.State) -> None:
        move(directory, which, old, new)
        if new == "committed":
            os.write(tells, b"c")

    def landed_one(folder: int, change: journal.Change) -> None:
        put(folder, change)
        os.write(tells, b"f")

    journal.move, landing.land = moved, landed_one
    os.write(tells, b"b")
    commit(root, edits(), journal_dir)
    os.write(tells, b"d")


def plain_loop(root: Path, changes: list[FileEdit], *, durable: bool = False) -> None:
    for edit in changes:
        path = root / edit.path
        if edit.after is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        temporary = path.with_name(f".{path.name}.tmp")
        with temporary.open("w", encoding="utf-8") as out:
            out.write(edit.after)
            out.flush()
            if durable:
                os.fsync(out.fileno())
        temporary.replace(path)
        if edit.moved_from is not None:
            (root / edit.moved_from).unlink()
        if edit.executable:
            path.chmod(0o755)


# -- kills -----------------------------------------------------------------------------------------


def killed(root: Path, journal_dir: Path, seconds: float, *, decided: bool) -> str:
    """Start a landing, kill it so long after it began or was decided on; what it told until then."""
    told, tells = os.pipe()
    process = os.fork()
    if not process:
        land_one(root, journal_dir, tells)
        os._exit(0)
    os.close(tells)
    with os.fdopen(told, "rb", buffering=0) as pipe:
        # "b" when it begins, "c" when it is decided.
        heard = pipe.read(2 if decided else 1) or b""
        if decided and len(heard) < 2:
            heard += pipe.read(1) or b""
        until = time.perf_counter() + seconds
        while time.perf_counter() < until:
            pass
        os.kill(process, signal.SIGKILL)
        os.waitpid(process, 0)
        return (heard + pipe.readall()).decode()


def kill(times: int, inside: int) -> dict[str, object]:
    """Kill landings until there were so many, and so many between the first file in place and the last.

    Every other one is killed at a random moment of the whole landing, the others at one after the decision,
    which is where the files are put in place and takes a small part of the time.
    """
    wanted = after()
    counts: Counter[str] = Counter()
    spread = random.Random(7)
    longest = {False: 0.15, True: 0.02}
    done = window = 0
    while done < times or window < inside:
        decided = (done + counts["over already"]) % 2 == 1
        with workspace() as (root, journal_dir):
            lay(root)
            before = on_disk(root)
            told = killed(root, journal_dir, spread.uniform(0, longest[decided]), decided=decided)
            if "d" in told:
                longest[decided] *= 0.97  # most kills should come before the end
                counts["over already"] += 1
                continue
            longest[decided] = min(0.3, longest[decided] * 1.02)
            done += 1
            placed = told.count("f")
            stage = "before the decision" if "c" not in told else "after the last file"
            if "c" in told and placed < _PLACED:
                stage, window = "between the decision and the last file", window + (placed > 0)
            counts[stage] += 1
            recover(root, journal_dir)
            now = on_disk(root)
            counts["torn"] += sum(text.rstrip("*") not in (_OLD, _NEW) for text in now.values())
            counts["half applied"] += now not in (before, wanted)
            counts["nothing"] += now == before
            counts["everything"] += now == wanted
            if now == wanted:
                undo_last(root, journal_dir)
                counts["not undone"] += on_disk(root) != before
    return {"kills": done, "in the rename window": window, **counts}


@contextlib.contextmanager
def workspace() -> Generator[tuple[Path, Path]]:
    folder = Path(tempfile.mkdtemp(prefix="landing-"))
    (folder / "w").mkdir()
    try:
        yield folder / "w", folder / "journal"
    finally:
        shutil.rmtree(folder)


# -- time ------------------------------------------------------------------------------------------


def timed(rounds: int) -> dict[str, object]:
    """Medians, in turns, so that whatever else the machine does is the same for all."""

    def ours(root: Path, journal_dir: Path) -> None:
        commit(root, edits(), journal_dir)

    ways: dict[str, Callable[[Path, Path], None]] = {
        "transaction": ours,
        "loop": lambda root, _: plain_loop(root, edits()),
        "loop with fsync": lambda root, _: plain_loop(root, edits(), durable=True),
    }
    walls: dict[str, list[float]] = {way: [] for way in ways}
    cpus: dict[str, list[float]] = {way: [] for way in ways}
    for _ in range(rounds):
        for way, write in ways.items():
            with workspace() as (root, journal_dir):
                lay(root)
                wall, cpu = time.perf_counter(), time.process_time()
                write(root, journal_dir)
                walls[way].append((time.perf_counter() - wall) * 1_000)
                cpus[way].append((time.process_time() - cpu) * 1_000)
                assert on_disk(root) == after()
    return {
        way: {
            "ms": round(statistics.median(walls[way]), 1),
            "slowest ms": round(max(walls[way]), 1),
            "cpu ms": round(statistics.median(cpus[way]), 1),
        }
        for way in ways
    }


# -- a user who works on the same files ------------------------------------------------------------


def meanwhile(cases: int) -> dict[str, object]:
    counts: Counter[str] = Counter()
    empty = Snapshot(Path("/nowhere"), Cache(None))
    for seed in range(cases):
        one = case(seed)
        snapshot = empty
        for path, text in one.current.items():
            snapshot = snapshot.edited(RelPath(path), text)
        try:
            fits = landed(one.edits, snapshot)
        except ConflictError:
            counts["refused"] += 1
            continue
        now = dict(one.current)
        for edit in fits:
            now.pop(edit.moved_from or edit.path, None)
        now |= {edit.path: edit.after for edit in fits if edit.after is not None}
        counts["landed"] += 1
        counts["tokens of the user"] += len(one.tokens)
        counts["lost"] += len(one.lost(now))
    return {"cases": cases, **counts}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--inside", type=int, default=60)
    parser.add_argument("--time", action="store_true")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--meanwhile", type=int, default=0)
    args = parser.parse_args()
    logging.disable(logging.WARNING)  # each recovery says what it did
    if args.time:
        print(json.dumps(timed(args.rounds), indent=2))
    if args.kills:
        print(json.dumps(kill(args.kills, args.inside), indent=2))
    if args.meanwhile:
        print(json.dumps(meanwhile(args.meanwhile), indent=2))


if __name__ == "__main__":
    main()
