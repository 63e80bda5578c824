"""`qwen-lsp doctor`: endpoint, model, window, completions, index, sandbox: each as it is, with what to do."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import dataclasses
import json
import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from qwen_lsp import __version__
from qwen_lsp.cli.opening import opened
from qwen_lsp.cli.places import workspace
from qwen_lsp.errors import (
    AuthenticationFailed,
    EndpointError,
    EndpointTimeout,
    EndpointUnreachable,
    RateLimited,
    RequestRefused,
)
from qwen_lsp.imports import installing
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import ChatDone, Message, ToolSpec
from qwen_lsp.model.probe import discover
from qwen_lsp.model.routing import RouteReport
from qwen_lsp.sandbox.command import NoSandbox, Sandbox
from qwen_lsp.sandbox.find import find
from qwen_lsp.session import Session
from qwen_lsp.syntax.languages import LANGUAGES, available
from qwen_lsp.text.words import number

_TOOL: ToolSpec = {
    "type": "function",
    "function": {
        "name": "report",
        "description": "Report a number.",
        "parameters": {
            "type": "object",
            "properties": {"number": {"type": "integer", "description": "The number."}},
            "required": ["number"],
        },
    },
}
_SMALL_WINDOW = 32_768


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing looked at. `advice` says what to do; empty when there is nothing to do."""

    name: str
    ok: bool
    found: str
    advice: str = ""
    final: bool = False
    """Nothing else needs to be looked at after this."""


def run(args: argparse.Namespace) -> int:
    return asyncio.run(_told(workspace(args.path), as_json=args.json))


async def _told(root: Path, *, as_json: bool) -> int:
    """Each finding as soon as it is there: a server that hangs keeps the next one waiting for minutes."""
    findings: list[Finding] = []
    console, waiting = Console(highlight=False), Console(stderr=True)
    async with opened(root, waiting) as session, contextlib.aclosing(_examined(session)) as examined:
        while True:
            with waiting.status("Looking …") if waiting.is_terminal else contextlib.nullcontext():
                finding = await anext(examined, None)
            if finding is None:
                break
            findings.append(finding)
            if not as_json:
                _show(console, finding)
    if as_json:
        print(json.dumps({"version": __version__, "findings": [_as_json(f) for f in findings]}))
    return 0 if all(finding.ok for finding in findings) else 1


def _show(console: Console, finding: Finding) -> None:
    mark = "[green]ok  [/green]" if finding.ok else "[yellow]look[/yellow]"
    console.print(f"{mark} [bold]{finding.name}[/bold]: ", end="")
    console.print(finding.found, markup=False, soft_wrap=True)
    if finding.advice:
        console.print(f"     → {finding.advice}", markup=False, soft_wrap=True)


def _as_json(finding: Finding) -> dict[str, object]:
    return {name: value for name, value in dataclasses.asdict(finding).items() if name != "final"}


async def _examined(session: Session) -> AsyncGenerator[Finding]:
    yield _index(session)
    yield _grammars()
    yield sandbox_finding(await asyncio.to_thread(find, session.root))
    if session.endpoint is None:
        yield await _no_endpoint()
        return
    endpoint = await _endpoint(session.endpoint)
    yield endpoint
    if endpoint.final:
        return
    chat = await _chat(session.endpoint, tools=False)
    yield chat
    if chat.ok:
        yield await _chat(session.endpoint, tools=True)
    yield await _completion(session.endpoint, session.settings.completion.first_token_timeout)


def _index(session: Session) -> Finding:
    report = session.report
    if report is None or not report.files:
        advice = "Open a folder with source files, or look at index.exclude and .gitignore."
        return Finding("index", ok=False, found="no file that counts as source", advice=advice)
    found = (
        f"{number(report.files, 'file')}, {number(report.definitions, 'definition')}, {report.seconds:.1f} s"
    )
    return Finding("index", ok=True, found=found)


def _grammars() -> Finding:
    missing = [language.name for language in LANGUAGES if not available(language)]
    found = f"{len(LANGUAGES) - len(missing)} of {len(LANGUAGES)} languages"
    advice = f"For {', '.join(missing)}: {installing('languages')}" if missing else ""
    return Finding("grammars", ok=True, found=found, advice=advice)


