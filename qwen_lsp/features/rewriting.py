"""A region of a file rewritten by the model: prompt, reply, checks, one chance to repair."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass

from qwen_lsp.context.budget import TEMPLATE_MARGIN, Division, divide, steady
from qwen_lsp.context.epoch import Held
from qwen_lsp.context.prefix import Epoch
from qwen_lsp.context.rank import limit_for, rank
from qwen_lsp.errors import BudgetTooSmall, ContextOverflow, EditRejected, FileUnreadable, MalformedReply
from qwen_lsp.features.excerpts import same_lines, show_file
from qwen_lsp.features.imports import with_imports
from qwen_lsp.features.markdown import fenced
from qwen_lsp.features.prompting import prompt
from qwen_lsp.features.replies import Answer, fitted, omission, read_answer
from qwen_lsp.features.surroundings import OLDER, Question, Surroundings, by_epoch, by_relevance
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import ChatDone, Message
from qwen_lsp.settings import ActionSettings
from qwen_lsp.syntax.languages import Language, available
from qwen_lsp.syntax.parse import errors, parse
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

_FILE_SHARE = 0.6
_SHARES = (1.0, 0.4)
_TRIES = 2


@dataclass(frozen=True, slots=True)
class Means:
    """What an action needs to ask a model. With `held` a large prompt extends the last one."""

    endpoint: Endpoint
    gate: Gate
    settings: ActionSettings
    count: Callable[[str], int]
    held: Held | None = None


@dataclass(frozen=True, slots=True)
class Rewrite:
    """A region of whole lines and what is to become of it. `text` is the file's; empty for a new file."""

    snapshot: Snapshot
    path: RelPath
    text: str
    region: Span
    task: str
    near: RelPath | None = None
    """The file whose surroundings matter when it is another one, as for tests."""
    near_offset: int = 0


async def rewrite(job: Rewrite, means: Means) -> str:
    """The file's text with the region replaced by the model's answer.

    Raises EditRejected when the model gives nothing usable twice, FileUnreadable when the gate keeps the
    file from the model, EndpointError when the endpoint fails.
    """
    before = job.text[job.region.start : job.region.end]
    admitted = _admitted(job, means.gate)
    if before and before not in admitted:
        raise FileUnreadable(job.path, "the region holds a secret, which no prompt may contain")
    window = await means.endpoint.window()
    for share in _SHARES:
        messages, reply, epoch = await asyncio.to_thread(
            _messages, job, admitted, int(window * share), share, means
        )
        if means.held is not None and epoch is not None:
            means.held.keep(epoch)
        try:
            return await _answered(job, before, messages, reply, means)
        except ContextOverflow as error:
            if share == _SHARES[-1]:
                raise
            window = min(window, error.limit or window)
    raise AssertionError("unreachable: the last share returns or raises")


def _admitted(job: Rewrite, gate: Gate) -> str:
    admission = gate.admit(job.path, job.text)
    if admission.text is None:
        reason = admission.withheld[0].reason if admission.withheld else "it may hold secrets"
        raise FileUnreadable(job.path, f"not shown to a model: {reason}")
    return admission.text


async def _answered(job: Rewrite, before: str, messages: list[Message], max_tokens: int, means: Means) -> str:
    problem = ""
    for _ in range(_TRIES):
        done = await _asked(means.endpoint, messages, max_tokens)
        try:
            answer = read_answer(done.content, done.finish_reason)
            return await asyncio.to_thread(_checked, job, before, answer, means.gate)
        except EditRejected as error:
            problem = str(error)
            if done.finish_reason == "length":
                break  # a second answer would be cut as well
            messages = [
                *messages,
                Message("assistant", done.content),
                Message("user", prompt("repair", problem=problem)),
            ]
    raise EditRejected(f"The model's answer could not be used: {problem}. Nothing was changed.")


async def _asked(endpoint: Endpoint, messages: list[Message], max_tokens: int) -> ChatDone:
    async with aclosing(endpoint.chat(messages, max_tokens=max_tokens)) as events:
        async for event in events:
            if isinstance(event, ChatDone):
                return event
    raise MalformedReply("The endpoint's reply has no end.")


