"""One agent run at a time in a workspace, and one landing; folders do not wait for one another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncGenerator, Coroutine
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

from lsprotocol import types as lsp

from qwen_lsp.errors import QwenLspError, UserError
from qwen_lsp.server.agent_work import Work
from qwen_lsp.server.host import Server

if TYPE_CHECKING:
    from qwen_lsp.session import Session

_Result = TypeVar("_Result")
_MOST_SHOWN = 60


@contextlib.asynccontextmanager
async def at_work(ls: Server, session: Session, task: str) -> AsyncGenerator[Work]:
    """The one run of a workspace. Raises UserError while there is another."""
    busy = ls.at_work.get(session)
    if busy is not None:
        shown = busy.task if len(busy.task) <= _MOST_SHOWN else f"{busy.task[:_MOST_SHOWN]}…"
        raise UserError(
            f"An agent is at work in {session.root.name} already: “{shown}”. Stop it (qwen.stopEdit) or wait."
        )
    ls.at_work[session] = work = Work(task)
    try:
        yield work
    finally:
        del ls.at_work[session]
        for endpoint in work.endpoints:
            await endpoint.aclose()


@contextlib.asynccontextmanager
async def landing(ls: Server, session: Session, *, wait: bool = False) -> AsyncGenerator[None]:
    """The one landing of a workspace. Raises UserError while another one is open, unless told to wait."""
    lock = ls.landing.setdefault(session, asyncio.Lock())
    if lock.locked() and not wait:
        raise UserError("Another edit waits in the editor for an answer; answer that one first.")
    async with lock:
        yield


@dataclass(slots=True)
class Asking:
    """The requests to the editor that a landing has made; the last may still be open."""

    _name: str = ""

    def asked(self, name: str) -> None:
        self._name = name

    def take_back(self, ls: Server) -> None:
        """Tell the editor that nobody needs the answer; what it answers all the same still counts."""
        if self._name:
            ls.rpc.notify_raw(lsp.CANCEL_REQUEST, {"id": self._name})


async def seen_through(ls: Server, asking: Asking, work: Coroutine[Any, Any, _Result]) -> _Result:
    """The result of a landing. Cancelling asks the editor to give it up, and then only stops waiting for it.

    An editor may not take its preview back: what a person then applies is still looked up and written down.
    """

    async def told() -> _Result | QwenLspError:
        try:
            return await work
        except QwenLspError as error:  # whoever waits says it; with nobody there it is no defect
            return error

    running = ls.spawn(told(), "landing")
    try:
        made = await asyncio.shield(running)
    except asyncio.CancelledError:
        if not running.done():
            asking.take_back(ls)
        raise
    if isinstance(made, QwenLspError):
        raise made
    return made
