"""Commands that a person types in place of a task; the conversation with the model knows nothing of them."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass

from acp import schema

from qwen_lsp.acp_server.line import option, shown
from qwen_lsp.acp_server.talk import Talk
from qwen_lsp.acp_server.undoing import taken_back
from qwen_lsp.acp_server.updates import note, progress
from qwen_lsp.context.render import receipt_text
from qwen_lsp.context.visible import seen, seen_name
from qwen_lsp.errors import UserError
from qwen_lsp.features.agent.unsaved import overlaid
from qwen_lsp.features.explain import explain
from qwen_lsp.features.markdown import code_span, fenced
from qwen_lsp.runs.commit import Question, commit, propose_commit
from qwen_lsp.runs.landed import composed, steps
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.words import number
from qwen_lsp.workspace.paths import inside

_TYPED = re.compile(r"/([a-z]+)(?:\s+(.*))?$", re.DOTALL)
_PLACE = re.compile(r"(?P<file>.+?)(?::(?P<first>\d+)(?:-(?P<last>\d+))?)?$", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Command:
    """One command."""

    said: str
    act: Callable[[Talk, str], Awaitable[None]]
    hint: str = ""
    """What follows it, as a client shows it; empty: nothing."""


def typed(text: str) -> tuple[Command, str] | None:
    """The command in a prompt and what follows it; None where it is a task."""
    match = _TYPED.match(text.strip())
    command = COMMANDS.get(match[1]) if match else None
    return (command, (match[2] or "").strip()) if match and command else None


def offered() -> schema.AvailableCommandsUpdate:
    """The commands, for the client to complete."""
    commands = [
        schema.AvailableCommand(
            name=name,
            description=command.said,
            input=schema.AvailableCommandInput(schema.UnstructuredCommandInput(hint=command.hint))
            if command.hint
            else None,
        )
        for name, command in COMMANDS.items()
    ]
    return schema.AvailableCommandsUpdate(
        session_update="available_commands_update", available_commands=commands
    )


async def _explain(talk: Talk, place: str) -> None:
    match = _PLACE.match(place)
    if match is None:
        raise UserError("Say which file: /explain src/app.py, or some lines of it: /explain src/app.py:10-40")
    session = await talk.folder.ready()
    path = inside(session.root, match["file"].strip())
    snapshot = overlaid(session.snapshot, await talk.buffers.unsaved([path]))
    lines = snapshot.lines(path)
    selection = None
    if match["first"]:
        first = int(match["first"]) - 1
        if not 0 <= first < lines.line_count:
            raise UserError(f"{path} has {number(lines.line_count, 'line')}")
        last = int(match["last"] or match["first"]) - 1
        selection = lines.lines_span(first, max(first, min(last, lines.line_count - 1)))
    pieces = explain(
        snapshot, path, selection, endpoint=session.endpoint, gate=session.gate,
        settings=session.settings.explain, count=session.count, held=await session.held("explain"),
    )  # fmt: skip
    async with aclosing(pieces):
        async for piece in pieces:
            talk.line.say(piece)


async def _undo(talk: Talk, rest: str) -> None:
    session = await talk.folder.ready()
    async with talk.folder.landing:
        files = await taken_back(session, talk.buffers, talk.id)
    await talk.offer(session).settled("undone", files)


async def _apply(talk: Talk, rest: str) -> None:
    stored = await asyncio.to_thread(talk.stored)
    if stored is None or not stored.edits:
        raise UserError("There is no change that has not landed in this conversation.")
    await talk.offer(await talk.folder.ready()).made(stored.edits, unasked=False)


async def _context(talk: Talk, rest: str) -> None:
    last = talk.last
    if last is None:
        raise UserError("Nothing has been sent to the model in this conversation since it was opened here.")
    session = await talk.folder.ready()
    told = [f"{part.path} ({number(part.tokens, 'token')})" for part in last.instructions.parts]
    rows = (
        [receipt_text(last.shown.pack)]
        if last.shown.pack.parts
        else ["No files were put before the latest message.\n"]
    )
    rows += [f"instructions: {', '.join(told)}\n"] if told else []
    usage = last.result.usage
    rows.append(
        f"the last turn: {number(last.result.turns, 'request')}, {usage.prompt:,} tokens sent "
        f"({usage.cached:,} of them cached), {usage.completion:,} written, "
        f"by {session.endpoint.model if session.endpoint else 'no model'}"
    )
    talk.line.say(fenced(seen("\n".join(rows))))


async def _commit(talk: Talk, rest: str) -> None:
    landed = await asyncio.to_thread(steps, talk.id)
    edits: list[FileEdit] = [*composed(landed, "editor"), *composed(landed, "disk")]
    if not edits:
        raise UserError("Nothing of this conversation has landed, so there is nothing to commit.")
    session = await talk.folder.ready()
    stored = await asyncio.to_thread(talk.stored)
    proposed, message = await propose_commit(
        session, edits, task=stored.info.meta.task if stored else "", summary=rest
    )

    async def agreed(question: Question) -> bool:
        id = talk.line.new_id("commit")
        content = shown(fenced(seen(question.detail)))
        talk.line.tell(
            schema.ToolCallStart(
                session_update="tool_call", tool_call_id=id, title=question.title, kind="execute",
                status="pending", content=[content],
            )
        )  # fmt: skip
        call = schema.ToolCallUpdate(
            tool_call_id=id, title=question.title, kind="execute", status="pending", content=[content]
        )
        options = [option("yes", "Yes", "allow_once"), option("no", "No", "reject_once")]
        yes = await talk.line.ask(call, options) == "yes"
        talk.line.tell(progress(id, status="completed" if yes else "failed"))
        return yes

    made = await commit(proposed, message, agreed)
    said = "Not committed." if made is None else f"Committed as {made.id[:12]}: {seen_name(made.subject)}"
    talk.line.tell(note(said))


async def _status(talk: Talk, rest: str) -> None:
    session = talk.folder.session
    endpoint = session.endpoint
    model = "none: set OPENAI_BASE_URL and OPENAI_MODEL" if endpoint is None else code_span(endpoint.model)
    waiting = await asyncio.to_thread(talk.stored)
    rows = [
        f"- folder: {code_span(str(talk.cwd))}, {number(len(session.snapshot.files), 'file')}",
        f"- model: {model}",
        f"- mode: {talk.mode}",
        f"- not landed: {number(len(waiting.edits) if waiting else 0, 'file')}",
        *(f"- {seen_name(problem)}" for problem in session.errors),
    ]
    talk.line.say("\n".join(rows))


COMMANDS: Mapping[str, Command] = {
    "explain": Command("Explain a file, or some lines of it", _explain, "FILE[:LINE-LINE]"),
    "undo": Command("Take back the latest change that landed", _undo),
    "apply": Command("Offer the change again that has not landed", _apply),
    "context": Command("Show what was sent to the model, and why", _context),
    "commit": Command("Commit what has landed, after a look at it", _commit, "what to say of it"),
    "status": Command("Show folder, model, mode and problems", _status),
}
