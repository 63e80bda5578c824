"""The change at one place: what was computed, or what the model writes for these lines and no others."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from qwen_lsp.errors import EditRejected, EndpointError
from qwen_lsp.features.markdown import fenced
from qwen_lsp.features.next_edit.history import Edit
from qwen_lsp.features.next_edit.kinds import Renamed, Reshaped
from qwen_lsp.features.next_edit.places import NextPlace, versions
from qwen_lsp.features.next_edit.signatures import fits, listed
from qwen_lsp.features.next_edit.words import places_of, says
from qwen_lsp.features.prompting import prompt
from qwen_lsp.features.replies import fitted, omission, read_answer
from qwen_lsp.features.rewriting import new_errors
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import ChatDone, Message
from qwen_lsp.settings import CompletionSettings
from qwen_lsp.text.edits import FileEdit, unified
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

SECONDS = 8.0
"""Longest wait for an answer: later, nobody waits for a next edit any more."""
_AROUND = (12, 6, 3, 0)
_MOST_LINES_MORE = 6
_MOST_DEFINITIONS = 2
_LONGEST_HEADER = 20


@dataclass(frozen=True, slots=True)
class NextEdit:
    """`span` of the file's text is to become `text`. `line` is the first one, zero-based.

    `mechanical`: computed here; otherwise a model wrote it.
    """

    path: RelPath
    span: Span
    text: str
    line: int
    why: str
    mechanical: bool


def computed(snapshot: Snapshot, place: NextPlace) -> NextEdit | None:
    """The change at a place whose text is known; None when it would break the syntax. Parses the file."""
    if place.text is None:
        return None
    text = snapshot.text(place.path)
    after = text[: place.span.start] + place.text + text[place.span.end :]
    if new_errors(text, after, snapshot.language(place.path)) is not None:
        return None
    return NextEdit(place.path, place.span, place.text, place.line, place.why, mechanical=True)


async def written(
    snapshot: Snapshot,
    edit: Edit,
    place: NextPlace,
    *,
    endpoint: Endpoint,
    gate: Gate,
    settings: CompletionSettings,
    count: Callable[[str], int],
    seconds: float = SECONDS,
) -> NextEdit | None:
    """The change that a model writes for the lines of a place, in one request.

    None when the gate keeps the lines or the edit from it, when it leaves them as they are, and when what it
    says cannot be used or does not come in time. Raises EndpointError when the endpoint fails.
    """
    asked = await asyncio.to_thread(_asked, snapshot, edit, place, gate, settings, count)
    if asked is None:
        return None
    messages, region = asked
    try:
        async with asyncio.timeout(seconds):
            done = await _answer(endpoint, messages, settings.max_tokens)
    except TimeoutError:
        return None
    if done is None:
        return None
    return await asyncio.to_thread(_checked, snapshot, place, region, done)


async def _answer(endpoint: Endpoint, messages: list[Message], max_tokens: int) -> ChatDone | None:
    stream = endpoint.chat(messages, max_tokens=max_tokens, temperature=0.0)
    async with aclosing(stream):
        async for event in stream:
            if isinstance(event, ChatDone):
                return event
    raise EndpointError("the endpoint ended its answer without saying so")


def _asked(
    snapshot: Snapshot,
    edit: Edit,
    place: NextPlace,
    gate: Gate,
    settings: CompletionSettings,
    count: Callable[[str], int],
) -> tuple[list[Message], Span] | None:
    """The prompt and the whole lines that it asks for."""
    diff = _diff(snapshot, edit, gate)
    index = snapshot.lines(place.path)
    shown = gate.admit(place.path, index.text).text
    why = gate.admit(edit.path, place.why).text
    if diff is None or shown is None or why is None:
        return None
    first, last = place.line, index.line_at(max(place.span.start, place.span.end - 1))
    region, seen = index.lines_span(first, last), LineIndex(shown)
    lines = _text(seen, first, last)
    if lines != index.text[region.start : region.end]:
        return None  # it holds a secret: what the model wrote for it would be wrong
    language = snapshot.language(place.path)
    name = language.id if language is not None else ""
    where = f"Line {first + 1}" if first == last else f"Lines {first + 1} to {last + 1}"
    system = prompt("next_edit_system")
    for more in _AROUND:
        user = prompt(
            "next_edit",
            edited=edit.path,
            diff=fenced(diff, "diff"),
            definitions=_definitions(snapshot, place, gate) if more else "",
            place=where,
            path=place.path,
            why=why,
            around=fenced(_text(seen, max(0, first - more), last + more), name),
            region=fenced(lines, name),
        )
        if count(system) + count(user) <= settings.budget_tokens:
            return [Message("system", system, cache=True), Message("user", user)], region
    return None


def _diff(snapshot: Snapshot, edit: Edit, gate: Gate) -> str | None:
    """The edit with a few lines around it, as far as it may be shown."""
    both = versions(snapshot, edit)
    if both is None:
        return None
    before, after = both
    was, now = gate.admit(edit.path, before.text).text, gate.admit(edit.path, after.text).text
    if was is None or now is None:
        return None
    line = after.index.line_at(edit.start)
    # The gate keeps every line where it was, so the same lines are cut out of both.
    first = max(0, line - 3)
    old = _text(LineIndex(was), first, line + edit.before.count("\n") + 2)
    new = _text(LineIndex(now), first, line + edit.after.count("\n") + 2)
    lines = unified(FileEdit(edit.path, old, new)).splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(("--- ", "+++ ", "@@ ")))


def _definitions(snapshot: Snapshot, place: NextPlace, gate: Gate) -> str:
    """The signatures as they are now of what the edit was about."""
    kind = place.kind
    name = kind.new if isinstance(kind, Renamed) else kind.name if isinstance(kind, Reshaped) else ""
    parts: list[str] = []
    for site in snapshot.definitions(name, limit=_MOST_DEFINITIONS) if name else ():
        text = gate.admit(site.path, snapshot.text(site.path)).text
        if text is not None:
            last = min(site.definition.header_end, site.definition.line + _LONGEST_HEADER)
            header = _text(LineIndex(text), site.definition.line, last)
            parts.append(f"`{site.path}` has:\n\n{fenced(header, site.language)}\n\n")
    return "".join(parts)


def _text(index: LineIndex, first: int, last: int) -> str:
    span = index.lines_span(first, min(last, index.line_count - 1))
    return index.text[span.start : span.end]


def _checked(snapshot: Snapshot, place: NextPlace, region: Span, done: ChatDone) -> NextEdit | None:
    """The answer as an edit, when it is one of these lines alone and says what the edit called for."""
    text = snapshot.text(place.path)
    before = text[region.start : region.end]
    try:
        answer = read_answer(done.content, done.finish_reason)
    except EditRejected:
        return None
    if not any(mark in done.content for mark in ("```", "~~~")) or answer.imports or not answer.code.strip():
        return None  # words without a fence are no code, and lines elsewhere were not asked for
    code = fitted(answer.code, before)
    if code == before or omission(code, before) or _takes_more(text, region, code):
        return None
    after = text[: region.start] + code + text[region.end :]
    if not _follows(place, code) or new_errors(text, after, snapshot.language(place.path)) is not None:
        return None
    ends = before.endswith("\n") and code.endswith("\n")
    span = Span(region.start, region.end - 1) if ends else region
    return NextEdit(place.path, span, code[:-1] if ends else code, place.line, place.why, mechanical=False)


def _takes_more(text: str, region: Span, code: str) -> bool:
    """Whether an answer repeats the lines around, or is far longer than what it replaces."""
    before = text[region.start : region.end]
    if code.count("\n") > before.count("\n") + _MOST_LINES_MORE:
        return True
    above = [line.strip() for line in text[: region.start].splitlines()[-3:] if line.strip()]
    below = [line.strip() for line in text[region.end :].splitlines()[:3] if line.strip()]
    was, now = ([line.strip() for line in t.splitlines() if line.strip()] for t in (before, code))
    starts = bool(above) and now[:1] == above[-1:] and was[:1] != above[-1:]
    ends = bool(below) and now[-1:] == below[:1] and was[-1:] != below[:1]
    return starts or ends


def _follows(place: NextPlace, code: str) -> bool:
    """Whether the lines are without what was wrong with them."""
    kind = place.kind
    if isinstance(kind, Renamed):
        return not says(code, kind.old)
    if isinstance(kind, Reshaped):
        calls = (listed(code, match.end()) for match in places_of(code, kind.name))
        return all(call is None or fits(kind.after, call) is not False for call in calls)
    return True
