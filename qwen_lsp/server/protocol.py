"""JSON-RPC as pygls leaves it to be done: who may ask what when, and one answer for each request.

Replies never carry a traceback, a file system path of this machine or `data`: deliberate errors speak
for themselves, everything else is "internal error" here and a traceback in the log.
"""

from __future__ import annotations

import asyncio
import inspect
import logging
import uuid
from concurrent.futures import Future
from contextvars import ContextVar
from functools import partial
from typing import TYPE_CHECKING, Any, Literal, cast

from lsprotocol import types as lsp
from pygls.exceptions import JsonRpcException
from pygls.protocol import LanguageServerProtocol

from qwen_lsp.errors import QwenLspError
from qwen_lsp.server.wire import Connection, Event, Message, Refused, encode
from qwen_lsp.workspace.hints import MOST_PATHS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cattrs import Converter

log = logging.getLogger(__name__)

ParseError, InvalidRequest, InvalidParams = -32700, -32600, -32602
MethodNotFound, InternalError, ServerNotInitialized = -32601, -32603, -32002
RequestCancelled, RequestFailed = -32800, -32803

MessageId = int | str
State = Literal["new", "running", "shutdown"]

arrived: ContextVar[Any] = ContextVar("arrived")
"""What the workspace was when the message being handled came in; see `Protocol.at_arrival`."""


