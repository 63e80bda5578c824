"""Commands about runs that were: list, land, take back, show, stop."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from qwen_lsp.errors import UserError
from qwen_lsp.server.agent_applying import state_of
from qwen_lsp.server.agent_keeping import answered, landed_and_kept
from qwen_lsp.server.arguments import Token, flag_of, optional_text_of, text_of, texts_of
from qwen_lsp.server.host import Server
from qwen_lsp.text.words import number
from qwen_lsp.workspace.paths import from_uri, within

if TYPE_CHECKING:
    from qwen_lsp.runs.stored import RunInfo, StoredRun
    from qwen_lsp.session import Session


async def agent_runs(ls: Server, arguments: Mapping[str, Any], token: Token) -> list[dict[str, Any]]:
    """The runs of a folder, the latest first; without a `uri` those of all open folders."""
    del token
    uri = optional_text_of(arguments, "uri")
    sessions = [ls.locate(uri)[0]] if uri else list(ls.sessions())
    return await asyncio.to_thread(_listed, [session.root for session in sessions])


def _listed(roots: Sequence[Path]) -> list[dict[str, Any]]:
    from qwen_lsp.runs.stored import infos

    found = [info for root in roots for info in infos(root)]
    return [_told(info) for info in sorted(found, key=lambda info: info.run, reverse=True)]


def _told(info: RunInfo) -> dict[str, Any]:
    from qwen_lsp.runs.landed import steps
    from qwen_lsp.runs.words import ending, facts

    meta, undoable = info.meta, bool(steps(info.run))
    state = ending(meta.ended, running=info.running)
    changed = number(len(meta.files), "file") if meta.files else ""
    return {
        "run": meta.run,
        "task": meta.task,
        "begun": meta.begun,
        "mode": meta.mode,
        "model": meta.model,
        "ended": meta.ended or None,
        "reason": meta.reason,
        "turns": meta.turns,
        "usage": {"prompt": meta.prompt, "completion": meta.completion, "cached": meta.cached},
        "cost": meta.cost,
        "files": list(meta.files),
        "running": info.running,
        "resumable": info.resumable,
        "undoable": undoable,
        "state": state,
        "label": " · ".join(part for part in (state, changed, "applied" if undoable else "") if part),
        "facts": facts(meta.turns, meta.usage, meta.cost),
        "acts": _acts(info, undoable=undoable),
    }


def _acts(info: RunInfo, *, undoable: bool) -> list[dict[str, Any]]:
    """What can be done with a run of the list: the command of each act, with its argument."""
    run, meta = {"run": info.run}, info.meta
    over = meta.files and not info.running
    acts = [
        ("Look at the changes", "qwen.showRun", {**run, "form": "changes"}, over),
        ("Show what happened", "qwen.showRun", {**run, "form": "markdown"}, True),
        ("Go on", "qwen.edit", {"resume": info.run, "apply": False}, info.resumable),
        ("Take back", "qwen.undoEdit", run, undoable),
        ("Commit", "qwen.commitEdit", run, undoable),
    ]
    return [{"title": t, "command": name, "argument": of} for t, name, of, possible in acts if possible]


async def land_edit(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Land a run that was only looked at so far: all of it, or some of its files."""
    del token
    run = text_of(arguments, "run")
    session, stored = await of_run(ls, run)
    if stored.info.running:
        raise UserError("This run is still going on; stop it first.")
    chosen = _chosen(session, texts_of(arguments, "files"))
    edits = [edit for edit in stored.edits if chosen is None or {edit.path, edit.moved_from} & chosen]
    if chosen is not None and (unknown := chosen - {name for e in edits for name in (e.path, e.moved_from)}):
        raise UserError(f"The run did not change {', '.join(sorted(unknown))}.")
    if not edits:
        raise UserError("The run changed nothing.")
    made = await landed_and_kept(
        ls,
        session,
        run,
        edits,
        title="Qwen",
        reason=stored.info.meta.task,
        confirm=flag_of(arguments, "confirm", default=False),
        unasked=True,
    )
    answer = answered(ls, session, made)
    if not made.files and not made.problem:  # nothing was left to do
        states = [{"path": e.path, "state": state_of(session, e)} for e in edits]
        files = [{**s, "uri": ls.target(session, s["path"]).uri, "way": None} for s in states]
        answer |= {"files": files, "applied": all(s["state"] == "applied" for s in states)}
    return {"run": run, **answer}


def _chosen(session: Session, named: Sequence[str] | None) -> set[str] | None:
    """Files named by path or by URI, as paths; None for all."""
    if named is None:
        return None
    found: set[str] = set()
    for name in named:
        path = from_uri(name)
        inside = within(session.root, path) if path is not None else None
        found.add(inside or name)
    return found


async def undo_edit(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Take back what has landed of a run, or of the run that landed last."""
    from qwen_lsp.runs.landed import latest
    from qwen_lsp.runs.stored import infos
    from qwen_lsp.server.agent_undo import taken_back

    del token
    run = optional_text_of(arguments, "run")
    if not run:
        uri = optional_text_of(arguments, "uri")
        session = ls.locate(uri)[0] if uri else next(ls.sessions(), None)
        if session is None:
            raise UserError("qwen.undoEdit needs an open folder, a `run` or a `uri`")
        run = await asyncio.to_thread(lambda: latest([info.run for info in infos(session.root)]))
    else:
        session, _ = await of_run(ls, run)
    made = await taken_back(ls, session, run)
    return {"run": run, "undone": made.applied, **answered(ls, session, made)}


async def stop_edit(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Stop a run: its command answers with what it has so far, and it can be resumed."""
    del token
    run = optional_text_of(arguments, "run")
    uri = optional_text_of(arguments, "uri")
    at_work = list(ls.at_work.items())
    if uri:
        session = ls.locate(uri)[0]
        at_work = [(s, work) for s, work in at_work if s is session]
    stopped = [work.run for _, work in at_work if (not run or work.run == run) and work.stop()]
    return {"stopped": stopped}


async def of_run(ls: Server, run: str) -> tuple[Session, StoredRun]:
    """The open folder of a run, and the run. Raises UserError where there is no such run or folder."""
    from qwen_lsp.runs.stored import load

    stored = await asyncio.to_thread(load, run)
    session = next((s for s in ls.sessions() if str(s.root) == stored.info.meta.root), None)
    if session is None:
        raise UserError(f"The run {run} belongs to the folder {Path(stored.info.meta.root).name}; open it.")
    return session, stored
