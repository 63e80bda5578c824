"""What each tool does, as text for a model."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing
from typing import Any

from qwen_lsp.errors import EndpointError, QwenLspError, ToolRefused
from qwen_lsp.features.agent import looking, reading
from qwen_lsp.features.agent.arguments import fitted
from qwen_lsp.features.agent.toolbox import Desk, Run, number_of, text_of
from qwen_lsp.features.excerpts import same_lines
from qwen_lsp.features.explain import explain
from qwen_lsp.features.overview import overview
from qwen_lsp.features.repository_map import LEAST as LEAST_MAP
from qwen_lsp.features.repository_map import repository_map
from qwen_lsp.mcp_server import packing
from qwen_lsp.mcp_server.catalog import ENTRIES, MAP_BUDGET
from qwen_lsp.mcp_server.editing import applied
from qwen_lsp.mcp_server.naming import place_of, real, session_of
from qwen_lsp.mcp_server.rooms import Rooms, Tell
from qwen_lsp.session import Session
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

Arguments = Mapping[str, Any]
_Act = Callable[[Sequence[Session], Arguments, Tell], Awaitable[str]]


async def call(rooms: Rooms, name: str, given: Arguments, tell: Tell) -> str:
    """Do what a tool does. Raises QwenLspError with a text that tells a model what to do."""
    entry = ENTRIES.get(name)
    if entry is None:
        raise ToolRefused(f"There is no tool {name!r}. The tools are: {', '.join(ENTRIES)}.")
    present = {key: value for key, value in given.items() if value is not None}
    arguments = fitted(name, entry.parameters, entry.required, present)
    sessions = await rooms.ready(tell)
    arguments = real(arguments, [session.root for session in sessions])
    return await _ACTS[name](sessions, arguments, tell)


async def map_of(rooms: Rooms, tell: Tell) -> str:
    """The map as a resource has it."""
    return await _map(await rooms.ready(tell), {}, tell)


def _everywhere(run: Callable[[Session, Arguments], str]) -> _Act:
    """Asked in each workspace, in a thread; what is refused in one may be found in another."""

    async def act(sessions: Sequence[Session], arguments: Arguments, tell: Tell) -> str:
        del tell
        said: list[str] = []
        refused: list[QwenLspError] = []
        for session in sessions:
            try:
                text = await asyncio.to_thread(run, session, arguments)
            except QwenLspError as error:
                refused.append(error)
                continue
            said.append(text if len(sessions) == 1 else f"# {session.root}\n{text}")
        if refused and not said:
            raise refused[0]
        return "\n\n".join(said)

    return act


def _by_agent(run: Run) -> Callable[[Session, Arguments], str]:
    """A tool of the agent's that only looks."""
    return lambda session, arguments: run(Desk(session.snapshot, session.gate), arguments).text


def _packed(session: Session, arguments: Arguments) -> str:
    task, place = text_of(arguments, "task").strip(), text_of(arguments, "place").strip()
    if not task and not place:
        raise ToolRefused("pack_context needs task, place, or both.")
    return packing.packed(session, task, place, number_of(arguments, "budget", packing.USUAL))


def _mapped(session: Session, arguments: Arguments) -> str:
    budget = number_of(arguments, "budget", MAP_BUDGET)
    if not LEAST_MAP <= budget <= packing.MOST:
        raise ToolRefused(f"repo_map: budget must be from {LEAST_MAP} to {packing.MOST}, not {budget}.")
    folder = text_of(arguments, "path").strip().rstrip("/")
    if folder in ("", ".", str(session.root)):
        folder = ""
    else:
        folder = Desk(session.snapshot, session.gate).path(folder)
    text = repository_map(
        session.snapshot, budget=budget, count=session.count, gate=session.gate, folder=folder
    )
    if not text:
        raise ToolRefused(f"No file that is listed here is below {folder or 'the workspace'}.")
    return text


_map = _everywhere(_mapped)


async def _explained(sessions: Sequence[Session], arguments: Arguments, tell: Tell) -> str:
    """By the model where there is one, else from the index; the first line says by which."""
    named = text_of(arguments, "file_path")
    session = session_of(sessions, [named])
    desk = Desk(session.snapshot, session.gate)
    path, first, last = place_of(desk, named)
    selection = None
    if first is not None and last is not None:
        selection = session.snapshot.lines(path).lines_span(first, last)
    endpoint = session.endpoint
    if endpoint is None:
        return "From the index: no model is configured.\n\n" + await asyncio.to_thread(
            _page, desk, path, selection
        )
    pieces = explain(
        session.snapshot, path, selection, endpoint=endpoint, gate=session.gate,
        settings=session.settings.explain, count=session.count, held=await session.held("explain"),
    )  # fmt: skip
    said: list[str] = []
    try:
        async with aclosing(pieces):
            async for piece in pieces:
                said.append(piece)
                await tell(len(said), None, "Explaining")
    except EndpointError as error:
        page = await asyncio.to_thread(_page, desk, path, selection)
        return f"From the index: the model could not be asked ({error}).\n\n{page}"
    return f"By {endpoint.model}.\n\n{''.join(said)}"


def _page(desk: Desk, path: RelPath, selection: Span | None) -> str:
    """What the index says of a file, of the text that a model may see."""
    text, shown = desk.text(path), desk.shown(path)
    if shown == text:
        return overview(desk.snapshot, path, selection)
    selected = None if selection is None else same_lines(text, shown, selection)
    return overview(desk.snapshot.edited(path, shown, was=text), path, selected)


async def _applied(sessions: Sequence[Session], arguments: Arguments, tell: Tell) -> str:
    del tell
    edits: Sequence[Mapping[str, Any]] = arguments["edits"]
    session = session_of(sessions, [one["file_path"] for one in edits])
    return await applied(session, edits, dry_run=bool(arguments.get("dry_run", False)))


_ACTS: Mapping[str, _Act] = {
    "pack_context": _everywhere(_packed),
    "find_symbol": _everywhere(_by_agent(looking.find_symbol)),
    "references": _everywhere(_by_agent(looking.find_references)),
    "outline": _everywhere(_by_agent(reading.outline)),
    "explain_file": _explained,
    "repo_map": _map,
    "apply_edits": _applied,
}
