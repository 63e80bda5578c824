"""`qwen.edit`: a task carried out beside the editor, then one edit for the person to review."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any

from qwen_lsp.errors import ConflictError, EndpointError, EndpointMissing, UserError
from qwen_lsp.server.agent_asking import answer, can_ask, leave
from qwen_lsp.server.agent_events import Telling
from qwen_lsp.server.agent_keeping import answered, changes, landed_and_kept
from qwen_lsp.server.agent_runs import of_run
from qwen_lsp.server.agent_turns import at_work
from qwen_lsp.server.agent_work import Work
from qwen_lsp.server.arguments import (
    Token,
    choice_of,
    flag_of,
    optional_text_of,
    selection_of,
    text_of,
    texts_of,
    token_of,
)
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.progress import Progress, progress
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

if TYPE_CHECKING:
    from qwen_lsp.features.agent.approval import Answer, Ask
    from qwen_lsp.features.agent.asking import Question
    from qwen_lsp.features.agent.events import AgentEvent
    from qwen_lsp.index.snapshot import Snapshot
    from qwen_lsp.session import Session
    from qwen_lsp.settings import AgentMode

MODES: tuple[AgentMode, ...] = ("plan", "ask", "allow")
"""From the least to the most that a run may do without asking."""


@dataclass(frozen=True, slots=True)
class Wish:
    """What a `qwen.edit` asks for, checked."""

    session: Session
    snapshot: Snapshot
    task: str
    place: Place | None
    selection: Span | None
    paths: tuple[RelPath, ...]
    mode: AgentMode
    resume: str | None
    apply: bool
    unasked: bool


async def edit(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Carry out a task, then hand the editor one edit to review: the agent's, or one of a selection."""
    wish = await _wish(ls, arguments)
    if wish.place is not None and arguments.get("scope") == "selection":
        with progress(ls, "Qwen is editing", token) as bar:
            told, edits = await _edit_selection(wish.place, wish.selection, wish.task)
            return await _landed(ls, wish, told, edits, bar)
    if wish.session.endpoint is None:
        raise EndpointMissing("The agent")
    stream = token_of(arguments, "stream")
    async with at_work(ls, wish.session, wish.task) as work:
        with progress(ls, "Qwen is editing", token, work.stop) as bar:
            telling = Telling(ls, wish.session, stream, bar, work)
            told, edits = await _run_agent(ls, wish, work, telling)
            return await _landed(ls, wish, told, edits, bar)


async def _wish(ls: Server, arguments: Mapping[str, Any]) -> Wish:
    resume = optional_text_of(arguments, "resume")
    task = optional_text_of(arguments, "task") if resume else text_of(arguments, "task")
    place = ls.place(text_of(arguments, "uri")) if arguments.get("uri") else None
    if place:
        session = place.session
    else:
        session = (await of_run(ls, resume))[0] if resume else next(ls.sessions(), None)
    if session is None:
        raise UserError("qwen.edit needs an open folder or the `uri` of an open file")
    pointed = [place.path] if place else []
    for uri in texts_of(arguments, "files") or ():
        owner, path = ls.locate(uri)
        if owner is not session:
            raise UserError(f"`files`: {path} is in another folder than the rest")
        pointed.append(path)
    most = session.settings.agent.mode
    mode: AgentMode = choice_of(arguments, "mode", MODES, most)
    if MODES.index(mode) > MODES.index(most):
        raise UserError(f"`mode` can only lower what the settings allow, which is {most!r}")
    return Wish(
        session=session,
        snapshot=place.snapshot if place else ls.arrival().snapshots[session],
        task=task,
        place=place,
        selection=selection_of(ls, place, arguments) if place else None,
        paths=tuple(dict.fromkeys(pointed)),
        mode=mode,
        resume=resume or None,
        apply=flag_of(arguments, "apply", default=True),
        unasked=arguments.get("apply") is True,
    )


# -- the agent -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class EditorFront:
    """The person at the editor, as a run sees them."""

    ls: Server
    telling: Telling

    def on_event(self, event: AgentEvent, /) -> None:
        self.telling.told(event)

    async def approve(self, ask: Ask, /) -> Answer:
        self.telling.flush()
        return await leave(self.ls, self.telling.run, ask)

    async def _answer(self, question: Question, /) -> str:
        self.telling.flush()
        return await answer(self.ls, self.telling.run, question)

    @property
    def ask(self) -> Callable[[Question], Awaitable[str]] | None:
        return self._answer if can_ask(self.ls) else None


