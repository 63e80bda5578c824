"""Qwen fill-in-the-middle: prompts for a file and a repository, their stops, and what is cut from the reply.

Three ways to ask, one per kind of route: the raw prompt for servers that complete text, the last turn left
open for DashScope's partial mode, and an ordinary question for an endpoint that only chats.
"""

from __future__ import annotations

import re
from functools import lru_cache

from qwen_lsp.model.markers import CONTROL, Restorer, held, neutral
from qwen_lsp.model.messages import FimRequest, Message

PREFIX = "<|fim_prefix|>"
SUFFIX = "<|fim_suffix|>"
MIDDLE = "<|fim_middle|>"
PAD = "<|fim_pad|>"
REPO = "<|repo_name|>"
FILE = "<|file_sep|>"
END_OF_TEXT = "<|endoftext|>"
END_OF_TURN = "<|im_end|>"

STOPS = (END_OF_TEXT, FILE, END_OF_TURN, PAD)
"""What a server is asked to stop at, most useful first. Everything else is cut here."""
MOST_STOPS = 4
"""Servers refuse a request with more stop strings."""


def file_prompt(prefix: str, suffix: str) -> str:
    """The prompt for one file alone."""
    return f"{PREFIX}{neutral(prefix)}{SUFFIX}{neutral(suffix)}{MIDDLE}"


def repo_prompt(request: FimRequest) -> str:
    """The prompt for a file among others, in the layout of the repository-level examples."""
    parts = [f"{REPO}{neutral(request.repo or 'workspace')}"]
    parts += [f"{FILE}{neutral(path)}\n{neutral(text)}" for path, text in request.context]
    parts.append(f"{FILE}{neutral(request.path)}\n{file_prompt(request.prefix, request.suffix)}")
    return "\n".join(parts)


def prompt(request: FimRequest) -> str:
    """The raw prompt of a request: of the repository when it brings other files, else of the file."""
    return repo_prompt(request) if request.context else file_prompt(request.prefix, request.suffix)


def stops(request: FimRequest, most: int = MOST_STOPS) -> list[str]:
    """The stop strings to send: the request's own first, but never all of the places."""
    own = [stop for stop in request.stops if stop][: max(0, most - 2)]
    return [*own, *STOPS[: most - len(own)]]


@lru_cache(maxsize=64)
def _ends(own_stops: tuple[str, ...]) -> tuple[tuple[str, ...], re.Pattern[str], re.Pattern[str]]:
    """What ends a completion, as patterns: any of it whole, and any character that one begins with."""
    ends = (*CONTROL, *(stop for stop in own_stops if stop))
    firsts = "|".join({re.escape(end[0]) for end in ends})
    return ends, re.compile("|".join(re.escape(end) for end in ends)), re.compile(firsts)


class Cutter:
    """Ends a streamed completion at the first marker or stop, wherever the pieces were split."""

    def __init__(self, own_stops: tuple[str, ...] = ()) -> None:
        self._ends, self._pattern, self._first = _ends(own_stops)
        self._kept = ""
        self._restorer = Restorer()
        self.done = False
        """Whether an end was seen; nothing more comes out."""

    def feed(self, piece: str) -> str:
        """What of the completion is certain after this piece."""
        if self.done:
            return ""
        if not self._kept and not self._first.search(piece):
            return self._restorer.feed(piece)
        text = self._kept + piece
        if end := self._pattern.search(text):
            self.done = True
            return self._restorer.feed(text[: end.start()]) + self._restorer.finish()
        keep = held(text, self._ends)
        self._kept = text[len(text) - keep :]
        return self._restorer.feed(text[: len(text) - keep])

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        if self.done:
            return ""
        self.done = True
        return self._restorer.feed(self._kept) + self._restorer.finish()


_PARTIAL_SYSTEM = (
    "You continue a file exactly where it stops. Answer with the missing text only: no explanation, no "
    "Markdown fence, nothing that is already there. Stop where the text after the cursor begins."
)
_CHAT_SYSTEM = (
    "You are a code completion engine. You get the text of a file before and after the cursor. Answer with "
    "the text that belongs at the cursor and nothing else: no explanation, no Markdown fence, no repetition "
    "of the text before or after the cursor. Keep it short; an empty answer is allowed."
)


