"""`qwen.showRun`: what happened in a run, as a page for a browser or as Markdown, and what it changes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qwen_lsp.errors import UserError
from qwen_lsp.server.agent_keeping import changes
from qwen_lsp.server.arguments import Token, choice_of, flag_of, text_of, theme_of
from qwen_lsp.server.host import Server
from qwen_lsp.server.showing import show_file
from qwen_lsp.workspace.paths import uri_of

if TYPE_CHECKING:
    from pathlib import Path

    from qwen_lsp.runs.stored import StoredRun
    from qwen_lsp.runs.story import Turn


async def show_run(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """A run in one of its forms: `html` is a page in the user's cache folder, opened outside."""
    from qwen_lsp.runs.stored import load

    del token
    form = choice_of(arguments, "form", ("html", "markdown", "changes", "texts"), "html")
    show = flag_of(arguments, "show", default=True)
    theme = theme_of(arguments)
    stored = await asyncio.to_thread(load, text_of(arguments, "run"))
    if form == "markdown":
        return {"run": stored.info.run, "markdown": await asyncio.to_thread(markdown, stored)}

    if form == "texts":
        path = text_of(arguments, "path")
        edit = next((edit for edit in stored.edits if edit.path == path), None)
        if edit is None:
            raise UserError(f"the run {stored.info.run} does not change {path}")
        return {"run": stored.info.run, "before": edit.before or "", "after": edit.after or ""}

    if form == "changes":
        session = next((one for one in ls.folders.values() if str(one.root) == stored.info.meta.root), None)
        if session is None:
            raise UserError(f"the folder of the run {stored.info.run} is not open")
        landed = await asyncio.to_thread(_landed, stored.info.run)
        told = changes(ls, session, stored.edits)
        return {"run": stored.info.run, "changes": [{**one, "landed": one["path"] in landed} for one in told]}

    def write() -> Path:
        from qwen_lsp.runs.page import page
        from qwen_lsp.session.pages import keep_page

        return keep_page(page(stored, theme))

    try:
        written = await asyncio.to_thread(write)
    except OSError as error:
        raise UserError(f"the page could not be written: {error.strerror or error}") from None
    shown = show and await show_file(ls, written, external=True)
    return {"run": stored.info.run, "page": {"path": str(written), "uri": uri_of(written), "shown": shown}}


def _landed(run: str) -> set[str]:
    from qwen_lsp.runs.landed import steps

    return {file.edit.path for step in steps(run) for file in step.files}


def markdown(stored: StoredRun) -> str:
    """What was asked, what happened turn by turn, and what it changes. Texts of others stand in fences."""
    from qwen_lsp.features.markdown import fenced
    from qwen_lsp.runs.story import told
    from qwen_lsp.runs.words import facts
    from qwen_lsp.text.edits import unified
    from qwen_lsp.text.words import number

    story, meta = told(stored.events()), stored.info.meta
    diff = "".join(unified(edit) for edit in stored.edits)
    parts = [
        f"# Agent run {meta.run}",
        fenced(meta.task),
        f"{meta.ended or 'not over'}: {story.reason}" if story.reason else meta.ended or "not over",
        facts(len(story.turns), story.usage, story.cost),
        *(part for turn in story.turns for part in _turn(turn)),
        f"## Changes: {number(len(stored.edits), 'file')}",
        *([fenced(diff, "diff")] if diff else []),
    ]
    return "\n\n".join(parts) + "\n"


def _turn(turn: Turn) -> list[str]:
    from qwen_lsp.features.markdown import fenced
    from qwen_lsp.runs.words import about, first_line

    parts = [f"## Turn {turn.number}" if turn.number else "## A turn that was cut off"]
    if turn.said.strip():
        parts.append(fenced(turn.said.strip()))
    lines: list[str] = []
    for call in turn.calls:
        state = {True: "ok", False: "failed", None: "not over"}[call.ok]
        lines.append(f"{call.tool} {about(call.tool, call.arguments)}: {state}")
        if call.ok is False:
            lines.append(f"    {first_line(call.text)}")
    if lines:
        parts.append(fenced("\n".join(lines)))
    return parts
