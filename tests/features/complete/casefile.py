"""Cases of completions as text: what the model said at a place, and what of it is shown.

    === a few words on the case
    from: the complaint or the defect it guards against
    parses: the text with the completion in it has no more errors than without       (may be left out)
    --- at a.py
    print(<CURSOR>)
    --- said
    value)
    --- shown
    value
    --- because
    left out: what the line ends with

Sections lose the line end they end with. Nothing shown is written `--- nothing`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

CASES = Path(__file__).parent / "cases"
_CASE = re.compile(r"^=== (.*)\n", re.MULTILINE)
_SECTION = re.compile(r"^--- (at|said|shown|nothing|because)(?: (\S+))?\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Case:
    """One case, and where it stands."""

    file: Path
    title: str
    head: str
    path: str
    text: str
    said: str
    shown: str
    because: str

    @property
    def parses(self) -> bool:
        return "\nparses" in "\n" + self.head

    @property
    def origin(self) -> str:
        found = re.search(r"^from: (.+)", self.head, re.MULTILINE)
        return found[1] if found else ""

    def __str__(self) -> str:
        shown = f"--- shown\n{self.shown}\n" if self.shown else "--- nothing\n"
        because = f"--- because\n{self.because}\n" if self.because else ""
        at = f"--- at {self.path}\n{self.text}\n"
        return f"=== {self.title}\n{self.head}{at}--- said\n{self.said}\n{shown}{because}"


def cases_of(file: Path) -> list[Case]:
    """The cases of one file, in order."""
    _, *parts = _CASE.split(file.read_text(encoding="utf-8"))
    return [_case(file, title, body) for title, body in zip(parts[::2], parts[1::2], strict=True)]


def _case(file: Path, title: str, body: str) -> Case:
    head, *parts = _SECTION.split(body)
    sections = {kind: text.removesuffix("\n") for kind, _, text in zip(*[iter(parts)] * 3, strict=True)}
    path = next(name for kind, name in zip(parts[::3], parts[1::3], strict=True) if kind == "at")
    return Case(
        file,
        title,
        head,
        path,
        sections["at"],
        sections["said"],
        sections.get("shown", ""),
        sections.get("because", ""),
    )
