"""The names of settings in both spellings: snake_case as in TOML, camelCase as editors write them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache

from pydantic import BaseModel
from pydantic.alias_generators import to_camel

from qwen_lsp.settings import Settings


def snake(key: str) -> str:
    """A name in snake_case, whichever spelling it has."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)


def as_editors_write(text: str) -> str:
    """A sentence with the names of settings in camelCase: `completion.inComments`."""
    pattern, names = _names()
    return pattern.sub(lambda found: names[found[0]], text)


@cache
def _names() -> tuple[re.Pattern[str], Mapping[str, str]]:
    names = {name: ".".join(map(to_camel, name.split("."))) for name in _paths(Settings) if "_" in name}
    longest_first = sorted(names, key=len, reverse=True)
    return re.compile(rf"(?<![\w./])(?:{'|'.join(map(re.escape, longest_first))})(?![\w/])"), names


def _paths(group: type[BaseModel], before: str = "") -> Iterator[str]:
    for name, field in group.model_fields.items():
        if isinstance(field.annotation, type) and issubclass(field.annotation, BaseModel):
            yield from _paths(field.annotation, f"{before}{name}.")
        elif before:
            yield before + name