def _checked(job: Rewrite, before: str, answer: Answer, gate: Gate) -> str:
    """The new text of the file, when the answer may be used. Raises EditRejected."""
    if left_out := omission(answer.code, before):
        raise EditRejected(f"it leaves code out at the line {left_out!r}")
    code = fitted(answer.code, before) if before else fitted(answer.code, job.text[-2:] or "\n")
    after = job.text[: job.region.start] + code + job.text[job.region.end :]
    language = job.snapshot.language(job.path)
    if answer.imports:
        after = with_imports(after, answer.imports, language)
    if after == job.text:
        raise EditRejected("it changes nothing")
    if (line := new_errors(job.text, after, language)) is not None:
        # The model is told the line, which need not be one of its own: only what it may see of it.
        shown = LineIndex(gate.admit(job.path, after).text or "").line_text(line).strip()[:120]
        raise EditRejected(f"it breaks the syntax at line {line + 1}: {shown!r}")
    return after


def new_errors(before: str, after: str, language: Language | None) -> int | None:
    """The first line (zero-based) with a syntax error when `after` has more of them than `before`."""
    if language is None or not available(language):
        return None
    found = errors(parse(after, language))
    if not found or len(found) <= len(errors(parse(before, language))):
        return None
    index = LineIndex(after)
    known = set(before.splitlines())
    lines = [index.line_at(span.start) for span in found]
    return next((n for n in lines if index.line_text(n) not in known), lines[0])


def _messages(
    job: Rewrite, text: str, window: int, share: float, means: Means
) -> tuple[list[Message], int, Epoch | None]:
    system = prompt("action_system")
    language = job.snapshot.language(job.path)
    region = fenced(job.text[job.region.start : job.region.end], language.id if language else "")
    # The task quotes code as well, perhaps of another file.
    task = means.gate.admit(job.near or job.path, job.task).text
    if task is None:
        raise FileUnreadable(job.near or job.path, "it may hold secrets, which no prompt may contain")
    fields = {"path": str(job.path), "lines": _lines(job), "region": region, "task": task}
    bare = means.count(system) + means.count(_user(None, "", "", fields))
    budget = int(means.settings.budget_tokens * share)
    wanted = max(0, budget - bare)
    room = divide(window, fixed=bare, reply=means.settings.max_tokens, wanted=wanted)
    if room.reply < means.count(region):
        raise BudgetTooSmall(
            f"A reply may have {room.reply:,} tokens, too few for the region: select less, or raise "
            "`actions.max_tokens`."
        )
    where, offset = (job.near, job.near_offset) if job.near is not None else (job.path, job.region.start)
    question = Question(
        job.snapshot,
        lambda limit: rank(job.snapshot, where, offset, limit=limit),
        job.path,
        means.gate,
        means.count,
    )
    body = fenced(text, language.id if language else "") if text else "(a new, empty file)"
    told, reply = f"whole{OLDER}" if text else "whole", room.reply
    total = steady(window, reply=means.settings.max_tokens, wanted=budget)
    own = means.count(system) + means.count(_user(None, told, body, fields))
    # A prompt that the endpoint found too long is made smaller once, and no epoch begins with it.
    around = by_epoch(question, means.held, means.endpoint.model, total, own) if share == _SHARES[0] else None
    if around is not None and (left := window - total - TEMPLATE_MARGIN) >= means.count(region):
        reply = min(reply, left)
    else:
        around, told, body = _by_relevance(job, text, room, question)
    user = around.message("action", _user(around, told, body, fields))
    return [Message("system", system, cache=True), user], reply, around.epoch


def _by_relevance(
    job: Rewrite, text: str, room: Division, question: Question
) -> tuple[Surroundings, str, str]:
    """What is around, what is told of the file, and as much of the file as has room."""
    place = same_lines(job.text, text, job.region)
    shown = show_file(job.snapshot, job.path, text, place, int(room.context * _FILE_SHARE), question.count)
    language = job.snapshot.language(job.path)
    body = fenced(shown.text, language.id if language else "") if text else "(a new, empty file)"
    left = max(0, room.context - question.count(body))
    told = "whole" if shown.whole else "shortened: what is left out shows as `...`"
    return by_relevance(question, left, limit_for(left)), told, body


def _user(around: Surroundings | None, shown: str, body: str, fields: dict[str, str]) -> str:
    context, near = (around.context, around.near) if around is not None else ("", "")
    return prompt("action", context=context, shown=shown, file=body, near=near, **fields)


def _lines(job: Rewrite) -> str:
    if not job.text:
        return "the whole"
    index = LineIndex(job.text)
    first, last = index.line_at(job.region.start), index.line_at(max(job.region.start, job.region.end - 1))
    if not len(job.region):
        return f"what comes before line {first + 1} (nothing yet)" if first else "the start"
    return f"line {first + 1}" if first == last else f"lines {first + 1} to {last + 1}"
