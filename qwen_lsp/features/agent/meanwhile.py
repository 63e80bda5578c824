"""What the user wrote while the run went on, kept from a command that may have written over it."""

from __future__ import annotations

from dataclasses import replace

from qwen_lsp.features.agent.toolbox import Desk
from qwen_lsp.sandbox.scratch import Ran


def without_news(desk: Desk, ran: Ran) -> Ran:
    """The same without changes of files that the model does not know as they were before the command.

    Whether a command works on what the user has just written, or writes over it, nobody can tell.
    """
    fork, left_out = ran.fork, list(ran.left_out)
    for path in ran.changed:
        made = fork.buffers.get(path)
        if path in desk.snapshot.buffers or made is None or made.original is None:
            continue
        if news := desk.news(path, made.original):
            fork = fork.overlaid(path, None)
            left_out.append((path, f"it {news}; read it, then run the command again"))
    if fork is ran.fork:
        return ran
    changed = tuple(path for path in ran.changed if path in fork.buffers or path in fork.modes)
    return replace(ran, fork=fork, changed=changed, left_out=tuple(left_out))