async def _run_agent(
    ls: Server, wish: Wish, work: Work, telling: Telling
) -> tuple[dict[str, Any], Sequence[FileEdit]]:
    from qwen_lsp.runs.run import carry_out
    from qwen_lsp.runs.stored import load

    place, selection = wish.place, wish.selection
    if wish.resume:
        telling.used = (await asyncio.to_thread(load, wish.resume)).info.meta.usage
    going = carry_out(
        wish.session,
        "" if wish.resume else wish.task,
        front=EditorFront(ls, telling),
        mode=wish.mode,
        paths=wish.paths,
        selection=_quoted(place, selection) if place and selection else "",
        snapshot=wish.snapshot,
        resume=wish.resume,
        more=wish.task if wish.resume else "",
    )
    ran, ended, reason = None, "cancelled", "Stopped. `resume` goes on with it."
    try:
        ran = await work.through(going)
    except EndpointError as error:  # before the first reply; later it is how a run ends
        if not telling.run:
            raise
        ended, reason = "endpoint", str(error)
    finally:
        telling.flush()
    if ran is not None:
        result = ran.result
        meta = load(ran.run).info.meta
        told = {
            "run": ran.run,
            "ended": result.ended,
            "reason": ls.rpc.scrub(result.reason),
            "summary": result.summary,
            "turns": result.turns,
            "usage": asdict(result.usage),
            "cost": meta.cost,
        }
        return told, ran.edits
    stored = load(telling.run) if telling.run else None
    told = {
        "run": telling.run or None,
        "ended": ended,
        "reason": ls.rpc.scrub(reason),
        "summary": "",
        "turns": stored.info.meta.turns if stored else 0,
        "usage": None,
        "cost": stored.info.meta.cost if stored else None,
    }
    return told, stored.edits if stored else ()


async def _landed(
    ls: Server, wish: Wish, told: dict[str, Any], edits: Sequence[FileEdit], bar: Progress
) -> dict[str, Any]:
    """The answer of the command, after the edit has landed where that was wanted."""
    from qwen_lsp.index.landing import landed

    answer: dict[str, Any] = {**told, "applied": False, "files": []}
    try:
        fit = landed(edits, wish.session.snapshot)
    except ConflictError as error:
        return answer | _shown(ls, wish.session, edits) | {"problem": str(error)}
    answer |= _shown(ls, wish.session, fit)
    if not fit or not wish.apply or told["ended"] == "cancelled":
        return answer
    bar.report("waits for you: look at the edit")
    early = "" if told["ended"] == "done" else " (stopped early)"
    landing = await landed_and_kept(
        ls,
        wish.session,
        told["run"],
        edits,
        title=f"Qwen{early}",
        reason=wish.task,
        unasked=wish.unasked and not early,
        wait=True,
    )
    return answer | answered(ls, wish.session, landing)


def _shown(ls: Server, session: Session, edits: Sequence[FileEdit]) -> dict[str, Any]:
    told = changes(ls, session, edits)
    return {"diff": "".join(change["diff"] for change in told), "changes": told}


# -- one selection -------------------------------------------------------------------------------------


async def _edit_selection(
    place: Place, selection: Span | None, task: str
) -> tuple[dict[str, Any], Sequence[FileEdit]]:
    from qwen_lsp.features.actions import edit_selection

    session = place.session
    changes = await edit_selection(
        place.snapshot,
        place.path,
        # An empty selection is a cursor, and a place like any other; only none at all is the file's start.
        Span(0, 0) if selection is None else selection,
        task,
        endpoint=session.endpoint,
        gate=session.gate,
        settings=session.settings.actions,
        count=session.count,
        held=await session.held("action"),
    )
    told = {"run": None, "ended": "done", "reason": "", "summary": changes.description, "turns": 1}
    return told | {"usage": None, "cost": None}, changes.edits


def _quoted(place: Place, selection: Span) -> str:
    """What is selected, as far as a model may see it."""
    from qwen_lsp.features.excerpts import same_lines

    # The gate sees the file itself: its name may withhold it, and a key may be cut by the selection.
    admitted = place.session.gate.admit(place.path, place.lines.text).text
    if admitted is None:
        return ""
    first, last = place.lines.line_at(selection.start) + 1, place.lines.line_at(selection.end) + 1
    shown = same_lines(place.lines.text, admitted, selection)
    text = admitted[shown.start : shown.end]
    return f"{place.path}, lines {first} to {last}:\n{text}" if text.strip() else ""
