"""White space at a place: tabs or spaces, how wide a step is, and how an answer is put in line with it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.shape import OPENS, closes, is_label, joins
from qwen_lsp.syntax.blocks import nesting

_STEPS = (2, 3, 4, 8)
_TABS_BY_RULE = frozenset({"go", "makefile"})
_TWO_BY_RULE = frozenset(
    {"yaml", "ruby", "html", "json", "javascript", "typescript", "typescriptreact", "css"}
)
_INDENTED = re.compile(r"\n( +)\S")
_LEAD = re.compile(r"[ \t]*(?:- )*")
"""What stands before the contents of a line: white space, and the dashes of a list in YAML."""
_HERE_DOCUMENT = re.compile(r"<<[~-]?[\"']?\w+")
_OPENS_IN = {"yaml": ("|", ">", "|-", ">-"), "shellscript": (")",)}
_PREPROCESSED = frozenset({"c", "cpp", "csharp"})
_BLOCK_OPENERS = (":", "{")


@dataclass(frozen=True, slots=True)
class Style:
    """How the lines around a place are indented."""

    tabs: bool | None
    """None: with both, or there is nothing to tell by."""
    step: int
    """Columns of one level, where spaces are used."""


def style_of(place: Place) -> Style:
    """Told by the lines around the cursor, not by the whole file."""
    tabs, spaces = place.near.count("\n\t"), place.near.count("\n  ")
    language = place.language.id if place.language is not None else ""
    if not tabs and not spaces and language in _TABS_BY_RULE:
        tabs = 1
    uses = True if tabs > 4 * spaces else False if spaces > 4 * tabs else None
    widths = {len(match[1]) for match in _INDENTED.finditer(place.near)} if spaces else set[int]()
    step = min((width for width in widths if width > 1), default=2 if language in _TWO_BY_RULE else 4)
    return Style(uses, step)


def indent_of(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))]


def first_indent(line: str, place: Place) -> str:
    """The white space that the first line of an answer stands behind, where the cursor's line is blank.

    A model goes on from the cursor, or begins at the margin again, or adds a few spaces that mean nothing:
    what stands above says which.
    """
    said = indent_of(line)
    if not said or not place.indent:
        return place.indent + said
    lead = _LEAD.match(_above(place))
    above = lead[0].expandtabs(8) if lead else ""
    step = 8 if "\t" in place.indent else style_of(place).step
    wanted = (
        {len(above) + step} if _opens_above(place, place.indent + said, len(above) + step) else {len(above)}
    )
    for indent in (place.indent + said, said, place.indent):
        if len(indent.expandtabs(8)) in wanted and indent.startswith(place.indent):
            return indent
    further = len((place.indent + said).expandtabs(8))
    return place.indent if further > min(wanted) else place.indent + said


def _above(place: Place) -> str:
    """The line above, or above the lines of the preprocessor, which stand where they like."""
    if place.line_above.startswith("#") and place.language is not None and place.language.id in _PREPROCESSED:
        return next((line for line in reversed(place.lines_above) if not line.startswith("#")), "")
    return place.line_above


def _opens_above(place: Place, indent: str, inside: int) -> bool:
    above = _above(place).rstrip()
    language = place.language.id if place.language is not None else ""
    if above.endswith((*OPENS, *_OPENS_IN.get(language, ()))) or _HERE_DOCUMENT.search(above):
        return True
    if place.language is None or len(indent.expandtabs(8)) != inside:
        return False
    head = place.head
    since = head.rfind(above)
    state = nesting(place.language, head, "", since) if since >= 0 else None
    return state is not None and state.open > 0


class Ruler:
    """Measures the lines of one answer, in the order in which they come."""

    def __init__(self, place: Place) -> None:
        self.place = place
        self.style: Style | None = None
        self.tab = 8
        self._settled = False

    def columns(self, indent: str) -> int:
        """Columns of white space, where a tab is as wide as the answer means it."""
        return len(indent.expandtabs(self.tab))

    def read(self, line: str) -> int:
        """The columns that a line of the answer is indented by. The first indented one says what a tab is."""
        indent = indent_of(line)
        if not self._settled and indent and line[len(indent) : len(indent) + 1] not in ("", "*"):
            self._settled = True
            self.style = style_of(self.place)
            if self.style.tabs:
                self.tab = self._tab_in_spaces(indent)
            elif self.style.tabs is False:
                self.tab = self.style.step
        return self.columns(indent)

    def _tab_in_spaces(self, indent: str) -> int:
        """How many spaces the answer means by one tab, by its first indented line."""
        if "\t" in indent:
            return 8
        width = len(indent)
        levels = self.place.indent.count("\t") + self.place.opens_block
        if levels and width % levels == 0 and width // levels in _STEPS:
            return width // levels
        return width if width in _STEPS else 4


def lacking(opener: str, said: str, depth: int, floor: int, place: Place) -> int:
    """Columns that an answer lacks whose lines are indented from the cursor on, not from the margin.

    `opener` is the line that the first indented line `said` stands below, `depth` the columns of that one:
    no further in than the block it is in is possible for no other reason.
    """
    language = place.language
    by_indent = language is not None and language.block == "indent" and language.id != "yaml"
    by_brace = language is None or language.block == "brace"
    if not 0 < depth <= floor or closes(said) or joins(said) or is_label(said):
        return 0
    if not opener.rstrip().endswith(_BLOCK_OPENERS) or opener.lstrip().startswith(("#", "//", "*")):
        return 0
    return floor if by_indent or (by_brace and opener.rstrip().endswith("{")) else 0


def with_file_indent(text: str, place: Place) -> str:
    """The answer with its lines indented as those around the cursor are."""
    if "\n" not in text:
        return text
    first, *rest = text.split("\n")
    ruler = Ruler(place)
    depths = [ruler.read(line) for line in rest]
    style = ruler.style
    if style is None:
        return text
    floor = ruler.columns(place.indent)
    shift = _shift(first, rest, depths, floor, place)
    if style.tabs is None and not shift:
        return text
    step = ruler.tab if style.tabs else 0
    fixed = [
        _white(depth + shift, step, line) + line.lstrip(" \t") if line.strip() else line.strip(" \t")
        for line, depth in zip(rest, depths, strict=True)
    ]
    fixed[-1] = fixed[-1] if rest[-1].strip() else _white(depths[-1], step, rest[-1])
    return "\n".join([first, *fixed])


def _shift(first: str, rest: list[str], depths: list[int], floor: int, place: Place) -> int:
    opener = place.line_before + first
    for line, depth in zip(rest, depths, strict=True):
        if line.strip():
            return lacking(opener, line.strip(), depth, floor, place)
    return 0


def _white(columns: int, tab: int, line: str) -> str:
    if not tab:
        return " " * columns
    if not line.strip():
        return "\t" * (columns // tab)
    return "\t" * (columns // tab) + " " * (columns % tab)
