"""Ground truth for `bench/pack.py` in languages other than Python: names that are defined exactly once.

    python bench/pack_truth_ctags.py DIR --language Go --lines 150 --seed 1 --others DIR2 > truth.json

needs universal-ctags with JSON output (nothing of qwen-lsp is imported here). A sample is a random code line
of a random file that uses a name whose only definition in the whole tree stands in another file: {"file",
"line" (1-based), "names": [{"name", "path", "line", "kind", "unseen", "also"}]}. "unseen" means that the name
stands nowhere else in the file; "also" holds prototypes, which say as much: {"path", "line"}. Comments,
strings, imports, attributes and the lines that head a definition are no samples, nor are files of tests, of
examples, and vendored or generated ones.

One definition in the tree does not say that every use means it: `.push()` may be the standard library's. So
names are left out that other trees of the language (`--others`) use too, that the file gives to something of
its own, or that could not mean that kind of definition where they stand.
"""

from __future__ import annotations

import argparse
import json
import random
import re
import subprocess
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

Site = tuple[str, int, str]
"""Path, line (1-based) and ctags' kind."""


@dataclass(frozen=True, slots=True)
class Dialect:
    """Where a language's text is not code, and what ctags calls the languages that share names with it."""

    suffixes: tuple[str, ...]
    comment: str
    string: str
    imports: str
    family: str
    bare_members: bool = True
    """Whether a member of a type may be named without what it is a member of."""


_C_COMMENT, _HASH = r"//[^\n]*|/\*.*?(?:\*/|\Z)", r"(?:^|(?<=\s))#(?!\[)[^\n]*"
_DOUBLE, _SINGLE, _BACK = r'"(?:\\.|[^"\\\n])*"', r"'(?:\\.|[^'\\\n])*'", r"`(?:\\.|[^`\\])*`"
_TEXT = rf'""".*?"""|{_DOUBLE}|' + r"'(?:\\(?:u\{?\w+\}?|x\w+|.)|[^'\\\n])'"
_SCRIPT = (
    f"{_DOUBLE}|{_SINGLE}|{_BACK}",
    r"^\s*(?:import|export)\b[^;()=]*?\bfrom\b|^\s*import\s.*|^.*\brequire\(.*",
)
_USE = r"^\s*(?:pub(?:\([^)]*\))?\s+)?(?:use\s[^;]*;|(?:mod|extern crate)\s[^\n{]*;)|#!?\[[^\]]*\]"
_INCLUDE, _USING = r"^\s*#\s*include.*", r"^\s*(?:global\s+)?(?:import|package|using|namespace)\b[^(\n]*$"
DIALECTS = {
    "TypeScript": Dialect((".ts", ".tsx", ".mts"), _C_COMMENT, *_SCRIPT, "TypeScript,JavaScript", False),
    "JavaScript": Dialect((".js", ".jsx", ".mjs"), _C_COMMENT, *_SCRIPT, "JavaScript,TypeScript", False),
    "Go": Dialect((".go",), _C_COMMENT, f"{_TEXT}|`[^`]*`", r"^package\b.*|^import\b.*", "Go", False),
    "Rust": Dialect((".rs",), _C_COMMENT, rf'r(?P<h>#*)".*?"(?P=h)|{_TEXT}', _USE, "Rust", False),
    "Java": Dialect((".java",), _C_COMMENT, _TEXT, _USING, "Java"),
    "Kotlin": Dialect((".kt",), _C_COMMENT, _TEXT, _USING, "Kotlin,Java"),
    "C": Dialect((".c",), _C_COMMENT, _TEXT, _INCLUDE, "C,C++", False),
    "C++": Dialect((".cc", ".cpp", ".cxx", ".hpp", ".hh", ".h"), _C_COMMENT, _TEXT, _INCLUDE, "C++,C"),
    "C#": Dialect((".cs",), _C_COMMENT, f'@"[^"]*"|{_TEXT}', _USING, "C#"),
    "Ruby": Dialect((".rb",), _HASH, f"{_DOUBLE}|{_SINGLE}", r"^\s*(?:require|autoload).*", "Ruby"),
    "PHP": Dialect(
        (".php",), f"{_C_COMMENT}|{_HASH}", f"{_DOUBLE}|{_SINGLE}", r"^(?:use|namespace)\s[^;]*;", "PHP"
    ),
    "Lua": Dialect((".lua",), r"--\[\[.*?\]\]|--[^\n]*", rf"{_DOUBLE}|{_SINGLE}", r"^.*\brequire\b.*", "Lua"),
    "Sh": Dialect((".sh", ".bash", ""), _HASH, _SINGLE, r"^\s*(?:source|\.)\s.*", "Sh"),
    "SQL": Dialect((".sql",), r"--[^\n]*|/\*.*?\*/", _SINGLE, r"^\s*\\i.*", "SQL"),
    "Elixir": Dialect(
        (".ex",), _HASH, f'""".*?"""|{_DOUBLE}', r"^\s*(?:alias|import|use|require)\b.*", "Elixir"
    ),
}
_LEFT_OUT = re.compile(
    r"(^|/)(tests?|testing|testdata|testutils?|__tests__|specs?|fixtures?|mocks?|docs?|documentation|examples?"
    r"|samples?|bench(es|marks?)?|vendor|third_party|node_modules|deps|contrib|build|dist|migrations)(/|$)"
    r"|(^|/)test_|[_.-](tests?|spec|bench)\.|Tests?\.\w+$|\.d\.ts$|\.pb\.go$|\.min\.js$|generated",
    re.IGNORECASE,
)
_IDENTIFIER = re.compile(r"(?<![\w$])[^\W\d]\w{2,}")
_DOTTED = re.compile(r"(?:\.|->|::)\s*$")
_LOCAL = ["local", "parameter", "label", "package", "packageName", "header", "unknown", "macroparam"]
_NOT_ONES = frozenset([*_LOCAL, "anonMember", "implementation", "library", "script", "heredoc", "namespace"])
_DECORATORS = frozenset(["annotation", "class", "interface", "function", "constant", "variable"])
_NO_HEADS = frozenset(
    ["field", "member", "property", "variable", "constant", "const", "var", "enumerator", "enumConstant"]
)
_MEMBERS = frozenset(["field", "member", "property", "method", "methodSpec"])
_WORDS = [
    "return",
    "else",
    "case",
    "goto",
    "throw",
    "new",
    "await",
    "yield",
    "in",
    "as",
    "is",
    "not",
    "and",
    "or",
]
_NO_TYPES = "".join(rf"(?<!\b{word})" for word in _WORDS)