class Protocol(LanguageServerProtocol):
    """pygls' registry, types and outgoing requests, behind a stricter front door."""

    def __init__(self, server: Any, converter: Converter) -> None:
        super().__init__(server, converter)
        self.state: State = "new"
        self.at_arrival: Callable[[], Any] = lambda: None
        self.scrub: Callable[[str], str] = lambda text: text
        self.worded: Callable[[str], str] = lambda text: text
        self.connection: Connection | None = None
        self._running: dict[MessageId, asyncio.Task[Any]] = {}
        self._held: list[dict[str, Any]] | None = None

    def _register_builtin_features(self) -> None:
        """None: every method is served by qwen_lsp.server, so that no second copy of the text exists."""

    @property
    def features(self) -> Mapping[str, Callable[[Any], Any]]:
        return cast("dict[str, Callable[[Any], Any]]", self.fm.features)  # pyright: ignore[reportUnknownMemberType]

    @property
    def options(self) -> dict[str, Any]:
        return cast("dict[str, Any]", self.fm.feature_options)  # pyright: ignore[reportUnknownMemberType]

    # -- in ------------------------------------------------------------------------------------------

    def receive(self, event: Event) -> None:
        """Take one frame. Never raises, whatever it holds."""
        match event:
            case Refused(kind, reason):
                self._refuse(None, ParseError if kind == "parse" else InvalidRequest, reason)
            case Message(value) if isinstance(value, dict):
                self._take(cast("dict[str, Any]", value))
            case Message(value):
                batch = isinstance(value, list)
                reason = "batches are not part of the protocol" if batch else "a message is a JSON object"
                self._refuse(None, InvalidRequest, reason)

    def hold(self) -> None:
        """Keep what comes in from now on, but `exit`, until `release`."""
        self._held = []

    def release(self) -> None:
        """Take what was kept, in order; for each message this is the moment of its arrival."""
        held, self._held = self._held or [], None
        for message in held:
            self._take(message)

    def _take(self, message: dict[str, Any]) -> None:
        if self._held is not None and message.get("method") != lsp.EXIT:
            self._held.append(message)
            return
        msg_id, method = message.get("id"), message.get("method")
        if message.get("jsonrpc") != "2.0":
            self._refuse(msg_id, InvalidRequest, "only JSON-RPC 2.0 is spoken here")
            return
        if "method" not in message and ("result" in message or "error" in message):
            self._take_response(message)
            return
        if not isinstance(method, str):
            self._refuse(msg_id, InvalidRequest, "a message needs a method")
            return
        # The five lines that keep a request's text from moving: tasks copy the context they start in.
        token = arrived.set(self.at_arrival())
        try:
            if "id" in message:
                self._take_request(msg_id, method, message.get("params"))
            else:
                self._take_notification(method, message.get("params"))
        finally:
            arrived.reset(token)

    def _take_request(self, msg_id: object, method: str, params: object) -> None:
        if not isinstance(msg_id, int | str) or isinstance(msg_id, bool):
            return self._refuse(msg_id, InvalidRequest, "an id is an integer or a string")
        if msg_id in self._running:
            return self._refuse(msg_id, InvalidRequest, "a request with this id is still running")
        if self.state == "shutdown":
            return self._refuse(msg_id, InvalidRequest, "the server is shutting down")
        if self.state == "new" and method != lsp.INITIALIZE:
            return self._refuse(msg_id, ServerNotInitialized, "the server is not initialized yet")
        if self.state != "new" and method == lsp.INITIALIZE:
            return self._refuse(msg_id, InvalidRequest, "the server is already initialized")
        handler = self.features.get(method)
        if handler is None or not _is_request(method):
            return self._refuse(msg_id, MethodNotFound, f"method not found: {method[:100]}")
        try:
            structured = self._structure(method, params)
        except Exception:  # noqa: BLE001 - whatever the types make of a client's data, it is the client's
            return self._refuse(msg_id, InvalidParams, f"invalid params for {method}")
        self._ctx_msg_id.set(msg_id)
        try:
            result = handler(structured)
        except Exception as error:  # noqa: BLE001 - the top of the front end
            return self._fail(msg_id, error)
        if inspect.iscoroutine(result):
            task = asyncio.get_running_loop().create_task(result)
            self._running[msg_id] = task
            task.add_done_callback(partial(self._finish, msg_id))
        else:
            self._answer(msg_id, result)
        return None

    def _take_notification(self, method: str, params: object) -> None:
        if method == lsp.CANCEL_REQUEST:
            return self._cancel(params)
        handler = self.features.get(method)
        if method != lsp.EXIT and self.state != "running":
            return log.warning("ignored %s in state %s", method[:100], self.state)
        if handler is None or _is_request(method):
            return None if method.startswith("$/") else log.warning("ignored unknown %s", method[:100])
        try:
            structured = self._structure(method, params)
        except Exception:  # noqa: BLE001 - as above
            return log.warning("ignored %s with invalid params", method)
        try:
            handler(structured)
        except QwenLspError as error:
            log.warning("%s: %s", method, error)
        except Exception:
            log.exception("%s failed", method)
        return None

    def _take_response(self, message: dict[str, Any]) -> None:
        msg_id = message.get("id")
        if not isinstance(msg_id, str) or msg_id not in self._request_futures:
            return log.info("ignored a response to no request of ours")
        future, response_type = self._request_futures.pop(msg_id), self._result_types.pop(msg_id)
        if future.done():
            return None
        try:
            if "error" in message:
                error = self._converter.structure(message["error"], lsp.ResponseError)
                future.set_exception(JsonRpcException(error.message, error.code))
            elif response_type is None:  # a method of our own
                future.set_result(message["result"])
            else:
                future.set_result(self._converter.structure(message, response_type).result)
        except Exception:  # noqa: BLE001 - as above
            future.set_exception(JsonRpcException("the client's response has the wrong shape"))
        return None

    def _structure(self, method: str, params: object) -> Any:
        entry = lsp.METHOD_TO_TYPES.get(method)
        if entry is None or entry[2] is None:
            return params
        if method == lsp.WORKSPACE_DID_CHANGE_WATCHED_FILES and isinstance(params, dict):
            # Ten thousand events in one message are looked into by one sweep: no need to read them all.
            changes: object = cast("dict[str, object]", params).get("changes")
            some = cast("list[object]", changes)[: MOST_PATHS + 1] if isinstance(changes, list) else changes
            return self._converter.structure({"changes": some}, entry[2])
        return self._converter.structure(params, entry[2])

    def _cancel(self, params: object) -> None:
        """Cancel a running request; one that is unknown, finished or yet to come is left alone."""
        msg_id = cast("dict[str, Any]", params).get("id") if isinstance(params, dict) else None
        if isinstance(msg_id, int | str) and not isinstance(msg_id, bool) and msg_id in self._running:
            self._running[msg_id].cancel()

    def cancel_all(self) -> list[asyncio.Task[Any]]:
        """Cancel what is running but the caller itself, and forget what the client still owes."""
        tasks = [task for task in self._running.values() if task is not asyncio.current_task()]
        for task in tasks:
            task.cancel()
        for future in list(self._request_futures.values()):
            future.cancel()
        self._request_futures.clear()
        return tasks

    # -- out -----------------------------------------------------------------------------------------

    def _finish(self, msg_id: MessageId, task: asyncio.Task[Any]) -> None:
        self._running.pop(msg_id, None)
        if task.cancelled():
            self._refuse(msg_id, RequestCancelled, "cancelled")
        elif (error := task.exception()) is not None:
            self._fail(msg_id, error)
        else:
            self._answer(msg_id, task.result())

    def _answer(self, msg_id: MessageId, result: object) -> None:
        try:
            data = encode({"jsonrpc": "2.0", "id": msg_id, "result": self.plain(result)})
        except Exception as error:  # noqa: BLE001 - a result that cannot be sent is still one reply
            return self._fail(msg_id, error)
        return self._write(data)

    def _fail(self, msg_id: MessageId, error: BaseException) -> None:
        if isinstance(error, QwenLspError):
            log.info("request failed: %s", error)
            self._refuse(msg_id, RequestFailed, self.worded(str(error)))
        elif isinstance(error, JsonRpcException):
            self._refuse(msg_id, error.code, self.worded(error.message))
        else:
            log.error("internal error", exc_info=error)
            self._refuse(msg_id, InternalError, "internal error; the log says more")

    def _refuse(self, msg_id: object, code: int, message: str) -> None:
        self._write(encode({"jsonrpc": "2.0", "id": msg_id, "error": {"code": code, "message": message}}))

    def plain(self, value: object) -> Any:
        return self._converter.unstructure(value)

    def _send_data(self, data: Any) -> None:
        """Outgoing requests and notifications of pygls; its own version logs every text it sends."""
        self._write(encode(self.plain(data)))

    def _write(self, data: bytes) -> None:
        if self.connection is not None:
            self.connection.write(data)

    def notify_raw(self, method: str, params: dict[str, Any]) -> None:
        """Send one of our own notifications, whose params are plain JSON."""
        self._write(encode({"jsonrpc": "2.0", "method": method, "params": params}))

    async def ask(self, method: str, params: Any, named: Callable[[str], None] = lambda name: None) -> Any:
        """Ask the client; a lost client is a cancelled request.

        Cancelling takes the question back (`$/cancelRequest`): nobody waits for the answer any more. A method
        of our own has plain JSON for its result. `named` is told the request's id. Raises JsonRpcException
        for an error reply.
        """
        msg_id = str(uuid.uuid4())
        named(msg_id)
        send = cast("Callable[..., Future[Any]]", self.send_request)
        future = send(method, params, msg_id=msg_id)
        try:
            return await asyncio.wrap_future(future)
        except asyncio.CancelledError:
            if self._request_futures.pop(msg_id, None) is not None:
                self._result_types.pop(msg_id, None)
                self.notify_raw(lsp.CANCEL_REQUEST, {"id": msg_id})
            raise


def _is_request(method: str) -> bool:
    entry = cast("tuple[Any, ...] | None", lsp.METHOD_TO_TYPES.get(method))
    return entry is not None and entry[1] is not None
