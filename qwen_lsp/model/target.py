"""What an endpoint turns out to be: its kind, its model, its window; asked once and remembered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from qwen_lsp.errors import (
    ContextOverflow,
    EndpointError,
    EndpointTimeout,
    EndpointUnreachable,
    RequestRefused,
    SettingsError,
)
from qwen_lsp.model import probe, profiles
from qwen_lsp.model.probe import Window
from qwen_lsp.model.profiles import FimRoute, Profile
from qwen_lsp.model.resilience import COOL_DOWN
from qwen_lsp.model.transport import Transport
from qwen_lsp.settings import EndpointKind, EndpointSettings

LIST_TIMEOUT = 10.0
"""Seconds for a list of models that is asked for on the way to an answer."""
REASK_WINDOW = 30.0
"""Seconds after which a window that was only assumed is asked for again."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was found out before the first request."""

    profile: Profile
    model: str
    completion_model: str


@dataclass(frozen=True, slots=True)
class Survey:
    """What an endpoint is and can do, for the doctor and the status."""

    kind: EndpointKind
    name: str
    host: str
    model: str
    completion_model: str
    window: Window
    fim_route: FimRoute


class Resolver:
    """Finds out what the settings leave open. An endpoint that did not answer is left alone for a while."""

    def __init__(self, settings: EndpointSettings, transport: Transport) -> None:
        self._settings = settings
        self._transport = transport
        self.known: Target | None = None
        """What `target` gives, once it was asked."""
        self._asking: asyncio.Task[None] | None = None
        self._failed: tuple[float, EndpointError | SettingsError] | None = None
        self._window: tuple[float, Window] | None = None
        self._limit: int | None = None
        self.route: FimRoute | None = None
        """The completion route that worked."""

    @property
    def base(self) -> str:
        """The base URL."""
        return self._transport.base

    @property
    def model(self) -> str:
        """The model as far as it is known."""
        return self.known.model if self.known else self._settings.model

    @property
    def kind(self) -> EndpointKind:
        """The kind as far as it is known."""
        if self.known:
            return self.known.profile.kind
        return profiles.guess(self._transport.base) if self._settings.kind == "auto" else self._settings.kind

    async def target(self) -> Target:
        """The kind and the models of the endpoint. Raises what asking for them raised.

        Leaving does not end the question: its answer is there for whoever comes next.
        """
        if self.known is not None:
            return self.known
        now = asyncio.get_running_loop().time()
        if self._failed and now < self._failed[0]:
            raise self._failed[1]
        if self._asking is None:
            self._asking = asyncio.create_task(self._find())
        await asyncio.shield(self._asking)
        if self.known is None:
            assert self._failed is not None  # noqa: S101
            raise self._failed[1]
        return self.known

    async def _find(self) -> None:
        try:
            self.known = await self._ask()
        except (EndpointError, SettingsError) as error:
            self._failed = (asyncio.get_running_loop().time() + COOL_DOWN, error)
        except asyncio.CancelledError:
            # Only `aclose` cancels it, and whoever waits was not cancelled.
            self._failed = (0.0, EndpointUnreachable(f"{self._transport.host} is no longer used"))
        finally:
            self._asking = None

    async def aclose(self) -> None:
        """End the question that is under way."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.gather(self._asking, return_exceptions=True)

    async def _ask(self) -> Target:
        settings = self._settings
        kind = profiles.kind_of(self._transport.base) if settings.kind == "auto" else settings.kind
        model = settings.model
        if kind is None or not model:
            try:
                rows = await probe.models(self._transport, timeout=LIST_TIMEOUT)
            except EndpointTimeout:
                if not model:
                    raise
                # A busy server may be slow to list its models; that is no reason not to ask the one set.
                return Target(profiles.PROFILES["openai"], model, settings.completion_model or model)
            kind = kind or await probe.kind_of(self._transport, rows)
            model = model or only(probe.names(rows), self._transport.host)
        return Target(profiles.PROFILES[kind], model, settings.completion_model or model)

    def first_route(self, target: Target) -> FimRoute:
        """How to ask for a completion: as it worked before, else as the table says."""
        kind, model = target.profile.kind, target.completion_model
        return self.route or profiles.fim_route(kind, model, self._transport.base)

    async def window(self) -> Window:
        """The context length of the chat model, and how it is known."""
        if self._settings.context_window:
            return Window(self._settings.context_window, "settings")
        now = asyncio.get_running_loop().time()
        if self._window is None or now >= self._window[0]:
            target = await self.target()
            found = await probe.window(self._transport, target.profile.kind, target.model)
            self._window = (now + REASK_WINDOW if found.source == "assumed" else float("inf"), found)
        found = self._window[1]
        if self._limit and self._limit < found.tokens:
            return Window(self._limit, "server", "the endpoint refused a longer prompt")
        return found

    async def survey(self) -> Survey:
        """What there is to know about the endpoint."""
        target = await self.target()
        profile, host = target.profile, self._transport.host
        window, route = await self.window(), self.first_route(target)
        return Survey(profile.kind, profile.name, host, target.model, target.completion_model, window, route)

    def learn(self, error: EndpointError) -> None:
        """Keep the window that a refused prompt revealed."""
        if isinstance(error, ContextOverflow) and error.limit:
            self._limit = error.limit


def only(names: Sequence[str], host: str) -> str:
    """The model to use when none is set: the only one, or the only Qwen coder among others."""
    coders = [name for name in names if re.search(r"qwen.*coder", name, re.IGNORECASE)]
    for candidates in (names, coders):
        if len(candidates) == 1:
            return candidates[0]
    if not names:
        raise RequestRefused(f"{host} lists no models; set OPENAI_MODEL to the one to use", 404)
    shown = ", ".join(names[:8]) + (", …" if len(names) > 8 else "")
    raise SettingsError(f"{host} has {len(names)} models; set OPENAI_MODEL to one of them: {shown}")
