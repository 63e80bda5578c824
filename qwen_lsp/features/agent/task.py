"""One agentic task from words to edits: the first prompt, the loop, and landing on what changed meanwhile."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_lsp.context.epoch import Held
from qwen_lsp.errors import ConflictError
from qwen_lsp.features.agent.course import Course, Means
from qwen_lsp.features.agent.loop import AgentResult, converse
from qwen_lsp.features.agent.opening import Request, Shown, open_with
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.text.edits import FileEdit, rebase
from qwen_lsp.workspace.paths import RelPath


async def run(
    snapshot: Snapshot,
    request: Request,
    means: Means,
    *,
    held: Held | None = None,
    shown: Shown | None = None,
) -> AgentResult:
    """Carry out what is asked on a fork of `snapshot`; nothing is written.

    Raises EndpointError where not even the window of the model can be found out. With
    `held` a large first message extends that of the last run. `shown` is told what it shows.
    """
    course = await Course.begin(snapshot, means)
    return await converse(course, lambda: open_with(course, request, held, shown))


def landed(edits: Sequence[FileEdit], current: Snapshot) -> list[FileEdit]:
    """The edits as they apply to what the files are now; unchanged where nobody touched a file since.

    Raises ConflictError naming every file that was changed on both sides in the same place.
    """
    result: list[FileEdit] = []
    clashes: list[str] = []
    for edit in edits:
        path = RelPath(edit.path)
        now = current.text(path) if current.has(path) else None
        if now == edit.before:
            result.append(edit)
        elif now is not None and edit.before is not None and edit.after is not None:
            try:
                merged = rebase(edit.before, edit.after, now)
            except ConflictError as error:
                clashes.append(f"{edit.path}: {error}")
                continue
            if merged != now:
                result.append(FileEdit(edit.path, now, merged, edit.moved_from, edit.why))
        elif now != edit.after:
            clashes.append(f"{edit.path}: it was created, changed or deleted meanwhile")
    if clashes:
        raise ConflictError(
            "Nothing was changed, because these files changed meanwhile: " + "; ".join(clashes)
        )
    return result
