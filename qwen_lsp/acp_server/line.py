"""What goes to the client in one session: updates in order, gathered where they are text, and questions."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections import deque
from collections.abc import Sequence

from acp import schema
from acp.exceptions import RequestError
from acp.interfaces import Client

log = logging.getLogger(__name__)

Update = (
    schema.UserMessageChunk
    | schema.AgentMessageChunk
    | schema.ToolCallStart
    | schema.ToolCallProgress
    | schema.AgentPlanUpdate
    | schema.AvailableCommandsUpdate
    | schema.CurrentModeUpdate
    | schema.SessionInfoUpdate
    | schema.UsageUpdate
)
_GATHERED = 0.04  # seconds of text that go into one update


class Line:
    """The way to the client for one session. Used on the event loop only.

    A client that is gone takes nothing: what is said to it then is lost without an error, and a question is
    not answered.
    """

    def __init__(self, client: Client, session: str) -> None:
        self.client, self.session = client, session
        self._waiting: deque[Update] = deque()
        self._sending: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._ids = 0

    def new_id(self, what: str) -> str:
        """An id for a call that is none of the model's."""
        self._ids += 1
        return f"{what}-{self.session}-{self._ids}"

    def tell(self, *updates: Update) -> None:
        """Send these when their turn comes. Returns at once."""
        for update in updates:
            last = self._waiting[-1] if self._waiting else None
            joined = None if last is None else _joined(last, update)
            if joined is None:
                self._waiting.append(update)
            else:
                self._waiting[-1] = joined
        if self._sending is None or self._sending.done():
            self._hurry.clear()
            self._sending = asyncio.create_task(self._send(), name="updates")

    def say(self, text: str) -> None:
        """Words of ours, in Markdown."""
        self.tell(message(text))

    async def told(self) -> None:
        """Everything that was said is on its way."""
        while self._sending is not None and not self._sending.done():
            self._hurry.set()
            await asyncio.shield(self._sending)

    async def ask(
        self, call: schema.ToolCallUpdate, options: Sequence[schema.PermissionOption]
    ) -> str | None:
        """The id of the option that the person chose; None where nobody answered.

        Cancelling it ends the wait; the client takes its question back when it is told that the turn was
        cancelled.
        """
        await self.told()
        try:
            reply = await self.client.request_permission(self.session, call, list(options))
        except (RequestError, ConnectionError) as error:
            log.warning("a question was not answered: %s", error)
            return None
        outcome = reply.outcome
        return outcome.option_id if isinstance(outcome, schema.AllowedOutcome) else None

    def close(self) -> None:
        """Nothing is said any more."""
        self._waiting.clear()
        if self._sending is not None:
            self._sending.cancel()

    async def _send(self) -> None:
        while self._waiting:
            if isinstance(self._waiting[0], _GROWING):
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self._hurry.wait(), _GATHERED)
            update = self._waiting.popleft()
            try:
                await self.client.session_update(self.session, update)
            except (RequestError, ConnectionError):
                self._waiting.clear()


_GROWING = (schema.AgentMessageChunk, schema.ToolCallProgress)


def _joined(last: Update, update: Update) -> Update | None:
    """Two updates as one; None where both are needed."""
    if isinstance(last, schema.AgentMessageChunk) and isinstance(update, schema.AgentMessageChunk):
        one, other = last.content, update.content
        if isinstance(one, schema.TextContentBlock) and isinstance(other, schema.TextContentBlock):
            return message(one.text + other.text)
    if not (isinstance(last, schema.ToolCallProgress) and isinstance(update, schema.ToolCallProgress)):
        return None
    if last.tool_call_id != update.tool_call_id:
        return None
    # What an update gives takes the place of what was there before.
    both = last.model_dump(exclude_unset=True) | update.model_dump(exclude_unset=True)
    return schema.ToolCallProgress.model_validate(both)


def message(text: str) -> schema.AgentMessageChunk:
    """Text of the agent's, in Markdown."""
    return schema.AgentMessageChunk(session_update="agent_message_chunk", content=block(text))


def said_by_user(text: str) -> schema.UserMessageChunk:
    """Text of the user's, when an earlier conversation is told again."""
    return schema.UserMessageChunk(session_update="user_message_chunk", content=block(text))


def block(text: str) -> schema.TextContentBlock:
    return schema.TextContentBlock(type="text", text=text)


def shown(text: str) -> schema.ContentToolCallContent:
    """Text as content of a tool call."""
    return schema.ContentToolCallContent(type="content", content=block(text))


def option(id: str, name: str, kind: schema.PermissionOptionKind) -> schema.PermissionOption:
    return schema.PermissionOption(option_id=id, name=name, kind=kind)
