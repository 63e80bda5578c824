"""What indexing one directory costs beside the bare parser, and what a keystroke costs in a large file.

`python bench/syntax.py DIRECTORY [SUFFIX…]`; CPU time throughout, since the machine is shared.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from statistics import median
from time import process_time

import tree_sitter

from qwen_lsp.syntax import incremental, languages, tags
from qwen_lsp.syntax.grammar import grammar
from qwen_lsp.syntax.languages import Language
from qwen_lsp.syntax.parse import parse, reparse
from qwen_lsp.text import edits
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span

ROUNDS = 5
LARGE = 5000
"""Lines of the file that keystrokes are measured in."""
KEYSTROKES = 400


def main(arguments: Sequence[str]) -> None:
    root = Path(arguments[0])
    suffixes = set(arguments[1:])
    texts: dict[Language, list[str]] = {}
    for path in sorted(root.rglob("*")):
        language = languages.language_for(path.name)
        if language is None or not path.is_file() or path.stat().st_size > 1_000_000:
            continue
        if languages.available(language) and (not suffixes or path.suffix in suffixes):
            texts.setdefault(language, []).append(path.read_bytes().decode("utf-8", "replace"))
    print(f"{'language':<16}{'files':>6}{'MB':>7}{'parse s':>9}{'+tags s':>9}{'ours s':>9}", end="")
    print(f"{'ours/tags':>11}{'ours/parse':>11}")
    for language, files_of in texts.items():
        report(language, files_of)
    print(f"\nkeystroke in a {LARGE}-line file: reparse + update, ms of CPU")
    print(
        f"{'language':<16}{'p50':>7}{'p99':>7}{'max':>7}{'reparse p50':>13}{'full p50':>10}{'fell back':>11}"
    )
    for language, files_of in texts.items():
        if (large := large_text(files_of)) is not None:
            keystrokes(language, large)


def report(language: Language, texts: Sequence[str]) -> None:
    sources = [text.encode() for text in texts]
    tag_query = wheel_tags(language)
    runs: dict[str, list[float]] = {"parse": [], "tags": [], "ours": []}
    for _ in range(ROUNDS):
        runs["parse"].append(timed(lambda: raw_parse(language, sources)))
        if tag_query is not None:
            runs["tags"].append(timed(lambda: raw_tags(language, sources, tag_query)))
        runs["ours"].append(timed(lambda: ours(language, texts)))
    bare, own = median(runs["parse"]), median(runs["ours"])
    with_tags = median(runs["tags"]) if runs["tags"] else 0.0
    ratio = f"{own / with_tags:>11.2f}" if with_tags else f"{'-':>11}"
    megabytes = sum(map(len, sources)) / 1e6
    print(f"{language.id:<16}{len(texts):>6}{megabytes:>7.2f}{bare:>9.3f}{with_tags:>9.3f}", end="")
    print(f"{own:>9.3f}{ratio}{own / bare:>11.2f}")


def raw_parse(language: Language, sources: Sequence[bytes]) -> None:
    parser = tree_sitter.Parser(grammar(language))
    for source in sources:
        parser.parse(source)


def raw_tags(language: Language, sources: Sequence[bytes], query: tree_sitter.Query) -> None:
    """The usual way to the names of a file: text and row of each name the grammar's own query captures."""
    parser = tree_sitter.Parser(grammar(language))
    for source in sources:
        tree = parser.parse(source)
        captures = tree_sitter.QueryCursor(query).captures(tree.root_node)
        for node in captures.get("name", ()):
            _ = ((node.text or b"").decode("utf-8", "replace"), node.start_point.row)


def ours(language: Language, texts: Sequence[str]) -> None:
    for text in texts:
        tags.extract(parse(text, language))


def keystrokes(language: Language, text: str) -> None:
    """Delete lines of the file and type them again, a character at a time, with a slip of the finger."""
    chance = random.Random(5)
    tree = parse(text, language)
    facts = tags.extract(tree)
    both: list[float] = []
    only_parse: list[float] = []
    fell_back = 0
    while len(both) < KEYSTROKES:
        start_of_line = text.index("\n", chance.randrange(len(text) - 2000)) + 1
        line = text[start_of_line : text.index("\n", start_of_line)]
        if not 8 < len(line.strip()) < 60:
            continue
        indent = len(line) - len(line.lstrip())
        at = start_of_line + indent
        keys = [TextEdit(Span(at, start_of_line + len(line)), "")]
        for i, key in enumerate(line[indent:]):
            keys.append(TextEdit(Span(at + i, at + i), key))
            if i == 5:
                keys += [TextEdit(Span(at + 6, at + 6), "x"), TextEdit(Span(at + 6, at + 7), "")]
        for edit in keys:
            after = edits.apply(text, [edit])
            start = process_time()
            new_tree, changed = reparse(tree, [edit], after)
            middle = process_time()
            new_facts = tags.update(tree, facts, new_tree, changed)
            both.append(process_time() - start)
            only_parse.append(middle - start)
            fell_back += incremental.updated(tree, facts, new_tree, changed, new_facts.lines) is None
            text, tree, facts = after, new_tree, new_facts
    full = median(timed(lambda: ours(language, [text])) for _ in range(ROUNDS))
    both.sort()
    figures = (both[len(both) // 2], both[len(both) * 99 // 100], both[-1])
    print(f"{language.id:<16}" + "".join(f"{f * 1e3:>7.2f}" for f in figures), end="")
    print(f"{median(only_parse) * 1e3:>13.2f}{full * 1e3:>10.1f}{fell_back / len(both):>11.1%}")


def large_text(texts: Sequence[str]) -> str | None:
    """Whole files, put together until there are enough lines."""
    chosen: list[str] = []
    lines = 0
    for text in sorted(texts, key=len, reverse=True):
        if lines + text.count("\n") <= LARGE * 1.05:
            chosen.append(text)
            lines += text.count("\n")
        if lines >= LARGE * 0.95:
            return "\n".join(chosen)
    return None


def wheel_tags(language: Language) -> tree_sitter.Query | None:
    packages = [language.package]
    if language.id.startswith("typescript"):
        packages.insert(0, "tree_sitter_javascript")
    text = ""
    for package in packages:
        path = files(import_module(package)) / "queries" / "tags.scm"
        if not path.is_file():
            return None
        text += path.read_text(encoding="utf-8")
    try:
        return tree_sitter.Query(grammar(language), text)
    except tree_sitter.QueryError:
        return None


def timed(work: Callable[[], None]) -> float:
    start = process_time()
    work()
    return process_time() - start


if __name__ == "__main__":
    main(sys.argv[1:])
