"""Pack, and its three faces: the text for a model, the receipt as JSON, the receipt for people."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from qwen_lsp.context.candidates import Form
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Withheld


@dataclass(frozen=True, slots=True)
class Part:
    """What is shown of one file, and why. `name` is that of the content it was made from."""

    path: RelPath
    kind: Form | Literal["gone"]
    text: str
    tokens: int
    why: str
    name: str = ""
    section: Literal["", "frozen", "tail"] = ""
    """Where in an epoch it stands, which keeps its place in later prompts; empty: chosen for this one."""


@dataclass(frozen=True, slots=True)
class Standing:
    """The epoch that a prompt belongs to: tokens of its two sections, and why it was cut."""

    frozen: int
    tail: int
    cut: str


@dataclass(frozen=True, slots=True)
class Pack:
    """What is shown: parts that keep their place first, the nearest last. `tokens` is that of `render`."""

    parts: tuple[Part, ...] = ()
    budget: int = 0
    tokens: int = 0
    withheld: tuple[Withheld, ...] = ()
    left_out: tuple[tuple[RelPath, str], ...] = field(default=())
    standing: Standing | None = None


def piece(path: str, text: str) -> str:
    """One file under its heading. It ends in a blank line, so that pieces can be joined as they are."""
    return f"{heading(path)}{text.rstrip()}\n\n"


def heading(path: str) -> str:
    return f"## {path}\n"


def render(pack: Pack) -> str:
    """The pack as text: each file under a heading with its path."""
    return "".join(piece(part.path, part.text) for part in pack.parts)


def receipt(pack: Pack) -> dict[str, Any]:
    """What was sent, how much of it, why, and what was withheld: everything but the texts."""
    told: dict[str, Any] = {
        "budget": pack.budget,
        "tokens": pack.tokens,
        "parts": [
            {"path": part.path, "kind": part.kind, "tokens": part.tokens, "why": part.why}
            | ({"section": part.section or "near"} if pack.standing else {})
            for part in pack.parts
        ],
        "withheld": [{"path": item.path, "reason": item.reason, "line": item.line} for item in pack.withheld],
        "left_out": [{"path": path, "reason": reason} for path, reason in pack.left_out],
    }
    if pack.standing is not None:
        told["epoch"] = {
            "frozen": pack.standing.frozen, "tail": pack.standing.tail, "cut": pack.standing.cut,
        }  # fmt: skip
    return told


_LONGEST_PATH = 48
_MOST_ROWS = 40


def receipt_text(pack: Pack) -> str:
    """The receipt as a table for people."""
    lines = [f"{pack.tokens:,} of {pack.budget:,} tokens in {len(pack.parts)} files"]
    if pack.standing is not None:
        standing = pack.standing
        lines.append(
            f"  of these {standing.frozen:,} frozen and {standing.tail:,} in the tail of changes; "
            f"the epoch was cut because {standing.cut}"
        )
    shown = sorted(pack.parts, key=lambda part: (-part.tokens, part.path))[:_MOST_ROWS]
    width = max((min(len(part.path), _LONGEST_PATH) for part in shown), default=0)
    for part in shown:
        lines.append(
            f"  {part.tokens:>8,}  {part.kind:<7}  {_short(part.path):<{width}}  {_where(part)}{part.why}"
        )
    if len(pack.parts) > len(shown):
        lines.append(f"  … and {len(pack.parts) - len(shown)} smaller ones")
    for item in pack.withheld:
        where = f"{item.path}:{item.line}" if item.line is not None else item.path
        lines.append(f"  withheld  {where}  {item.reason}")
    if pack.left_out:
        lines.append(f"  left out  {len(pack.left_out)} files, first {pack.left_out[0][0]}")
    return "\n".join(lines) + "\n"


def _where(part: Part) -> str:
    return f"{part.section}: " if part.section else ""


def _short(path: str) -> str:
    return path if len(path) <= _LONGEST_PATH else "…" + path[-_LONGEST_PATH + 1 :]
