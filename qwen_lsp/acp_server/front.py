"""A run's front in an editor: what happens as updates, what it wants as questions to the person."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

from acp import schema
from acp.exceptions import RequestError

from qwen_lsp.acp_server.diffs import Content
from qwen_lsp.acp_server.line import Line, option, shown
from qwen_lsp.acp_server.updates import Telling, note, progress
from qwen_lsp.features.agent.approval import Answer, Ask
from qwen_lsp.features.agent.events import AgentEvent
from qwen_lsp.features.markdown import fenced
from qwen_lsp.runs.front import Question

_KINDS: dict[str, schema.ToolKind] = {
    "command": "execute", "network": "execute", "path": "edit", "external": "other",
}  # fmt: skip
_NO = "no"


class Person:
    """Whoever sits in front of the client, and the events on their way there."""

    def __init__(self, line: Line, telling: Telling, *, forms: bool) -> None:
        self._line, self._telling = line, telling
        self._forms = forms
        """Whether the client can take a text as an answer."""

    def on_event(self, event: AgentEvent, /) -> None:
        self._line.tell(*self._telling.of(event))

    async def approve(self, ask: Ask, /) -> Answer:
        """Shows exactly what would happen; a question that was closed is a no."""
        again = "Allow from now on" if ask.lasting else "Allow in this turn"
        options = [
            option("once", "Allow once", "allow_once"),
            option("request", again, "allow_always"),
            option(_NO, "Refuse", "reject_once"),
        ]
        call, own = self._call(ask.title, fenced(ask.detail), _KINDS[ask.kind])
        chosen: str | None = None
        try:
            chosen = await self._line.ask(call, options)
        finally:
            if own:
                done = chosen in ("once", "request")
                self._line.tell(progress(call.tool_call_id, status="completed" if done else "failed"))
        return "once" if chosen == "once" else "request" if chosen == "request" else "no"

    def _call(self, title: str, detail: str, kind: schema.ToolKind) -> tuple[schema.ToolCallUpdate, bool]:
        """The call that a question is about, and whether it was made for the question alone."""
        id, _ = self._telling.asking
        content: list[Content] = [shown(f"{title}\n\n{detail}")]
        if id:
            return schema.ToolCallUpdate(tool_call_id=id, status="pending", content=content), False
        id = self._line.new_id("question")
        self._line.tell(
            schema.ToolCallStart(
                session_update="tool_call", tool_call_id=id, title=title, kind=kind, status="pending",
                content=[shown(detail)],
            )
        )  # fmt: skip
        return schema.ToolCallUpdate(tool_call_id=id, title=title, kind=kind, content=content), True

    @property
    def ask(self) -> Callable[[Question], Awaitable[str]] | None:
        return self._answer

    async def _answer(self, question: Question) -> str:
        """By a form where the client has them, else by buttons; without choices it stands among the words."""
        if self._forms:
            return await self._by_form(question)
        if question.choices:
            return await self._by_buttons(question)
        self._line.tell(
            note(f"The model asks: {question.text}"),
            note("This editor cannot pass on an answer now. Say it with your next message."),
        )
        return ""

    async def _by_buttons(self, question: Question) -> str:
        options = [option(str(n), choice, "allow_once") for n, choice in enumerate(question.choices)]
        options.append(option(_NO, "None of these", "reject_once"))
        call, own = self._call("The model asks", fenced(question.text), "other")
        chosen = await self._line.ask(call, options)
        if own:
            self._line.tell(progress(call.tool_call_id, status="completed"))
        return question.choices[int(chosen)] if chosen and chosen.isdecimal() else ""

    async def _by_form(self, question: Question) -> str:
        listed = "".join(f"\n- {choice}" for choice in question.choices)
        answer = schema.ElicitationStringPropertySchema(type="string", title="Answer")
        wanted = schema.ElicitationSchema(properties={"answer": answer}, required=["answer"])
        mode = schema.ElicitationFormSessionMode(session_id=self._line.session, requested_schema=wanted)
        await self._line.told()
        try:
            reply = await self._line.client.create_elicitation(question.text + listed, mode)
        except (RequestError, ConnectionError):
            return ""
        given = reply.content if isinstance(reply, schema.AcceptElicitationResponse) else None
        return str((given or {}).get("answer", ""))
