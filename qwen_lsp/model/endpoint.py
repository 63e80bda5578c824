"""The endpoint: chat and completions over any OpenAI-compatible server, with limits and retries."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from typing import Protocol

from qwen_lsp.model.client import FIRST_TOKEN_TIMEOUT, Client
from qwen_lsp.model.ledger import Ledger
from qwen_lsp.model.messages import ChatEvent, FimRequest, Message, ToolSpec
from qwen_lsp.model.profiles import FimRoute
from qwen_lsp.model.routing import RouteReport
from qwen_lsp.model.target import Survey
from qwen_lsp.settings import EndpointKind, EndpointSettings


class Endpoint(Protocol):
    """Something that chats and completes. Closing a generator closes its socket."""

    @property
    def model(self) -> str:
        """The model of chats; empty until an endpoint that lists a single one was asked."""
        ...

    @property
    def kind(self) -> EndpointKind:
        """What server it is: by its URL at first, then by what it answered."""
        ...

    def chat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        max_tokens: int,
        temperature: float | None = None,
    ) -> AsyncGenerator[ChatEvent]:
        """Text as it comes, then one ChatDone. Retried only while nothing was yielded."""
        ...

    def complete(self, request: FimRequest) -> AsyncGenerator[str]:
        """The completion in pieces, markers and stops cut off. Never retried, never queued.

        Raises EndpointTimeout unless there is a first text within the time set for it, whatever keeps it.
        """
        ...

    async def warm(self, request: FimRequest) -> None:
        """Have the server read the prompt of a completion that may be asked for next, and write nothing.

        Raises nothing, changes nothing about later requests; cancelling it closes its socket. Only worth it
        where `metered` is false.
        """
        ...

    @property
    def host(self) -> str:
        """Where it is, as messages name it: no path, no key."""
        ...

    @property
    def metered(self) -> bool:
        """Whether a request may cost money: everything but this machine and self-hosted servers nearby."""
        ...

    @property
    def route(self) -> FimRoute | None:
        """How completions are asked for, as it was found to work; None until one gave text."""
        ...

    async def find_route(self) -> RouteReport:
        """Try the routes for completions with a small request each, and use the one that works.

        Raises EndpointError when the endpoint cannot be asked.
        """
        ...

    async def window(self) -> int:
        """The context length of the chat model, in tokens."""
        ...

    async def survey(self) -> Survey:
        """What there is to know about the endpoint; raises when it cannot be asked."""
        ...

    async def aclose(self) -> None:
        """Close every connection."""
        ...


def connect(
    settings: EndpointSettings,
    ledger: Ledger | None = None,
    *,
    first_token_timeout: float = FIRST_TOKEN_TIMEOUT,
) -> Endpoint | None:
    """The endpoint of the settings, None when none is set. Nothing is sent until it is used."""
    if not settings.base_url.strip():
        return None
    return Client(settings, ledger or Ledger(), first_token_timeout=first_token_timeout)
