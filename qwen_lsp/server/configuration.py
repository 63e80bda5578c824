"""Settings as an editor sends them, over those of the user's file and environment."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, cast

from qwen_lsp.errors import SettingsError
from qwen_lsp.layers import layered
from qwen_lsp.settings import Settings
from qwen_lsp.workspace.user_config import with_editor

SECTION = "qwen"


def section(options: object) -> Mapping[str, Any]:
    """The settings in what an editor sent, with or without the section's name around them."""
    if not isinstance(options, Mapping):
        return {}
    options = cast("Mapping[str, Any]", options)
    inner = options.get(SECTION)
    return cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else options


def first_settings(initial_options: Mapping[str, Any]) -> tuple[Settings, list[str]]:
    """Settings to start with, and what to tell the user of what had to be left out, a sentence each.

    A server that would not start for one wrong setting could not say which: the wrong source is dropped.
    """
    try:
        found = with_editor(initial_options)
        return found.settings, list(found.dropped)
    except SettingsError as error:
        problem = str(error)
    attempts = (lambda: layered({}, initial_options, environ=os.environ), with_editor)
    for attempt in attempts:
        try:
            found = attempt()
            return found.settings, [problem, *found.dropped]
        except SettingsError:
            continue
    return Settings(), [problem]
