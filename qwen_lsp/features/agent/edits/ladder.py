"""The ladder: exact first, then ever more of what does not matter is overlooked; one place or none.

1. as written; 2. line ends, then typographic punctuation, blanks at line ends and the form of letters
aside; 3. indentation that drifted as a whole; 4. `...` lines that stand for the same text in old and new.
Each rung must find exactly one place (or `replace_all`), and a rung that finds several refuses rather
than going on.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.agent.edits import hints, refusal
from qwen_lsp.features.agent.edits.applied import applied, stands
from qwen_lsp.features.agent.edits.canonical import Canonical, find_all, line_ends, loose, loose_file
from qwen_lsp.features.agent.edits.elision import elided
from qwen_lsp.features.agent.edits.frame import is_line, without_margin
from qwen_lsp.features.agent.edits.laying import last_line_stays, lay_over
from qwen_lsp.features.agent.edits.lines import line_start, local_end, starts_line, unify
from qwen_lsp.features.agent.edits.placeholders import placeholder
from qwen_lsp.features.agent.edits.places import Change, choose
from qwen_lsp.features.agent.edits.reindent import reindented

Rung = Literal["exact", "form", "indentation", "elision"]
_REST = re.compile(r"(?<=[^\r\n])[ \t]+(?=[\r\n]|\Z)")
_LAST_BLANKS = re.compile(r"[ \t]\n?\Z")
_MARK = "\ufeff"


@dataclass(frozen=True, slots=True)
class Found:
    """The places of an edit in order, and how much had to be overlooked to find them."""

    changes: tuple[Change, ...]
    rung: Rung


def find(text: str, old: str, new: str, *, replace_all: bool = False, prose: bool = False) -> Found:
    """Where and what `replace` replaces. Raises EditRejected where it does.

    `prose` says that the text may speak of code that is left out, as a page of documentation does.
    """
    if _MARK in (text[:1], old[:1]):
        # A byte order mark is the file's own business.
        old, new = (old[1:], new.removeprefix(_MARK)) if old[:1] == _MARK else (old, new)
        marked = len(text) - len(text.removeprefix(_MARK))
        found = find(text[marked:], old, new, replace_all=replace_all, prose=prose)
        moved = (Change(c.start + marked, c.end + marked, c.text) for c in found.changes)
        return Found(tuple(moved), found.rung)
    if not old:
        raise EditRejected(refusal.EMPTY)
    if old == new:
        raise EditRejected(refusal.SAME)
    if not (prose and len(new) >= len(old)) and (left_out := placeholder(new, old, text)):
        raise EditRejected(refusal.omission(left_out))
    if wrong := hints.dressed(text, old, new):
        raise EditRejected(wrong)
    rungs: tuple[tuple[Rung, Callable[[str, str, str, bool], list[Change]]], ...] = (
        ("exact", _exact), ("form", _lenient), ("indentation", reindented), ("elision", elided),
    )  # fmt: skip
    for rung, look in rungs:
        if changes := look(text, old, new, replace_all):
            if all(text[c.start : c.end] == c.text for c in changes):
                raise EditRejected(refusal.no_effect(text, changes[0].start))
            if lines := applied(text, changes, old, new):
                raise EditRejected(refusal.applied_here(lines))
            if rung == "indentation" and (lines := stands(text, old, new)):
                # Made before at the place that was quoted, and these are other lines with the same words.
                raise EditRejected(refusal.applied_elsewhere(lines))
            return Found(tuple(changes), rung)
    raise EditRejected(refusal.not_found(text, old, new, replace_all))


def apply(text: str, found: Found) -> str:
    """The text with every place replaced."""
    pieces: list[str] = []
    at = 0
    for change in found.changes:
        pieces += (text[at : change.start], change.text)
        at = change.end
    return "".join([*pieces, text[at:]])


def replace(text: str, old: str, new: str, *, replace_all: bool = False) -> str:
    """`text` with `old` replaced by `new`; EditRejected, which says what to do instead, where unsure."""
    return apply(text, find(text, old, new, replace_all=replace_all))


# -- 1 and 2: the same characters -----------------------------------------------------------------------


def _exact(text: str, old: str, new: str, replace_all: bool) -> list[Change]:
    if replace_all and "\r" in text and "\n" in unify(old) and unify(old) != unify(new):
        # Nobody sees line ends: where every place is meant, those with another one are meant too.
        return _in_form(text, old, new, line_ends, replace_all)
    places = [(at, at + len(old)) for at in find_all(text, old)]
    if "\r" in text:
        # A CRLF is one line end, which nobody means to take apart.
        places = [place for place in places if not any(text[at - 1 : at + 1] == "\r\n" for at in place)]
    chosen = choose(text, places, replace_all)
    if is_line(text, chosen, old, new):
        return reindented(text, old, new, replace_all)
    changes: list[Change] = []
    other_ends = "\r" in text or "\r" in new
    for start, end in chosen:
        laid = new
        if other_ends:
            laid = lay_over(old, old, new, local_end(text, start, end))
            # Asking for nothing but other line ends is asking for them.
            laid = new if laid == old else laid
        changes.append(Change(without_margin(text, start, old, new), end, laid))
    return changes


def _lenient(text: str, old: str, new: str, replace_all: bool) -> list[Change]:
    """Line ends only; then all that differs in form; then a final line end that the file does not have."""
    if not old.strip():
        return []
    for form in (line_ends, loose):
        if changes := _in_form(text, old, new, form, replace_all):
            return changes
    if old.endswith(("\n", "\r")) and not text.endswith(("\n", "\r")):
        # The file's last line has no line end, and keeps none.
        said, want = unify(old)[:-1], unify(new).removesuffix("\n")
        for form in (line_ends, loose):
            there, wanted = form(text), form(said).text
            start = there.start(len(there.text) - len(wanted))
            if (
                wanted.strip()
                and there.text.endswith(wanted)
                and start is not None
                and starts_line(text, start)
            ):
                stays = last_line_stays(said, want) and not _LAST_BLANKS.search(want)
                end = len(text.rstrip(" \t")) if stays else len(text)
                laid = lay_over(text[start:end], said, want, local_end(text, start, end))
                return [Change(start, end, laid)]
    return []


def _in_form(
    text: str, old: str, new: str, form: Callable[[str], Canonical], replace_all: bool
) -> list[Change]:
    there, wanted = loose_file(text) if form is loose else form(text), form(old).text
    if not wanted.strip():
        return []
    blank_first = form is loose and not unify(old).partition("\n")[0].strip()
    whole_end = form is loose and old[-1:] in (" ", "\t")
    places: list[tuple[int, int]] = []
    for at in find_all(there.text, wanted):
        start, end = there.start(at), there.end(at + len(wanted))
        if start is not None and blank_first and not text[line_start(text, start) : start].strip():
            start = line_start(text, start)  # the first line is blank, and its blanks are part of it
        behind = there.text[at + len(wanted) : at + len(wanted) + 1]
        if start is not None and end is not None and not (whole_end and behind not in ("", "\n")):
            places.append((start, end))
    chosen = choose(text, places, replace_all)
    if is_line(text, chosen, old, new):
        return reindented(text, old, new, replace_all)
    stays = last_line_stays(old, new) and not _LAST_BLANKS.search(new)
    changes: list[Change] = []
    for start, end in chosen:
        if form is loose and not stays and (blanks := _REST.match(text, end)):
            # Blanks behind the last line stay with it, not with a line that is put below it.
            end = blanks.end()
        laid = lay_over(text[start:end], old, new, local_end(text, start, end))
        changes.append(Change(without_margin(text, start, old, new), end, laid))
    return changes