def partial_messages(request: FimRequest) -> list[Message]:
    """Partial mode: what follows the cursor goes into the question, the prefix is the answer begun."""
    return [
        Message("system", _PARTIAL_SYSTEM),
        Message("user", _around(request, before=False)),
        Message("assistant", request.prefix),
    ]


def chat_messages(request: FimRequest) -> list[Message]:
    """An ordinary question, for an endpoint that has no other route."""
    return [Message("system", _CHAT_SYSTEM), Message("user", _around(request, before=True))]


def _around(request: FimRequest, *, before: bool) -> str:
    parts = [f"<file path={path!r}>\n{text}\n</file>" for path, text in request.context]
    where = f"The file is {request.path}."
    if before:
        where += f" The text before the cursor:\n<before>\n{request.prefix}</before>"
    parts.append(f"{where}\nThe text after the cursor:\n<after>{request.suffix}</after>")
    return "\n\n".join(parts)


_SENTENCE = re.compile(r"[A-Z][\w'’ ,`-]* [\w'’ ,`-]*[:.!]")
"""What a model says in front of the code: "Here is the missing code:"."""
_MAY_BE_ONE = re.compile(r"[A-Z][\w'’ ,`-]*[:.!]?")
_FENCE = re.compile(r"\s*```[^\n]*\n")


def _begins(text: str, marker: str) -> bool:
    """Whether the text, past its blanks, begins as the marker does, as far as it goes."""
    begun = text.lstrip()
    return begun.startswith(marker) or marker.startswith(begun)


class ChatAnswer:
    """Takes the completion out of a chat answer: Markdown fence and repeated line beginning removed."""

    def __init__(self, prefix: str) -> None:
        self._line = prefix[prefix.rfind("\n") + 1 :].lstrip()
        self._typed = self._line.rstrip()
        self._read = self._fence
        self._kept = ""
        self._fenced = False

    def feed(self, piece: str) -> str:
        """What of the completion is certain after this piece."""
        self._kept += piece
        return self._read(final=False)

    def finish(self) -> str:
        """What was held back, now that nothing follows."""
        return self._read(final=True)

    def _fence(self, *, final: bool) -> str:
        begun = self._kept.lstrip()
        opened, newline, rest = begun.partition("\n")
        if opened.startswith("```") and newline:
            self._fenced, self._kept = True, rest
        elif not final and (opened.startswith("```") or (not newline and "```".startswith(opened))):
            return ""
        elif _SENTENCE.fullmatch(opened) and newline and (fence := _FENCE.match(rest)):
            self._fenced, self._kept = True, rest[fence.end() :]
        elif not final and (
            (newline and _SENTENCE.fullmatch(opened) and _begins(rest, "```"))
            or (not newline and _MAY_BE_ONE.fullmatch(opened.rstrip()))
        ):
            # A sentence is in front of code only when a fence follows; until then it may be the answer.
            return ""
        self._read = self._echo
        return self._echo(final=final)

    def _echo(self, *, final: bool) -> str:
        begun = self._kept.lstrip()
        if not final and self._typed and len(begun) < len(self._line) and self._line.startswith(begun):
            return ""
        if self._typed and begun.startswith(self._typed):
            # What is typed ends in a blank as a rule, and the answer goes on without it.
            typed = self._line if begun.startswith(self._line) else self._typed
            self._kept = begun[len(typed) :]
        self._read = self._body
        return self._body(final=final)

    def _body(self, *, final: bool) -> str:
        text, self._kept = self._kept, ""
        if not self._fenced:
            return text
        at = text.find("\n```")
        if at >= 0:
            self._read = self._after
            return text[:at]
        keep = held(text, ("\n```",))
        if final:
            return text[: len(text) - keep] if "`" in text[len(text) - keep :] else text
        self._kept = text[len(text) - keep :]
        return text[: len(text) - keep]

    def _after(self, *, final: bool) -> str:
        self._kept = ""
        return ""
