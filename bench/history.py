"""Whether files that changed together before do so again: recall on commits that the answer has not seen.

    python -m bench.history REPOSITORY …      a row for each

The newest commits of each repository are asked about in blocks, newest first; the history that answers ends
before the block. Each file of a commit is asked for ten others; recall is the share of the commit's other
files among them. Beside it in the same run, from the same history: the ten most often changed together
(plain counts, no recency, no size) and the ten changed last. Nothing is downloaded.
"""

from __future__ import annotations

import argparse
import resource
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from qwen_lsp.index.history import History, history_of, read
from qwen_lsp.workspace.paths import RelPath

ASKED, BLOCK, READ = 300, 50, 2_300
LIMIT = 10


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("repository", nargs="+", type=Path)
    heads = f"{'related':>8} {'counts':>8} {'recent':>8} {'asked':>7} {'python s':>9} {'git s':>7}"
    print(f"{'repository':<16} {heads}")
    for root in parser.parse_args().repository:
        before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.process_time()
        whole = read(root, commits=READ)
        spent, after = time.process_time() - began, resource.getrusage(resource.RUSAGE_CHILDREN)
        git = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
        sums, asked = recall(whole)
        shown = " ".join(f"{value / max(1, asked):>8.3f}" for value in sums)
        print(f"{root.name:<16} {shown} {asked:>7} {spent:>9.3f} {git:>7.3f}")
    return 0


def recall(whole: History) -> tuple[list[float], int]:
    """Sums of recall for related, plain counts and the latest; and how often was asked."""
    sums, asked = [0.0, 0.0, 0.0], 0
    for first in range(0, ASKED, BLOCK):
        past = [paths for age, paths in whole.commits if age >= first + BLOCK]
        known = history_of("past", past)
        latest = known.recently_changed(LIMIT)
        for age, paths in whole.commits:
            if not first <= age < first + BLOCK or len(paths) < 2:
                continue
            for path in paths:
                others = set(paths) - {path}
                answers = ([other for other, _, _ in known.related(path, LIMIT)], often(past, path), latest)
                for which, answer in enumerate(answers):
                    sums[which] += len(others & set(answer)) / len(others)
                asked += 1
    return sums, asked


def often(past: Sequence[Sequence[RelPath]], path: RelPath) -> list[RelPath]:
    counted = Counter(other for paths in past if path in paths for other in paths if other != path)
    return [other for other, _ in sorted(counted.items(), key=lambda item: (-item[1], item[0]))[:LIMIT]]


if __name__ == "__main__":
    sys.exit(main())
