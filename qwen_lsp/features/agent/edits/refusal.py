"""Why an edit was refused, in words that let the model get it right the next time."""

from __future__ import annotations

import difflib
import re
from collections import Counter
from collections.abc import Sequence

from qwen_lsp.features.agent.edits import hints, indent
from qwen_lsp.features.agent.edits.canonical import find_all, loose, loose_file
from qwen_lsp.features.agent.edits.lines import key, keys_of, line_of, split_lines

EMPTY = "old_string is empty. Quote the text to replace; to create a file, write the whole file instead."
SAME = "old_string and new_string are the same: there is nothing to change."
UNPAIRED = (
    "old_string and new_string have different numbers of `...` lines, so they cannot be paired. "
    "Use the same `...` lines in both, or quote the text in full."
)
OPEN_ELISION = (
    "A `...` line in old_string needs text before and after it, or its extent is unknown. "
    "Quote the lines on both sides, or the text in full."
)
_SURE = 12
"""Characters from which on a text inside a line says something."""
_NAMED = 12
_SHOWN_LINES = 24
_SHOWN_WIDTH = 200
_CANDIDATES = 6
_MOST_ALIGNED = 300
"""Quoted lines up to which they are aligned with those of the file, which takes long where many are alike."""
_BLANK = "(a blank line)"
_AROUND = 12
"""Lines before and behind the most similar place that may belong to it."""
_WORD = re.compile(r"\w+")
_COMPARED = 3000
_LIMIT = 60_000
"""Lines of a file that are searched for something similar; the rest is beyond what a model quotes from."""


def omission(line: str) -> str:
    """new_string leaves code out."""
    return (
        f"new_string has the line `{line[:_SHOWN_WIDTH]}`, which stands for code that was left out. It would "
        "be written into the file as it is. Write the code in full, or make a smaller edit."
    )


def no_effect(text: str, start: int) -> str:
    """The file would not change."""
    return f"The file already reads like new_string at line {line_of(text, start)}: the edit changes nothing."


def ambiguous(text: str, starts: Sequence[int]) -> str:
    """Several places."""
    lines = _several([line_of(text, start) for start in starts[: _NAMED + 1]])
    return (
        f"old_string occurs {len(starts)} times, at lines {lines}. Quote more of the lines around the one "
        "you mean, or set replace_all to change every one."
    )


def ambiguous_elision(lines: Sequence[int]) -> str:
    """Several ways to fill in the `...`."""
    return (
        "The parts of old_string around `...` fit the file in more than one way: one of them occurs at lines "
        f"{_several(lines)}. Quote more lines next to `...`."
    )


def indentation(text: str, start: int, end: int) -> str:
    """The words match and the indentation cannot be followed."""
    return (
        "The lines are in the file with another indentation, and it does not follow from old_string how "
        f"new_string should be indented. The file has:\n{_numbered(text, start, end)}\n"
        "Quote them exactly as they are."
    )


def unclear_frame(text: str, start: int) -> str:
    """A line quoted without its indentation, and lines to replace it."""
    return (
        f"old_string begins behind the indentation of line {line_of(text, start)}, so it is unclear how the "
        f"lines of new_string are to be indented. The file has:\n{_numbered(text, start, start)}\n"
        "Quote the whole line with its indentation, and indent new_string as the file is."
    )


def applied_here(lines: Sequence[int]) -> str:
    """The place is already what it was to become."""
    return (
        f"The edit seems to be already applied at line {_several(lines)}: new_string is there, and "
        "old_string is a part of it. Read the file before going on; to put it there once more, quote the "
        "lines behind it too."
    )


def applied_elsewhere(lines: Sequence[int]) -> str:
    """The place is gone, what it was to become is there, and the words of the quotation are elsewhere."""
    return (
        "old_string is not in the file with this indentation, and new_string is: the edit seems to be "
        f"already applied at line {_several(lines)}. Read the file before going on; if another place is "
        "meant, quote it exactly as it is."
    )


def not_found(text: str, old: str, new: str, replace_all: bool = False) -> str:
    """Nowhere: what the file has instead."""
    if not text.strip():
        return "old_string was not found: the file is empty."
    if lines := _already(text, old, new, replace_all):
        return (
            "old_string was not found, and new_string is in the file: the edit seems to be already applied "
            f"at line {_several(lines)}. Read the file before going on."
        )
    hint = hints.hint(text, old)
    where = _nearest(text, old)
    if where is None:
        gone = "" if new else " If it was to be deleted, it is gone."
        return f"old_string was not found, nor anything like it.{hint}{gone} Read the file before editing it."
    first, last, difference = where
    shown = _numbered_lines(text, first, last)
    named = f"line {last}" if last == first + 1 else f"lines {first + 1}-{last}"
    return (
        f"old_string was not found.{hint} The most similar place is {named}:\n{shown}\n"
        f"{difference}Quote the file exactly as it is, without the line numbers."
    )


def _several(lines: Sequence[int]) -> str:
    shown = ", ".join(str(line) for line in lines[:_NAMED])
    return shown + (", …" if len(lines) > _NAMED else "")


