"""Which model the tour uses: the one that is configured, one found on this machine, or none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console

from qwen_lsp.cli import screen
from qwen_lsp.cli.asking import agreed
from qwen_lsp.model.probe import discover, ranked
from qwen_lsp.workspace.user_config import merged

_NOTE = (
    "An endpoint adds completions of whole blocks, explanations in prose, code actions that write code, "
    "and agentic edits across files. Any OpenAI-compatible server will do: vLLM, SGLang, llama.cpp, "
    "Ollama, LM Studio, DashScope, OpenRouter."
)
_EXPORTS = (
    "export OPENAI_BASE_URL=http://localhost:8000/v1",
    "export OPENAI_MODEL=Qwen/Qwen3-Coder-30B-A3B-Instruct",
    "export OPENAI_API_KEY=…      # if the endpoint asks for one",
)


async def choose(console: Console, *, asking: bool) -> Mapping[str, Any]:
    """Initialization options for the server; empty when the configuration, or nothing, is used."""
    endpoint = merged().endpoint
    if endpoint.base_url:
        model = (endpoint.model or "the first model listed", "bold")
        screen.say(console, "Configured: ", model, f" at {endpoint.base_url}")
        return {}
    found = [server for server in await discover() if server.models]
    if not found:
        screen.say(
            console,
            "No endpoint is configured, and no Ollama, llama.cpp, vLLM, SGLang or LM Studio answers on its "
            "usual port here. So this tour runs on the embedded default, which needs no model.",
        )
        return {}
    for server in found:
        names = ", ".join(server.models[:5])
        screen.say(console, f"Found {server.kind} at {server.base_url} with {names}. To use it:")
        model = ranked([server])[0][1]
        screen.verbatim(console, f"export OPENAI_BASE_URL={server.base_url} OPENAI_MODEL={model}")
    best, model = ranked(found)[0]
    if asking and agreed(console, f"  Use {model} for this tour?", default=True):
        return {"endpoint": {"baseUrl": best.base_url, "model": model, "kind": best.kind}}
    screen.say(console, "This tour runs on the embedded default.")
    return {}


def embedded_note(console: Console) -> None:
    """What an endpoint would add, and how to set one."""
    console.print()
    screen.say(console, ("All of that came from your own files: no model, nothing sent anywhere.", "bold"))
    screen.say(console, _NOTE)
    console.print()
    for line in _EXPORTS:
        screen.verbatim(console, line)
    console.print()
    screen.say(console, "Then run the tour again, or `qwen-lsp doctor`.")
