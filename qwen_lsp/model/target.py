"""What an endpoint turns out to be: its kind, its model, its window; asked once and remembered."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass

from qwen_lsp.errors import ContextOverflow, EndpointError, EndpointTimeout, RequestRefused, SettingsError
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
        self._lock = asyncio.Lock()
        self._target: Target | None = None
        self._failed: tuple[float, EndpointError] | None = None
        self._window: tuple[float, Window] | None = None
        self._limit: int | None = None
        self.route: FimRoute | None = None
        """The completion route that worked."""

    @property
    def model(self) -> str:
        """The model as far as it is known."""
        return self._target.model if self._target else self._settings.model

    @property
    def kind(self) -> EndpointKind:
        """The kind as far as it is known."""
        if self._target:
            return self._target.profile.kind
        return profiles.guess(self._transport.base) if self._settings.kind == "auto" else self._settings.kind

    async def target(self) -> Target:
        """The kind and the models of the endpoint. Raises what asking for them raised."""
        if self._target is not None:
            return self._target
        async with self._lock:
            now = asyncio.get_running_loop().time()
            if self._target is None and self._failed and now < self._failed[0]:
                raise self._failed[1]
            try:
                self._target = self._target or await self._ask()
            except EndpointError as error:
                self._failed = (now + COOL_DOWN, error)
                raise
            return self._target

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

    async def first_route(self) -> FimRoute:
        """How to ask for a completion: as it worked before, else as the table says."""
        target = await self.target()
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
        window, route = await self.window(), await self.first_route()
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
