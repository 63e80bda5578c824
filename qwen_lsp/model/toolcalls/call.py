"""One `<function=…>` while it is read: its parameters or JSON body, and whether it may run."""

from __future__ import annotations

from typing import Any

from qwen_lsp.model.messages import ToolCall
from qwen_lsp.model.toolcalls import reply
from qwen_lsp.model.toolcalls.jsonbody import JsonText, arguments_of, checked
from qwen_lsp.model.toolcalls.markup import Kind, Token, held_suffix, next_token
from qwen_lsp.model.toolcalls.schema import Tools, literal
from qwen_lsp.model.toolcalls.value import ParameterValue, strip_newlines


class FunctionCall:
    """Reads the body of one function; `read` consumes what is certain and says when it is done."""

    def __init__(self, tools: Tools, name: str) -> None:
        self.name = name
        self.cut = False
        """Whether the reply was cut off; known only at its end."""
        self.again = ""
        """Text that has to be read once more, before what follows: a value ended before it."""
        self._tools = tools
        self._arguments: dict[str, Any] = {}
        self._problem = ""
        self.over = self._closed = False
        self._json: JsonText | None = None
        self._value: ParameterValue | None = None
        self._amid_words = False
        """Whether what follows belongs to words between parameters until a tag begins."""

    def read(self, text: str, at: int, final: bool) -> tuple[int, bool]:
        """Read on from `at`; the place reached, and whether the function is over."""
        go_on = True
        while go_on and not self.over and not self.again:
            if self._json is not None:
                at, go_on = self._read_json(self._json, text, at)
            elif self._value is not None:
                self._value.cut = self.cut
                at, go_on = self._value.read(text, at, final)
                if go_on:
                    self._end_value(self._value, self._value.forgotten)
            else:
                at, go_on = self._read_body(text, at, final)
        return at, self.over

    def result(self) -> ToolCall:
        """The call as read."""
        if not self._arguments and not self._closed and not self._problem:
            self._problem = reply.NO_PARAMETERS
        return checked(self.name, self._arguments, self._tools, self._problem)

    def end_of_reply(self) -> None:
        """The reply ended inside the function: settle what can be settled, refuse the rest."""
        if self.cut:
            self._problem = reply.CUT
        elif self._json is not None:
            self._problem = reply.UNCLOSED
        elif self._value is not None:
            value = self._value
            end = value.end_at_reply_end()
            if end is None:
                self._problem = reply.UNCLOSED
            else:
                self._end_value(value, end)
                if self.again and not value.ended_loosely:
                    return
        self.over = True

    def _read_body(self, text: str, at: int, final: bool) -> tuple[int, bool]:
        """Read one token between parameters; False when more text is needed."""
        if self._amid_words:
            at = text.find("<", at)
            if at < 0:
                return len(text), False
            self._amid_words = False
        token = next_token(text, at, final)
        match token.kind:
            case Kind.MORE:
                return at, False
            case Kind.END:
                if token.start < len(text):
                    self._problem = reply.UNCLOSED
                return len(text), False
            case Kind.PARAMETER_OPEN:
                self._start_value(token)
            case Kind.FUNCTION_CLOSE:
                self.over = self._closed = True
            case Kind.CALL_CLOSE:
                self.over = self._closed = True
                return token.start, True
            case Kind.CALL_OPEN | Kind.FUNCTION_OPEN:
                self.over = True
                return token.start, True
            case Kind.PARAMETER_CLOSE:
                pass
            case Kind.BRACE if not self._arguments:
                self._json = JsonText()
                return token.start, True
            case _:
                if final and text.startswith("<", token.start) and held_suffix(text) == token.start:
                    self._problem = self._problem or (
                        "" if text.startswith("</", token.start) else reply.UNCLOSED
                    )
                # Words between parameters are dropped, as every reader of this format does.
                after = text.find("<", token.start + 1)
                self._amid_words = after < 0
                return (len(text) if after < 0 else after), True
        return token.end, True

    def _start_value(self, token: Token) -> None:
        self._value = ParameterValue(self._tools, self.name, token.name, self._arguments)
        if not token.name:
            self._problem = "one of its parameters has no name."
        elif "{{" in token.name or "{%" in token.name:
            self._problem = reply.TEMPLATE
        elif not token.whole and not self._tools.declares(self.name, token.name):
            self._problem = f"`<parameter={token.name}` is not closed with `>`."

    def _end_value(self, value: ParameterValue, end: int | None) -> None:
        """Take the value, up to `end` when it ended before what was read of it."""
        raw = value.raw
        self.again = "" if end is None else raw[end:]
        raw = strip_newlines(raw if end is None else raw[:end])
        self._arguments[value.name] = self._tools.value(self.name, value.name, raw)
        self._value = None

    def _read_json(self, body: JsonText, text: str, at: int) -> tuple[int, bool]:
        at, done = body.feed(text, at)
        if done:
            arguments = arguments_of(literal(body.text))
            if arguments is None:
                self._problem = "its arguments are not a JSON object."
            else:
                self._arguments.update(arguments)
            self._json = None
        return at, done
