"""`qwen.commitEdit`: what has landed of a run committed, and pushed where that is wanted, each on a yes."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qwen_lsp.errors import UserError
from qwen_lsp.server.agent_asking import agree, can_approve, can_choose
from qwen_lsp.server.agent_landing import unsaved
from qwen_lsp.server.agent_runs import of_run
from qwen_lsp.server.arguments import Token, flag_of, optional_text_of, text_of
from qwen_lsp.server.host import Server

if TYPE_CHECKING:
    from qwen_lsp.runs.commit import Question


async def commit_edit(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Commit the files that a run has landed, after the person has seen which and with what message."""
    from qwen_lsp.runs.commit import commit, propose_commit, propose_push, push
    from qwen_lsp.runs.landed import composed, steps
    from qwen_lsp.workspace.committing import look

    del token
    run = text_of(arguments, "run")
    wants_push = flag_of(arguments, "push", default=False)
    agreed = flag_of(arguments, "agreed", default=False)
    if not (agreed or can_approve(ls) or can_choose(ls)):
        raise UserError("this editor cannot ask you: say `agreed: true` when you have looked at the run")
    session, stored = await of_run(ls, run)
    landings = await asyncio.to_thread(steps, run)
    edits = [edit for way in ("editor", "disk") for edit in composed(landings, way)]
    if not edits:
        raise UserError(f"Nothing of the run {run} has landed, so there is nothing to commit.")
    if open_texts := await asyncio.to_thread(unsaved, session, edits):
        raise UserError(f"Save first, since what is on disk is committed: {', '.join(open_texts)}")

    async def yes(question: Question) -> bool:
        return agreed or await agree(ls, "commit", question.title, question.detail) is True

    if message := optional_text_of(arguments, "message"):
        proposed = await look(session.root, edits)
    else:
        proposed, message = await propose_commit(session, edits, task=stored.info.meta.task)
    made = await commit(proposed, message, yes)
    left_out = [{"path": path, "reason": reason} for path, reason in proposed.left_out]
    answer: dict[str, Any] = {"run": run, "commit": None, "message": message, "pushed": None}
    answer["left_out"] = left_out
    if made is None:
        return answer | {"problem": "it was refused"}
    answer["commit"] = {
        "id": made.id, "subject": made.subject, "files": list(made.paths), "hooks": list(made.hooks)
    }  # fmt: skip
    if wants_push:
        try:
            said = await push(await propose_push(session), yes)
        except UserError as error:  # the commit stands whatever comes of the push
            return answer | {"problem": ls.rpc.scrub(str(error))}
        answer["pushed"] = said
        if said is None:
            answer["problem"] = "the push was refused"
    return answer
