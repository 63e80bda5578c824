"""A run in words: what a call is about, how much was sent, how long it took. Nothing is escaped here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, cast

from qwen_lsp.text.words import number

if TYPE_CHECKING:
    from qwen_lsp.features.agent.events import Compacted
    from qwen_lsp.model.messages import Usage

_MAIN = (
    "file_path", "pattern", "path", "name", "command", "question", "query", "paths", "files", "checks",
)  # fmt: skip
"""What says most about a call, the first one that is there."""
_LONGEST = 400
_SIGNS: Mapping[str, str] = {"completed": "✓", "in_progress": "▸"}


def about(tool: str, arguments: Mapping[str, Any]) -> str:
    """The main argument of a call, in one line of at most 400 characters: a path, a pattern, a command."""
    if tool == "move_file":
        return f"{_one(arguments.get('source_path'))} → {_one(arguments.get('target_path'))}"
    if tool == "edit_files":
        edits = _many(arguments.get("edits"))
        names = dict.fromkeys(_named(edit) for edit in edits)
        return f"{number(len(edits), 'edit')} in {_one(list(names))}"
    if tool == "todo_write":
        return number(len(_many(arguments.get("todos"))), "step")
    for key in _MAIN:
        if arguments.get(key):
            return _one(arguments[key]) + _place(arguments)
    return _one(", ".join(f"{key}={value}" for key, value in arguments.items()))


def _place(arguments: Mapping[str, Any]) -> str:
    """Which lines, which folder, which files: what narrows the main argument down."""
    offset, limit = arguments.get("offset"), arguments.get("limit")
    if isinstance(offset, int) or isinstance(limit, int):
        first = offset + 1 if isinstance(offset, int) else 1
        return f":{first}-{first + limit - 1}" if isinstance(limit, int) else f":{first}-"
    if "pattern" in arguments:
        where = [_one(arguments[key]) for key in ("path", "glob") if arguments.get(key)]
        return f" in {', '.join(where)}" if where else ""
    return ""


def _many(value: object) -> Sequence[object]:
    return cast("list[object]", value) if isinstance(value, list) else ()


def _one(value: object) -> str:
    if isinstance(value, list):
        value = ", ".join(_named(item) for item in cast("list[object]", value))
    text = " ".join(str("" if value is None else value).split())
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _named(item: object) -> str:
    """One of many: its path where it is an object that has one."""
    if isinstance(item, Mapping):
        return str(cast("Mapping[str, Any]", item).get("file_path", cast("object", item)))
    return str(item)


def step(text: str, status: str) -> str:
    """One step of a plan; its state is a sign, so that it is told without colour too."""
    return f"{_SIGNS.get(status, '·')} {text}"


def planned(todos: Sequence[tuple[str, str]]) -> str:
    """Where a plan is, in one line: how much is done, and what is being done."""
    done = sum(status == "completed" for _, status in todos)
    now = next((text for text, status in todos if status == "in_progress"), "")
    return f"{done} of {number(len(todos), 'step')} done" + (f"; now: {_one(now)}" if now else "")


def first_line(text: str) -> str:
    """The first line that says something, for a reason in one line."""
    return _one(next((line for line in text.splitlines() if line.strip()), ""))


def shortened(event: Compacted) -> str:
    """That the conversation was shortened, in a sentence."""
    by = "summed up by the model" if event.by_model else "without a summary of the model's"
    size = f"{tokens(event.before)} to {tokens(event.after)} tokens"
    return f"The conversation was shortened from {size}, {by}."


def ending(ended: str | None, *, running: bool = False) -> str:
    """How a run stands, in a word or two: `ended` as it was written down, nothing for one that was killed."""
    if running:
        return "Running"
    match ended:
        case "done":
            return "Done"
        case "cancelled":
            return "Stopped"
        case _:
            return "Stopped early" if ended else "Interrupted"


def spent(usage: Usage, cost: float | None) -> str:
    """`12.3K tokens, 0.0400`: all that was sent and written, and money where there are prices."""
    said = f"{tokens(usage.prompt + usage.completion)} tokens"
    return said if cost is None else f"{said}, {money(cost)}"


def facts(turns: int, usage: Usage, cost: float | None) -> str:
    """`8 turns · 229K tokens sent (85% cached) · 2.2K written · cost 0.0640`; what is nothing is left out."""
    cached = f" ({percent(usage.cached, usage.prompt)} cached)" if usage.cached else ""
    parts = [
        number(turns, "turn") if turns else "",
        f"{tokens(usage.prompt)} tokens sent{cached}" if usage.prompt else "",
        f"{tokens(usage.completion)} written" if usage.completion else "",
        f"cost {money(cost)}" if cost is not None else "",
    ]
    return " · ".join(part for part in parts if part)


def tokens(count: int) -> str:
    """`950`, `23.4K`, `1.20M`: to three digits."""
    if count < 1_000:
        return str(count)
    if count < 999_500:
        return f"{count / 1_000:.1f}K" if count < 99_950 else f"{count / 1_000:.0f}K"
    return f"{count / 1_000_000:.2f}M"


def clock(seconds: float) -> str:
    """`0:07`, `12:30`, `1:02:03`."""
    minutes, left = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{left:02}" if hours else f"{minutes}:{left:02}"


def money(cost: float) -> str:
    """To four places, without naming a currency: it is that of the user's price table."""
    return f"{cost:,.4f}"


def percent(part: int, of: int) -> str:
    """A whole percent; `100%` only where nothing is missing."""
    share = 100 * part / of if of else 0.0
    return f"{min(round(share), 99) if part < of or not of else 100}%"
