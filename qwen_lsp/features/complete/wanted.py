"""Whether a completion is wanted at a place: what the settings say of its file, its language and its text.

A pattern of files counts for more than a language, and a language for more than the setting for all. Each
refusal is a clause that names the setting, for whoever asks why nothing was shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache

from qwen_lsp.features.complete.place import Place
from qwen_lsp.settings import CompletionSettings, Trigger
from qwen_lsp.syntax.inside import text_around
from qwen_lsp.syntax.languages import by_id
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.patterns import Patterns

PLAIN = "plaintext"
"""What editors call a text in no language."""
_REACH = 6_000
"""Characters before the cursor that are looked at to tell whether it stands in a comment or a string."""


@dataclass(frozen=True, slots=True)
class Ruling:
    """When completions are offered in a file, and the setting that says so."""

    trigger: Trigger
    by: str


def why_silent(place: Place, settings: CompletionSettings, *, invoked: bool) -> str:
    """Why nothing is to be offered at a place, whatever is known of it; empty when something may be."""
    found = ruling(place.path, place.language.id if place.language else "", settings)
    if found.trigger == "off":
        return f"completions are off here by `{found.by}`"
    if found.trigger == "manual" and not invoked:
        return f"completions come here only when asked for, by `{found.by}`"
    if place.in_word:
        return "the cursor stands inside a word"
    if invoked or place.language is None or (settings.in_comments and settings.in_strings):
        return ""
    match text_around(place.language, place.text, place.offset, _REACH):
        case "comment" if not settings.in_comments:
            return "the cursor stands in a comment, where `completion.in_comments` wants nothing unasked"
        case "string" if not settings.in_strings:
            return "the cursor stands in a string, where `completion.in_strings` wants nothing unasked"
        case _:
            return ""


def ruling(path: RelPath, language: str, settings: CompletionSettings) -> Ruling:
    """What the settings say of a file in a language, given by its id, empty for plain text."""
    if not settings.enabled:
        return Ruling("off", "completion.enabled")
    if _matches(settings.disabled_globs, path):
        return Ruling("off", "completion.disabled_globs")
    for glob, trigger in reversed(settings.trigger_by_glob.items()):
        if _matches((glob,), path):
            return Ruling(trigger, f'completion.trigger_by_glob."{glob}"')
    if any(_is(name, language) for name in settings.disabled_languages):
        return Ruling("off", "completion.disabled_languages")
    if (found := _of_language(settings.trigger_by_language, language)) is not None:
        return found
    return Ruling(settings.trigger, "completion.trigger")


def _of_language(triggers: Mapping[str, Trigger], language: str) -> Ruling | None:
    for name, trigger in triggers.items():
        if _is(name, language):
            return Ruling(trigger, f"completion.trigger_by_language.{name}")
    return None


def _is(name: str, language: str) -> bool:
    """Whether a name means a language: by its id, or by another one that editors send."""
    row = by_id(name)
    return name == (language or PLAIN) or (row is not None and row.id == language)


def _matches(globs: tuple[str, ...], path: RelPath) -> bool:
    """Whether patterns take a file in, by itself or with a folder around it."""
    if not globs:
        return False
    patterns = _compiled(globs)
    parts = path.split("/")
    folders = ("/".join(parts[:size]) for size in range(1, len(parts)))
    return any(patterns.match(folder, is_dir=True) for folder in folders) or bool(patterns.match(path))


@lru_cache(maxsize=64)
def _compiled(globs: tuple[str, ...]) -> Patterns:
    return Patterns.compile(globs)
