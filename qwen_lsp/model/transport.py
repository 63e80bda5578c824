"""HTTP to one endpoint: streamed requests with time limits, closed sockets on cancel, typed errors.

Redirects are never followed, and no proxy stands between this machine and itself. The HTTP library is the
one that the openai package brings; it is imported on first use, in a thread.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import socket
import ssl
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from qwen_lsp import __version__
from qwen_lsp.errors import (
    EndpointError,
    EndpointTimeout,
    EndpointUnreachable,
    MalformedReply,
    SettingsError,
)
from qwen_lsp.model import faults, profiles
from qwen_lsp.model.stream import Event, EventReader

if TYPE_CHECKING:
    import httpx2

USER_AGENT = f"qwen-lsp/{__version__}"
WRITE_TIMEOUT = 60.0
DRAIN_TIMEOUT = 0.1
LARGEST_ERROR = 64 * 1024
SSE_BEGINS = (b"data:", b":", b"event:", b"error:")


async def load(module: str) -> None:
    """Import a heavy module in a thread, so that the event loop goes on meanwhile."""
    if module not in sys.modules:
        await asyncio.to_thread(importlib.import_module, module)


class Transport:
    """The connections to one endpoint."""

    def __init__(self, base_url: str, key: str = "", *, connect_timeout: float = 5.0) -> None:
        self.base = profiles.base(base_url)
        self.root = profiles.root(base_url)
        self.host = profiles.host(base_url)
        self.key = key
        self.connect_timeout = connect_timeout
        self._http: httpx2.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def http(self) -> httpx2.AsyncClient:
        """The client under everything; also given to the openai package, so that both share connections."""
        if self._http is None:
            async with self._opening:
                if self._http is None:
                    await load("httpx2")
                    self._http = await asyncio.to_thread(self._open)
        return self._http

    def _open(self) -> httpx2.AsyncClient:
        import httpx2

        local = profiles.is_local(self.base)
        # Without TLS the trust store is not read; this context would refuse every certificate.
        plain = self.base.startswith("http://")
        return httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=self.connect_timeout, write=WRITE_TIMEOUT),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=60),
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
            trust_env=not local,
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.key}"} if self.key else {}

    @asynccontextmanager
    async def post(
        self, url: str, body: Mapping[str, Any], first_byte: float
    ) -> AsyncGenerator[httpx2.Response]:
        """The response to a request, its body unread; leaving closes the socket if it still is."""
        http = await self.http()
        import httpx2

        try:
            request = http.build_request("POST", url, json=body, headers=self.headers)
            async with self.limit(first_byte):
                response = await http.send(request, stream=True)
        except self.failures() as error:
            raise self.unreachable(error) from None
        except (httpx2.InvalidURL, httpx2.UnsupportedProtocol) as error:
            raise SettingsError(f"the base URL of {self.host} is none: {error}") from None
        try:
            if response.status_code != 200:
                async with self.limit(first_byte):
                    raise await self.refusal(response)
            yield response
        finally:
            await response.aclose()

    async def refusal(self, response: httpx2.Response) -> EndpointError:
        """The error of a response that is no success; reads its body."""
        body = b""
        try:
            async for piece in response.aiter_bytes():
                body += piece
                if len(body) > LARGEST_ERROR:
                    break
        except self.failures():
            pass
        text = body.decode("utf-8", "replace")
        return faults.from_status(self.host, response.status_code, response.headers, text, key=self.key)

    async def events(
        self, response: httpx2.Response, first_byte: float, idle: float
    ) -> AsyncGenerator[Event]:
        """The events of a reply as they arrive; raises when the server is silent, fails or talks nonsense."""
        reader = EventReader(self.host)
        kind = response.headers.get("content-type", "")
        whole = "event-stream" not in kind and "ndjson" not in kind
        document = bytearray()
        pieces = response.aiter_bytes()
        loop = asyncio.get_running_loop()
        begun = False
        deadline = loop.time() + first_byte
        while True:
            allowed = idle if begun else first_byte
            limit = loop.time() + idle if begun else deadline
            try:
                async with self.limit(allowed, at=limit):
                    piece = await anext(pieces, None)
            except self.failures() as error:
                raise MalformedReply(f"{self.host} broke off its reply ({_reason(error)})") from None
            if not begun and not document and piece:
                whole = whole and not piece.lstrip().startswith(SSE_BEGINS)
            if whole:
                document += piece or b""
                if piece is None:
                    for event in self._document(document, reader, response):
                        yield self._checked(event)
                    return
                continue
            for event in reader.finish() if piece is None else reader.feed(piece):
                begun = True
                yield self._checked(event)
            if reader.done:
                await self._drain(pieces)
            if piece is None or reader.done:
                return

    async def _drain(self, pieces: AsyncIterator[bytes]) -> None:
        """Read the end of the body, as a rule there already, so that the connection can be used again."""
        with suppress(TimeoutError, *self.failures()):
            async with asyncio.timeout(DRAIN_TIMEOUT):
                async for _ in pieces:
                    pass

    def _document(self, document: bytearray, reader: EventReader, response: httpx2.Response) -> list[Event]:
        """One JSON document, or JSON lines whose content type does not say so."""
        text = document.decode("utf-8", "replace")
        try:
            value = json.loads(text)
        except ValueError:
            if text.lstrip().startswith("{"):
                return [*reader.feed(bytes(document)), *reader.finish()]
            raise faults.not_a_stream(self.host, response.headers, text) from None
        if not isinstance(value, dict):
            raise faults.not_a_stream(self.host, response.headers, text)
        return [value]

    def _checked(self, event: Event) -> Event:
        if event.get("error"):
            raise faults.from_event(self.host, event["error"], key=self.key)
        return event

    async def ask(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, *, timeout: float
    ) -> Any:
        """The JSON answer to a question about the server; None when it has no answer to it."""
        http = await self.http()
        try:
            async with self.limit(timeout):
                response = await http.request(method, url, json=body, headers=self.headers)
        except self.failures() as error:
            raise self.unreachable(error) from None
        if response.status_code in (401, 403):
            raise faults.from_status(
                self.host, response.status_code, response.headers, response.text, key=self.key
            )
        if response.status_code != 200:
            return None
        try:
            return response.json()
        except ValueError:
            return None

    def failures(self) -> tuple[type[Exception], ...]:
        """What a connection can raise; for `except`. The last two slip through the HTTP library."""
        import anyio
        import httpx2

        return (httpx2.TransportError, ssl.SSLError, anyio.EndOfStream)

    def unreachable(self, error: BaseException) -> EndpointError:
        """The error of a connection that did not come about or was lost before the reply began."""
        import httpx2

        if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol)):
            return EndpointUnreachable(f"the base URL of {self.host} is none: {error}")
        if isinstance(error, httpx2.ConnectTimeout):
            return EndpointUnreachable(
                f"{self.host} did not accept a connection in {self.connect_timeout:g} s"
            )
        if isinstance(error, httpx2.ProxyError):
            return EndpointUnreachable(f"the proxy on the way to {self.host} refused: {_reason(error)}")
        return EndpointUnreachable(f"{self.host} cannot be reached: {_reason(error)}")

    @asynccontextmanager
    async def limit(self, seconds: float, *, at: float | None = None) -> AsyncGenerator[None]:
        """A time limit that ends in EndpointTimeout."""
        when = asyncio.get_running_loop().time() + seconds if at is None else at
        try:
            async with asyncio.timeout_at(when):
                yield
        except TimeoutError:
            raise EndpointTimeout(f"{self.host} sent nothing for {seconds:g} s") from None

    async def aclose(self) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.aclose()


def _reason(error: BaseException) -> str:
    """The innermost cause in plain words."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and len(chain) < 8:
        chain.append(at)
        at = at.__cause__ or at.__context__
    for cause in reversed(chain):
        if isinstance(cause, ConnectionRefusedError):
            return "connection refused, is the server running?"
        if isinstance(cause, socket.gaierror):
            return "its name is not known (DNS)"
        if isinstance(cause, ssl.SSLCertVerificationError):
            return f"its certificate is not trusted ({cause.verify_message})"
        if isinstance(cause, ssl.SSLError):
            return f"TLS failed ({cause.reason or cause})"
        if isinstance(cause, ConnectionResetError):
            return "connection reset"
    return next((str(cause) for cause in chain if str(cause)), type(error).__name__)
