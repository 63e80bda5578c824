"""The reader: text and calls told apart while the reply streams, and the whole reply at its end."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_lsp.model.messages import ToolCall, ToolSpec
from qwen_lsp.model.toolcalls import reply
from qwen_lsp.model.toolcalls.call import FunctionCall
from qwen_lsp.model.toolcalls.jsonbody import JsonText, hermes_call
from qwen_lsp.model.toolcalls.markup import HEAD, Kind, Token, held_suffix, next_token, token_at
from qwen_lsp.model.toolcalls.prose import Prose
from qwen_lsp.model.toolcalls.reply import Event, Reply
from qwen_lsp.model.toolcalls.schema import Tools

_CLOSERS = (Kind.CALL_CLOSE, Kind.FUNCTION_CLOSE, Kind.PARAMETER_CLOSE)
_BODY = (Kind.PARAMETER_OPEN, Kind.FUNCTION_CLOSE, Kind.CALL_CLOSE, Kind.BRACE, Kind.END)

_TRIES = 16
"""How often the end of one reply may send the reader back; bounds the work on text made to confuse it."""


def parse(text: str, tools: Sequence[ToolSpec], finish_reason: str | None = "stop") -> Reply:
    """Read a whole reply."""
    reader = Reader(tools)
    reader.feed(text)
    return reader.finish(finish_reason)


class Reader:
    """Reads a reply that arrives in pieces; `feed` returns what became certain, `finish` the whole."""

    def __init__(self, tools: Sequence[ToolSpec]) -> None:
        self._tools = Tools(tools)
        self._prose = Prose()
        self._text = ""
        self._at = 0
        self._final = self._cut = False
        self._calls: list[ToolCall] = []
        self._rejected: list[ToolCall] = []
        self._events: list[Event] = []
        self._call: FunctionCall | None = None
        self._hermes: JsonText | None = None
        self._wrapped = False
        """Whether the call at hand was opened with <tool_call>, which then has to be closed."""
        self._over = False
        """Whether the function at hand has ended and only its wrapper's close is awaited."""
        self._wrapper_open = False
        """Whether text follows a call whose <tool_call> was not closed yet."""
        self._tries = _TRIES

    def feed(self, delta: str) -> list[Event]:
        """The next piece of the reply; text that may be shown and calls that are complete."""
        if not delta:
            return []
        self._text = self._text[self._at :] + delta if self._at < len(self._text) else delta
        self._at = 0
        self._run()
        return self._take()

    def finish(self, finish_reason: str | None = "stop") -> Reply:
        """The reply is over; what was still undecided is settled now."""
        if not self._final:
            self._final = True
            self._cut = reply.was_cut(finish_reason)
            self._run()
            self._events += self._prose.end(bool(self._calls or self._rejected))
        return Reply("".join(self._prose.parts), list(self._calls), list(self._rejected), self._take())

    def _take(self) -> list[Event]:
        events, self._events = self._events, []
        return events

    def _run(self) -> None:
        while self._step():
            pass

    def _step(self) -> bool:
        """Read one thing; False when more text is needed or none is left."""
        if self._hermes is not None:
            return self._read_hermes(self._hermes)
        if self._call is None:
            return self._read_text()
        return self._read_wrapper_end(self._call) if self._over else self._read_call(self._call)

    # -- text ---------------------------------------------------------------------------------------

    def _read_text(self) -> bool:
        text, at = self._text, self._at
        found = HEAD.search(text, at)
        if not found:
            hold = max(at, held_suffix(text))
            self._show(hold)
            if self._final and hold < len(text):
                self._partial_tag(hold)
            return False
        self._show(found.start())
        token = token_at(text, found.start(), self._final)
        if token.kind is Kind.MORE:
            return False
        if token.kind in _CLOSERS:
            stray = self._is_stray(token)
            if stray is None:
                return False
            if stray:
                self._at = token.end
                return True
        started = self._starts_call(token)
        if started is None:
            return False
        if not started:
            self._show(found.end())
        return True

    def _is_stray(self, closer: Token) -> bool | None:
        """Whether a closing tag outside calls is one too many rather than text; None: not yet known."""
        if self._prose.blank and (self._calls or self._rejected):
            return True
        if closer.kind is Kind.CALL_CLOSE and self._wrapper_open:
            self._wrapper_open = False
            return True
        if closer.kind is not Kind.CALL_CLOSE or not self._prose.line_start:
            return False
        after = next_token(self._text, closer.end, self._final)
        if after.kind is Kind.MORE:
            return None
        return after.kind is Kind.CALL_OPEN or (
            after.kind is Kind.FUNCTION_OPEN and after.name in self._tools
        )

    def _show(self, end: int) -> None:
        self._events += self._prose.add(self._text[self._at : end])
        self._at = end

    def _partial_tag(self, at: int) -> None:
        """The reply ended within what may have become a tag."""
        after_call = self._prose.blank and bool(self._calls or self._rejected)
        if after_call and self._text.startswith("</", at):
            self._at = len(self._text)
        elif self._cut and self._prose.line_start and len(self._text) - at > 2:
            self._refuse("", reply.CUT)
        else:
            self._show(len(self._text))

    def _starts_call(self, token: Token) -> bool | None:
        """Whether a call starts with this token; None when later text decides."""
        if token.kind is Kind.CALL_OPEN:
            return self._starts_wrapped(token)
        if token.kind is Kind.FUNCTION_OPEN:
            return self._starts_bare(token)
        if token.kind is Kind.END and self._cut and self._prose.line_start:
            self._refuse(token.name, reply.CUT)
            return True
        return False

    def _starts_wrapped(self, opener: Token) -> bool | None:
        after = next_token(self._text, opener.end, self._final)
        if after.kind is Kind.MORE:
            return None
        if self._prose.after_tick:
            return False
        match after.kind:
            case Kind.CALL_OPEN:
                self._at = after.start
                return True
            case Kind.BRACE if not self._prose.in_fence:
                self._hermes = JsonText()
                self._at = after.start
                return True
            case Kind.FUNCTION_OPEN:
                return self._starts_function(after)
            case Kind.END:
                return self._ends_in_opener(after.name)
            case _:
                rest = self._text[after.start :]
                if self._final and rest and "<function=".startswith(rest):
                    return self._ends_in_opener("")
                return False

    def _starts_function(self, header: Token) -> bool | None:
        """Whether `<function=…>` behind `<tool_call>` is a call: known tools are, others if they look it."""
        if header.name not in self._tools or not header.whole:
            after = next_token(self._text, header.end, self._final)
            if after.kind is Kind.MORE:
                return None
            if after.kind not in _BODY or self._prose.in_fence:
                return False
        self._begin(header, wrapped=True)
        return True

    def _starts_bare(self, header: Token) -> bool | None:
        """Whether `<function=…>` without its `<tool_call>` is a call: only of a known tool, and in form."""
        if header.name not in self._tools or self._prose.in_fence or self._prose.in_inline_code:
            return False
        after = next_token(self._text, header.end, self._final)
        if after.kind is Kind.MORE:
            return None
        if after.kind is Kind.END and self._cut and self._prose.line_start:
            self._refuse(header.name, reply.CUT)
            return True
        if after.kind not in (Kind.PARAMETER_OPEN, Kind.FUNCTION_CLOSE, Kind.BRACE):
            return False
        self._begin(header, wrapped=False)
        return True

    def _ends_in_opener(self, name: str) -> bool:
        """The reply ended right behind `<tool_call>`, or within the name of the function."""
        if not (self._cut or name or self._prose.line_start):
            return False
        self._refuse(name, reply.CUT if self._cut else reply.UNCLOSED)
        return True

    # -- calls --------------------------------------------------------------------------------------

    def _begin(self, header: Token, *, wrapped: bool) -> None:
        self._prose.call()
        self._call = FunctionCall(self._tools, header.name)
        self._wrapped, self._over, self._wrapper_open = wrapped, False, False
        self._at = header.end

    def _read_call(self, call: FunctionCall) -> bool:
        call.cut = self._cut or self._tries <= 0
        self._at, over = call.read(self._text, self._at, self._final)
        if not over and not call.again:
            if not self._final:
                return False
            call.end_of_reply()
            over = call.over
        if call.again:
            self._tries -= 1
            self._text, self._at, call.again = call.again + self._text[self._at :], 0, ""
        if not over:
            return True
        self._over = True
        if not self._wrapped:
            self._deliver(call.result())
        return True

    def _read_wrapper_end(self, call: FunctionCall) -> bool:
        """After `</function>`: the call counts once it is clear that its wrapper is closed or forgotten."""
        token = next_token(self._text, self._at, self._final)
        match token.kind:
            case Kind.MORE:
                return False
            case Kind.CALL_CLOSE:
                self._at = token.end
                self._deliver(call.result())
            case Kind.FUNCTION_OPEN if token.name:
                self._deliver(call.result())
                self._begin(token, wrapped=True)
            case Kind.FUNCTION_CLOSE | Kind.PARAMETER_CLOSE:
                self._at = token.end
            case _:
                rest = self._text[token.start :]
                if self._final and held_suffix(rest) == 0:
                    self._at = len(self._text)
                result = call.result()
                if self._cut and self._at + len(rest.strip()) >= len(self._text) and not result.problem:
                    result = reply.refused(result.name, result.arguments, reply.CUT)
                self._deliver(result)
                self._wrapper_open = True
        return True

    def _read_hermes(self, body: JsonText) -> bool:
        self._at, done = body.feed(self._text, self._at)
        if not done and not self._final:
            return False
        self._hermes = None
        if done:
            self._prose.call()
            self._deliver(hermes_call(body.text, self._tools))
        else:
            self._refuse("", reply.CUT if self._cut else reply.UNCLOSED)
        return True

    def _refuse(self, name: str, problem: str) -> None:
        self._at = len(self._text)
        self._prose.call()
        self._deliver(reply.refused(name, {}, problem))

    def _deliver(self, call: ToolCall) -> None:
        self._call = None
        self._prose.call()
        (self._rejected if call.problem else self._calls).append(call)
        self._events.append(call)
