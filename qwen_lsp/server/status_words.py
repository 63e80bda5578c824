"""How things stand in words: for a status line, its tooltip, and a check of what works."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from qwen_lsp.model.messages import Usage

State = Literal["off", "indexing", "ready", "working", "failing", "embedded"]
_WORDS: Mapping[State, str] = {"ready": "on", "failing": "failing!", "embedded": "no model"}


class Check(TypedDict):
    """One line of a check: how it is, what was found, and what helps where it is not well."""

    level: Literal["ok", "warn", "error"]
    text: str
    advice: str


def word(state: State) -> str:
    """The state as a status line has room for it."""
    return _WORDS.get(state, state)


def sentence(state: State, who: str, problem: str, *, embedded: bool) -> str:
    """The state as a sentence. `who`: the model and where; `embedded`: whether the embedded default is on."""
    match state:
        case "working":
            return f"Asking {who}."
        case "off":
            return "Completions are turned off; everything else works."
        case "indexing":
            return "Reading the workspace. What is known of it so far is used already."
        case "ready":
            return f"{who}."
        case "failing":
            said = problem if problem.endswith((".", "?", "!")) else f"{problem}."
            return f"{said} The embedded default completes meanwhile." if embedded else said
        case "embedded":
            what = " The embedded default completes meanwhile." if embedded else ""
            return f"No model: set endpoint.base_url in the settings, or OPENAI_BASE_URL.{what}"


def rows(
    host: str | None, model: str | None, usage: Usage, cost: float | None, problem: str
) -> list[tuple[str, str]]:
    """What a tooltip tells besides: a name and what it is, each."""
    from qwen_lsp.runs.words import money

    found = [
        ("Endpoint", host or "none"),
        ("Model", model or ("not known yet" if host else "the embedded default")),
    ]
    if usage.prompt + usage.completion:
        cached = f" ({usage.cached:,} cached)" if usage.cached else ""
        found.append(("Tokens", f"{usage.prompt:,} in{cached}, {usage.completion:,} out"))
    if cost is not None:
        found.append(("Cost", money(cost)))
    return [*found, ("Problem", problem)] if problem else found


def checks(endpoint: Mapping[str, Any], problem: str | None) -> list[Check]:
    """Whether the model can be reached, as far as that is known."""
    if not endpoint["configured"]:
        advice = "Set endpoint.base_url in the settings, or OPENAI_BASE_URL"
        text = "no endpoint: suggestions come from your own files, and there is no agent"
        return [Check(level="warn", text=text, advice=advice)]
    where = f"endpoint {endpoint['host']}, model {endpoint['model'] or 'not known yet'}"
    if problem:
        return [Check(level="error", text=f"{where}: {problem}", advice="`qwen-lsp doctor` looks closer")]
    return [Check(level="ok", text=where, advice="")]
