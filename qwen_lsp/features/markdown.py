"""Markdown from a model or a file made safe to show: no images, no HTML, no links that run something."""

from __future__ import annotations

import re

# What may still become an image, a tag or a link when more text comes; held back until that is known.
_OPEN = re.compile(
    r"!$|\]$|\](?:\(\s*|:[ \t]*)<?[^\s)>]{0,2000}$"
    r"|<[a-zA-Z/!?]?[a-zA-Z0-9+.-]{0,40}(?::/{0,2})?$|`+$|~+$"
)
_IMAGE = re.compile(r"!(?=\[)")
_LINK = re.compile(r"(\](?:\(\s*|:[ \t]*)<?)([^\s)>]+)")
_TAG = re.compile(
    r"<(?=/?(?:a|img|image|picture|source|video|audio|iframe|frame|object|embed|script|style|link|meta|base|form"
    r"|input|button|svg|math|body|html|details)\b)",
    re.IGNORECASE,
)
_AUTOLINK = re.compile(r"<(?=[a-zA-Z][a-zA-Z0-9+.-]{1,31}:(?!:))(?!https?://)(?!mailto:)")
_SAFE = re.compile(r"https?://|mailto:|#", re.IGNORECASE)
_FENCE = re.compile(r"^(`{3,}|~{3,})([^\n]*)$")


class SafeMarkdown:
    """A filter for a stream: `feed` gives what is safe to show by now, `finish` the rest."""

    def __init__(self) -> None:
        self._held = ""
        self._line = ""
        self._fence = ""

    def feed(self, piece: str) -> str:
        text = self._held + piece
        match = _OPEN.search(text[-2_100:])
        cut = len(text) if match is None else max(0, len(text) - 2_100) + match.start()
        self._held = text[cut:]
        return self._cleaned(text[:cut])

    def finish(self) -> str:
        held, self._held = self._held, ""
        return self._cleaned(held)

    def _cleaned(self, text: str) -> str:
        """Clean what is outside fences. A fence counts only at the start of a line, where no nesting of
        lists or quotes can make a renderer see its end elsewhere."""
        out: list[str] = []
        prose: list[str] = []
        for part in re.split(r"(?<=\n)", text):
            self._line += part
            line = self._line.rstrip("\r\n")
            if self._fence or _opens(line):
                out += (_harmless("".join(prose)), part)
                prose.clear()
            else:
                prose.append(part)
            if self._line.endswith("\n"):
                self._note_fence(line)
                self._line = ""
        return "".join(out) + _harmless("".join(prose))

    def _note_fence(self, line: str) -> None:
        if not self._fence:
            self._fence = _opens(line)
        elif _closes(line, self._fence):
            self._fence = ""


def _opens(line: str) -> str:
    """The marks of a fence that this line opens, empty when it opens none."""
    match = _FENCE.match(line)
    if match is None or (match.group(1)[0] == "`" and "`" in match.group(2)):
        return ""
    return match.group(1)


def _closes(line: str, fence: str) -> bool:
    marks = line.strip(" ")
    indented = len(line) - len(line.lstrip(" ")) >= 4
    return not indented and len(marks) >= len(fence) and set(marks) == {fence[0]}


def safe_markdown(text: str) -> str:
    """A whole text made safe."""
    safe = SafeMarkdown()
    return safe.feed(text) + safe.finish()


def code_span(text: str) -> str:
    """Text as inline code, whatever backticks are in it, on one line."""
    flat = " ".join(text.split())
    longest = max((len(run) for run in re.findall(r"`+", flat)), default=0)
    marks = "`" * (longest + 1)
    pad = " " if flat.startswith("`") or flat.endswith("`") else ""
    return f"{marks}{pad}{flat}{pad}{marks}" if flat else ""


def fenced(text: str, language: str = "") -> str:
    """Text in a fence that is longer than any run of backticks in it."""
    longest = max((len(run) for run in re.findall(r"`{3,}", text)), default=2)
    marks = "`" * (longest + 1)
    return f"{marks}{language}\n{text.rstrip(chr(10))}\n{marks}"


def _harmless(text: str) -> str:
    text = _LINK.sub(_checked, _IMAGE.sub("", text))
    return _AUTOLINK.sub("&lt;", _TAG.sub("&lt;", text))


def _checked(match: re.Match[str]) -> str:
    """A link keeps its target when that is on the web or plainly a place in the workspace."""
    target = match.group(2)
    # Renderers decode entities and escapes in a target, so one with either could spell any scheme.
    head = re.split(r"[/?#]", target, maxsplit=1)[0]
    if _SAFE.match(target) or not re.search(r"[:&\\%]", head):
        return match.group()
    return match.group(1) + "#"
