"""A run as one HTML page that needs nothing but itself: what was asked, what happened, what it changes."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from qwen_lsp.context.visible import markup, name, plain
from qwen_lsp.context.webpage_shell import Theme, document
from qwen_lsp.model.messages import Message
from qwen_lsp.runs import page_pieces as pieces
from qwen_lsp.runs.page_style import STYLE
from qwen_lsp.runs.record import Meta
from qwen_lsp.runs.stored import StoredRun, load
from qwen_lsp.runs.story import Story, told
from qwen_lsp.runs.words import clock, first_line, money, percent
from qwen_lsp.text.edits import FileEdit, unified
from qwen_lsp.text.words import number

_LONG_TASK = 200
_OPEN_FILES, _OPEN_LINES = 12, 400
_ENDED = {
    "done": ("done", "good"),
    "cancelled": ("stopped by you", "wait"),
    "": ("not over", "wait"),
}


def page_of(run: str) -> str:
    """The page of a run that was written down. Raises UserError where there is none of this name."""
    return page(load(run))


def page(stored: StoredRun, theme: Theme | None = None) -> str:
    """The page, the same bytes for the same record; what comes from a model, a tool or a file is escaped."""
    story = told(stored.events())
    meta = stored.info.meta
    sections = [
        _head(story, meta, stored.edits),
        _requests(story),
        _changes(stored.edits),
        _timeline(story),
        _sent(meta, stored.messages),
    ]
    links = "".join(
        f'<a href="#{anchor}">{said}</a>'
        for anchor, said, section in zip(
            ("requests", "changes", "timeline", "sent"),
            ("Requests", "Changes", "What happened", "What was sent"),
            sections[1:],
            strict=True,
        )
        if section
    )
    sections.insert(1, f'<nav aria-label="Parts of this page">{links}</nav>')
    title = f"{plain(first_line(meta.task)[:80])} · {plain(_workspace(meta))} · agent run"
    return document(title, "\n".join(section for section in sections if section), style=STYLE, theme=theme)


def _workspace(meta: Meta) -> str:
    return meta.root.rstrip("/").rpartition("/")[2] or meta.root


def _head(story: Story, meta: Meta, edits: Sequence[FileEdit]) -> str:
    ended, style = _ENDED.get(story.ended, ("not finished", "bad"))
    calls = [call for turn in story.turns for call in turn.calls]
    failed = sum(call.ok is False for call in calls)
    usage = story.usage
    facts = [
        ("How it ended", f'<span class="{style}">{ended}</span>'),
        ("Files", f"{len(edits):,}"),
        ("Turns", f"{sum(turn.number > 0 for turn in story.turns):,}"),
        ("Calls", f"{len(calls):,}" + (f" <small>{failed:,} refused or failed</small>" if failed else "")),
        ("Sent", f"{usage.prompt:,} <small>tokens, {percent(usage.cached, usage.prompt)} cached</small>"),
        ("Written", f"{usage.completion:,} <small>tokens</small>"),
        ("Cost", money(story.cost) if story.cost is not None else ""),
        ("Time", clock(story.seconds)),
    ]
    told = "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in facts if value)
    began = f" · {datetime.fromtimestamp(story.began, UTC):%Y-%m-%d %H:%M} UTC" if story.began else ""
    long = " long" if len(meta.task) > _LONG_TASK else ""
    reason = f"<p>{name(story.reason)}</p>" if story.reason and story.ended != "done" else ""
    words = f'<div class="said last">{pieces.said(story.words)}</div>' if story.words else ""
    steps = f"<h2>The plan</h2>{pieces.plan(story.plan)}" if story.plan else ""
    return (
        f"<header>\n<h1><small>Agent run in the workspace {name(_workspace(meta))}</small></h1>"
        f'<p class="task{long}">{markup(meta.task.strip())}</p>'
        f'<p class="soft">{name(meta.run)} · {name(meta.model)} · mode {name(meta.mode)}{began}</p>\n'
        f'<dl class="facts">{told}</dl>\n{reason}{words}{steps}</header>'
    )


def _requests(story: Story) -> str:
    chart = pieces.chart(story.turns)
    if not chart:
        return ""
    return (
        '<section id="requests" aria-labelledby="h-requests">\n'
        f'<h2 id="h-requests">Tokens of each request</h2>\n{chart}\n</section>'
    )


def _changes(edits: Sequence[FileEdit]) -> str:
    if not edits:
        return ""
    rows: list[str] = []
    left = _OPEN_LINES
    for edit in edits:
        text = unified(edit)
        left -= text.count("\n")
        shown = " open" if len(edits) <= _OPEN_FILES and left >= 0 else ""
        moved = f"{name(edit.moved_from)} → " if edit.moved_from else ""
        kind = "new" if edit.before is None else "deleted" if edit.after is None else "moved" if moved else ""
        path = f'<span class="path">{moved}{name(edit.path)}</span>'
        rows.append(
            f"<details{shown}><summary>{path} {pieces.changes(text)} <small>{kind}</small></summary>"
            f"{pieces.diff(text, heads=False)}</details>"
        )
    said = number(len(edits), "file")
    return (
        '<section id="changes" aria-labelledby="h-changes">\n'
        f'<h2 id="h-changes">What it changes: {said}</h2>\n' + "\n".join(rows) + "\n</section>"
    )


def _timeline(story: Story) -> str:
    if not story.turns:
        return ""
    turns = "\n".join(pieces.turn(turn) for turn in story.turns)
    return (
        '<section id="timeline" aria-labelledby="h-timeline">\n<h2 id="h-timeline">What happened</h2>\n'
        f'<ol class="turns">\n{turns}\n</ol>\n</section>'
    )


def _sent(meta: Meta, messages: Sequence[Message]) -> str:
    """What stood before the model's first word: instructions, tools, context and the task."""
    first = [message for message in messages[:2] if message.role in ("system", "user")]
    if not first:
        return ""
    rows = [
        f"<details><summary>{said} <small>{len(message.content):,} characters</small></summary>"
        f"{pieces.pre(message.content)}</details>"
        for message in first
        for said in ("Instructions" if message.role == "system" else "Context and task",)
    ]
    tools = [str(tool["function"]["name"]) for tool in meta.tools]
    rows.append(
        f"<details><summary>Tools <small>{len(tools):,}</small></summary>"
        f"<p>{', '.join(f'<code>{name(tool)}</code>' for tool in tools)}</p></details>"
    )
    return (
        '<section id="sent" aria-labelledby="h-sent">\n<h2 id="h-sent">What was sent first</h2>\n'
        '<p class="soft">Every later request is this with what happened since.</p>\n'
        + "\n".join(rows)
        + "\n</section>"
    )