def _already(text: str, old: str, new: str, replace_all: bool) -> list[int]:
    """The lines where `new` stands already; a bracket alone proves nothing, nor a line that is common.

    Nor do lines that are quoted as well: where the rest of the quotation was to go, they were there before.
    """
    if not _WORD.search(new):
        return []
    there = keys_of(text)
    wanted = keys_of(new)
    while wanted and not wanted[-1]:
        wanted.pop()
    while wanted and not wanted[0]:
        wanted.pop(0)
    if indent.windows(keys_of(old), wanted):
        return []
    lines = [at + 1 for at in indent.windows(there, wanted)]
    if not lines and len(new.strip()) >= _SURE:
        form = loose_file(text)
        lines = [form.text.count("\n", 0, at) + 1 for at in find_all(form.text, loose(new).text)]
    return lines if len(lines) == 1 or replace_all or len(wanted) > 1 else []


def _nearest(text: str, old: str) -> tuple[int, int, str] | None:
    """(first line, end line, the first difference) of the most similar place; None when nothing is alike.

    Lines are compared by their words first, in one pass, and only the best few places letter by letter.
    """
    lines = [content for content, _ in split_lines(text)[:_LIMIT]]
    wanted = [content for content, _ in split_lines(old)]
    while wanted and not wanted[0].strip():
        wanted.pop(0)
    while wanted and not wanted[-1].strip():
        wanted.pop()
    if not wanted or not lines:
        return None
    size = min(len(wanted), len(lines))
    begins = _promising(lines, wanted, size)
    sought = "\n".join(line.strip() for line in wanted)[:_COMPARED]
    best, score = -1, 0.0
    matcher = difflib.SequenceMatcher(None, "", sought, autojunk=len(sought) > 500)
    for begin in begins:
        matcher.set_seq1("\n".join(line.strip() for line in lines[begin : begin + size])[:_COMPARED])
        if matcher.quick_ratio() > score and (ratio := matcher.ratio()) > score:
            best, score = begin, ratio
    if best < 0 or score < 0.4:
        return None
    return _aligned(lines, wanted, best, best + size)


def _promising(lines: list[str], wanted: list[str], size: int) -> list[int]:
    """The first lines of the windows that share most words with `wanted`."""
    words = Counter(word for line in wanted for word in set(_WORD.findall(line)))
    whole = {line.strip() for line in wanted if line.strip()}
    scores: list[float] = []
    for line in lines:
        found = set(_WORD.findall(line[:2000]))
        shared = sum(min(len(word), 3) / 3 for word in found if word in words)
        scores.append(shared / (1 + len(found) * 0.2) + (4.0 if line.strip() in whole else 0.0))
    total = sum(scores[:size])
    sums = [(total, 0)]
    for begin in range(1, len(lines) - size + 1):
        total += scores[begin + size - 1] - scores[begin - 1]
        sums.append((total, begin))
    sums.sort(key=lambda item: (-item[0], item[1]))
    return [begin for total, begin in sums[:_CANDIDATES] if total > 0]


def _aligned(lines: list[str], wanted: list[str], first: int, last: int) -> tuple[int, int, str]:
    """The place with the lines beside it that are quoted too, and where it first differs."""
    if len(wanted) > _MOST_ALIGNED:
        return first, last, _difference(lines[first:last], wanted, first)
    around = max(first - _AROUND, 0), min(last + _AROUND, len(lines))
    have = [key(line[:_COMPARED]) for line in lines[around[0] : around[1]]]
    matcher = difflib.SequenceMatcher(None, have, [key(line[:_COMPARED]) for line in wanted], autojunk=False)
    same = [block for block in matcher.get_matching_blocks() if any(have[block.a : block.a + block.size])]
    if same:
        # As many lines in front as are quoted there, and behind.
        first = max(around[0] + same[0].a - same[0].b, 0)
        rest = len(wanted) - same[-1].b - same[-1].size
        last = min(around[0] + same[-1].a + same[-1].size + rest, len(lines))
    return first, last, _difference(lines[first:last], wanted, first)


def _difference(have: list[str], wanted: list[str], first: int) -> str:
    number = next((at for at, (h, w) in enumerate(zip(have, wanted, strict=False)) if h != w), None)
    if number is None:
        return ""
    said = wanted[number][:_SHOWN_WIDTH] or _BLANK
    there = have[number][:_SHOWN_WIDTH] or _BLANK
    line = f"Line {first + number + 1}"
    here, quoted = key(have[number]), key(wanted[number])
    if quoted and quoted in map(key, have[number + 1 :]):
        return f"{line} is\n  {there}\nwhich old_string does not have there.\n"
    if here and here in map(key, wanted[number + 1 :]):
        return f"In front of {line.lower()} old_string has\n  {said}\nwhich the file does not have there.\n"
    if "".join(there.split()) == "".join(said.split()) or here == quoted:
        said, there = ascii(said), ascii(there)  # what differs would not be seen
    return f"{line} is\n  {there}\nwhere old_string has\n  {said}\n"


def _numbered(text: str, start: int, end: int) -> str:
    first = line_of(text, start) - 1
    return _numbered_lines(text, first, first + max(1, len(split_lines(text[start:end]))))


def _numbered_lines(text: str, first: int, last: int) -> str:
    lines = [content for content, _ in split_lines(text)[first:last]]
    shown = [f"{first + at + 1:>5}  {line[:_SHOWN_WIDTH]}" for at, line in enumerate(lines[:_SHOWN_LINES])]
    if len(lines) > _SHOWN_LINES:
        shown.append(f"       … {len(lines) - _SHOWN_LINES} more lines")
    return "\n".join(shown)
