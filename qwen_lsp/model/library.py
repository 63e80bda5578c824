"""The HTTP library that the openai package brings: for chats, for HTTPS, and wherever a proxy applies.

Redirects are never followed, and no proxy stands between this machine and itself. The library is imported
on first use, in a thread.
"""

from __future__ import annotations

import asyncio
import importlib
import ssl
import sys
from collections.abc import AsyncIterator, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

from qwen_lsp import __version__
from qwen_lsp.errors import EndpointError, EndpointUnreachable
from qwen_lsp.model import faults, profiles

if TYPE_CHECKING:
    import httpx2

USER_AGENT = f"qwen-lsp/{__version__}"
WRITE_TIMEOUT = 60.0
DRAIN_TIMEOUT = 0.1


async def load(module: str) -> None:
    """Import a heavy module in a thread, so that the event loop goes on meanwhile."""
    if module not in sys.modules:
        await asyncio.to_thread(importlib.import_module, module)


class LibraryReply:
    """A reply whose body is read piece by piece."""

    def __init__(self, response: httpx2.Response, library: Library) -> None:
        self._response = response
        self._pieces = response.aiter_bytes()
        self._library = library

    @property
    def status(self) -> int:
        return self._response.status_code

    @property
    def headers(self) -> Mapping[str, str]:
        return self._response.headers

    async def read(self, deadline: float) -> bytes:
        """The next bytes of the body, none at its end.

        Raises TimeoutError at `deadline`, a time of the loop's clock, and ConnectionError.
        """
        try:
            async with asyncio.timeout_at(deadline):
                return await anext(self._pieces, b"")
        except self._library.failures() as error:
            raise ConnectionError(faults.reason(error)) from None

    async def leave(self, *, whole: bool) -> None:
        """End the exchange; the connection is kept when the reply is `whole`."""
        try:
            if whole:
                await self._drain(self._pieces)
        finally:
            await self._response.aclose()

    async def _drain(self, pieces: AsyncIterator[bytes]) -> None:
        """Read the end of the body, as a rule there already, so that the connection can be used again."""
        with suppress(TimeoutError, *self._library.failures()):
            async with asyncio.timeout(DRAIN_TIMEOUT):
                async for _ in pieces:
                    pass


class Library:
    """The library's connections to one endpoint; `base` is its base URL."""

    def __init__(self, base: str, connect_timeout: float) -> None:
        self._base = base
        self._host = profiles.host(base)
        self._connect_timeout = connect_timeout
        self._http: httpx2.AsyncClient | None = None
        self._opening = asyncio.Lock()

    async def http(self) -> httpx2.AsyncClient:
        """The library's client; also given to the openai package, so that both share connections."""
        if self._http is None:
            async with self._opening:
                if self._http is None:
                    await load("httpx2")
                    self._http = await asyncio.to_thread(self._open)
        return self._http

    def _open(self) -> httpx2.AsyncClient:
        import httpx2

        local = profiles.is_local(self._base)
        # Without TLS the trust store is not read; this context would refuse every certificate.
        plain = self._base.startswith("http://")
        return httpx2.AsyncClient(
            timeout=httpx2.Timeout(None, connect=self._connect_timeout, write=WRITE_TIMEOUT),
            limits=httpx2.Limits(max_connections=None, max_keepalive_connections=8, keepalive_expiry=60),
            verify=ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else True,
            trust_env=not local,
            follow_redirects=False,
            headers={"User-Agent": USER_AGENT, "Accept-Encoding": "identity"},
        )

    async def send(
        self, method: str, url: str, content: bytes | None, headers: Mapping[str, str], deadline: float
    ) -> LibraryReply:
        """The reply to a request, its body unread. Raises TimeoutError and EndpointUnreachable."""
        http = await self.http()
        try:
            request = http.build_request(method, url, content=content, headers=headers)
            async with asyncio.timeout_at(deadline):
                return LibraryReply(await http.send(request, stream=True), self)
        except self.failures() as error:
            raise self.unreachable(error) from None

    def failures(self) -> tuple[type[Exception], ...]:
        """What a connection can raise; for `except`. The last two slip through the HTTP library."""
        import anyio
        import httpx2

        return (
            httpx2.TransportError,
            httpx2.InvalidURL,
            httpx2.UnsupportedProtocol,
            ssl.SSLError,
            anyio.EndOfStream,
        )

    def unreachable(self, error: BaseException) -> EndpointError:
        """The error of a connection that did not come about or was lost before the reply began."""
        import httpx2

        host = self._host
        if isinstance(error, (httpx2.InvalidURL, httpx2.UnsupportedProtocol)):
            return EndpointUnreachable(f"the base URL of {host} is none: {error}")
        if isinstance(error, httpx2.ConnectTimeout):
            return EndpointUnreachable(f"{host} did not accept a connection in {self._connect_timeout:g} s")
        if isinstance(error, httpx2.ProxyError):
            return EndpointUnreachable(f"the proxy on the way to {host} refused: {faults.reason(error)}")
        return EndpointUnreachable(f"{host} cannot be reached: {faults.reason(error)}")

    async def aclose(self) -> None:
        """Close every connection."""
        if self._http is not None:
            await self._http.aclose()
