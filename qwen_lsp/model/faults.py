"""What went wrong at an endpoint, from status, headers and body to one sentence and one type of error."""

from __future__ import annotations

import errno
import json
import re
import socket
import ssl
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any, cast

from qwen_lsp.errors import (
    AuthenticationFailed,
    ContextOverflow,
    EndpointError,
    EndpointFailed,
    MalformedReply,
    RateLimited,
    RequestRefused,
)

LONGEST = 300
"""A server's own words are quoted up to this many characters."""

# Every server says it in its own words; the first group is the window where the words tell it.
_OVERFLOW = tuple(
    re.compile(pattern, re.IGNORECASE | re.DOTALL)
    for pattern in (
        r"maximum (?:context|model) length (?:is|of) (\d+)",
        r"model's context length \((\d+) tokens\)",
        r"context length of only (\d+)",
        r"available context size \((\d+) tokens\)",
        r"n_keep: \d+\s*>=\s*n_ctx: (\d+)",
        r"Range of input length should be \[\d+, ?(\d+)\]",
        r"maximum allowed length \((\d+) tokens\)",
        r"exceed(?:s|ed)? (?:the )?context (?:window|length|size)(?: of (\d+))?",
        r"exceeds? the available context size()",
        r"greater than the context length()",
        r"context_length_exceeded()",
        r"exceed_context_size_error()",
        r"(?:prompt|input)(?: length)? (?:is )?too long()",
        r"input length exceeds()",
    )
)
_REFUSED = f"[Errno {errno.ECONNREFUSED}]"
_NO_MODEL = re.compile(r"model\b.*(not (found|exist)|does not exist|unknown)", re.IGNORECASE)
_SPENT = re.compile(r"insufficient_quota|arrearage|insufficient (?:balance|credits)", re.IGNORECASE)


def from_status(
    host: str,
    status: int,
    headers: Mapping[str, str],
    body: str,
    *,
    key: str = "",
    now: datetime | None = None,
) -> EndpointError:
    """The error of a reply that is not a success."""
    body = without_key(body, key)
    said, limit = _said(body)
    quote = f": {said}" if said else ""
    if status in (401, 403):
        return AuthenticationFailed(
            f"{host} refused the API key (HTTP {status}){quote}. Set OPENAI_API_KEY to one it accepts."
        )
    if status == 429 and not _SPENT.search(body):
        wait = retry_after(headers, now=now)
        when = f" for {wait:.0f} s" if wait else ""
        return RateLimited(f"{host} asks to wait{when} (HTTP 429){quote}", wait)
    if status < 500 and (overflow := _overflow(host, body, limit)):
        return overflow
    if (status >= 500 and status != 501) or status == 408:
        # llama.cpp once sent its overflow as a 500, so that the words count there as well.
        return _overflow(host, body, limit) or EndpointFailed(f"{host} failed (HTTP {status}){quote}")
    if 300 <= status < 400:
        to = without_key(headers.get("location", "elsewhere"), key)
        return RequestRefused(
            f"{host} redirects to {to}, which is not followed: set that as the base URL", status
        )
    if _is_page(headers, body):
        quote = " with a web page: the base URL does not lead to an API (it usually ends in /v1)"
    return RequestRefused(f"{host} refused the request (HTTP {status}){quote}", status)


def from_event(host: str, error: object, *, key: str = "") -> EndpointError:
    """The error that a server put into a stream that had begun well."""
    body = without_key(error if isinstance(error, str) else json.dumps({"error": error}), key)
    said, limit = _said(body)
    if overflow := _overflow(host, body, limit):
        return overflow
    code = cast("dict[str, Any]", error).get("code") if isinstance(error, dict) else None
    if isinstance(code, int) and 400 <= code < 500:
        return from_status(host, code, {}, body, key=key)
    return EndpointFailed(f"{host} failed in the middle of its reply: {said or 'no reason'}")


def not_a_stream(host: str, headers: Mapping[str, str], body: str) -> MalformedReply:
    """The error of a 200 that is neither events nor JSON."""
    if _is_page(headers, body):
        return MalformedReply(
            f"{host} answered with a web page instead of a reply: the base URL does not lead to an API "
            "(it usually ends in /v1)"
        )
    return MalformedReply(f"{host} answered with something that is not JSON: {_short(body)!r}")


def lacks_route(error: EndpointError) -> bool:
    """Whether the error may mean that the endpoint has no such route. Any first request is a fair try."""
    if not isinstance(error, RequestRefused):
        return False
    # Servers say it in many words and with many numbers, also of a model that has no such template.
    missing = _NO_MODEL.search(str(error)) and error.status in (400, 404)
    return not missing and error.status in (400, 404, 405, 415, 422, 501)


def retry_after(headers: Mapping[str, str], *, now: datetime | None = None) -> float | None:
    """The seconds a server asks to wait: a number, or a date; None when it did not say."""
    value = headers.get("retry-after", "").strip()
    if not value:
        return None
    try:
        seconds = float(value)
        return seconds if 0 <= seconds < float("inf") else None
    except ValueError:
        pass
    try:
        at = parsedate_to_datetime(value)
    except ValueError:
        return None
    if at.tzinfo is None:
        at = at.replace(tzinfo=UTC)
    return max(0.0, (at - (now or datetime.now(UTC))).total_seconds())


def reason(error: BaseException) -> str:
    """The innermost cause in plain words."""
    chain: list[BaseException] = []
    at: BaseException | None = error
    while at is not None and len(chain) < 8:
        chain.append(at)
        at = at.__cause__ or at.__context__
    for cause in reversed(chain):
        # Where a name has several addresses, asyncio tells all the failures in one text.
        if isinstance(cause, ConnectionRefusedError) or _REFUSED in str(cause):
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


def read_json(text: str) -> Any:
    """What a server sent as JSON. Raises ValueError for what is none, or nested deeper than anybody means."""
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deep") from None


def without_key(text: str, key: str) -> str:
    """The text without the key, should a server repeat it."""
    return text.replace(key, "[key]") if len(key) >= 4 else text


def _said(body: str) -> tuple[str, int | None]:
    """The words of an error body in any of the usual shapes, and the window when it has a field for it."""
    try:
        value: Any = read_json(body)
    except ValueError:
        return ("" if "<" in body[:20] else _short(body)), None
    limit: int | None = None
    # {"error": {"message": …}}, {"error": "…"}, {"message": …}, {"detail": …}, and lists of them.
    for _ in range(4):
        if isinstance(value, list):
            value = cast("list[Any]", value)[0] if value else ""
        elif isinstance(value, dict):
            mapping = cast("dict[str, Any]", value)
            found = mapping.get("n_ctx")
            limit = found if isinstance(found, int) else limit
            value = next((mapping[k] for k in ("error", "message", "detail", "msg") if mapping.get(k)), "")
        else:
            break
    return (_short(value) if isinstance(value, str) else ""), limit


def _overflow(host: str, body: str, limit: int | None) -> ContextOverflow | None:
    for pattern in _OVERFLOW:
        if match := pattern.search(body):
            window = limit or (int(match[1]) if match[1] else None)
            size = f" of {window} tokens" if window else ""
            return ContextOverflow(f"the prompt does not fit the window{size} at {host}", window)
    return None


def _is_page(headers: Mapping[str, str], body: str) -> bool:
    return "html" in headers.get("content-type", "") or body.lstrip()[:9].lower().startswith(
        ("<!doctype", "<html")
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
