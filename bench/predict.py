"""How good the embedded default is on real libraries: precision, how often it speaks, memory, speed.

    python bench/predict.py /path/to/library …              a table row for each folder

A place is a random boundary between two tokens of a line, after its first and before its last token, each
boundary of each file as likely as any other. The predictor has learnt every file of the folder; then the
file of the place is learnt again, as an editor sends it, without the rest of that line, so that the answer
is in memory only if it stands somewhere else too. The lines below the cursor are visible, as they are in an
editor. A hit is the whole rest of the line, every character of it but trailing space. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import gc
import random
import re
import statistics
import sys
import time
import tracemalloc
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.predict.predictor import Predictor

BOUNDARY = re.compile(r"\w+|[^\w\s]")
LARGEST = 1_000_000  # characters; larger files are data


@dataclass(frozen=True, slots=True)
class Place:
    """A cursor in a file: where the rest of its line starts and ends."""

    path: str
    cursor: int
    end: int


@dataclass(slots=True)
class Row:
    """What was measured on one folder."""

    name: str
    files: int = 0
    megabytes: float = 0.0
    tokens: int = 0
    bytes_per_token: float = 0.0
    megabytes_per_second: float = 0.0
    places: int = 0
    spoken: int = 0
    hits: int = 0
    micros: float = 0.0
    keystroke_ms: float = 0.0
    outcomes: tuple[tuple[float, bool], ...] = ()


def sources(root: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    """The source files below a folder by their relative path."""
    found: dict[str, Path] = {}
    for path in sorted(root.rglob("*")):
        if path.suffix in suffixes and path.is_file() and 0 < path.stat().st_size <= LARGEST:
            found[path.relative_to(root).as_posix()] = path
    return found


def read(path: Path) -> str:
    """A file's text; bytes that are not UTF-8 do not matter here."""
    return path.read_text(encoding="utf-8", errors="replace")


def boundaries(text: str) -> list[tuple[int, int]]:
    """Every place of a text: the cursor and the end of its line's text."""
    found: list[tuple[int, int]] = []
    at = 0
    for line in text.split("\n"):
        bare = line.rstrip()
        ends = [match.end() for match in BOUNDARY.finditer(bare)]
        found += [(at + end, at + len(bare)) for end in ends[:-1]]
        at += len(line) + 1
    return found


def choose(files: dict[str, Path], count: int, seed: int) -> list[Place]:
    """Random places, sorted by file: every boundary of every file is as likely as any other."""
    rng = random.Random(seed)
    counts = {path: len(boundaries(read(file))) for path, file in files.items()}
    drawn = rng.choices(list(counts), list(counts.values()), k=count)
    places: list[Place] = []
    for path in sorted(set(drawn)):
        here = boundaries(read(files[path]))
        places += [Place(path, *rng.choice(here)) for _ in range(drawn.count(path))]
    return places


def learnt(files: dict[str, Path], max_tokens: int) -> tuple[Predictor, float]:
    """A predictor that knows every file, and the seconds it took beyond reading them."""
    fresh = Predictor(max_tokens)
    seconds = 0.0
    for path, file in files.items():
        text = read(file)
        started = time.thread_time()
        fresh.learn(path, text)
        seconds += time.thread_time() - started
    return fresh, seconds


def memory_of(files: dict[str, Path], max_tokens: int) -> tuple[int, int]:
    """The bytes a predictor that knows every file holds, everything included, and its tokens."""
    gc.collect()
    tracemalloc.start()
    fresh, _ = learnt(files, max_tokens)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return held, fresh.tokens


def ask(
    known: Predictor, files: dict[str, Path], places: Iterable[Place], row: Row, *, blind: bool = False
) -> None:
    """Ask at each place, the rest of its line taken away; notes the times in `row`."""
    asking: list[float] = []
    learning: list[float] = []
    for place in places:
        text = read(files[place.path])
        before, rest, after = text[: place.cursor], text[place.cursor : place.end], text[place.end :]
        if blind:
            after = ""
        known.learn(place.path, text)
        started = time.thread_time()
        known.learn(place.path, before + after)
        learning.append(time.thread_time() - started)
        started = time.thread_time()
        suggestion = known.suggest(place.path, before, after)
        asking.append(time.thread_time() - started)
        row.places += 1
        if suggestion is not None:
            row.spoken += 1
            row.hits += suggestion.text == rest
        guessed = known.guess(place.path, before, after, 0.0)
        if guessed is not None:
            row.outcomes += ((guessed[1].confidence, guessed[0] == rest),)
        known.learn(place.path, text)
    row.micros = statistics.mean(asking) * 1e6
    row.keystroke_ms = statistics.median(learning) * 1e3


def measure(root: Path, args: argparse.Namespace) -> Row:
    """All figures of one folder."""
    row = Row(root.resolve().name)
    files = sources(root, tuple(args.suffix))
    row.files = len(files)
    row.megabytes = sum(file.stat().st_size for file in files.values()) / 1e6
    if args.memory:
        held, row.tokens = memory_of(files, args.max_tokens)
        row.bytes_per_token = held / max(row.tokens, 1)
    known, seconds = learnt(files, args.max_tokens)
    row.tokens = known.tokens
    row.megabytes_per_second = row.megabytes / seconds
    ask(known, files, choose(files, args.places, args.seed), row, blind=args.blind)
    return row


def cells(row: Row) -> tuple[str, ...]:
    """A row as it stands in the table."""
    return (
        row.name,
        f"{row.files}",
        f"{row.megabytes:.1f}",
        f"{row.tokens:,}",
        f"{row.hits / max(row.spoken, 1):.3f}",
        f"{row.spoken / row.places:.3f}",
        f"{precision_at(row, 0.5):.3f}",
        f"{precision_at(row, 0.55):.3f}",
        f"{row.bytes_per_token:.1f}",
        f"{row.micros:.0f}",
        f"{row.keystroke_ms:.2f}",
        f"{row.megabytes_per_second:.1f}",
    )


def precision_at(row: Row, share: float) -> float:
    """The precision had it spoken at just this share of the places, the most confident ones."""
    ranked = sorted(row.outcomes, reverse=True)[: round(share * row.places)]
    return sum(hit for _, hit in ranked) / max(len(ranked), 1)


def main() -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("roots", nargs="+", type=Path, metavar="FOLDER")
    parser.add_argument("--places", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--suffix", nargs="+", default=[".py"])
    parser.add_argument("--max-tokens", type=int, default=1_000_000)
    parser.add_argument("--no-memory", dest="memory", action="store_false", help="skip this slow figure")
    parser.add_argument("--blind", action="store_true", help="nothing below the cursor's line is there yet")
    args = parser.parse_args()
    heads = ("library", "files", "MB", "tokens", "precision", "speaks at", "at 0.50", "at 0.55")
    heads += ("bytes/token", "µs/suggestion", "ms/keystroke", "learns MB/s")
    print("| " + " | ".join(heads) + " |\n" + "| --- " * len(heads) + "|")
    for root in args.roots:
        print("| " + " | ".join(cells(measure(root, args))) + " |", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
