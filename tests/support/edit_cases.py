"""Edit cases as text: a file, what is asked of it, and what comes of it (data/edits/README.md)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

DATA = Path(__file__).parents[1] / "features" / "agent" / "data" / "edits"
MARKS = {"→": "\t", "␣": " ", "⍽": "\u00a0", "␍\n": "\r\n"}


@dataclass(frozen=True)
class Case:
    title: str
    file: str
    old: str
    new: str
    everywhere: bool
    result: str | None
    refused: tuple[str, ...]


def unmark(text: str, whole: bool) -> str:
    """The text a case means: with its marks turned into characters."""
    for mark, character in MARKS.items():
        text = text.replace(mark, character)
    text = re.sub(r"⟨([0-9a-f]+)⟩", lambda code: chr(int(code[1], 16)), text)
    if text.endswith("∅\n"):
        return text[:-2]
    if text.endswith("⏎\n"):
        return text[:-2] + "\n"
    return text if whole else text.removesuffix("\r\n").removesuffix("\n")


def read_cases() -> Iterator[Case]:
    for path in sorted(DATA.glob("*.txt")):
        for section in re.split(r"^=== ", path.read_bytes().decode(), flags=re.MULTILINE)[1:]:
            title, _, body = section.partition("\n")
            file, *parts = re.split(r"^--- (?=(?:all|old|new|result|refused)$)", body, flags=re.MULTILINE)
            named = {kind: text for kind, _, text in (part.partition("\n") for part in parts)}
            result = named.get("result")
            yield Case(
                f"{path.stem}: {title}",
                unmark(file, whole=True),
                unmark(named["old"], whole=False),
                unmark(named["new"], whole=False),
                "all" in named,
                None if result is None else unmark(result, whole=True),
                tuple(named.get("refused", "").splitlines()),
            )
