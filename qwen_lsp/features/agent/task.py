"""One agentic task from words to edits: the first prompt and the loop."""

from __future__ import annotations

from qwen_lsp.context.epoch import Held
from qwen_lsp.features.agent.course import Course, Means
from qwen_lsp.features.agent.loop import AgentResult, converse
from qwen_lsp.features.agent.opening import Request, Shown, open_with
from qwen_lsp.index.snapshot import Snapshot


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
