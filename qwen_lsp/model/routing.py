"""Which route really completes: found with a small request whose answer is known, not believed from a table.

A server may not have a route, refuse it, or take the markers of fill-in-the-middle for text and answer with
prose. Each is told apart from a server that is merely slow or down, of which nothing is learnt.
"""

from __future__ import annotations

import ast
import asyncio
from contextlib import aclosing
from dataclasses import dataclass

from qwen_lsp.errors import EndpointError, EndpointFailed, MalformedReply
from qwen_lsp.model import faults, profiles
from qwen_lsp.model.completing import Completer
from qwen_lsp.model.messages import FimRequest
from qwen_lsp.model.profiles import ROUTE_NAMES, FimRoute
from qwen_lsp.model.target import Resolver

PROBE = FimRequest("probe.py", "def add(a, b):\n    return ", "\n\n\nprint(add(1, 2))\n", max_tokens=16)
_LONGEST_ANSWER = 400
"""Characters; what is nested deeper than that would take can be parsed."""
PATIENCE = 30.0
"""Seconds for the answer to one probe: a cold model is slow once, which says nothing about its routes."""


@dataclass(frozen=True, slots=True)
class Trial:
    """One route that was tried. `problem` is empty when it works."""

    route: FimRoute
    answer: str
    seconds: float
    """Until the first text."""
    problem: str = ""


@dataclass(frozen=True, slots=True)
class RouteReport:
    """The route that works, None when none does, and all that were tried, in order."""

    route: FimRoute | None
    tried: tuple[Trial, ...]

    @property
    def told(self) -> str:
        """The route in words, and why it is not the one that would be better."""
        if self.route is None:
            return "; ".join(trial.problem for trial in self.tried)
        why = "; ".join(trial.problem for trial in self.tried[:-1])
        return ROUTE_NAMES[self.route] + (f", since {why}" if why else "")


async def find_route(completer: Completer, resolver: Resolver, patience: float) -> RouteReport:
    """Try the routes of the endpoint until one answers with code, and use that one from now on.

    Raises EndpointError when the endpoint cannot be asked: then nothing is known and nothing changes.
    """
    target = await resolver.target()
    kind, model = target.profile.kind, target.completion_model
    route: FimRoute | None = profiles.fim_route(kind, model, resolver.base)
    tried: list[Trial] = []
    lasting = True
    while route is not None:
        try:
            trial = await _tried(completer, route, resolver, patience)
        except (MalformedReply, EndpointFailed) as error:
            # It may be well again in a minute: another route is worth a try, but not for good.
            lasting = False
            trial = Trial(route, "", 0.0, str(error))
            if profiles.next_route(route) is None:
                raise
        except EndpointError as error:
            if profiles.next_route(route) is None or not faults.lacks_route(error):
                raise
            trial = Trial(route, "", 0.0, str(error))
        tried.append(trial)
        if not trial.problem:
            resolver.route = route if lasting else resolver.route
            return RouteReport(route, tuple(tried))
        route = profiles.next_route(route)
    return RouteReport(None, tuple(tried))


async def _tried(completer: Completer, route: FimRoute, resolver: Resolver, patience: float) -> Trial:
    loop = asyncio.get_running_loop()
    started = loop.time()
    target = await resolver.target()
    said, seconds = "", 0.0
    async with aclosing(completer.once(route, target, PROBE, patience=patience)) as pieces:
        async for piece in pieces:
            seconds = seconds or loop.time() - started
            said += piece
    seconds = seconds or loop.time() - started
    problem = (
        "" if is_code(said) else f"{ROUTE_NAMES[route]} answered {said.strip()[:40]!r}, which is no code"
    )
    return Trial(route, said, seconds, problem)


def is_code(answer: str) -> bool:
    """Whether an answer to the probe is an expression of both its parameters, rather than prose."""
    answer = answer.strip()[:_LONGEST_ANSWER]
    for text in (answer.partition("\n")[0], answer):
        try:
            tree = ast.parse(text.strip(), mode="eval")
        except (SyntaxError, ValueError):
            continue
        names = {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
        if {"a", "b"} <= names:
            return True
    return False
