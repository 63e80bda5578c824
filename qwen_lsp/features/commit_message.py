"""The message of a commit: written by the model as the repository has them, or made without one."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from contextlib import aclosing

from qwen_lsp.errors import EndpointError
from qwen_lsp.features.markdown import fenced
from qwen_lsp.features.prompting import prompt
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import ChatDone, Message
from qwen_lsp.text.edits import FileEdit, unified
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

_MOST_TOKENS = 400
_DIFF_TOKENS = 6_000
"""What of a long change is shown: its beginning, and of each file at least that it changed."""
_SUBJECT = 72
_SHORTEST_CUT = 20
_LONGEST = 4_000
_FENCE = re.compile(r"^\s*(?:`{3,}|~{3,})\w*\s*$")
_TRAILER = re.compile(r"^(?:co-authored-by|signed-off-by|generated[- ](?:by|with))\b", re.IGNORECASE)


async def commit_message(
    edits: Sequence[FileEdit],
    *,
    endpoint: Endpoint | None,
    gate: Gate,
    count: Callable[[str], int],
    subjects: Sequence[str] = (),
    task: str = "",
    summary: str = "",
) -> tuple[str, bool]:
    """A message for these edits, and whether the model wrote it.

    One request at most; without an endpoint, or where it fails or says nothing fit, the task and the names of
    the files have to do. No secret reaches the model.
    """
    if endpoint is not None:
        asked = prompt(
            "commit_message",
            subjects=_shown(gate, "\n".join(subjects)) or "(none yet)",
            task=_shown(gate, task) or "(not said)",
            summary=_shown(gate, summary) or "(nothing)",
            diff=fenced(_diff(edits, gate, count), "diff"),
        )
        try:
            if message := tidy(await _asked(endpoint, asked)):
                return message, True
        except EndpointError:
            pass
    return plain_message(edits, task, summary), False


def plain_message(edits: Sequence[FileEdit], task: str, summary: str = "") -> str:
    """A message without a model: the first sentence of the task or the summary, or what became of files."""
    for text in (task, summary):
        first = re.split(r"(?<=[.!?])\s|\n", text.strip(), maxsplit=1)[0].strip().rstrip(".")
        if first:
            return _cut(first[0].upper() + first[1:])
    names = [edit.path.rpartition("/")[2] for edit in edits]
    verbs = {"Add" if e.before is None else "Delete" if e.after is None else "Change" for e in edits}
    verb = verbs.pop() if len(verbs) == 1 else "Change"
    rest = len(names) - 1
    more = f" and {rest} more file{'s' * (rest > 1)}" if rest > 0 else ""
    return _cut(f"{verb} {names[0] if names else 'nothing'}{more}")


def tidy(reply: str) -> str:
    """What of a reply is a commit message; empty where nothing is."""
    lines = [line.rstrip() for line in reply.strip()[:_LONGEST].replace("\r\n", "\n").split("\n")]
    lines = [line for line in lines if not _FENCE.match(line) and not _TRAILER.match(line)]
    lines = ["".join(c for c in line if c.isprintable() or c == "\t") for line in lines]
    while lines and not lines[0].strip():
        lines.pop(0)
    if not lines:
        return ""
    subject, body = _cut(lines[0].strip().strip("`\"'").lstrip("#").strip().rstrip(".")), lines[1:]
    text = "\n".join(body).strip()
    return f"{subject}\n\n{text}" if subject and text else subject


async def _asked(endpoint: Endpoint, question: str) -> str:
    messages = [Message("user", question)]
    async with aclosing(endpoint.chat(messages, max_tokens=_MOST_TOKENS, temperature=0.0)) as events:
        async for event in events:
            if isinstance(event, ChatDone):
                return event.content if event.finish_reason == "stop" else ""
    return ""


def _diff(edits: Sequence[FileEdit], gate: Gate, count: Callable[[str], int]) -> str:
    room = _DIFF_TOKENS
    shown: list[str] = []
    for edit in edits:
        admitted = gate.admit(RelPath(edit.path), unified(edit)).text
        header = (
            f"{edit.path}: {'new' if edit.before is None else 'deleted' if edit.after is None else 'changed'}"
        )
        piece = admitted if admitted is not None else f"{header}, not shown\n"
        if count(piece) > room:
            piece = f"{header}, left out for length\n"
        room -= count(piece)
        if room < 0:
            shown.append(f"and {len(edits) - len(shown)} more files\n")
            break
        shown.append(piece)
    return "".join(shown)


def _cut(line: str) -> str:
    """A subject that is short enough, cut between two words where that leaves something."""
    if len(line) <= _SUBJECT:
        return line
    at = line.rfind(" ", 0, _SUBJECT)
    return line[: at if at >= _SHORTEST_CUT else _SUBJECT - 1].rstrip(" ,;:") + "…"


def _shown(gate: Gate, text: str) -> str:
    return (gate.admit(RelPath("what was said"), text).text or "").strip()
