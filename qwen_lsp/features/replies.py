"""Code out of a model's reply: the fence, the imports beside it, indentation; and what may not be used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from qwen_lsp.errors import EditRejected
from qwen_lsp.model.messages import FinishReason

_FENCE = re.compile(r"^[ \t]{0,3}(`{3,}|~{3,})[ \t]*([^`\n]*)$")
_NUMBERED = re.compile(r"^\s*\d+\s?[|:\t→]\s?")
_COMMENT = r"^\s*(?:#|//|/\*|\*|--|<!--|;|%|\{/\*)\s*"
_LEFT = r"(?:rest|remainder|remaining|existing|previous|other|original|same)"
_THING = r"(?:code|implementation|body|functions?|methods?|class|file|lines|logic|imports|tests)"
_OMISSION = re.compile(
    _COMMENT
    + r"(?:(?:\.\.\.|…)[\s.]*(?:$|\*/|-->|\w)"
    + rf"|\W*(?:the )?{_LEFT}\b[^.]{{0,60}}\b(?:{_THING}|unchanged|same|as before|goes here)\b"
    + rf"|\W*(?:{_THING}|everything|content)\b[^.]{{0,30}}\b(?:unchanged|omitted|as before|stays the same)\b"
    + r"|\W*(?:unchanged|omitted)\b)",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """The new text of the region, and import lines to add to the file."""

    code: str
    imports: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Block:
    info: str
    text: str
    closed: bool


def read_answer(reply: str, finish_reason: FinishReason) -> Answer:
    """The code in a reply: in a fence with or without a language, or bare. Raises EditRejected.

    A reply that was cut is refused: half a region would delete the other half.
    """
    if finish_reason == "length":
        raise EditRejected("the reply was cut at its longest allowed length")
    blocks = _blocks(reply)
    if any(not block.closed for block in blocks):
        raise EditRejected("the code block has no end")
    imports = tuple(
        line for block in blocks if block.info == "imports" for line in block.text.split("\n") if line.strip()
    )
    code = [block for block in blocks if block.info != "imports"]
    if code:
        return Answer(_unnumbered(max(code, key=lambda block: len(block.text)).text), imports)
    if blocks or not reply.strip():
        raise EditRejected("the reply holds no code")
    return Answer(_unnumbered(reply.strip("\n")), imports)


def _blocks(reply: str) -> list[_Block]:
    found: list[_Block] = []
    marks, info, lines = "", "", list[str]()
    for line in reply.replace("\r\n", "\n").split("\n"):
        match = _FENCE.match(line)
        if not marks:
            if match:
                marks, info, lines = match.group(1), match.group(2).strip().lower(), []
        elif match and match.group(1).startswith(marks) and not match.group(2).strip():
            found.append(_Block(info, "\n".join(lines), closed=True))
            marks = ""
        else:
            lines.append(line)
    if marks:
        found.append(_Block(info, "\n".join(lines), closed=False))
    return found


def _unnumbered(code: str) -> str:
    """Without the line numbers that some models copy, when every line has one."""
    lines = code.split("\n")
    told = [line for line in lines if line.strip()]
    if len(told) > 1 and all(_NUMBERED.match(line) for line in told):
        return "\n".join(_NUMBERED.sub("", line) for line in lines)
    return code


def omission(code: str, before: str) -> str:
    """A line of `code` that stands for code left out, empty when there is none. Lines of `before` may."""
    known = {line.strip() for line in before.splitlines()}
    for line in code.splitlines():
        if line.strip() not in known and _OMISSION.match(line):
            return line.strip()
    return ""


def fitted(code: str, before: str) -> str:
    """`code` with the indentation and the line ends of the lines it replaces, ending as they end."""
    crlf = "\r\n" in before
    lines = code.strip("\n").split("\n")
    shift = _indent(before.replace("\r\n", "\n").split("\n")), _indent(lines)
    if shift[0] != shift[1]:
        lines = _shifted(lines, *shift)
    text = "\n".join(line.rstrip() if not line.strip() else line for line in lines)
    if before.endswith(("\n", "\r")) or not before:
        text += "\n"
    return text.replace("\n", "\r\n") if crlf else text


def _indent(lines: Sequence[str]) -> str:
    for line in lines:
        if line.strip():
            return line[: len(line) - len(line.lstrip())]
    return ""


def _shifted(lines: Sequence[str], wanted: str, had: str) -> list[str]:
    """Every line moved as the first one must be; as they are when one of them cannot be."""
    if any(line.strip() and not line.startswith(had) for line in lines):
        return list(lines)
    return [wanted + line[len(had) :] if line.strip() else "" for line in lines]
