"""Values put into a text of JSON and taken out of it, while every other character stays where it is.

Pure. New lines look like their neighbours: same indentation, same line ends, one line where the file is one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from qwen_lsp.cli.setup.jsonc import Member, Value, parse, skipped

_REST_OF_LINE = re.compile(r"[ \t]*(?:/\*[^\r\n]*?\*/[ \t]*)*(?://[^\r\n]*)?")
_INDENT = re.compile(r"(?:^|\n)([ \t]+)\S")


class Unfit(Exception):
    """Something stands where an object or an array would have to be; the message says where."""


@dataclass(frozen=True, slots=True)
class Put:
    """A value wanted at a path of names; with `item` it is to be among the items of the array there."""

    path: tuple[str, ...]
    value: Any
    item: bool = False


@dataclass(frozen=True, slots=True)
class Done:
    """What one `Put` has changed: enough to take it back."""

    put: Put
    old: str | None
    """The text of the value that stood there, None where none did."""
    made: int
    """How many objects and arrays on the way were not there before."""


def value_at(root: Value | None, path: Sequence[str]) -> Value | None:
    """The value at a path of names, or None."""
    for name in path:
        member = root.get(name) if root else None
        root = member.value if member else None
    return root


def put(text: str, wanted: Put) -> tuple[str, Done | None]:
    """The text with a value in its place, and what was changed; None: it was so already.

    Raises NotJson, and Unfit where something else is in the way.
    """
    root = parse(text)
    if root is None:
        whole: Any = [wanted.value] if wanted.item else wanted.value
        for name in reversed(wanted.path):
            whole = {name: whole}
        return _begun(text, whole), Done(wanted, None, len(wanted.path) + wanted.item)
    at, names = root, list(wanted.path)
    while names:
        if not at.is_object:
            raise Unfit(_in_the_way(wanted.path[: len(wanted.path) - len(names)], "an object"))
        member = at.get(names[0])
        if member is None:
            made: Any = [wanted.value] if wanted.item else wanted.value
            for name in reversed(names[1:]):
                made = {name: made}
            grown = _grown(text, at, made, names[0])
            return grown, Done(wanted, None, len(names) - 1 + wanted.item)
        at = member.value
        names.pop(0)
    if not wanted.item:
        if _same(at.plain, wanted.value):
            return text, None
        new = _rendered(text, wanted.value, _indent_at(text, at.start), _inline(text, at))
        return text[: at.start] + new + text[at.end :], Done(wanted, text[at.start : at.end], 0)
    if at.is_object or at.members is None:
        raise Unfit(_in_the_way(wanted.path, "a list"))
    if wanted.value in at.plain:
        return text, None
    return _grown(text, at, wanted.value, None), Done(wanted, None, 0)


def taken_back(text: str, done: Done) -> str | None:
    """The text without what was put in; None where something else stands there now. Raises NotJson."""
    path = done.put.path
    at = value_at(parse(text), path)
    if at is None:
        return None
    if done.put.item:
        items = [member for member in at.members or () if _same(member.value.plain, done.put.value)]
        if at.is_object or not items:
            return None
        return _tidied(_shrunk(text, at, items[-1]), path, done.made)
    if not _same(at.plain, done.put.value):
        return None
    if done.old is not None:
        return text[: at.start] + done.old + text[at.end :]
    return removed(text, path, done.made)


def removed(text: str, path: Sequence[str], made: int) -> str:
    """The text without the member at a path that is there, and without what it alone was in.

    `made`: how many of the objects around it may go too when nothing else is in them.
    """
    around = value_at(parse(text), path[:-1])
    member = around.get(path[-1]) if around else None
    if around is None or member is None:
        return text
    return _tidied(_shrunk(text, around, member), path[:-1], made)


def _tidied(text: str, path: Sequence[str], made: int) -> str:
    """The text without the empty objects and arrays that were made on the way to something."""
    at = value_at(parse(text), path)
    if not made or at is None or at.members or _has_comments(text, at):
        return text
    if not path:
        rest = text[: at.start] + text[at.end :]
        return rest.rstrip("\r\n") if not rest.strip() else rest
    return removed(text, path, made - 1)


# -- growing -----------------------------------------------------------------------------------------


def _begun(text: str, whole: Any) -> str:
    """A text of nothing but space and comments, with the settings after them."""
    newline = _newline(text)
    before = text if not text.strip() or text.endswith("\n") else text + newline
    return (before if before.strip() else "") + _rendered("\n", whole, "", False, newline) + newline


def _grown(text: str, around: Value, value: Any, key: str | None) -> str:
    newline, indent = _newline(text), _indent_of_members(text, around)
    inline = _inline(text, around)
    name = "" if key is None else json.dumps(key, ensure_ascii=False) + _separators(text, inline)[1]
    new = name + _rendered(text, value, indent, inline)
    if not around.members:
        inner = text[around.start + 1 : around.end - 1]
        if inline:
            filled = inner + new if inner.strip() else new
        else:
            kept = inner.rstrip() if inner.strip() else ""
            filled = f"{kept}{newline}{indent}{new}{newline}{_indent_at(text, around.start)}"
        return text[: around.start + 1] + filled + text[around.end - 1 :]
    last = around.members[-1].value.end
    after = skipped(text, last) + 1 if around.trailing_comma else last
    place = after
    if (
        not inline
        and (rest := _REST_OF_LINE.match(text, after))
        and text[rest.end() : rest.end() + 1] in "\r\n"
    ):
        place = rest.end()
    gap = _separators(text, inline)[0][1:] if inline else newline + indent
    comma_here, comma_there = ("", ",") if around.trailing_comma else (",", "")
    return text[:after] + comma_here + text[after:place] + gap + new + comma_there + text[place:]


def _rendered(text: str, value: Any, indent: str, inline: bool, newline: str | None = None) -> str:
    if inline:
        return json.dumps(value, ensure_ascii=False, separators=_separators(text, inline))
    lines = json.dumps(value, ensure_ascii=False, indent=_unit(text)).split("\n")
    return ((newline or _newline(text)) + indent).join(lines)


def _inline(text: str, around: Value) -> bool:
    """Whether what is in here stands on one line with it."""
    if "\n" in text[around.start : around.end] or ("\n" not in text.strip() and _is_small(text)):
        return False
    if around.members:
        return True
    return "\n" not in text.strip()


def _is_small(text: str) -> bool:
    root = parse(text)
    return root is not None and not root.members


def _separators(text: str, inline: bool) -> tuple[str, str]:
    return (",", ":") if inline and not re.search(r'"\s*:[ \t]', text) else (", ", ": ")


def _newline(text: str) -> str:
    return "\r\n" if "\r\n" in text else "\n"


def _unit(text: str) -> str:
    """One step of indentation: that of the first indented line."""
    match = _INDENT.search(text)
    return match[1] if match else "  "


def _indent_at(text: str, at: int) -> str:
    """The white space that the line of an offset begins with."""
    line = text[text.rfind("\n", 0, at) + 1 : at]
    return line[: len(line) - len(line.lstrip(" \t"))]


def _indent_of_members(text: str, around: Value) -> str:
    if around.members:
        first = around.members[-1].start
        if not text[text.rfind("\n", 0, first) + 1 : first].strip(" \t"):
            return _indent_at(text, first)
    return _indent_at(text, around.start) + _unit(text)


# -- shrinking ---------------------------------------------------------------------------------------


def _shrunk(text: str, around: Value, member: Member) -> str:
    members = around.members or []
    place = next(number for number, other in enumerate(members) if other is member)
    end = member.value.end
    is_last = place == len(members) - 1
    if not is_last or around.trailing_comma:
        end = skipped(text, end) + 1
    start = _line_start(text, member.start)
    if len(members) == 1 and not _has_comments(text, around):
        return text[: around.start + 1] + text[around.end - 1 :]
    if is_last and place and not around.trailing_comma:
        comma = skipped(text, members[place - 1].value.end)
        return text[:comma] + text[comma + 1 : start] + text[end:]
    if not place and start == member.start:  # on one line with the bracket: the space after the comma goes
        end += len(text[end:]) - len(text[end:].lstrip(" \t"))
    return text[:start] + text[end:]


def _line_start(text: str, at: int) -> int:
    """Where the white space before an offset begins, one line end included."""
    begin = len(text[:at].rstrip(" \t"))
    if text[:begin].endswith("\r\n"):
        return begin - 2
    return begin - 1 if text[:begin].endswith("\n") else begin


def _has_comments(text: str, around: Value) -> bool:
    at, inner = around.start + 1, ""
    for member in around.members or ():
        inner += text[at : member.start]
        at = member.value.end
    return "/" in inner + text[at : around.end]


def _same(one: Any, other: Any) -> bool:
    """Whether two values are the same JSON: true is not 1."""
    return json.dumps(one, sort_keys=True) == json.dumps(other, sort_keys=True)


def _in_the_way(path: Sequence[str], what: str) -> str:
    where = f"“{'.'.join(path)}”" if path else "the whole file"
    return f"{where} is not {what}"
