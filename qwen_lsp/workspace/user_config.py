"""Settings from where a user keeps them: a file and the environment, and what a front end lays over them."""

from __future__ import annotations

import os
import tomllib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from qwen_lsp.errors import SettingsError
from qwen_lsp.layers import Layered, layered
from qwen_lsp.settings import Settings
from qwen_lsp.workspace.paths import user_folder

if TYPE_CHECKING:
    from pathlib import Path


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


def merged(*editor: Mapping[str, Any]) -> Settings:
    """The user's file, the environment and layers over them, checked. Raises SettingsError.

    For layers that are ours or none; what an editor has sent goes through `with_editor`.
    """
    return with_editor(*editor).settings


def with_editor(*editor: Mapping[str, Any]) -> Layered:
    """The same, with what to tell the user of an editor's settings that were left out."""
    return layered(read_user_file(), *editor, environ=os.environ)
