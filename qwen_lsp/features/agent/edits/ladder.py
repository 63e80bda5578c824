"""The ladder: exact first, then ever more of what does not matter is overlooked; one place or none.

1. as written; 2. line ends, typographic punctuation and blanks at line ends aside; 3. indentation that
drifted as a whole; 4. `...` lines that stand for the same text in old and new. Each rung must find
exactly one place (or `replace_all`), and a rung that finds several refuses rather than going on.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from qwen_lsp.errors import EditRejected
from qwen_lsp.features.agent.edits import indent, refusal
from qwen_lsp.features.agent.edits.canonical import canonical, find_all
from qwen_lsp.features.agent.edits.lines import lay_over, local_end, split_lines, unify
from qwen_lsp.features.agent.edits.placeholders import placeholder

_ELISION = re.compile(r"^[ \t]*(?:\.{3}|\u2026)[ \t]*\n?", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Change:
    """What one place becomes."""

    start: int
    end: int
    text: str


def replace(text: str, old: str, new: str, *, replace_all: bool = False) -> str:
    """`text` with `old` replaced by `new`; EditRejected, which says what to do instead, where unsure."""
    if not old:
        raise EditRejected(refusal.EMPTY)
    if old == new:
        raise EditRejected(refusal.SAME)
    if left_out := placeholder(new, old):
        raise EditRejected(refusal.omission(left_out))
    changes = (
        _exact(text, old, new, replace_all)
        or _lenient(text, old, new, replace_all)
        or _reindented(text, old, new, replace_all)
        or _elided(text, old, new)
    )
    if not changes:
        raise EditRejected(refusal.not_found(text, old, new))
    result = _apply(text, changes)
    if result == text:
        raise EditRejected(refusal.no_effect(text, changes[0].start))
    return result


def _apply(text: str, changes: list[Change]) -> str:
    pieces: list[str] = []
    at = 0
    for change in changes:
        pieces += (text[at : change.start], change.text)
        at = change.end
    return "".join([*pieces, text[at:]])


def _choose(text: str, places: list[tuple[int, int]], replace_all: bool) -> list[tuple[int, int]]:
    """The one place, or with `replace_all` those that do not overlap; refused when there are several."""
    if len(places) > 1 and not replace_all:
        raise EditRejected(refusal.ambiguous(text, [start for start, _ in places]))
    chosen: list[tuple[int, int]] = []
    for place in places:
        if not chosen or place[0] >= chosen[-1][1]:
            chosen.append(place)
    return chosen


# -- 1 and 2: the same characters -----------------------------------------------------------------------


def _exact(text: str, old: str, new: str, replace_all: bool) -> list[Change]:
    places = [(at, at + len(old)) for at in find_all(text, old)]
    if places and _inside_indentation(text, old, new, places[0][0]):
        try:
            if deeper := _reindented(text, old, new, replace_all):
                return deeper
        except EditRejected:
            pass
    changes: list[Change] = []
    for start, end in _choose(text, places, replace_all):
        laid = new
        if "\r" in text or "\r" in new:
            laid = lay_over(old, old, new, local_end(text, start, end))
            # Asking for nothing but other line ends is asking for them.
            laid = new if laid == old else laid
        changes.append(Change(start, end, laid))
    return changes


def _inside_indentation(text: str, old: str, new: str, start: int) -> bool:
    """Whether one line, quoted with too little indentation, is to become several: these would not line up."""
    if old[0] not in " \t" or "\n" in unify(old).rstrip("\n") or "\n" not in unify(new).strip("\n"):
        return False
    line_start = max(text.rfind("\n", 0, start), text.rfind("\r", 0, start)) + 1
    return start > line_start and not text[line_start:start].strip()


def _lenient(text: str, old: str, new: str, replace_all: bool) -> list[Change]:
    """Line ends only, then punctuation too, then blanks at line ends, then a final line end too many."""
    for punctuation, trailing in ((False, False), (True, False), (False, True), (True, True)):
        form = canonical(text, punctuation=punctuation, trailing=trailing)
        wanted = canonical(old, punctuation=punctuation, trailing=trailing).text
        if not wanted.strip():
            continue
        whole_end = trailing and old[-1:] in (" ", "\t")
        places = [
            (at, at + len(wanted))
            for at in find_all(form.text, wanted)
            if not whole_end or form.text[at + len(wanted) : at + len(wanted) + 1] in ("", "\n")
        ]
        said, want = old, new
        if not places and wanted.endswith("\n") and form.text.endswith(wanted[:-1]):
            # The file's last line has no line end, and keeps none.
            begin = len(form.text) - len(wanted) + 1
            if begin == 0 or form.text[begin - 1] == "\n":
                places = [(begin, len(form.text))]
                said, want = unify(old)[:-1], unify(new).removesuffix("\n")
        changes: list[Change] = []
        for start, end in _choose(text, [(form.start(s), form.end(e)) for s, e in places], replace_all):
            laid = lay_over(text[start:end], said, want, local_end(text, start, end))
            changes.append(Change(start, end, laid))
        if changes:
            return changes
    return []


# -- 3: another indentation -----------------------------------------------------------------------------


def _reindented(text: str, old: str, new: str, replace_all: bool) -> list[Change]:
    said_text, want_text = _without_edges(unify(old), unify(new))
    said = [content for content, _ in split_lines(said_text)]
    want = [content for content, _ in split_lines(want_text)]
    lines = split_lines(text)
    contents = [content for content, _ in lines]
    begins = indent.windows(contents, said)
    if not begins:
        return []
    offsets = [0]
    for content, end in lines:
        offsets.append(offsets[-1] + len(content) + len(end))
    places = [(offsets[at], offsets[at + len(said)]) for at in begins]
    changes: list[Change] = []
    for start, end in _choose(text, places, replace_all):
        at = offsets.index(start)
        adapt = indent.adapter(contents[at : at + len(said)], said, want, contents)
        if adapt is None:
            raise EditRejected(refusal.indentation(text, start, end))
        region = text[start:end]
        if not said_text.endswith("\n"):
            # The line end behind the last line is not part of what was quoted.
            region = region[: len(region) - len(lines[at + len(said) - 1][1])]
        laid = lay_over(region, said_text, want_text, local_end(text, start, end), adapt)
        if said_text.endswith("\n") and not lines[at + len(said) - 1][1] and laid.endswith(("\n", "\r")):
            laid = unify(laid).removesuffix("\n").replace("\n", local_end(text, start, end))
        changes.append(Change(start, start + len(region), laid))
    return changes


def _without_edges(old: str, new: str) -> tuple[str, str]:
    """Both without the blank lines around `old`, which a quotation often gains on its way."""
    while old.startswith("\n") and old.strip():
        old, new = old[1:], new.removeprefix("\n")
    while old.endswith("\n\n") and old.strip():
        old, new = old[:-1], new[:-1] if new.endswith("\n\n") else new
    return old, new


# -- 4: elision -----------------------------------------------------------------------------------------


def _elided(text: str, old: str, new: str) -> list[Change]:
    """`...` lines in old and new, in pairs: what they stand for stays, what is between them is replaced."""
    said, want = _ELISION.split(unify(old)), _ELISION.split(unify(new))
    if len(said) < 2:
        return []
    if len(said) != len(want):
        raise EditRejected(refusal.UNPAIRED)
    if any(not part.strip() for part in (said[0], said[-1])) or any(not part.strip() for part in said):
        raise EditRejected(refusal.OPEN_ELISION)
    form = canonical(text, punctuation=True, trailing=True)
    parts = [canonical(part, punctuation=True, trailing=True).text for part in said]
    chain = _chain(text, form.text, parts)
    changes: list[Change] = []
    for (at, end), part, into in zip(chain, said, want, strict=True):
        start, stop = form.start(at), form.end(end)
        region = text[start:stop]
        laid = lay_over(region, part, into, local_end(text, start, stop))
        changes.append(Change(start, stop, laid))
    return changes


def _chain(text: str, form: str, parts: list[str]) -> list[tuple[int, int]]:
    """The only way to find all parts in order, each on lines of its own; none or several: refused."""
    found = [_on_lines(form, part) for part in parts]
    # How many ways lead to each place of each part, from the last part backwards.
    ways: list[list[int]] = [[1] * len(found[-1])]
    for number in range(len(parts) - 2, -1, -1):
        following = list(zip(found[number + 1], ways[0], strict=True))
        ways.insert(
            0, [sum(w for at, w in following if at >= here + len(parts[number])) for here in found[number]]
        )
    total = sum(ways[0])
    if total == 0:
        raise EditRejected(refusal.not_found(text, max(parts, key=len), ""))
    if total > 1:
        several = max(found, key=len)
        raise EditRejected(refusal.ambiguous_elision([form.count("\n", 0, at) + 1 for at in several]))
    chain: list[tuple[int, int]] = []
    for part, places, counts in zip(parts, found, ways, strict=True):
        after = chain[-1][1] if chain else 0
        at = next(p for p, count in zip(places, counts, strict=True) if count and p >= after)
        chain.append((at, at + len(part)))
    return chain


def _on_lines(form: str, part: str) -> list[int]:
    """Where the part stands on whole lines, 200 places at most: more is no quotation."""
    return [at for at in find_all(form, part)[:200] if at == 0 or form[at - 1] == "\n"]
