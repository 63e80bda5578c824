"""Receipt: how a suggestion came about, for whoever asks why; and the same in words."""

from __future__ import annotations

import re
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Literal

from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate, Withheld

Source = Literal["model", "cache", "embedded"]


@dataclass(frozen=True, slots=True)
class PromptPart:
    """One part of the prompt: of another file, or the text before or behind the cursor."""

    path: str
    tokens: int
    why: str


@dataclass(frozen=True, slots=True)
class Receipt:
    """What is known of one suggestion. `stages` are milliseconds, in the order in which they passed."""

    path: RelPath
    line: int
    column: int
    """Both zero-based, in code points."""
    source: Source = "model"
    text: str = ""
    """What was shown; empty when nothing was."""
    model: str = ""
    host: str = ""
    route: str = ""
    tokens: int = 0
    parts: tuple[PromptPart, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    raw: str = ""
    """What the model said, before anything was taken out."""
    ended: str = ""
    removed: tuple[str, ...] = ()
    problem: str = ""
    confidence: float | None = None
    """Of the embedded default."""
    before: str = ""
    """The end of the line before the cursor; never told, but what a secret in the answer is known by."""
    typed: int = 0
    """Characters of the answer that stood there already when it was shown."""
    ahead: bool = False
    """Whether it was fetched while the suggestion before it was being read."""
    stages: tuple[tuple[str, float], ...] = field(default=())

    def shown(self, text: str, source: Source, typed: int = 0, took: float = 0.0) -> Receipt:
        """The receipt of the same answer, shown again farther on."""
        stages = (("look-up", took * 1_000),) if source == "cache" else self.stages
        return replace(self, text=text, source=source, typed=typed, stages=stages)


def safe(receipt: Receipt, gate: Gate) -> Receipt:
    """The receipt with secrets taken out of what was said, to be shown or passed on."""
    typed = receipt.raw[: max(0, receipt.typed)]
    return replace(
        receipt,
        raw=_redacted(receipt.raw, receipt.before, receipt.path, gate),
        text=_redacted(receipt.text, receipt.before + typed, receipt.path, gate),
        before="",
    )


def _redacted(text: str, before: str, path: RelPath, gate: Gate) -> str:
    return gate.admit_around(path, before + text, len(before))[1].text or ""


def as_json(receipt: Receipt) -> dict[str, Any]:
    """The receipt as one JSON object, as docs/protocol.md describes it."""
    return {
        "place": {"path": receipt.path, "line": receipt.line, "column": receipt.column},
        "source": receipt.source,
        "cached": receipt.source == "cache",
        "text": receipt.text,
        "model": receipt.model,
        "host": receipt.host,
        "route": receipt.route,
        "tokens": receipt.tokens,
        "parts": [asdict(part) for part in receipt.parts],
        "withheld": [asdict(item) for item in receipt.withheld],
        "stages": [{"name": name, "ms": round(took, 3)} for name, took in receipt.stages],
        "raw": receipt.raw,
        "ended": receipt.ended,
        "removed": list(receipt.removed),
        "problem": receipt.problem,
        "confidence": receipt.confidence,
        "typed": receipt.typed,
        "ahead": receipt.ahead,
    }


def told(receipt: Receipt, title: str = "Why this suggestion") -> str:
    """The receipt as Markdown."""
    lines = [f"# {title}: {receipt.path}:{receipt.line + 1}", "", _origin(receipt), ""]
    if receipt.text:
        lines += [*_fenced(receipt.text), ""]
    elif receipt.source != "embedded":
        lines += ["Nothing was shown.", ""]
    if receipt.problem:
        lines += [f"The endpoint gave no answer: {receipt.problem}.", ""]
    lines += [f"- It ended because {receipt.ended}."] if receipt.ended else []
    lines += [f"- Taken out: {reason}." for reason in receipt.removed]
    if receipt.removed and receipt.raw != receipt.text:
        lines += ["", "What the model said:", "", *_fenced(receipt.raw)]
    if receipt.stages:
        lines += ["", f"Time: {', '.join(f'{name} {took:.1f} ms' for name, took in receipt.stages)}."]
    if receipt.parts:
        lines += ["", f"The prompt: {receipt.tokens:,} tokens.", ""]
        lines += [f"- {part.path}, {part.tokens:,} tokens: {part.why}" for part in receipt.parts]
    for item in receipt.withheld:
        where = item.path if item.line is None else f"{item.path}:{item.line}"
        lines.append(f"\nWithheld: {where}, {item.reason}.")
    return "\n".join(lines) + "\n"


def _fenced(text: str) -> list[str]:
    longest = max((len(run) for run in re.findall("`+", text)), default=0)
    fence = "`" * max(3, longest + 1)
    return [fence, text, fence]


def _origin(receipt: Receipt) -> str:
    if receipt.source == "embedded":
        sure = f", {receipt.confidence:.0%} sure" if receipt.confidence is not None else ""
        return f"From the embedded default, without a model{sure}."
    asked = f"`{receipt.model}` at {receipt.host}" if receipt.host else "the model"
    by = f" ({receipt.route})" if receipt.route else ""
    if receipt.source == "cache":
        typed = f", {receipt.typed} characters of it were there already" if receipt.typed > 0 else ""
        if receipt.ahead:
            return f"Fetched from {asked} while the suggestion before it was being read{typed}."
        return f"Known from an earlier answer of {asked}{by}: no request was made{typed}."
    return f"From {asked}{by}."
