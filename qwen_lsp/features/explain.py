"""Explain a file or a selection: by the model, with what matters around it; else from the index."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from dataclasses import dataclass

from qwen_lsp.context.budget import TEMPLATE_MARGIN, divide, steady
from qwen_lsp.context.epoch import Held
from qwen_lsp.context.prefix import Epoch
from qwen_lsp.context.rank import rank_file
from qwen_lsp.errors import BudgetTooSmall, ContextOverflow
from qwen_lsp.features.excerpts import FileShown, lines_of_selection, same_lines, show_file
from qwen_lsp.features.markdown import SafeMarkdown, fenced
from qwen_lsp.features.overview import overview
from qwen_lsp.features.prompting import prompt
from qwen_lsp.features.surroundings import OLDER, Question, Surroundings, by_epoch, by_relevance
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import ChatDone, Message, TextDelta
from qwen_lsp.settings import ExplainSettings
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

_SMALLER = (1.0, 0.4)
"""Shares of the budget that are tried when the endpoint finds the prompt too long."""
_FILE_SHARE = 0.6
_CANDIDATES = 2_000
_WHOLE_FILE = "Explain this file."


@dataclass(frozen=True, slots=True)
class _Asked:
    """What is explained, and with what."""

    snapshot: Snapshot
    path: RelPath
    selection: Span | None
    gate: Gate
    settings: ExplainSettings
    count: Callable[[str], int]
    model: str
    held: Held | None


async def explain(
    snapshot: Snapshot,
    path: RelPath,
    selection: Span | None = None,
    *,
    endpoint: Endpoint | None,
    gate: Gate,
    settings: ExplainSettings,
    count: Callable[[str], int],
    held: Held | None = None,
) -> AsyncGenerator[str]:
    """Pieces of Markdown as they come. Closing the iterator closes the request.

    With `held` a large prompt extends the last one. Raises FileUnreadable for a file that has no text,
    EndpointError when the endpoint fails.
    """
    if endpoint is None:
        yield await asyncio.to_thread(embedded_explanation, snapshot, path, selection)
        return
    text = snapshot.text(path)
    admission = gate.admit(path, text)
    if admission.text is None:
        reason = admission.withheld[0].reason if admission.withheld else "it may hold secrets"
        yield f"`{path}` is not shown to a model: {reason}. What the index knows of it:\n\n"
        yield await asyncio.to_thread(embedded_explanation, snapshot, path, selection)
        return
    selected = None if selection is None else same_lines(text, admission.text, selection)
    window = await endpoint.window()
    asked = _Asked(snapshot, path, selected, gate, settings, count, endpoint.model, held)
    for share in _SMALLER:
        messages, reply, epoch = await asyncio.to_thread(
            _messages, asked, admission.text, int(window * share), share
        )
        if held is not None and epoch is not None:
            held.keep(epoch)
        try:
            async with aclosing(_streamed(endpoint, messages, reply)) as pieces:
                async for piece in pieces:
                    yield piece
        except ContextOverflow as error:
            # Refused before the first word; the second time the window is what the endpoint says it is.
            if share == _SMALLER[-1]:
                raise
            window = min(window, error.limit or window)
            continue
        return


def embedded_explanation(snapshot: Snapshot, path: RelPath, selection: Span | None = None) -> str:
    """What the index knows of a file, as a page, with one line on what a model would add."""
    return overview(snapshot, path, selection) + (
        "\n---\n\n*Made from the index, without a model: what the code says about itself. For an "
        "explanation in words set `OPENAI_BASE_URL` and `OPENAI_MODEL`, or run `qwen-lsp doctor` to find a "
        "local server.*\n"
    )


async def _streamed(endpoint: Endpoint, messages: list[Message], reply: int) -> AsyncGenerator[str]:
    safe = SafeMarkdown()
    async with aclosing(endpoint.chat(messages, max_tokens=reply)) as events:
        async for event in events:
            if isinstance(event, TextDelta):
                if shown := safe.feed(event.text):
                    yield shown
            elif rest := safe.finish() + _ending(event):
                yield rest


def _ending(done: ChatDone) -> str:
    if done.finish_reason == "length":
        return "\n\n*Cut at the longest reply allowed; `explain.max_tokens` sets it.*\n"
    if done.finish_reason == "content_filter":
        return "\n\n*The endpoint's content filter ended the reply.*\n"
    if not done.content.strip():
        return "*The model gave an empty reply.*\n"
    return ""


def _messages(asked: _Asked, text: str, window: int, share: float) -> tuple[list[Message], int, Epoch | None]:
    """The prompt and the longest reply: parts that keep their place, then the file, then the question."""
    system = prompt("explain_system")
    budget = int(asked.settings.budget_tokens * share)
    question = _question(asked, text)
    bare = asked.count(system) + asked.count(_user(asked, None, "", "", question))
    room = divide(window, fixed=bare, reply=asked.settings.max_tokens, wanted=max(0, budget - bare))
    if room.context <= 0:
        raise BudgetTooSmall(f"A window of {window:,} tokens is too small to explain {asked.path}.")
    ranked = Question(
        asked.snapshot,
        lambda limit: rank_file(asked.snapshot, asked.path, limit=limit),
        asked.path,
        asked.gate,
        asked.count,
    )
    body, told, reply = fenced(text, _language(asked)), f"whole{OLDER}", room.reply
    total = steady(window, reply=asked.settings.max_tokens, wanted=budget)
    own = asked.count(system) + asked.count(_user(asked, None, told, body, question))
    # A prompt that the endpoint found too long is made smaller once, and no epoch begins with it.
    around = by_epoch(ranked, asked.held, asked.model, total, own) if share == _SMALLER[0] else None
    if around is not None:
        reply = min(reply, window - total - TEMPLATE_MARGIN)
    else:
        shown = show_file(
            asked.snapshot, asked.path, text, asked.selection, int(room.context * _FILE_SHARE), asked.count
        )
        body, told = fenced(shown.text, _language(asked)), _told(shown)
        around = by_relevance(ranked, room.context - asked.count(body), _CANDIDATES)
    user = around.message("explain", _user(asked, around, told, body, question))
    return [Message("system", system, cache=True), user], reply, around.epoch


def _user(asked: _Asked, around: Surroundings | None, shown: str, body: str, question: str) -> str:
    context, near = (around.context, around.near) if around is not None else ("", "")
    return prompt(
        "explain", context=context, path=asked.path, shown=shown, file=body, near=near, question=question
    )


def _told(shown: FileShown) -> str:
    return "whole" if shown.whole else "shortened: what is left out shows as `...`"


def _question(asked: _Asked, text: str) -> str:
    if asked.selection is None or not len(asked.selection):
        return _WHOLE_FILE
    index = LineIndex(text)
    first, last = lines_of_selection(index, asked.selection)
    part = index.lines_span(first, last)
    lines = f"line {first + 1}" if first == last else f"lines {first + 1} to {last + 1}"
    selected = fenced(text[part.start : part.end], _language(asked))
    return prompt("explain_selection", lines=lines, selection=selected)


def _language(asked: _Asked) -> str:
    language = asked.snapshot.language(asked.path)
    return language.id if language is not None else ""
