"""HTTP to one endpoint: time limits, closed sockets on cancel, typed errors.

Plain HTTP without a proxy goes over connections of our own, which cost a fraction of the library's; HTTPS
and proxies go through the library, where trust stores and tunnels are taken care of.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import quote, unquote, urlsplit

from qwen_lsp.errors import (
    AuthenticationFailed,
    EndpointError,
    EndpointTimeout,
    EndpointUnreachable,
    MalformedReply,
)
from qwen_lsp.model import faults, profiles
from qwen_lsp.model.connection import Connection, Connections, ConnectTimeout
from qwen_lsp.model.http1 import BadReply, head
from qwen_lsp.model.library import USER_AGENT, Library, LibraryReply
from qwen_lsp.model.replies import Events
from qwen_lsp.model.stream import LARGEST, Event

LARGEST_ERROR = 64 * 1024
Reply = Connection | LibraryReply
"""A reply whose head arrived: `status`, `headers`, `read` for the body, `leave` at the end."""


class Transport:
    """The connections to one endpoint."""

    def __init__(self, base_url: str, key: str = "", *, connect_timeout: float = 5.0) -> None:
        self.base = profiles.base(base_url)
        self.root = profiles.root(base_url)
        self.host = profiles.host(base_url)
        self.key = key
        self.connect_timeout = connect_timeout
        self.library = Library(self.base, connect_timeout)
        self._own: Connections | None = None
        self._direct: bool | None = None
        self._heads: dict[tuple[str, str], bytes] = {}

    async def send(self, method: str, url: str, body: Mapping[str, Any] | None, deadline: float) -> Reply:
        """The reply to a request, its body unread; whoever gets it must `leave` it.

        `deadline` is a time of the loop's clock. Raises TimeoutError then, and EndpointError.
        """
        # A lone surrogate is in no encoding: the model reads a question mark.
        text = None if body is None else json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        content = None if text is None else text.encode("utf-8", "replace")
        if not await self.is_direct():
            return await self.library.send(method, url, content, self._headers(content), deadline)
        request = self._request(method, url, content)
        if self._own is None:
            parts = urlsplit(self.base)
            self._own = Connections(parts.hostname or "", parts.port or 80, self.connect_timeout)
        try:
            reply = await self._own.exchange(request, deadline)
        except TimeoutError:
            raise
        except ConnectTimeout:
            raise EndpointUnreachable(
                f"{self.host} did not accept a connection in {self.connect_timeout:g} s"
            ) from None
        except BadReply as error:
            raise MalformedReply(f"{self.host} does not answer in HTTP/1.1: {error}") from None
        except (OSError, UnicodeError) as error:
            raise EndpointUnreachable(f"{self.host} cannot be reached: {faults.reason(error)}") from None
        coding = reply.headers.get("content-encoding", "identity").strip().lower()
        if coding not in ("", "identity"):
            reply.abort()
            raise MalformedReply(f"{self.host} compressed its reply ({coding}), which it was asked not to do")
        return reply

    async def is_direct(self) -> bool:
        """Whether connections of our own reach the server: plain HTTP, and no proxy on the way."""
        if self._direct is None:
            self._direct = self.base.startswith("http://") and not await self._behind_a_proxy()
        return self._direct

    async def _behind_a_proxy(self) -> bool:
        return not profiles.is_local(self.base) and await asyncio.to_thread(_proxied, self.base)

    def _headers(self, content: bytes | None) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self.key}"} if self.key else {}
        return headers if content is None else headers | {"Content-Type": "application/json"}

    def _request(self, method: str, url: str, content: bytes | None) -> bytes:
        begun = self._heads.get((method, url))
        if begun is None:
            begun = self._heads[method, url] = self._head(method, url, self._headers(content))
        if content is None:
            return begun + b"\r\n"
        return b"%sContent-Length: %d\r\n\r\n%s" % (begun, len(content), content)

    def _head(self, method: str, url: str, fields: dict[str, str]) -> bytes:
        parts = urlsplit(url)
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            fields["Authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
        place = parts.netloc.rpartition("@")[2]
        query = f"?{parts.query}" if parts.query else ""
        try:
            fields |= {
                "Host": place if place.isascii() else place.encode("idna").decode(),
                "User-Agent": USER_AGENT,
                "Accept": "*/*",
                "Accept-Encoding": "identity",
            }
            return head(method, quote(parts.path or "/", safe="/%:@!$&'()*+,;=~") + query, fields)
        except ValueError as error:
            if "Authorization" in str(error):
                raise AuthenticationFailed(
                    "the API key holds what no key does, such as a line break: set OPENAI_API_KEY again"
                ) from None
            raise EndpointUnreachable(f"the base URL of {self.host} is none: {error}") from None

    async def post(self, url: str, body: Mapping[str, Any], deadline: float) -> Reply:
        """As `send`, and raises the error of a reply that is no success."""
        reply = await self.send("POST", url, body, deadline)
        if reply.status != 200:
            raise await self._refusal(reply, deadline)
        return reply

    async def _refusal(self, reply: Reply, deadline: float) -> EndpointError:
        status, headers = reply.status, reply.headers
        body, _ = await self._body(reply, deadline, LARGEST_ERROR)
        text = body.decode("utf-8", "replace")
        return faults.from_status(self.host, status, headers, text, key=self.key)

    async def _body(self, reply: Reply, deadline: float, most: int) -> tuple[bytes, bool]:
        """The body up to about `most` bytes, and whether it is whole; leaves the reply."""
        body, whole = bytearray(), False
        try:
            while len(body) <= most:
                piece = await reply.read(deadline)
                if not piece:
                    whole = True
                    break
                body += piece
        except (ConnectionError, BadReply):
            pass
        finally:
            await reply.leave(whole=whole)
        return bytes(body), whole

    async def events(self, reply: Reply, events: Events, deadline: float) -> list[Event]:
        """The events that the next bytes complete, maybe none. Raises TimeoutError and EndpointError."""
        try:
            piece = await reply.read(deadline)
        except TimeoutError:
            raise
        except (ConnectionError, BadReply) as error:
            raise MalformedReply(f"{self.host} broke off its reply ({faults.reason(error)})") from None
        return events.feed(piece)

    async def stream(self, reply: Reply, first_byte: float, idle: float) -> AsyncGenerator[Event]:
        """The events of a reply as they arrive; seconds until the first, and between two pieces."""
        loop = asyncio.get_running_loop()
        events = Events(self.host, reply.headers, key=self.key)
        allowed, deadline = first_byte, loop.time() + first_byte
        try:
            while not events.over:
                try:
                    found = await self.events(reply, events, deadline)
                except TimeoutError:
                    raise self.silent(allowed) from None
                for event in found:
                    yield event
                if found or allowed is idle:
                    allowed, deadline = idle, loop.time() + idle
        finally:
            await reply.leave(whole=events.over)

    async def ask(
        self, method: str, url: str, body: Mapping[str, Any] | None = None, *, timeout: float
    ) -> Any:
        """The JSON answer to a question about the server; None when it has no answer to it."""
        deadline = asyncio.get_running_loop().time() + timeout
        try:
            reply = await self.send(method, url, body, deadline)
            status, headers = reply.status, reply.headers
            answer, whole = await self._body(reply, deadline, LARGEST)
        except TimeoutError:
            raise self.silent(timeout) from None
        text = answer.decode("utf-8", "replace")
        if status in (401, 403):
            raise faults.from_status(self.host, status, headers, text, key=self.key)
        if status != 200 or not whole:
            return None
        try:
            return faults.read_json(text)
        except ValueError:
            return None

    def silent(self, seconds: float) -> EndpointTimeout:
        """The error of an endpoint that let a time limit pass."""
        return EndpointTimeout(f"{self.host} sent nothing for {seconds:g} s")

    @asynccontextmanager
    async def limit(self, seconds: float) -> AsyncGenerator[None]:
        """A time limit that ends in EndpointTimeout."""
        try:
            async with asyncio.timeout(seconds):
                yield
        except TimeoutError:
            raise self.silent(seconds) from None

    async def aclose(self) -> None:
        """Close every connection."""
        if self._own is not None:
            self._own.close()
        await self.library.aclose()


def _proxied(url: str) -> bool:
    """Whether the environment names a proxy for this URL. Imports much: for a thread."""
    from urllib.request import getproxies, proxy_bypass

    proxies = getproxies()
    named = proxies.get(urlsplit(url).scheme) or proxies.get("all")
    return bool(named) and not proxy_bypass(urlsplit(url).netloc.rpartition("@")[2])
