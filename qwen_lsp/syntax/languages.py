"""The table of languages: suffix to grammar, query, comment style and block rule.

A language is one row here plus one file in `queries/`. Nothing is imported until a file of the language
is parsed; a row whose grammar is not installed is simply not indexed.
"""

from __future__ import annotations

import re
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
    Language(id="java", name="Java", grammar="tree_sitter_java:language", query="java.scm",
             suffixes=(".java",), line_comment="//", block_comment=_C_COMMENT),
    Language(id="c", name="C", grammar="tree_sitter_c:language", query="c.scm", suffixes=(".c", ".h"),
             line_comment="//", block_comment=_C_COMMENT),
    Language(id="cpp", name="C++", grammar="tree_sitter_cpp:language", query="cpp.scm",
             suffixes=(".cpp", ".cc", ".cxx", ".c++", ".hpp", ".hh", ".hxx", ".h++", ".ipp", ".inl", ".tpp",
                       ".cu", ".cuh", ".ino"), line_comment="//", block_comment=_C_COMMENT),
    Language(id="csharp", name="C#", grammar="tree_sitter_c_sharp:language", query="csharp.scm",
             suffixes=(".cs", ".csx"), line_comment="//", block_comment=_C_COMMENT),
    Language(id="ruby", name="Ruby", grammar="tree_sitter_ruby:language", query="ruby.scm",
             suffixes=(".rb", ".rake", ".gemspec", ".ru", ".jbuilder"),
             filenames=("Rakefile", "Gemfile", "Guardfile", "Vagrantfile", "Podfile", "Fastfile", "Brewfile"),
             shebangs=("ruby", "jruby"), line_comment="#", block="keyword", constructor="initialize"),
    Language(id="php", name="PHP", grammar="tree_sitter_php:language_php", query="php.scm",
             suffixes=(".php", ".phtml", ".php5", ".php7", ".phps"), shebangs=("php",), line_comment="//",
             block_comment=_C_COMMENT, constructor="__construct"),
    Language(id="kotlin", name="Kotlin", grammar="tree_sitter_kotlin:language", query="kotlin.scm",
             suffixes=(".kt", ".kts"), line_comment="//", block_comment=_C_COMMENT),
    Language(id="swift", name="Swift", grammar="tree_sitter_swift:language", query="swift.scm",
             suffixes=(".swift",), shebangs=("swift",), line_comment="//", block_comment=_C_COMMENT,
             constructor="init"),
    Language(id="scala", name="Scala", grammar="tree_sitter_scala:language", query="scala.scm",
             suffixes=(".scala", ".sc", ".sbt"), shebangs=("scala",), line_comment="//",
             block_comment=_C_COMMENT),
    Language(id="lua", name="Lua", grammar="tree_sitter_lua:language", query="lua.scm",
             suffixes=(".lua", ".rockspec"), shebangs=("lua", "luajit"), line_comment="--",
             block_comment=("--[[", "]]"), block="keyword"),
    Language(id="shellscript", name="Bash", grammar="tree_sitter_bash:language", query="bash.scm",
             suffixes=(".sh", ".bash", ".zsh", ".ksh", ".bats", ".ebuild"),
             filenames=(".bashrc", ".bash_profile", ".bash_aliases", ".profile", ".zshrc", ".zshenv",
                        "PKGBUILD", "APKBUILD"),
             shebangs=("bash", "sh", "zsh", "ksh", "dash", "ash"), line_comment="#"),
    Language(id="sql", name="SQL", grammar="tree_sitter_sql:language", query="sql.scm",
             suffixes=(".sql", ".ddl", ".psql"), line_comment="--", block_comment=_C_COMMENT, block="none"),
    Language(id="html", name="HTML", grammar="tree_sitter_html:language", query="html.scm",
             suffixes=(".html", ".htm", ".xhtml"), block_comment=_XML_COMMENT, block="none", is_code=False),
    Language(id="css", name="CSS", grammar="tree_sitter_css:language", query="css.scm", suffixes=(".css",),
             block_comment=_C_COMMENT, is_code=False),
    Language(id="json", name="JSON", grammar="tree_sitter_json:language", query="json.scm",
             suffixes=(".json", ".jsonc", ".geojson", ".webmanifest", ".code-workspace"),
             filenames=(".babelrc", ".eslintrc", ".prettierrc"), is_code=False),
    Language(id="yaml", name="YAML", grammar="tree_sitter_yaml:language", query="yaml.scm",
             suffixes=(".yaml", ".yml"), filenames=(".clang-format", ".clang-tidy", "CITATION.cff"),
             line_comment="#", block="indent", is_code=False),
    Language(id="toml", name="TOML", grammar="tree_sitter_toml:language", query="toml.scm",
             suffixes=(".toml",), filenames=("Pipfile",), line_comment="#", block="none", is_code=False),
    Language(id="markdown", name="Markdown", grammar="tree_sitter_markdown:language", query="markdown.scm",
             suffixes=(".md", ".markdown", ".mdx", ".mdown"), block_comment=_XML_COMMENT, block="none",
             is_code=False),
    # Behind the extra `languages`.
    Language(id="dockerfile", name="Dockerfile", grammar="tree_sitter_dockerfile:language",
             query="dockerfile.scm", suffixes=(".dockerfile",), filenames=("Dockerfile", "Containerfile"),
             line_comment="#", block="none"),
    Language(id="elixir", name="Elixir", grammar="tree_sitter_elixir:language", query="elixir.scm",
             suffixes=(".ex", ".exs"), shebangs=("elixir",), line_comment="#", block="keyword"),
    Language(id="terraform", name="HCL", grammar="tree_sitter_hcl:language", query="hcl.scm",
             suffixes=(".tf", ".tfvars", ".hcl", ".nomad"), line_comment="#", block_comment=_C_COMMENT),
    Language(id="makefile", name="Make", grammar="tree_sitter_make:language", query="make.scm",
             suffixes=(".mk", ".mak"), filenames=("Makefile", "makefile", "GNUmakefile"),
             shebangs=("make",), line_comment="#", block="none"),
    Language(id="zig", name="Zig", grammar="tree_sitter_zig:language", query="zig.scm",
             suffixes=(".zig", ".zon"), line_comment="//"),
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
# At the start of a line, where C has no such words; comments begin with a star or a slash.
_ONLY_CPP = re.compile(
    r"^[ \t]*(?:template\s*<|namespace(?:\s+[\w:]+)?\s*\{|class\s+\w[^;\n]*[;{]?$|using\s+\w+\s*[=:]"
    r"|(?:public|private|protected)\s*:)",
    re.MULTILINE,
)
_HEAD = 30_000
_FAMILIES = (
    frozenset(("c", "cpp")),
    frozenset(("javascript", "typescript", "typescriptreact")),
    frozenset(("java", "kotlin", "scala")),
)


def language_for(path: str, first_line: str = "") -> Language | None:
    """The language of a path: by its file name, then its suffix, then the interpreter in `first_line`."""
    name = path.rpartition("/")[2]
    if found := _BY_FILENAME.get(name):
        return found
    stem, dot, suffix = name.rpartition(".")
    if dot and stem and (found := _BY_SUFFIX.get("." + suffix) or _BY_SUFFIX.get("." + suffix.lower())):
        return found
    return _by_shebang(first_line) if first_line.startswith("#!") else None


def language_in(path: str, text: str) -> Language | None:
    """By the path, the first line, and for a `.h` by what only C++ has; None when nothing tells it."""
    language = language_for(path, text[: text.find("\n", 0, 200) + 1] or text[:200])
    if language is not None and language.id == "c" and path.endswith((".h", ".H")):
        return _BY_ID["cpp"] if _ONLY_CPP.search(text, 0, _HEAD) else language
    return language


def related(one: str, other: str) -> bool:
    """Whether two languages use what the other defines as their own: C and C++, JavaScript and TypeScript."""
    return one == other or any(one in family and other in family for family in _FAMILIES)


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
