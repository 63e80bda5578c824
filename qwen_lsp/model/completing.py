"""Completions: one request by the route that works, its pieces as they arrive, its end where the text is."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing, suppress

from qwen_lsp.errors import EndpointError, EndpointTimeout, MalformedReply, SettingsError
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

    `first_token` is the seconds until the first text, `idle` those between two pieces of a reply, and
    `patience` those for a warm-up.
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
        patience: float,
    ) -> None:
        self._transport = transport
        self._resolver = resolver
        self._guard = guard
        self._warmer = warmer
        self._first_token = first_token
        self._idle = idle
        self._patience = patience

    def stream(self, request: FimRequest) -> AsyncGenerator[str]:
        """The completion in pieces, markers and stops cut off.

        Whatever happens before the first text takes `first_token` seconds at most, then EndpointTimeout: the
        questions about an endpoint that is not known yet, the connection, and a reply that says nothing.
        """
        route, target = self._resolver.route, self._resolver.known
        if route is None or target is None:
            return self._first(request)
        return self.once(route, target, request)

    async def _first(self, request: FimRequest) -> AsyncGenerator[str]:
        """A completion before any gave text: finds out what the endpoint is, and which route it has."""
        deadline = asyncio.get_running_loop().time() + self._first_token
        try:
            async with asyncio.timeout_at(deadline):
                target = await self._resolver.target()
        except TimeoutError:
            late = self._late(self._first_token)
            self._guard.remember(late)
            raise late from None
        except EndpointError as error:
            self._guard.remember(error)
            raise
        route = self._resolver.first_route(target)
        while True:
            try:
                async with aclosing(self.once(route, target, request, deadline)) as pieces:
                    async for piece in pieces:
                        self._resolver.route = self._resolver.route or route
                        yield piece
                self._resolver.route = self._resolver.route or route
                return
            except EndpointError as error:
                # A route that worked before does not become another one.
                following = profiles.next_route(route)
                if self._resolver.route or following is None or not faults.lacks_route(error):
                    raise
                route = following

    async def once(
        self,
        route: FimRoute,
        target: Target,
        request: FimRequest,
        deadline: float | None = None,
        *,
        patience: float | None = None,
    ) -> AsyncGenerator[str]:
        """One request by one route. `deadline` is a time of the loop's clock, for what began earlier;
        `patience` seconds in place of the usual ones."""
        loop, transport, model = asyncio.get_running_loop(), self._transport, target.completion_model
        if self._warmer.loading:
            raise EndpointTimeout(f"{transport.host} is still loading {model}")
        allowed = self._first_token if patience is None else patience
        limit = loop.time() + allowed if deadline is None else deadline
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
                raise (transport.silent(self._idle) if answer.begun else self._late(allowed)) from None
            if not answer.ended:
                raise MalformedReply(f"{transport.host} ended its completion in the middle")
            if shown := answer.finish():
                yield shown

    def _late(self, seconds: float) -> EndpointTimeout:
        return EndpointTimeout(f"{self._transport.host} gave no text within {seconds:g} s")

    async def warm(self, request: FimRequest) -> None:
        """Have the server read the prompt of a request that may come; its cache then knows it.

        Asks for the least a route can be asked for. Booked apart, never repeated, and silent: what goes wrong
        says nothing about completions. Cancelling it closes its socket.
        """
        with suppress(EndpointError, SettingsError):
            target = await self._resolver.target()
            if not self._warmer.loading:
                await self._warm(self._resolver.first_route(target), target, request)

    async def _warm(self, route: FimRoute, target: Target, request: FimRequest) -> None:
        transport, model = self._transport, target.completion_model
        answer = Answer(route, request)
        with self._guard.attempt("warm-up", model, answer.size) as attempt:
            limit = asyncio.get_running_loop().time() + self._patience
            try:
                url = routes.url(route, transport.base, transport.root)
                body = routes.least_body(route, request, model, target.profile)
                reply = await transport.post(url, body, limit)
                attempt.begun = True
                events = Events(transport.host, reply.headers, key=transport.key)
                try:
                    while not events.over:
                        answer.feed(await transport.events(reply, events, limit))
                        attempt.usage = answer.usage
                finally:
                    await reply.leave(whole=events.over)
            except TimeoutError:
                raise transport.silent(self._patience) from None
