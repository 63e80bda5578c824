"""What indexing one directory costs beside the bare parser: `python bench/syntax.py DIRECTORY [SUFFIX…]`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.resources import files
from pathlib import Path
from statistics import median
from time import process_time

import tree_sitter

from qwen_lsp.syntax import languages, tags
from qwen_lsp.syntax.grammar import grammar
from qwen_lsp.syntax.languages import Language
from qwen_lsp.syntax.parse import parse

ROUNDS = 5


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
    print(f"{'language':<16}{'files':>6}{'MB':>7}{'parse s':>9}{'+tags s':>9}{'ours s':>9}{'ours/tags':>11}{'ours/parse':>11}")
    for language, files_of in texts.items():
        report(language, files_of)


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
    print(f"{language.id:<16}{len(texts):>6}{megabytes:>7.2f}{bare:>9.3f}{with_tags:>9.3f}{own:>9.3f}{ratio}{own / bare:>11.2f}")


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