_DECLARED = re.compile(
    r"\b(?:type|interface|class|enum|const|let|var|function)\s+(\w+)"
    r"|^[ \t]+(?:(?:async|public|private|protected|static|abstract|override|get|set)\s+)*"
    r"(?!(?:if|for|while|switch|catch|match)\b)(\w+)(?:<|\([^;\n]*\)(?::[^;=\n]*)?[ \t]*\{)$",
    re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Tree:
    """What ctags sees: definitions and prototypes by name; by file, the lines that head a definition.

    `again` counts what looks like a definition in scripts: ctags misses some that have type parameters.
    """

    sites: dict[str, list[Site]] = field(default_factory=lambda: defaultdict[str, list[Site]](list))
    prototypes: dict[str, list[Site]] = field(default_factory=lambda: defaultdict[str, list[Site]](list))
    heads: dict[str, set[int]] = field(default_factory=lambda: defaultdict[str, set[int]](set))
    own: dict[str, set[str]] = field(default_factory=lambda: defaultdict[str, set[str]](set))
    again: Counter[str] = field(default_factory=Counter[str])


def tags(root: Path, dialect: Dialect) -> Tree:
    """Every tag of the language's family; locals and the like only as names that a file has for itself."""
    command = ["ctags", "-R", "--output-format=json", f"--languages={dialect.family}", "--fields=+nKsP"]
    command += [f"--kinds-{language}=*" for language in dialect.family.split(",")]
    made = subprocess.run([*command, "-f", "-", "."], cwd=root, capture_output=True, check=True)
    tree = Tree()
    for row in made.stdout.decode("utf-8", "replace").splitlines():
        tag: dict[str, Any] = json.loads(row)
        path, kind = str(tag["path"]).removeprefix("./"), str(tag.get("kind", ""))
        name = re.split(r"[.:]+", str(tag["name"]))[-1]  # `function module.name()` of Lua defines a name
        site = (path, int(tag.get("line", 0)), kind)
        if kind in ("prototype", "externvar"):
            tree.prototypes[name].append(site)
        elif kind in _NOT_ONES or local(tag, kind, dialect):
            tree.own[path].add(name)
        else:
            tree.sites[name].append(site)
        if kind not in _NO_HEADS and kind not in _NOT_ONES:
            tree.heads[path].add(site[1])
    return tree


def local(tag: dict[str, Any], kind: str, dialect: Dialect) -> bool:
    """Whether the tag is inside of a function or no definition; ctags takes some locals for a module's."""
    if "Script" in dialect.family and kind in ("constant", "variable"):
        return str(tag.get("pattern", "")).startswith(("/^ ", "/^\t"))
    return (kind == "module" and dialect.family == "Rust") or tag.get("scopeKind") in (
        "function",
        "method",
        "generator",
    )


def code_only(text: str, dialect: Dialect) -> str:
    """The text with comments, strings and imports blanked, every character where it was."""
    without = re.sub(f"({dialect.string})|({dialect.comment})", _blank, text, flags=re.MULTILINE | re.DOTALL)
    return re.sub(dialect.imports, _blank, without, flags=re.MULTILINE)


def _blank(match: re.Match[str]) -> str:
    return re.sub(r"[^\n]", " ", match.group())


def declares(code: str, name: str) -> bool:
    """Whether the code gives the name to something of its own: a variable, a parameter, a type parameter."""
    forms = (
        rf"\b(?:let|var|val|const|mut|auto|local|for|foreach|catch)\s*[({{\[]?[\w,\s]*\b{name}\b",
        rf"\b{name}\b(?:,\s*\w+)*\s*:=",
        rf"[(,|]\s*(?:mut\s+|\.\.\.|&)?{name}\??\s*(?::|=>|\||[*\w\[][\w.*\[\]]*\s*[,)])",
        rf"\b[A-Z]\w*\([\w,\s]*\b{name}\b[\w,\s]*\)\s*=",
        rf"[<,]\s*{name}\b\s*(?:[,>:]|extends)",
        rf"\w[>\]]?{_NO_TYPES}(?:\s+|\s*[*&]+\s*){name}\s*(?:=(?!=)|[,;:)\[])",
    )
    return any(re.search(form, code) for form in forms)


def codes(root: Path, dialect: Dialect) -> Iterator[str]:
    """The code of every file of the language."""
    for path in root.rglob("*"):
        if path.suffix in dialect.suffixes and path.is_file() and not path.is_symlink():
            yield code_only(path.read_text(encoding="utf-8", errors="replace"), dialect)


def own_files(root: Path, dialect: Dialect) -> list[Path]:
    files = (p for p in sorted(root.rglob("*")) if p.suffix in dialect.suffixes)
    kept = [p for p in files if not _LEFT_OUT.search(p.relative_to(root).as_posix())]
    return [p for p in kept if p.is_file() and not p.is_symlink() and p.stat().st_size < 1_000_000]


def names_on(line: str, path: str, code: str, dialect: Dialect, tree: Tree) -> Iterator[tuple[str, Site]]:
    """The names on one line of code whose only definition is in another file."""
    for match in {m.group(): m for m in reversed(list(_IDENTIFIER.finditer(line)))}.values():
        name = match.group()
        sites = tree.sites.get(name, ())
        if len(sites) != 1 or sites[0][0] == path or _LEFT_OUT.search(sites[0][0]):
            continue
        if line[: match.start()].endswith("@") and sites[0][2] not in _DECORATORS:
            continue
        if _DOTTED.search(line, 0, match.start()) is None:
            key, member = re.match(r"[?!]?:(?!:)|=\{", line[match.end() :]), sites[0][2] in _MEMBERS
            if not dialect.bare_members and member != (key is not None and "case" not in line):
                continue
            if name in tree.own[path] or declares(code, name):
                continue
        yield name, sites[0]


def sample(
    root: Path, dialect: Dialect, others: Sequence[Path], lines: int, seed: int
) -> list[dict[str, Any]]:
    """Random lines with what their names from other files mean."""
    rng, tree = random.Random(seed), tags(root, dialect)
    common = {
        name for other in others for code in codes(other, dialect) for name in _IDENTIFIER.findall(code)
    }
    for code in codes(root, dialect) if "Script" in dialect.family else ():
        tree.again.update(a or b for a, b in _DECLARED.findall(code))
    files, samples, done = own_files(root, dialect), list[dict[str, Any]](), set[tuple[str, int]]()
    for _ in range(40 * lines if files else 0):
        file = rng.choice(files)
        path, text = file.relative_to(root).as_posix(), file.read_text(encoding="utf-8", errors="replace")
        code = code_only(text, dialect)
        rows = code.split("\n")
        usable = [n for n, row in enumerate(rows, 1) if _IDENTIFIER.search(row) and n not in tree.heads[path]]
        if not usable or (path, line := rng.choice(usable)) in done or len(rows[line - 1]) > 400:
            continue
        done.add((path, line))
        raw = text.split("\n")
        rest = "\n".join([*raw[: line - 1], *raw[line:]])
        names: list[dict[str, Any]] = []
        for name, (where, number, kind) in names_on(rows[line - 1], path, code, dialect, tree):
            if name in common or tree.again[name] > 1:
                continue
            unseen = re.search(rf"\b{name}\b", rest) is None
            also = [{"path": p, "line": n} for p, n, _ in tree.prototypes.get(name, ()) if p != path]
            names.append(
                {"name": name, "path": where, "line": number, "kind": kind, "unseen": unseen, "also": also}
            )
        if names:
            samples.append({"file": path, "line": line, "names": names})
        if len(samples) == lines:
            break
    return samples


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path)
    parser.add_argument("--language", choices=DIALECTS, required=True)
    parser.add_argument("--lines", type=int, default=150)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--others", type=Path, nargs="*", default=[], help="trees whose names are left out")
    parser.add_argument("--show", action="store_true", help="print the lines as well")
    arguments = parser.parse_args()
    root = arguments.root.resolve()
    samples = sample(root, DIALECTS[arguments.language], arguments.others, arguments.lines, arguments.seed)
    for item in samples if arguments.show else ():
        line = (
            (root / item["file"]).read_text(encoding="utf-8", errors="replace").split("\n")[item["line"] - 1]
        )
        found = ", ".join(f"{n['name']} ({n['kind']}, {n['path']}:{n['line']})" for n in item["names"])
        print(f"{item['file']}:{item['line']}: {line.strip()}\n    {found}", file=sys.stderr)
    json.dump(samples, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
