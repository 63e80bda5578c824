"""One parameter's value while it is read, and where it really ends.

A value is literal text and may hold the very markup that ends it: a file about tool calls, a test of a
parser. `</parameter>` ends it only when a structural token follows, and when no `<parameter=…>` of a
function inside the value still waits for one.
"""

from __future__ import annotations

import re
from collections.abc import Collection

from qwen_lsp.model.toolcalls.markup import HEAD, Kind, Token, held_suffix, next_token, token_at
from qwen_lsp.model.toolcalls.schema import Tools

_LINE_START = re.compile(r"\n[ \t]{0,60}\Z")
_FOREIGN = re.compile(r"<(function|parameter)[ \t>]")
# After a `</parameter>`: the ordinary end of the call, with nothing but another call behind it.
_CLEAN_END = re.compile(
    r"</parameter[^>]{0,70}>\s*</function>\s*(?:</tool_call>\s*)?(?:\Z|<tool_call>\s*<function=)"
)
_NEXT_PARAMETER = re.compile(r"</parameter[^>]{0,70}>\s*<parameter=([^<>\n]{1,256})>")
_TAIL = 64
_MOST = 64
"""Where any parameter name may follow, so many at most are found by a forgotten close; bounds re-reading."""


class ParameterValue:
    """Reads the value of one parameter; `given` are the parameters the call has already."""

    def __init__(self, tools: Tools, function: str, name: str, given: Collection[str]) -> None:
        self.name = name
        self.cut = False
        """Whether the reply was cut: its end then proves nothing."""
        self.ended_loosely = False
        """Whether the value's end is the last tag of the call: what follows is text again."""
        self._tools = tools
        self._function = function
        self._given = given
        self._is_text = tools.is_text(function, name)
        self._parts: list[str] = []
        self._length = 0
        self._tail = ""
        self._functions = self._calls = self._parameters = 0
        self._nested = False
        self._inner_closes: list[int] = []
        self._loose_closes: list[int] = []
        self._soft_end: int | None = None
        self._forgotten: int | None = None

    @property
    def raw(self) -> str:
        """The text so far, as written."""
        return "".join(self._parts)

    def read(self, text: str, at: int, final: bool) -> tuple[int, bool]:
        """Consume value text up to its end, or up to what cannot be decided yet; whether it ended.

        The tag that ended it is left to be read. Where it shows that an earlier `</parameter>` was
        forgotten, `forgotten` says where.
        """
        while True:
            found = HEAD.search(text, at)
            if not found:
                hold = len(text) if final else max(at, held_suffix(text))
                self._keep(text[at:hold])
                return hold, False
            self._keep(text[at : found.start()])
            at = found.start()
            token = token_at(text, at, final)
            ends = self._ends_at(text, token, final)
            if ends is None:
                return at, False
            if ends:
                return at, True
            end = found.end() if token.end <= at else token.end
            self._keep(text[at:end])
            at = end

    @property
    def forgotten(self) -> int | None:
        """Where the value ended, if the tag it ended at shows that this was earlier."""
        return self._forgotten

    def _keep(self, piece: str) -> None:
        if piece:
            self._parts.append(piece)
            self._length += len(piece)
            self._tail = (self._tail + piece)[-_TAIL:] if len(piece) < _TAIL else piece[-_TAIL:]

    def _ends_at(self, text: str, token: Token, final: bool) -> bool | None:
        """Whether this token ends the value; None when later text decides. Follows the nesting."""
        match token.kind:
            case Kind.MORE:
                return None
            case Kind.PARAMETER_CLOSE:
                return self._at_parameter_close(text, token, final)
            case Kind.PARAMETER_OPEN:
                return self._at_parameter_open(token)
            case Kind.FUNCTION_CLOSE if self._functions:
                self._functions -= 1
                self._parameters = 0
            case Kind.CALL_CLOSE if self._calls:
                self._calls -= 1
            case Kind.FUNCTION_CLOSE | Kind.CALL_CLOSE if not self._functions:
                return self._at_early_close(text, token, final)
            case Kind.FUNCTION_OPEN:
                self._functions += 1
                self._nested = True
            case Kind.CALL_OPEN:
                self._calls += 1
                self._nested = True
            case _:
                if foreign := _FOREIGN.match(text, token.start):
                    self._functions += foreign[1] == "function"
                    self._parameters += foreign[1] == "parameter"
                    self._nested = True
        return False

    def _at_parameter_close(self, text: str, token: Token, final: bool) -> bool | None:
        if self._parameters:
            self._parameters -= 1
            self._inner_closes.append(self._length)
            return False
        after = next_token(text, token.end, final)
        match after.kind:
            case Kind.MORE:
                return None
            case Kind.FUNCTION_CLOSE | Kind.CALL_CLOSE | Kind.CALL_OPEN | Kind.END:
                return True
            case Kind.PARAMETER_OPEN if self._tools.declares(self._function, after.name):
                return True
            case Kind.FUNCTION_OPEN if after.name in self._tools:
                return True
            case _:
                if self._is_text:
                    # Not the end, and what came before it is one whole inner parameter.
                    self._loose_closes.append(self._length)
                    self._forgotten = None
                return not self._is_text

    def _at_parameter_open(self, token: Token) -> bool:
        """`<parameter=…>` inside a value: of a function in the value, or the sign of a forgotten close.

        Which of them, the next `</parameter>` tells: followed by structure it is the new parameter's.
        """
        if self._functions:
            self._parameters += 1
            return False
        # A value written in one line needs no line of its own for the next tag.
        placed = _LINE_START.search(self._tail) is not None or "\n" not in self._tail
        if not (placed and token.whole and self._is_new(token.name)):
            return False
        if self._forgotten is None and self._is_text:
            self._forgotten = self._length
        return not self._is_text

    def _at_early_close(self, text: str, token: Token, final: bool) -> bool | None:
        """`</function>` or `</tool_call>` with no `</parameter>` before it."""
        if not self._is_text:
            return True
        if self._calls:
            return False
        after = next_token(text, token.end, final)
        if token.kind is Kind.FUNCTION_CLOSE and after.kind is Kind.CALL_CLOSE:
            after = next_token(text, after.end, final)
        if after.kind is Kind.MORE:
            return None
        if after.kind is Kind.CALL_OPEN or (after.kind is Kind.END and not self.cut):
            self._forgotten = self._inner_end() if self._forgotten is None else self._forgotten
            return True
        if self._soft_end is None:
            self._soft_end = self._length
        return False

    def end_at_reply_end(self) -> int | None:
        """Where the value ends, now that the reply is over without a certain end; None: nowhere.

        First a close taken for a nested one behind which everything reads as the end of a call, then
        where a `</parameter>` was forgotten, then the only `</parameter>` there is, then, if nothing in
        the value could have been a tag, the end of the reply.
        """
        inner = self._inner_end()
        if inner is not None:
            return inner
        if self._forgotten is not None:
            return self._forgotten
        if self._soft_end is not None:
            return self._soft_end
        if self._nested:
            return None
        if len(self._loose_closes) == 1:
            self.ended_loosely = True
            return self._loose_closes[0]
        raw = self.raw
        return None if self._loose_closes or held_suffix(raw) < len(raw) - 1 else len(raw)

    def _inner_end(self) -> int | None:
        """A close taken for a nested one behind which everything so far reads as the end of a call."""
        if not self._inner_closes:
            return None
        raw = self.raw
        for at in self._inner_closes:
            following = _NEXT_PARAMETER.match(raw, at)
            if _CLEAN_END.match(raw, at) or (following and self._is_new(following[1])):
                return at
        return None

    def _is_new(self, name: str) -> bool:
        given = name == self.name or name in self._given or len(self._given) >= _MOST
        return not given and self._tools.declares(self._function, name)


def strip_newlines(raw: str) -> str:
    """The value without the one newline at each end that the format puts there."""
    if raw.startswith("\r\n"):
        raw = raw[2:]
        return raw[:-2] if raw.endswith("\r\n") else raw.removesuffix("\n")
    return raw.removeprefix("\n").removesuffix("\n")
