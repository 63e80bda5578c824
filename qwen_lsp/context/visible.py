"""Text of a repository made safe to show: nothing in it is markup or command, nothing in it is invisible."""

from __future__ import annotations

import html
import re
import unicodedata

# What reorders, hides or cannot be encoded: control, format, surrogate and separator characters, and the
# fillers that are letters to Unicode and nothing to the eye. Line ends and tabs stay.
_CHARACTERS = (
    "\0-\x08\x0b-\x1f\x7f-\x9f\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2\u115f"
    "\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u2028-\u202e\u2060-\u206f\u3164\ud800-\udfff\ufe00-\ufe0f"
    "\ufeff\uffa0\ufff0-\ufffb\U000110bd\U000110cd\U00013430-\U0001343f"
    "\U0001bca0-\U0001bca3\U0001d173-\U0001d17a\U000e0000-\U000e0fff"
)
_UNSEEN = re.compile(f"[{_CHARACTERS}]")
_UNSEEN_IN_NAMES = re.compile(f"[\n\t{_CHARACTERS}]")
_CODE = re.compile("`([^`\n]+)`")


def markup(text: str) -> str:
    """The text as HTML that shows each character; one that could not be seen stands there by its number."""
    return _UNSEEN.sub(_marked, html.escape(text.replace("\r\n", "\n")))


def name(text: str) -> str:
    """The same for a path, which has one line whatever it is called."""
    return _UNSEEN_IN_NAMES.sub(_marked, html.escape(text))


def plain(text: str) -> str:
    """A name for an attribute or a title, where only text can stand."""
    return html.escape(seen_name(text))


def seen(text: str) -> str:
    """The text for a terminal: nothing in it moves the cursor, colours, hides or reorders; tabs and line ends
    stay."""
    return _UNSEEN.sub(_numbered, text.replace("\r\n", "\n"))


def seen_name(text: str) -> str:
    """The same for a name or a command in a line: it has one line whatever it is."""
    return _UNSEEN_IN_NAMES.sub(_numbered, text)


def prose(text: str) -> str:
    """A sentence of ours in which names stand between backticks."""
    return _CODE.sub(r"<code>\1</code>", name(text))


def _numbered(match: re.Match[str]) -> str:
    return f"⟨U+{ord(match[0]):04X}⟩"


def _marked(match: re.Match[str]) -> str:
    called = unicodedata.name(match[0], "control character")
    return f'<span class="unseen" title="{html.escape(called)}">U+{ord(match[0]):04X}</span>'
