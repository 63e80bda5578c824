"""How edits come out: the cases of the tests, drifted edits by construction, and what an edit costs.

    python bench/edits.py [--examples 20000] [--lines 20000]

An example is a generated file, an edit whose result is known, and a quotation that drifted from it. It
is right when the file reads like the known result, refused when nothing was written, and wrong otherwise.
Times are CPU time of one edit in a file of that many lines, beside `str.replace` on the same text.
"""

from __future__ import annotations

import argparse
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.agent.edits import replace
from qwen_lsp.features.agent.edits.canonical import loose_file
from tests.support import drift
from tests.support.edit_cases import read_cases


def of_cases() -> None:
    """The cases, by file: what should be edited and is, what should be refused and is."""
    tally: dict[str, Counter[str]] = {}
    for case in read_cases():
        kind = case.title.partition(":")[0]
        try:
            result = replace(case.file, case.old, case.new, replace_all=case.everywhere)
            came = "right" if result == case.result else "wrong"
        except EditRejected as refusal:
            hinted = case.result is None and all(words in str(refusal) for words in case.refused)
            came = "refused rightly" if hinted else "refused wrongly"
        tally.setdefault(kind, Counter())[came] += 1
    _table(tally, ("right", "refused rightly", "refused wrongly", "wrong"))


def of_examples(count: int) -> None:
    """Drifted edits, by drift; 'old only' means that the new text was written as the file is."""
    tally: dict[str, Counter[str]] = {}
    for seed in range(count):
        edit = drift.made(seed)
        if edit is None:
            continue
        try:
            came = "right" if drift.right(edit, replace(edit.text, edit.old, edit.new)) else "wrong"
        except EditRejected:
            came = "refused"
        tally.setdefault(edit.drift, Counter())[came] += 1
    _table(tally, ("right", "refused", "wrong"))


def of_time(lines: int) -> None:
    """What one edit of a large file costs."""
    listed = [f"{'    ' * (at % 4)}value_{at} = compute({at}, other_{at % 97})" for at in range(lines)]
    text = "\n".join(listed) + "\n"
    place = listed[lines * 3 // 4 : lines * 3 // 4 + 10]
    old, new = "\n".join(place), "\n".join(place[:-1])
    kinds: dict[str, tuple[str, str, str]] = {
        "exact": (text, old, new),
        "line ends": (text.replace("\n", "\r\n"), old, new),
        "blanks at line ends": (text.replace("\n", " \n"), old, new),
        "typographic quotes": (
            text.replace("(", "(“”, "),
            old.replace("(", '("", '),
            new.replace("(", '("", '),
        ),
        "indentation": (text, _deeper(old), _deeper(new)),
        "elision": (text, f"{place[0]}\n...\n{place[-1]}", f"{place[0]}\n...\nx"),
        "refused, with a hint": (text, old.replace("other", "another"), new),
    }
    print(f"{len(text):,} characters, {lines:,} lines")
    print(f"{'':28}{'ms':>9}{'str.replace ms':>16}")
    for kind, (file, quoted, given) in kinds.items():
        plain = _ms(lambda file=file, quoted=quoted, given=given: file.replace(quoted, given))
        print(f"{kind:28}{_ms(lambda f=file, q=quoted, g=given: _edit(f, q, g)):9.1f}{plain:16.2f}")


def _deeper(text: str) -> str:
    return "\n".join("  " + line for line in text.split("\n"))


def _edit(text: str, old: str, new: str) -> str | None:
    try:
        return replace(text, old, new)
    except EditRejected:
        return None


def _ms(work: Callable[[], object]) -> float:
    """CPU milliseconds, best of five, each time with nothing remembered of the file."""
    best = float("inf")
    for _ in range(5):
        loose_file.cache_clear()
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best * 1000


def _table(tally: dict[str, Counter[str]], columns: tuple[str, ...]) -> None:
    print(f"{'':28}" + "".join(f"{column:>17}" for column in columns))
    for kind in sorted(tally):
        print(f"{kind:28}" + "".join(f"{tally[kind][column]:17}" for column in columns))
    total: Counter[str] = Counter()
    for counted in tally.values():
        total += counted
    print(f"{'all':28}" + "".join(f"{total[column]:17}" for column in columns) + "\n")


def main() -> None:
    """Print the three tables."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--examples", type=int, default=20_000)
    options.add_argument("--lines", type=int, default=20_000)
    chosen = options.parse_args()
    of_cases()
    of_examples(chosen.examples)
    of_time(chosen.lines)


if __name__ == "__main__":
    main()
