"""Arguments of our commands: checked, and refused in words that say what belongs there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from qwen_lsp.errors import UserError
from qwen_lsp.server.host import Place, Server
from qwen_lsp.text.positions import Position, Span

if TYPE_CHECKING:
    from qwen_lsp.context.webpage_shell import Theme

Token = int | str | None

_Choice = TypeVar("_Choice", bound=str)


def text_of(arguments: Mapping[str, Any], name: str) -> str:
    value = arguments.get(name)
    if not isinstance(value, str) or not value.strip():
        raise UserError(f"`{name}` is missing or not a text")
    return value


def selection_of(ls: Server, place: Place, arguments: Mapping[str, Any]) -> Span | None:
    value = arguments.get("range")
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise UserError("`range` has a `start` and an `end`, each with a `line` and a `character`")
    value = cast("Mapping[str, Any]", value)
    start, end = position_of(value.get("start"), "range.start"), position_of(value.get("end"), "range.end")
    return place.lines.span(start, end, ls.encoding)


def position_of(value: object, name: str) -> Position:
    if isinstance(value, Mapping):
        value = cast("Mapping[str, Any]", value)
        line, character = value.get("line"), value.get("character")
        if type(line) is int and type(character) is int and line >= 0 and character >= 0:
            return Position(line, character)
    raise UserError(f"`{name}` needs a `line` and a `character`, both counted from 0")


def budget_of(arguments: Mapping[str, Any], default: int) -> int:
    """The `budget` in tokens."""
    budget = arguments.get("budget", default)
    if type(budget) is not int or not 0 < budget <= 1_000_000:
        raise UserError("`budget` is a number of tokens between 1 and 1000000")
    return budget


def form_of(arguments: Mapping[str, Any]) -> Literal["receipt", "text", "html"]:
    """The `form` in which something is to be shown."""
    form = arguments.get("form", "receipt")
    if form not in ("receipt", "text", "html"):
        raise UserError('`form` is "receipt", "text" or "html"')
    return form


def index_of(arguments: Mapping[str, Any]) -> int:
    """The `index`, counted from the newest."""
    index = arguments.get("index", 0)
    if type(index) is not int or not 0 <= index < 1_000:
        raise UserError("`index` is a whole number, 0 for the newest")
    return index


def optional_text_of(arguments: Mapping[str, Any], name: str) -> str:
    """A text that may be left out or empty; empty then."""
    return "" if arguments.get(name) in (None, "") else text_of(arguments, name)


def texts_of(arguments: Mapping[str, Any], name: str) -> list[str] | None:
    """A list of texts that may be left out."""
    value: object = arguments.get(name)
    if value is None:
        return None
    listed = cast("list[object]", value) if isinstance(value, list) else [None]
    texts = [text for text in listed if isinstance(text, str) and text]
    if len(texts) != len(listed):
        raise UserError(f"`{name}` is a list of texts")
    return texts


def choice_of(
    arguments: Mapping[str, Any], name: str, choices: Sequence[_Choice], default: _Choice
) -> _Choice:
    """One of some words; `default` where it is left out."""
    value = arguments.get(name)
    if value is None:
        return default
    for choice in choices:
        if value == choice:
            return choice
    raise UserError(f"`{name}` is one of {', '.join(choices)}")


def theme_of(arguments: Mapping[str, Any]) -> Theme | None:
    """The `theme` of a page; None where the system's own is meant."""
    themes: tuple[Theme, ...] = ("light", "dark")
    theme: Theme = choice_of(arguments, "theme", themes, themes[0])
    return theme if arguments.get("theme") is not None else None


def flag_of(arguments: Mapping[str, Any], name: str, *, default: bool) -> bool:
    value = arguments.get(name, default)
    if not isinstance(value, bool):
        raise UserError(f"`{name}` is true or false")
    return value


def token_of(arguments: Mapping[str, Any], name: str) -> Token:
    """A token that may be left out."""
    value = arguments.get(name)
    if value is not None and (not isinstance(value, int | str) or isinstance(value, bool)):
        raise UserError(f"`{name}` is an integer or a string")
    return value
