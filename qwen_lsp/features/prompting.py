"""Prompt texts from `prompts/*.md`, with strict placeholders."""

from __future__ import annotations

import re
from functools import cache
from importlib.resources import files

_PLACEHOLDER = re.compile(r"\{\{([a-z_]+)\}\}")


def prompt(name: str, /, **values: str) -> str:
    """The prompt `name` with its `{{placeholders}}` filled; exactly the values it asks for.

    What is put in is not looked at again, so a text that itself contains `{{x}}` stays as it is. Raises
    KeyError naming the value that is missing or that the prompt does not have: a defect, not bad input.
    """
    text = load(name)
    wanted = set(placeholders(text))
    if wanted != values.keys():
        missing = ", ".join(sorted(wanted - values.keys()))
        extra = ", ".join(sorted(values.keys() - wanted))
        raise KeyError(f"prompt {name!r}: missing [{missing}], not asked for [{extra}]")
    return _PLACEHOLDER.sub(lambda match: values[match.group(1)], text)


def placeholders(text: str) -> tuple[str, ...]:
    """The names of the placeholders of a prompt text, in order, each once."""
    return tuple(dict.fromkeys(_PLACEHOLDER.findall(text)))


@cache
def load(name: str) -> str:
    """The text of a prompt as it is in the package, without the final line end."""
    found = files("qwen_lsp.features").joinpath("prompts", f"{name}.md")
    return found.read_text(encoding="utf-8").rstrip("\n")


def names() -> list[str]:
    """The names of all prompts."""
    folder = files("qwen_lsp.features").joinpath("prompts")
    return sorted(item.name.removesuffix(".md") for item in folder.iterdir() if item.name.endswith(".md"))
