"""git after landing: a commit and a push, each shown first and made only on a person's yes."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

from qwen_lsp.features.commit_message import commit_message
from qwen_lsp.session import Session
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import committing, pushing
from qwen_lsp.workspace.committing import Commit, Committed
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.pushing import Push


@dataclass(frozen=True, slots=True)
class Question:
    """What a person says yes or no to."""

    title: str
    """One question."""
    detail: str
    """Exactly what would happen, in lines."""


Yes = Callable[[Question], Awaitable[bool]]
"""Puts a question to the person; only True is a yes."""


async def propose_commit(
    session: Session, edits: Sequence[FileEdit], *, task: str = "", summary: str = ""
) -> tuple[Commit, str]:
    """The commit that could be made of landed edits (`Landed.edits`), and a message for it.

    One request to the model writes the message; without a model, or where it fails, the task does. Raises
    UserError where no commit can be made, before anything is asked of the model.
    """
    proposed = await committing.look(session.root, edits)
    held = set(proposed.paths)
    message, _ = await commit_message(
        [edit for edit in edits if RelPath(edit.path) in held],
        endpoint=session.endpoint,
        gate=session.gate,
        count=session.count,
        subjects=await committing.subjects(session.root),
        task=task,
        summary=summary,
    )
    return proposed, message


async def commit(proposed: Commit, message: str, agreed: Yes) -> Committed | None:
    """Ask, and commit on a yes; None on a no. Files with the user's own changes are asked for by name.

    Raises UserError with what git says, and where anything changed since it was proposed.
    """
    if not await agreed(Question("Commit this?", _commit_detail(proposed, message))):
        return None
    if proposed.mixed:
        names = "\n".join(proposed.mixed)
        title = "These files hold changes of your own as well. Commit those too?"
        if not await agreed(Question(title, names)):
            return None
    return await committing.commit(proposed, message, with_own=bool(proposed.mixed))


async def propose_push(session: Session, remote: str | None = None, branch: str | None = None) -> Push:
    """The push of the branch checked out, to its upstream or where it is said; reaches no network.

    Raises UserError where none can be made.
    """
    return await pushing.look(session.root, remote, branch)


async def push(proposed: Push, agreed: Yes) -> str | None:
    """Ask, and push on a yes; None on a no. A branch that many share is asked for once more.

    Raises UserError with the reason for which the remote refused, and where anything changed since.
    """
    if not await agreed(Question("Push this?", _push_detail(proposed))):
        return None
    if proposed.protected and not await agreed(
        Question(f"{proposed.target} is a branch that many people share. Push to it all the same?", "")
    ):
        return None
    return await pushing.push(proposed, protected=proposed.protected)


def _commit_detail(proposed: Commit, message: str) -> str:
    lines = [*message.split("\n"), "", f"on {proposed.branch}:", *(f"  {path}" for path in proposed.paths)]
    lines += [f"not in it: {path} ({reason})" for path, reason in proposed.left_out]
    lines += [f"also changed by you: {path}" for path in proposed.mixed]
    lines += _hooks(proposed.hooks)
    return "\n".join(lines)


def _push_detail(proposed: Push) -> str:
    where = f"{proposed.remote}/{proposed.target}" + (" (a new branch)" if proposed.new else "")
    lines = [f"{proposed.branch} to {where}", *(f"  at {url}" for url in proposed.urls), ""]
    lines += [f"  {commit}" for commit in proposed.commits] or ["  no new commits"]
    return "\n".join([*lines, *_hooks(proposed.hooks)])


def _hooks(hooks: Sequence[str]) -> list[str]:
    return [f"hooks that do not run: {', '.join(hooks)}"] if hooks else []