def sandbox_finding(found: Sandbox | NoSandbox) -> Finding:
    """Whether the agent can run commands here, and what would let it."""
    if isinstance(found, NoSandbox):
        told = f"none, so the agent runs no commands: {found.reason}"
        return Finding("sandbox", ok=False, found=told, advice=found.advice)
    return Finding("sandbox", ok=True, found=f"{found.name}, tried out")


async def _no_endpoint() -> Finding:
    found = await discover()
    if not found:
        return Finding(
            "endpoint", ok=False, found="none is configured; the embedded default answers",
            advice="Set OPENAI_BASE_URL and OPENAI_MODEL, and OPENAI_API_KEY if it asks for one.",
        )  # fmt: skip
    server = found[0]
    model = server.models[0] if server.models else "…"
    return Finding(
        "endpoint", ok=False, found=f"none is configured, but {server.kind} answers at {server.base_url}",
        advice=f"export OPENAI_BASE_URL={server.base_url} OPENAI_MODEL={model}",
    )  # fmt: skip


async def _endpoint(endpoint: Endpoint) -> Finding:
    try:
        survey = await endpoint.survey()
    except EndpointError as error:
        return Finding("endpoint", ok=False, found=str(error), advice=_advice(error), final=True)
    window = survey.window
    small = window.tokens < _SMALL_WINDOW
    known = "" if window.source in ("server", "settings") else f" ({window.source})"
    advice = window.note or (
        "Start the server with a larger context; explaining and editing need room." if small else ""
    )
    found = f"{survey.name} at {survey.host}, {survey.model}, a window of {window.tokens:,} tokens{known}"
    return Finding("endpoint", ok=not small, found=found, advice=advice)


def _advice(error: EndpointError) -> str:
    """What to do about a failure, where its own words do not say."""
    if isinstance(error, AuthenticationFailed):
        return "Keys are read from OPENAI_API_KEY or endpoint.api_key in config.toml."
    if isinstance(error, EndpointUnreachable):
        return "Start the server, or correct OPENAI_BASE_URL."
    if isinstance(error, EndpointTimeout):
        return "Look at the server's log: is it still loading the model, or busy?"
    if isinstance(error, RateLimited):
        return "Wait, or use another key or another model."
    if isinstance(error, RequestRefused):
        return "Check OPENAI_MODEL, and that OPENAI_BASE_URL ends as the server's documentation says."
    return "Look at the server's log."


async def _chat(endpoint: Endpoint, *, tools: bool) -> Finding:
    name = "tool calls" if tools else "chat"
    question = "Call report with the number 7." if tools else "Answer with the one word: ready"
    began = time.perf_counter()
    reply = None
    try:
        asked = endpoint.chat([Message("user", question)], tools=[_TOOL] if tools else (), max_tokens=128)
        async for event in asked:
            if isinstance(event, ChatDone):
                reply = event
    except EndpointError as error:
        return Finding(name, ok=False, found=str(error), advice=_advice(error))
    took = time.perf_counter() - began
    if reply is None or (tools and not any(call.name == "report" for call in reply.calls)):
        advice = (
            "Start the server with its tool-call parser for Qwen3-Coder, or choose a model that has tools."
        )
        return Finding(name, ok=False, found="the model made no call", advice=advice)
    return Finding(name, ok=True, found=f"answered in {took:.1f} s")


async def _completion(endpoint: Endpoint, first_token: float) -> Finding:
    try:
        report = await endpoint.find_route()
    except EndpointError as error:
        return Finding("completion", ok=False, found=str(error), advice=_advice(error))
    return completion_finding(report, first_token)


def completion_finding(report: RouteReport, first_token: float) -> Finding:
    """Which route completes, and what to do; `first_token` is the seconds that a completion waits."""
    if report.route is None:
        advice = "Use a Qwen coder model for completions: set endpoint.completion_model."
        return Finding("completion", ok=False, found=report.told, advice=advice)
    seconds = report.tried[-1].seconds
    found = f"{report.told}, first text after {seconds:.2f} s"
    advice = ""
    if seconds > first_token:
        advice = (
            f"A completion waits {first_token:g} s. Try again, a model just loaded is slow; else raise "
            "completion.first_token_timeout."
        )
    elif report.route == "chat":
        advice = "A Qwen coder model on a server with /completions is faster and more exact."
    return Finding("completion", ok=seconds <= first_token, found=found, advice=advice)
