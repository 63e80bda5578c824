"""The client of an OpenAI-compatible server: over HTTP of our own, chats over HTTPS by the openai package."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any, cast

from qwen_lsp.errors import EndpointError
from qwen_lsp.model import faults, profiles, routing
from qwen_lsp.model.chat import Assembler, request_json
from qwen_lsp.model.completing import Completer
from qwen_lsp.model.guard import Guard
from qwen_lsp.model.ledger import Ledger
from qwen_lsp.model.library import USER_AGENT, LibraryReply, load
from qwen_lsp.model.messages import ChatEvent, FimRequest, Message, ToolSpec
from qwen_lsp.model.profiles import FimRoute
from qwen_lsp.model.resilience import retryable, wait_before
from qwen_lsp.model.routing import RouteReport
from qwen_lsp.model.target import Resolver, Survey, Target
from qwen_lsp.model.tokens import estimate
from qwen_lsp.model.transport import Reply, Transport
from qwen_lsp.model.warming import Warmer
from qwen_lsp.settings import EndpointKind, EndpointSettings

if TYPE_CHECKING:
    import openai

FIRST_TOKEN_TIMEOUT = 2.0
TELLTALES = tuple(f"X-Stainless-{name}" for name in ("OS", "Arch", "Runtime", "Runtime-Version"))
"""Headers by which the openai package describes the machine."""


class Client:
    """An OpenAI-compatible server. Chats over HTTPS and proxies go through the openai package."""

    def __init__(
        self,
        settings: EndpointSettings,
        ledger: Ledger,
        *,
        first_token_timeout: float = FIRST_TOKEN_TIMEOUT,
        sleep: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self.ledger = ledger
        self._settings = settings
        self._sleep = sleep
        key = settings.api_key.get_secret_value()
        self._transport = Transport(settings.base_url, key, connect_timeout=settings.connect_timeout)
        self._resolver = Resolver(settings, self._transport)
        self._guard = Guard(self._transport.host, ledger)
        self._warmer = Warmer(self._transport, settings.first_byte_timeout)
        self._completer = Completer(
            self._transport,
            self._resolver,
            self._guard,
            self._warmer,
            first_token=first_token_timeout,
            idle=settings.idle_timeout,
            patience=settings.first_byte_timeout,
        )
        self._openai: openai.AsyncOpenAI | None = None

    @property
    def model(self) -> str:
        return self._resolver.model

    @property
    def kind(self) -> EndpointKind:
        return self._resolver.kind

    @property
    def host(self) -> str:
        return self._transport.host

    @property
    def metered(self) -> bool:
        return profiles.is_metered(self.kind, self._transport.base)

    @property
    def route(self) -> FimRoute | None:
        return self._resolver.route

    async def window(self) -> int:
        return (await self._resolver.window()).tokens

    async def survey(self) -> Survey:
        await self._target()
        return await self._resolver.survey()

    async def aclose(self) -> None:
        await self._warmer.aclose()
        await self._resolver.aclose()
        await self._transport.aclose()

    async def _target(self) -> Target:
        try:
            return await self._resolver.target()
        except EndpointError as error:
            self._guard.remember(error)
            raise

    # --- chat

    async def chat(
        self,
        messages: Sequence[Message],
        *,
        tools: Sequence[ToolSpec] = (),
        max_tokens: int,
        temperature: float | None = None,
    ) -> AsyncGenerator[ChatEvent]:
        target = await self._target()
        sampling = profiles.sampling(target.profile.kind, temperature)
        body = request_json(
            messages, target.profile, target.model, tools=tools, max_tokens=max_tokens, sampling=sampling
        )
        body |= self._settings.extra_body
        attempt = 0
        while True:
            begun = False
            try:
                async with aclosing(self._chat_once(body, tools, max_tokens)) as events:
                    async for event in events:
                        begun = True
                        yield event
                return
            except EndpointError as error:
                self._resolver.learn(error)
                attempt += 1
                if begun or attempt > self._settings.max_retries or not retryable(error):
                    raise
                wait = max(wait_before(attempt, error), self._guard.wait())
            await self._sleep(wait)

    async def _chat_once(
        self, body: Mapping[str, Any], tools: Sequence[ToolSpec], max_tokens: int
    ) -> AsyncGenerator[ChatEvent]:
        settings, model = self._settings, str(body["model"])
        reply = Assembler(self._transport.host, tools, max_tokens)

        def size() -> tuple[int, int]:
            asked = "".join(str(message.get("content")) for message in body["messages"])
            return estimate(asked), estimate("".join(reply.raw))

        with self._guard.attempt("chat", model, size) as attempt:
            async with self._chat_response(body) as response:
                attempt.begun = True
                reader = self._transport.stream(response, settings.first_byte_timeout, settings.idle_timeout)
                async with aclosing(reader) as events:
                    async for event in events:
                        for delta in reply.feed(event):
                            yield delta
            attempt.usage = reply.usage
            rest, done = reply.finish()
            for delta in rest:
                yield delta
            done = replace(done, usage=attempt.spent(), model=done.model or model)
        yield done

    @asynccontextmanager
    async def _chat_response(self, body: Mapping[str, Any]) -> AsyncGenerator[Reply]:
        """The reply to a chat request: over connections of our own where they reach, as completions are.

        The openai package makes it elsewhere. Importing that takes longer than most first requests.
        """
        if await self._transport.is_direct():
            # Reading the events leaves the reply.
            yield await self._posted(body)
            return
        client = await self._package()
        import openai

        fields = dict(body)
        # An endpoint that asks for no key gets none, and none learns more about this machine than it must.
        headers: dict[str, Any] = {"User-Agent": USER_AGENT, **dict.fromkeys(TELLTALES, openai.Omit())}
        if not self._transport.key:
            headers["Authorization"] = openai.Omit()
        manager = client.chat.completions.with_streaming_response.create(
            model=fields.pop("model"),
            messages=fields.pop("messages"),
            stream=True,
            extra_body=fields,
            extra_headers=headers,
        )
        try:
            async with self._transport.limit(self._settings.first_byte_timeout):
                response = await manager.__aenter__()
        except openai.APIStatusError as error:
            said = error.response
            raise faults.from_status(
                self._transport.host, said.status_code, said.headers, said.text, key=self._transport.key
            ) from None
        except openai.APIConnectionError as error:
            raise self._transport.library.unreachable(error.__cause__ or error) from None
        try:
            yield LibraryReply(response.http_response, self._transport.library)
        finally:
            await manager.__aexit__(None, None, None)

    async def _posted(self, body: Mapping[str, Any]) -> Reply:
        seconds = self._settings.first_byte_timeout
        deadline = asyncio.get_running_loop().time() + seconds
        try:
            return await self._transport.post(f"{self._transport.base}/chat/completions", body, deadline)
        except TimeoutError:
            raise self._transport.silent(seconds) from None

    async def _package(self) -> openai.AsyncOpenAI:
        if self._openai is None:
            http = await self._transport.library.http()
            await load("openai")
            import openai

            self._openai = openai.AsyncOpenAI(
                api_key=self._transport.key or "none",
                base_url=self._transport.base,
                http_client=http,
                timeout=cast("Any", http.timeout),
                max_retries=0,
            )
        return self._openai

    # --- completion

    def complete(self, request: FimRequest) -> AsyncGenerator[str]:
        return self._completer.stream(request)

    async def warm(self, request: FimRequest) -> None:
        await self._completer.warm(request)

    async def find_route(self) -> RouteReport:
        await self._target()
        patience = min(routing.PATIENCE, self._settings.first_byte_timeout)
        return await routing.find_route(self._completer, self._resolver, patience)
