"""FileFacts: what the index keeps of one file once its syntax tree is gone."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, get_args

Kind = Literal[
    "function", "method", "constructor", "class", "interface", "trait", "struct", "enum", "member",
    "type", "constant", "variable", "field", "property", "module", "macro", "section", "key",
    "element", "rule", "table", "impl",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)


class Definition(NamedTuple):
    """One definition. Lines are zero-based; columns are code points.

    `line` is the first line that belongs to it, decorators and attributes included (comments are not);
    `header_end` the last line of its signature; `end_line` its last line. All inclusive. Where the name
    follows the body, as in `typedef struct {...} name;`, the signature only opens it; `name_line` is below.
    `parent` is the position of the enclosing definition in `FileFacts.definitions`, -1 at the top.
    A named tuple, because indexing makes millions of them: a frozen dataclass takes six times as long.
    """

    name: str
    kind: Kind
    line: int
    name_line: int
    column: int
    header_end: int
    end_line: int
    parent: int = -1


class Import(NamedTuple):
    """One import statement: the module as written and the names taken from it (empty: the module)."""

    module: str
    names: tuple[str, ...]
    line: int


@dataclass(frozen=True, slots=True)
class FileFacts:
    """Definitions in order of position, references counted by name, imports in order.

    `references` counts every use of a name that the language's query calls a reference, without the
    places: those are found again by parsing the few files that use the name.
    """

    language: str
    lines: int
    definitions: tuple[Definition, ...] = ()
    references: Mapping[str, int] = field(default_factory=dict[str, int])
    imports: tuple[Import, ...] = ()
    has_errors: bool = False

    def qualified_name(self, index: int) -> str:
        """`Outer.inner` for the definition at `index`."""
        names: list[str] = []
        while index >= 0:
            names.append(self.definitions[index].name)
            index = self.definitions[index].parent
        return ".".join(reversed(names))

    def enclosing(self, line: int) -> list[int]:
        """Positions of the definitions around a line, outermost first."""
        return [i for i, d in enumerate(self.definitions) if d.line <= line <= d.end_line]
