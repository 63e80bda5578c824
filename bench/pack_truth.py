"""Ground truth for `bench/pack.py`: where the names of a line are defined, as jedi sees it.

    python bench/pack_truth.py DIR --lines 60 --seed 1 > truth.json

needs `pip install jedi` (any environment; nothing of qwen-lsp is imported here). Each sample is one line of
the library that uses at least one name defined in another file of it: {"file", "line" (1-based), "names":
[{"name", "path", "line", "unseen"}]}. "unseen" means that the name stands nowhere else in the file.
"""

from __future__ import annotations

import argparse
import importlib
import io
import json
import keyword
import random
import re
import sys
import time
import tokenize
from pathlib import Path
from typing import Any

_LEFT_OUT = re.compile(
    r"(^|/)(tests?|testing|docs?|examples?|vendor|_vendor|build|migrations)(/|$)|test_|_test\.py"
)


def python_files(root: Path) -> list[Path]:
    """The library's own files: no tests, no documentation, nothing vendored."""
    files = sorted(p for p in root.rglob("*.py") if p.is_file() and not p.is_symlink())
    return [p for p in files if not _LEFT_OUT.search(p.relative_to(root).as_posix())]


def names_by_line(text: str) -> dict[int, list[tuple[str, int]]]:
    """Line (1-based) -> the names used on it with their columns; imports and definition lines left out."""
    found: dict[int, list[tuple[str, int]]] = {}
    barred: set[int] = set()
    try:
        tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    except (tokenize.TokenError, SyntaxError):
        return {}
    in_import = False
    for previous, token in zip([None, *tokens], tokens, strict=False):
        if token.type == tokenize.NEWLINE:
            in_import = False
        if token.type != tokenize.NAME:
            continue
        if token.string in ("import", "from") and (previous is None or previous.string != "yield"):
            in_import = True
        if in_import or (previous is not None and previous.string in ("def", "class")):
            barred.add(token.start[0])
        if not keyword.iskeyword(token.string) and not keyword.issoftkeyword(token.string):
            found.setdefault(token.start[0], []).append((token.string, token.start[1]))
    return {line: names for line, names in found.items() if line not in barred}


def sample(root: Path, lines: int, seed: int, seconds: float) -> list[dict[str, Any]]:
    """Random lines with what their cross-file names resolve to."""
    jedi: Any = importlib.import_module("jedi")
    project = jedi.Project(str(root))
    rng = random.Random(seed)
    files = python_files(root)
    samples: list[dict[str, Any]] = []
    started = time.monotonic()
    while len(samples) < lines and time.monotonic() - started < seconds:
        path = rng.choice(files)
        text = path.read_text(encoding="utf-8", errors="replace")
        usable = names_by_line(text)
        if not usable:
            continue
        line = rng.choice(sorted(usable))
        if any(s["file"] == path.relative_to(root).as_posix() and s["line"] == line for s in samples):
            continue
        script = jedi.Script(text, path=str(path), project=project)
        names: list[dict[str, Any]] = []
        for name, column in dict(reversed(usable[line])).items():
            names += resolve(script, root, path, text, name, line, column)
        if names:
            samples.append({"file": path.relative_to(root).as_posix(), "line": line, "names": names})
            print(len(samples), path.name, line, [n["name"] for n in names], file=sys.stderr, flush=True)
    return samples


def resolve(
    script: Any, root: Path, path: Path, text: str, name: str, line: int, column: int
) -> list[dict[str, Any]]:
    """The definitions of one name in other files of the library; empty when jedi knows none."""
    try:
        found = script.goto(line, column, follow_imports=True)
    except (RecursionError, AttributeError, ValueError, KeyError, AssertionError, TypeError, OSError):
        return []  # jedi's own defects on odd code: such a name is no ground truth
    result: list[dict[str, Any]] = []
    for definition in found:
        where = definition.module_path
        if where is None or definition.line is None or definition.type == "module" or Path(where) == path:
            continue
        try:
            inside = Path(where).relative_to(root).as_posix()
        except ValueError:
            continue
        lines = text.split("\n")
        rest = "\n".join([*lines[: line - 1], *lines[line:]])
        unseen = re.search(rf"\b{re.escape(name)}\b", rest) is None
        result.append({"name": name, "path": inside, "line": definition.line, "unseen": unseen})
    return result[:1]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--lines", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--seconds", type=float, default=900.0, help="stop after this long")
    arguments = parser.parse_args()
    samples = sample(arguments.root.resolve(), arguments.lines, arguments.seed, arguments.seconds)
    json.dump(samples, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
