"""Settings from where an editor's user keeps them: a file, the environment, the editor."""

from __future__ import annotations

import logging
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from qwen_lsp.errors import SettingsError
from qwen_lsp.settings import Settings, load
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
    """The user's file, the environment and the editor's layers, checked. Raises SettingsError."""
    return load(read_user_file(), *editor, environ=os.environ)


def first_settings(initial_options: Mapping[str, Any]) -> tuple[Settings, str | None]:
    """Settings to start with, and what to tell the user when a source had to be left out.

    A server that would not start for one wrong setting could not say which: the wrong source is dropped.
    """
    try:
        return merged(initial_options), None
    except SettingsError as error:
        problem = str(error)
    for attempt in (lambda: load({}, initial_options, environ=os.environ), merged):
        try:
            return attempt(), problem
        except SettingsError:
            continue
    return Settings(), problem
