"""JSON as people keep it: with comments and trailing commas, and with a place for every value.

Pure. What is read here is edited in `splice`, which needs to know where in the text each thing stands.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

_SPACE = re.compile(r"(?:[ \t\r\n]+|//[^\r\n]*|/\*.*?\*/)*", re.DOTALL)
_STRING = re.compile(r'"(?:[^"\\\x00-\x1f]|\\.)*"')
_SCALAR = re.compile(r"-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?(?![\w.])|(?:true|false|null)\b")
_DEEPEST = 200
"""Levels of nesting; settings have a handful."""


class NotJson(Exception):
    """The text is no JSON, not even with comments; `line` counts from 1."""

    def __init__(self, what: str, line: int) -> None:
        super().__init__(f"line {line}: {what}")
        self.line = line


@dataclass(slots=True)
class Member:
    """One value of an object or array, and where it stands: offsets of code points, ends exclusive."""

    start: int
    """Where the key begins, or the value of an array."""
    value: Value
    key: str | None = None


@dataclass(slots=True)
class Value:
    """A value; `members` are those of an object or array, None for anything else."""

    start: int
    end: int
    is_object: bool = False
    members: list[Member] | None = None
    trailing_comma: bool = False
    plain: Any = field(default=None)
    """What it means, as `json.loads` has it."""

    def get(self, key: str) -> Member | None:
        """The member of that name; of several the last, as every reader has it."""
        named = [member for member in self.members or () if self.is_object and member.key == key]
        return named[-1] if named else None

    def strings(self) -> Iterator[Value]:
        """Every string below that is a value, not a key."""
        if self.members is None:
            if isinstance(self.plain, str):
                yield self
            return
        for member in self.members:
            yield from member.value.strings()


def parse(text: str) -> Value | None:
    """The one value of a text without its byte order mark; None where there is nothing but comments.

    Raises NotJson.
    """
    return _Reader(text).document()


def skipped(text: str, at: int) -> int:
    """Where space and comments that begin at an offset end."""
    match = _SPACE.match(text, at)
    return match.end() if match else at


class _Reader:
    def __init__(self, text: str) -> None:
        self.text = text

    def document(self) -> Value | None:
        begin = skipped(self.text, 0)
        if begin == len(self.text):
            return None
        found = self.value(begin, 0)
        if (rest := skipped(self.text, found.end)) != len(self.text):
            raise self.wrong(rest, "something follows the end of the settings")
        return found

    def value(self, at: int, depth: int) -> Value:
        if depth > _DEEPEST:
            raise self.wrong(at, "it is nested too deeply")
        if self.text[at : at + 1] in ("{", "["):
            return self.container(at, depth)
        if match := _STRING.match(self.text, at):
            return Value(at, match.end(), plain=self.string(match))
        if match := _SCALAR.match(self.text, at):
            return Value(at, match.end(), plain=json.loads(match[0]))
        raise self.wrong(at, "a value is missing" if self.text[at : at + 1] in ",]}" else "this is no value")

    def string(self, match: re.Match[str]) -> str:
        try:
            return str(json.loads(match[0]))
        except ValueError:
            raise self.wrong(match.start(), "a string has an escape that does not exist") from None

    def container(self, at: int, depth: int) -> Value:
        is_object = self.text[at] == "{"
        close = "}" if is_object else "]"
        found = Value(at, at, is_object, [])
        members = found.members = list[Member]()
        place, more = skipped(self.text, at + 1), True
        while self.text[place : place + 1] != close:
            if not more:
                raise self.wrong(place, f"a comma or {close} is missing")
            member = self.member(place, depth) if is_object else Member(place, self.value(place, depth + 1))
            members.append(member)
            place = skipped(self.text, member.value.end)
            more = self.text[place : place + 1] == ","
            if more:
                place = skipped(self.text, place + 1)
        found.end, found.trailing_comma = place + 1, bool(members) and more
        found.plain = (
            {member.key: member.value.plain for member in members}
            if is_object
            else [member.value.plain for member in members]
        )
        return found

    def member(self, at: int, depth: int) -> Member:
        match = _STRING.match(self.text, at)
        if match is None:
            raise self.wrong(at, "a name in double quotes is missing")
        colon = skipped(self.text, match.end())
        if self.text[colon : colon + 1] != ":":
            raise self.wrong(colon, "a colon is missing")
        return Member(at, self.value(skipped(self.text, colon + 1), depth + 1), self.string(match))

    def wrong(self, at: int, what: str) -> NotJson:
        return NotJson(what, self.text.count("\n", 0, at) + 1)
