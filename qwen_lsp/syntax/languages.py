"""The table of languages: suffix to grammar, query, comment style and block rule.

A language is one row here plus one file in `queries/`. Nothing is imported until a file of the language
is parsed; a row whose grammar is not installed is simply not indexed.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from typing import Literal

Block = Literal["indent", "brace", "keyword", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Language:
    """One row. `id` is the protocol's languageId; `grammar` is `module:function`."""

    id: str
    name: str
    grammar: str
    query: str
    suffixes: tuple[str, ...] = ()
    filenames: tuple[str, ...] = ()
    shebangs: tuple[str, ...] = ()
    line_comment: str | None = None
    block_comment: tuple[str, str] | None = None
    block: Block = "brace"
    constructor: str | None = None
    is_code: bool = True

    @property
    def package(self) -> str:
        """The importable package that holds the grammar."""
        return self.grammar.partition(":")[0]


_C_COMMENT = ("/*", "*/")
_XML_COMMENT = ("<!--", "-->")

# fmt: off
LANGUAGES: tuple[Language, ...] = (
    Language(id="python", name="Python", grammar="tree_sitter_python:language", query="python.scm",
             suffixes=(".py", ".pyi", ".pyw"), filenames=("SConstruct", "SConscript", "wscript"),
             shebangs=("python", "pypy"), line_comment="#", block="indent", constructor="__init__"),
    Language(id="javascript", name="JavaScript", grammar="tree_sitter_javascript:language",
             query="javascript.scm", suffixes=(".js", ".mjs", ".cjs", ".jsx"), filenames=("Jakefile",),
             shebangs=("node", "nodejs"), line_comment="//", block_comment=_C_COMMENT,
             constructor="constructor"),
    Language(id="typescript", name="TypeScript", grammar="tree_sitter_typescript:language_typescript",
             query="typescript.scm", suffixes=(".ts", ".mts", ".cts"), shebangs=("deno", "ts-node", "tsx"),
             line_comment="//", block_comment=_C_COMMENT, constructor="constructor"),
    Language(id="typescriptreact", name="TSX", grammar="tree_sitter_typescript:language_tsx",
             query="tsx.scm", suffixes=(".tsx",), line_comment="//", block_comment=_C_COMMENT,
             constructor="constructor"),
    Language(id="go", name="Go", grammar="tree_sitter_go:language", query="go.scm", suffixes=(".go",),
             line_comment="//", block_comment=_C_COMMENT),
    Language(id="rust", name="Rust", grammar="tree_sitter_rust:language", query="rust.scm",
             suffixes=(".rs",), shebangs=("rust-script",), line_comment="//", block_comment=_C_COMMENT),
)
# fmt: on

_BY_ID = {language.id: language for language in LANGUAGES}
_ALIASES = {
    "javascriptreact": "javascript",
    "shell": "shellscript",
    "bash": "shellscript",
    "sh": "shellscript",
}
_BY_SUFFIX = {suffix: language for language in LANGUAGES for suffix in language.suffixes}
_BY_FILENAME = {name: language for language in LANGUAGES for name in language.filenames}
_BY_SHEBANG = {name: language for language in LANGUAGES for name in language.shebangs}


def language_for(path: str, first_line: str = "") -> Language | None:
    """The language of a path: by its file name, then its suffix, then the interpreter in `first_line`."""
    name = path.rpartition("/")[2]
    if found := _BY_FILENAME.get(name):
        return found
    stem, dot, suffix = name.rpartition(".")
    if dot and stem and (found := _BY_SUFFIX.get("." + suffix) or _BY_SUFFIX.get("." + suffix.lower())):
        return found
    return _by_shebang(first_line) if first_line.startswith("#!") else None


def by_id(id: str) -> Language | None:
    """The row of a languageId as editors send it."""
    return _BY_ID.get(_ALIASES.get(id, id))


@cache
def available(language: Language) -> bool:
    """Whether the grammar of the language is installed."""
    return find_spec(language.package) is not None


def _by_shebang(first_line: str) -> Language | None:
    words = first_line[2:].split()
    if words and words[0].rpartition("/")[2] == "env":
        words = [word for word in words[1:] if not word.startswith("-") and "=" not in word]
    if not words:
        return None
    program = words[0].rpartition("/")[2]
    return _BY_SHEBANG.get(program) or _BY_SHEBANG.get(program.rstrip("0123456789."))
