"""Whether the context of a task told in words has the files that the task changes.

    python -m bench.wording REPOSITORY …      a row for each

The subjects of the latest commits are the tasks, the files of code that each changed are what should be
there, and the workspace is the repository as it was before the first of them. For each task alone, and for
all of them in turn (each context extends the one before), the share of those files that is shown whole or as
an excerpt. Beside it in the same run, what names and paths in the task find without a look into texts, and
the CPU of both. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from statistics import mean

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.epoch import Held
from qwen_lsp.context.place import is_test
from qwen_lsp.context.survey import task_ranker
from qwen_lsp.context.wording import wording_ranker
from qwen_lsp.features.surroundings import Question, by_epoch, by_relevance
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.session import Session
from qwen_lsp.settings import IndexSettings, Settings
from qwen_lsp.workspace.paths import RelPath

MOST_FILES, CANDIDATES = 6, 8_000

Ranker = Callable[[Snapshot, str], Callable[[int], list[Candidate]]]
RANKERS: dict[str, Ranker] = {"names": task_ranker, "words too": wording_ranker}


def git(root: Path, *command: str) -> bytes:
    return subprocess.run(["git", "-C", root, *command], check=True, capture_output=True).stdout


def tasks(root: Path, snapshot: Snapshot, commits: int) -> Iterator[tuple[str, list[RelPath]]]:
    """Each subject with the files of code that its commit changed and that were there before."""
    log = git(root, "log", "--no-merges", "--format=%x00%s", "--name-only", f"HEAD~{commits}..HEAD").decode()
    for commit in reversed(log.split("\0")[1:]):
        subject, *names = commit.strip().split("\n")
        paths = [RelPath(name) for name in names if name]
        changed = [p for p in paths if snapshot.has(p) and snapshot.language(p) and not is_test(p)]
        if 1 <= len(changed) <= MOST_FILES:
            yield subject, changed


def share(
    session: Session,
    held: Held,
    asked: Sequence[tuple[str, list[RelPath]]],
    ranker: Ranker,
    budget: int,
    *,
    carried: bool,
) -> tuple[float, float]:
    """The mean share of what should be there, and CPU seconds of a task."""
    found: list[float] = []
    began = time.process_time()
    for task, changed in asked:
        question = Question(
            session.snapshot, ranker(session.snapshot, task), None, session.gate, session.count
        )
        made = by_epoch(question, held, "model", budget, None) or by_relevance(question, budget, CANDIDATES)
        if carried:
            held = replace(held, epoch=made.epoch)
        shown = {part.path for part in made.packed.parts if part.kind in ("whole", "excerpt")}
        found.append(mean(path in shown for path in changed))
    return mean(found), (time.process_time() - began) / len(asked)


async def measured(repository: Path, name: str, commits: int, budget: int) -> None:
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, name)
        with tarfile.open(fileobj=BytesIO(git(repository, "archive", f"HEAD~{commits}"))) as archive:
            archive.extractall(root, filter="data")
        session = Session(root, Settings(index=IndexSettings(cache_dir=str(Path(folder, "cache")))))
        await session.start(learn=False)
        held = await session.held("agent")
        assert held is not None
        held = replace(held, epoch=None)
        asked = list(tasks(repository, session.snapshot, commits))
        for by, ranker in RANKERS.items():
            alone, cpu = share(session, held, asked, ranker, budget, carried=False)
            after, _ = share(session, held, asked, ranker, budget, carried=True)
            print(f"{name:<16} {by:<10} {alone:>7.3f} {after:>7.3f} {cpu:>7.2f} {len(asked):>6}")
        await session.aclose()


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repository", nargs="+", type=Path)
    parser.add_argument("--commits", type=int, default=60, help="how many of the latest")
    parser.add_argument("--budget", type=int, default=65_536, help="tokens of a context")
    args = parser.parse_args()
    print(f"{'repository':<16} {'found by':<10} {'alone':>7} {'in turn':>7} {'CPU s':>7} {'tasks':>6}")
    for repository in args.repository:
        asyncio.run(measured(repository, repository.absolute().name, args.commits, args.budget))
    return 0


if __name__ == "__main__":
    sys.exit(main())
