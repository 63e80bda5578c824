"""The pieces of a run's page: a diff in colour, a call with what came of it, the bars of its requests."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence

from qwen_lsp.context.visible import markup, name
from qwen_lsp.features.agent.events import Asked, Began, Compacted, Noted, Planned
from qwen_lsp.runs.diffs import lines, sizes
from qwen_lsp.runs.story import Call, Step, Turn
from qwen_lsp.runs.words import about, first_line, percent, planned, shortened, tokens
from qwen_lsp.text.words import number

_MOST = 20_000
"""Characters of one text; there may be hundreds of them."""
_MOST_DIFF = 3_000
_CODE, _BOLD = re.compile("`([^`\n]+)`"), re.compile(r"\*\*([^*\n]+)\*\*")
_SIGNS = {"completed": "✓", "in_progress": "▸"}
_HEIGHT, _SLOTS = 120, 24


def pre(text: str) -> str:
    """A text as it is; a very long one is cut, and says so."""
    body = f'<pre tabindex="0">\n{markup(text[:_MOST])}</pre>'
    if len(text) > _MOST:
        body += f'<p class="cut">Cut here: the first {_MOST:,} of {len(text):,} characters.</p>'
    return body


def changes(diff: str) -> str:
    """How many lines come and go."""
    added, removed = sizes(diff)
    said = [f'<span class="plus">+{added:,}</span>'] if added else []
    said += [f'<span class="minus">−{removed:,}</span>'] if removed else []
    return " ".join(said)


def said(text: str) -> str:
    """Words of a model as they are, with what stands between backticks or double asterisks set off."""
    return _BOLD.sub(r"<b>\1</b>", _CODE.sub(r"<code>\1</code>", markup(text.strip())))


def diff(text: str, *, heads: bool = True) -> str:
    """A unified diff, line by line; without the names of the file where they stand above it."""
    rows = [row for row in lines(text) if heads or row[0] != "head" or not row[1].startswith(("---", "+++"))]
    body = "".join(f'<span class="{kind}">{markup(line)}</span>' for kind, line in rows[:_MOST_DIFF])
    cut = f'<p class="cut">Cut here: {number(len(rows) - _MOST_DIFF, "more line")}.</p>'
    return f'<div class="diff" tabindex="0"><pre>{body}</pre></div>' + (cut if len(rows) > _MOST_DIFF else "")


def call(one: Call) -> str:
    """A call: a line that opens to its arguments, what it printed, what it changed and what the model saw."""
    sign, style = {True: ("✓", "good"), False: ("✗", "bad"), None: ("…", "wait")}[one.ok]
    told = "" if one.ok in (True, None) else f' <span class="bad">{name(first_line(one.text))}</span>'
    head = (
        f'<span class="{style}">{sign}</span> <code>{name(one.tool)}</code> '
        f'<span class="path">{name(about(one.tool, one.arguments))}</span> {changes(one.diff)} '
        f"<small>{one.seconds:.1f} s</small>{told}"
    )
    body = diff(one.diff) if one.diff else ""
    if one.printed:
        body += pre(one.printed)
    if one.text:
        shown = "" if body else " open"
        body += f"<details{shown}><summary>What the model was told</summary>{pre(one.text)}</details>"
    if one.arguments:
        shown = json.dumps(one.arguments, indent=2, ensure_ascii=False)
        body += f"<details><summary>Arguments</summary>{pre(shown)}</details>"
    return f"<details><summary>{head}</summary>{body}</details>"


def asked(one: Asked) -> str:
    """A question to the person and what they said."""
    detail = pre(one.detail) if one.detail and one.detail not in one.title else ""
    answer = f"<b>{name(one.answer)}</b>" if one.answer else '<span class="wait">no answer</span>'
    return f'<div class="asked"><p>{name(one.title)} {answer}</p>{detail}</div>'


def plan(steps: Sequence[tuple[str, str]]) -> str:
    """The steps of a plan, each with its state."""
    rows = "".join(
        f"<li{' class=done' if status == 'completed' else ''}>{_SIGNS.get(status, '·')} {name(text)}</li>"
        for text, status in steps
    )
    return f'<ul class="plan">{rows}</ul>'


def turn(one: Turn) -> str:
    """One reply of the model and what followed from it."""
    facts = [
        f"{tokens(one.usage.prompt)} sent, {percent(one.usage.cached, one.usage.prompt)} cached",
        f"{tokens(one.usage.completion)} written",
        f"{one.seconds:.1f} s" if one.seconds else "",
    ]
    told = " · ".join(fact for fact in facts if fact)
    head = f"Turn {one.number} <small>{told}</small>" if one.number else "A reply that did not end"
    if one.number == 0 and not one.said:
        head = ""
    words = f'<div class="said">{said(one.said)}</div>' if one.said.strip() else ""
    steps = "\n".join(_step(step) for step in one.steps)
    anchor = f' id="t{one.number}"' if one.number else ""
    return f"<li{anchor}>{f'<h3>{head}</h3>' if head else ''}{words}\n{steps}</li>"


def _step(step: Step) -> str:
    match step:
        case Call():
            # Writing the plan down is told by the plan.
            return "" if step.tool == "todo_write" and step.ok else call(step)
        case Asked():
            return asked(step)
        case Planned():
            return f'<p class="note">Plan: {name(planned(step.todos))}</p>'
        case Compacted():
            return f'<p class="note">{shortened(step)}</p>'
        case Noted():
            return f'<p class="note">{name(step.text)}</p>'
        case Began():
            more = f" The user said: {name(step.more)}" if step.more else ""
            return f'<p class="note">The run ended here and went on later.{more}</p>'


def chart(turns: Sequence[Turn]) -> str:
    """A bar for each request: what the endpoint had cached, what was new to it, what it wrote."""
    shown = [one for one in turns if one.number]
    most = max((one.usage.prompt + one.usage.completion for one in shown), default=0)
    if not most:
        return ""
    wide = 100 / max(_SLOTS, len(shown))
    bars = "".join(_bar(at * wide, wide, one, most) for at, one in enumerate(shown))
    label = f"Tokens of {number(len(shown), 'request')}, {most:,} at most"
    end = min(100.0, len(shown) * wide)
    axis = (
        f'<line x1="0" x2="100%" y1="{_HEIGHT + 16}.5" y2="{_HEIGHT + 16}.5"/>'
        f'<text x="0" y="11">{most:,}</text><text x="0" y="{_HEIGHT + 31}">1</text>'
    )
    if len(shown) > 1:
        axis += f'<text x="{end:.2f}%" y="{_HEIGHT + 31}" text-anchor="end">{shown[-1].number}</text>'
    legend = "".join(
        f'<span><svg width="12" height="12" aria-hidden="true"><rect class="{kind}" width="12" height="12"/>'
        f"</svg>{told}</span>"
        for kind, told in (("cached", "sent, cached"), ("new", "sent, new"), ("written", "written"))
    )
    return (
        f'<div class="chart"><svg width="100%" height="{_HEIGHT + 36}" role="img" aria-label="{label}">'
        f'{axis}{bars}</svg></div><div class="legend">{legend}</div>'
    )


def _bar(left: float, wide: float, one: Turn, most: int) -> str:
    usage = one.usage
    cached = min(usage.cached, usage.prompt)
    title = (
        f"Turn {one.number}: {usage.prompt:,} sent, {percent(usage.cached, usage.prompt)} cached; "
        f"{usage.completion:,} written"
    )
    pieces: list[str] = []
    below = 0.0
    for kind, count in (("cached", cached), ("new", usage.prompt - cached), ("written", usage.completion)):
        tall = _HEIGHT * count / most
        if tall:
            top = 16 + _HEIGHT - below - tall
            across = f'x="{left + wide * 0.1:.3f}%" width="{wide * 0.8:.3f}%"'
            pieces.append(f'<rect class="{kind}" {across} y="{top:.2f}" height="{tall:.2f}"/>')
        below += tall
    return f'<a href="#t{one.number}"><title>{title}</title>{"".join(pieces)}</a>'
