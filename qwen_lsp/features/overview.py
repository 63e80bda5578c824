"""A page about one file from the index alone: what it is, what it defines, what hangs together with it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from qwen_lsp.context.place import TYPES, Place, is_test, members, place_of, shares
from qwen_lsp.context.texts import lines_of
from qwen_lsp.features.markdown import code_span
from qwen_lsp.index.graph import dependents, resolve_all
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import Definition, FileFacts, Kind
from qwen_lsp.syntax.languages import Language
from qwen_lsp.syntax.outline import doc_comment, header
from qwen_lsp.syntax.parse import in_comment_or_string
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.text.words import number
from qwen_lsp.workspace.paths import RelPath

_MOST_TOP = 60
_MOST_MEMBERS = 25
_MOST_FILES = 20
_FOR_TOOLS = re.compile(
    r"copyright|licen[sc]e|SPDX|all rights reserved|"
    r"\A\s*(?:frozen_string_literal|vim?:|-\*-|eslint|@ts-|@flow|pylint)",
    re.IGNORECASE,
)
"""What a comment at the top of a file says to lawyers and tools."""
_DATA: frozenset[Kind] = frozenset({"variable", "constant", "field", "key", "element", "member"})


def overview(snapshot: Snapshot, path: RelPath, selection: Span | None = None) -> str:
    """The page, in Markdown; useful for any text file, rich for one whose language is indexed."""
    lines = lines_of(snapshot, path)
    language = snapshot.language(path)
    facts = snapshot.facts(path)
    sections = [f"# {code_span(path)}\n", _kind(lines, language, facts)]
    if lead := file_comment(lines, language):
        sections.append("\n".join(f"> {line}" for line in _escaped(lead).splitlines()) + "\n")
    if facts is not None:
        place = place_of(snapshot, path)
        users = dependents(snapshot, path)
        if selection is not None and len(selection):
            sections.append(_selected(place, selection))
        sections += [
            _defined(lines, facts),
            _built_on(place),
            _used_by(place, [user for user in users if not is_test(user)], "Who uses it"),
            _most_used(place),
            _used_by(place, [user for user in users if is_test(user)], "Tests that touch it"),
        ]
    return "\n".join(section for section in sections if section)


def _kind(lines: Sequence[str], language: Language | None, facts: FileFacts | None) -> str:
    name = language.name if language is not None else "Text"
    count = len(lines) - (1 if lines and not lines[-1] else 0)
    said = [f"**{name}**", number(count, "line")]
    if facts is not None:
        said.append(number(sum(d.kind in TYPES for d in facts.definitions), "type"))
        functions = sum(d.kind in ("function", "method", "constructor") for d in facts.definitions)
        said.append(number(functions, "function"))
    if facts is not None and facts.has_errors:
        said.append("has syntax errors at the moment")
    return ", ".join(s for s in said if not s.startswith("0 ")) + ".\n"


def file_comment(lines: Sequence[str], language: Language | None) -> str:
    """The first paragraph of what the file says about itself at its top: docstring or comment."""
    text = "\n".join(lines[:80])
    while text:
        text = re.sub(r"\A(?:#![^\n]*\n|#[^\n]*coding[:=][^\n]*\n|<\?php\s|\s)+", "", text)
        found, text = _comment_at_start(text, language)
        for paragraph in re.split(r"\n\s*\n", found.strip()):
            if _tells(paragraph):
                return paragraph.strip()[:1_000]
    return ""


def _comment_at_start(text: str, language: Language | None) -> tuple[str, str]:
    """The docstring or comment that a text begins with, and the text after it; nothing where code begins."""
    if match := re.match(r"[rRuU]?(\"\"\"|''')(.*?)\1", text, re.DOTALL):
        return match.group(2), text[match.end() :]
    if language is not None and language.block_comment and text.startswith(language.block_comment[0]):
        opening, closing = language.block_comment
        body, _, rest = text[len(opening) :].partition(closing)
        return re.sub(r"(?m)^\s*\*+ ?", "", body.lstrip("*!")), rest
    if language is not None and language.line_comment and text.startswith(language.line_comment):
        block = re.match(rf"(?:{re.escape(language.line_comment)}[^\n]*(?:\n|\Z))+", text)
        if block is not None:
            mark = rf"(?m)^{re.escape(language.line_comment)}[/!]*[ \t]?"
            return re.sub(mark, "", block.group()), text[block.end() :]
    return "", ""


def _tells(paragraph: str) -> bool:
    """Whether a paragraph says something: no licence, no drawing, no line of dashes."""
    signs = [char for char in paragraph if not char.isspace()]
    words = sum(char.isalnum() for char in signs)
    return 2 * words > len(signs) and not _FOR_TOOLS.search(paragraph[:400])


def _escaped(text: str) -> str:
    """Prose from a file, so that its characters show as they are."""
    return re.sub(r"([\\`*_\[\]<>#!|])", r"\\\1", text)


def first_sentence(text: str, longest: int = 160) -> str:
    """The first sentence of a comment, on one line."""
    flat = " ".join(text.strip().split("\n\n")[0].split())
    match = re.match(r"(.+?[.!?])(?:\s|$)", flat)
    said = match.group(1) if match else flat
    return said if len(said) <= longest else said[: longest - 1].rstrip() + "…"


def _defined(lines: Sequence[str], facts: FileFacts) -> str:
    top = [i for i, d in enumerate(facts.definitions) if d.parent < 0]
    if not top:
        return ""
    # Constants of a file with code in it are told by their names only.
    code = [i for i in top if facts.definitions[i].kind not in _DATA]
    data = [i for i in top if facts.definitions[i].kind in _DATA]
    shown = code or data
    out = ["## What it defines\n"]
    for index in shown[:_MOST_TOP]:
        out.append(_entry(lines, facts, index, ""))
        inner = [m for m in members(facts, index) if facts.definitions[m].kind not in _DATA]
        out += [_entry(lines, facts, member, "  ") for member in inner[:_MOST_MEMBERS]]
        if len(inner) > _MOST_MEMBERS:
            out.append(f"  - … and {len(inner) - _MOST_MEMBERS} more")
    if len(shown) > _MOST_TOP:
        out.append(f"- … and {len(shown) - _MOST_TOP} more")
    if code and data:
        names = dict.fromkeys(facts.definitions[i].name for i in data)
        out.append(f"\nAnd the values {_listed(names, 30)}.")
    return "\n".join(out) + "\n"


def _entry(lines: Sequence[str], facts: FileFacts, index: int, indent: str) -> str:
    definition = facts.definitions[index]
    said = first_sentence(doc_comment(lines, facts, index))
    tail = f": {_escaped(said)}" if said else ""
    return f"{indent}- {code_span(signature(lines, definition))} (line {definition.name_line + 1}){tail}"


def signature(lines: Sequence[str], definition: Definition) -> str:
    """The header from the line with the name on, without decorators and the opening of the body."""
    kept = header(lines, definition).split("\n")[definition.name_line - definition.line :]
    flat = re.sub(r"([(\[]) | (?=[)\]])|,(?= ?[)\]])", r"\1", " ".join(" ".join(kept).split()))
    flat = flat.rstrip("{:= ").rstrip()
    return flat if len(flat) <= 140 else flat[:139] + "…"


def _built_on(place: Place) -> str:
    inside: dict[RelPath, list[str]] = {}
    outside: dict[str, None] = {}
    for imp in place.facts.imports:
        targets = resolve_all(place.snapshot, place.path, imp)
        if not targets:
            outside[imp.module] = None
        for target in targets[:6]:
            inside.setdefault(target, []).extend(imp.names)
    if not inside and not outside:
        return ""
    out = ["## What it builds on\n"]
    for path, names in list(inside.items())[:_MOST_FILES]:
        out.append(f"- {code_span(path)}" + (f": {_listed(dict.fromkeys(names), 8)}" if names else ""))
    if len(inside) > _MOST_FILES:
        out.append(f"- … and {len(inside) - _MOST_FILES} more files")
    if outside:
        out.append(f"- from outside the workspace: {_listed(outside, 20)}")
    return "\n".join(out) + "\n"


def _used_by(place: Place, users: Sequence[RelPath], title: str) -> str:
    if not users:
        return ""
    defined = {d.name for d in place.facts.definitions}
    told: list[tuple[int, RelPath, str]] = []
    for user in users[: 8 * _MOST_FILES]:
        facts = place.snapshot.facts(user)
        if facts is None:
            continue
        names = defined & {*facts.references, *(n for imp in facts.imports for n in imp.names)}
        told.append((-len(names), user, f": {_listed(sorted(names), 6)}" if names else ""))
    told.sort()
    out = [f"## {title}\n", *(f"- {code_span(user)}{said}" for _, user, said in told[:_MOST_FILES])]
    if len(users) > _MOST_FILES:
        out.append(f"- … and {len(users) - min(_MOST_FILES, len(told))} more files")
    return "\n".join(out) + "\n"


def _most_used(place: Place) -> str:
    counted: list[tuple[int, str]] = []
    seen: set[str] = set()
    for definition in place.facts.definitions[:400]:
        name = definition.name
        if name in seen or name.startswith("__") or definition.kind in _DATA:
            continue
        seen.add(name)
        # A name that many files define says nothing about who means this one.
        if len(place.snapshot.definitions(name)) <= 2:
            users = [user for user in place.snapshot.using(name) if user != place.path]
            if users:
                counted.append((len(users), name))
    if not counted:
        return ""
    counted.sort(key=lambda pair: (-pair[0], pair[1]))
    said = ", ".join(f"{code_span(name)} ({number(n, 'file')})" for n, name in counted[:8])
    return f"## Used most elsewhere\n\n{said}.\n"


def _selected(place: Place, selection: Span) -> str:
    """Where the selection is and what the names in it are."""
    index: LineIndex = place.snapshot.lines(place.path)
    first, last = index.line_at(selection.start), index.line_at(max(selection.start, selection.end - 1))
    where = f"line {first + 1}" if first == last else f"lines {first + 1} to {last + 1}"
    around = place.facts.enclosing(first)
    inside = f", in {code_span(place.facts.qualified_name(around[-1]))}" if around else ""
    out = [f"## The selection: {where}{inside}\n"]
    text = index.text[selection.start : selection.end]
    own = {d.name: d for d in place.facts.definitions if not first <= d.name_line <= last}
    tree = place.snapshot.tree(place.path)
    for name in dict.fromkeys(
        match.group()
        for match in re.finditer(r"[^\W\d]\w+", text)
        if tree is None or in_comment_or_string(tree, selection.start + match.start()) is None
    ):
        if name in own:
            out.append(f"- {code_span(name)} is defined in this file at line {own[name].name_line + 1}")
            continue
        for site, share in shares(place, name, dotted=False, limit=1):
            if share > 0.4:
                out.append(
                    f"- {code_span(name)} is defined in {code_span(site.path)} "
                    f"at line {site.definition.name_line + 1}"
                )
        if len(out) > _MOST_FILES:
            break
    return "\n".join(out) + "\n"


def _listed(names: Iterable[str], most: int) -> str:
    everything = list(names)
    said = ", ".join(code_span(name) for name in everything[:most])
    return said + (f" and {len(everything) - most} more" if len(everything) > most else "")
