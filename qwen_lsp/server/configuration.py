"""Settings from where an editor's user keeps them: a file, the environment, the editor."""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from qwen_lsp.errors import SettingsError
from qwen_lsp.layers import Layered, layered
from qwen_lsp.settings import Settings
from qwen_lsp.workspace.paths import user_folder

log = logging.getLogger(__name__)

SECTION = "qwen"


def user_file() -> Path:
    """`config.toml` in the user's configuration folder."""
    return user_folder("XDG_CONFIG_HOME", ".config") / "config.toml"


def read_user_file() -> Mapping[str, Any]:
    """The user's own settings; none when there is no file. Raises SettingsError."""
    try:
        return tomllib.loads(user_file().read_text(encoding="utf-8"))
    except FileNotFoundError:
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"config.toml cannot be read ({type(error).__name__})") from None
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(f"config.toml: {error}") from None


def section(options: object) -> Mapping[str, Any]:
    """The settings in what an editor sent, with or without the section's name around them."""
    if not isinstance(options, Mapping):
        return {}
    options = cast("Mapping[str, Any]", options)
    inner = options.get(SECTION)
    return cast("Mapping[str, Any]", inner) if isinstance(inner, Mapping) else options


def merged(*editor: Mapping[str, Any]) -> Settings:
    """The user's file, the environment and layers over them, checked. Raises SettingsError.

    For layers that are ours or none; what an editor has sent goes through `with_editor`.
    """
    return with_editor(*editor).settings


def with_editor(*editor: Mapping[str, Any]) -> Layered:
    """The same, with what to tell the user of an editor's settings that were left out."""
    return layered(read_user_file(), *editor, environ=os.environ)


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
