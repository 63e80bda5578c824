"""Completions: one request by the route that works, its pieces as they arrive, its end where the text is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing

from qwen_lsp.errors import EndpointError, EndpointTimeout, MalformedReply
from qwen_lsp.model import faults, profiles, routes
from qwen_lsp.model.guard import Guard
from qwen_lsp.model.messages import FimRequest
from qwen_lsp.model.profiles import FimRoute
from qwen_lsp.model.replies import Events
from qwen_lsp.model.routes import Answer
from qwen_lsp.model.target import Resolver, Target
from qwen_lsp.model.transport import Transport
from qwen_lsp.model.warming import Warmer


class Completer:
    """Asks one endpoint for completions.

    `first_token` is the seconds until the first text, `idle` those between two pieces of a reply.
    """

    def __init__(
        self,
        transport: Transport,
        resolver: Resolver,
        guard: Guard,
        warmer: Warmer,
        *,
        first_token: float,
        idle: float,
    ) -> None:
        self._transport = transport
        self._resolver = resolver
        self._guard = guard
        self._warmer = warmer
        self._first_token = first_token
        self._idle = idle

    def stream(self, request: FimRequest) -> AsyncGenerator[str]:
        """The completion in pieces, markers and stops cut off.

        Whatever happens before the first text takes `first_token` seconds at most, then EndpointTimeout: the
        questions about an endpoint that is not known yet, the connection, and a reply that says nothing.
        """
        route, target = self._resolver.route, self._resolver.known
        if route is None or target is None:
            return self._first(request)
        return self._once(route, target, request)

    async def _first(self, request: FimRequest) -> AsyncGenerator[str]:
        """A completion before any gave text: finds out what the endpoint is, and which route it has."""
        deadline = asyncio.get_running_loop().time() + self._first_token
        try:
            async with asyncio.timeout_at(deadline):
                target = await self._resolver.target()
        except TimeoutError:
            raise self._late() from None
        except EndpointError as error:
            self._guard.remember(error)
            raise
        route = self._resolver.first_route(target)
        while True:
            try:
                async with aclosing(self._once(route, target, request, deadline)) as pieces:
                    async for piece in pieces:
                        yield piece
                self._resolver.route = route
                return
            except EndpointError as error:
                # A route that worked before does not become another one.
                following = profiles.next_route(route)
                if self._resolver.route or following is None or not faults.lacks_route(error):
                    raise
                route = following

    async def _once(
        self, route: FimRoute, target: Target, request: FimRequest, deadline: float | None = None
    ) -> AsyncGenerator[str]:
        loop, transport, model = asyncio.get_running_loop(), self._transport, target.completion_model
        if self._warmer.loading:
            raise EndpointTimeout(f"{transport.host} is still loading {model}")
        limit = loop.time() + self._first_token if deadline is None else deadline
        answer = Answer(route, request)
        with self._guard.attempt("completion", model, answer.size) as attempt:
            try:
                url = routes.url(route, transport.base, transport.root)
                reply = await transport.post(url, routes.body(route, request, model, target.profile), limit)
                attempt.begun = True
                events = Events(transport.host, reply.headers, key=transport.key)
                try:
                    while not events.over:
                        shown = answer.feed(await transport.events(reply, events, limit))
                        attempt.usage = answer.usage
                        if shown:
                            self._resolver.route = route
                            yield shown
                        if answer.done:
                            # Leaving the stream closes it, and the server stops generating.
                            return
                        if answer.begun:
                            limit = loop.time() + self._idle
                finally:
                    await reply.leave(whole=events.over)
            except TimeoutError:
                if route == "generate":
                    self._warmer.start(model)
                raise (transport.silent(self._idle) if answer.begun else self._late()) from None
            if not answer.ended:
                raise MalformedReply(f"{transport.host} ended its completion in the middle")
            if shown := answer.finish():
                yield shown

    def _late(self) -> EndpointTimeout:
        return EndpointTimeout(f"{self._transport.host} gave no text within {self._first_token:g} s")
