"""Pages for a browser: in the user's cache folder, readable by the user alone, the old ones removed."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from qwen_lsp.workspace.paths import user_folder

_KEPT = 20
_PREFIX, _SUFFIX = "context-", ".html"


def pages_folder() -> Path:
    """Where pages are kept until newer ones take their place."""
    return user_folder("XDG_CACHE_HOME", ".cache") / "pages"


def keep_page(text: str) -> Path:
    """Write a page under a name of its own, readable by the user alone, and forget all but the newest.

    Raises OSError.
    """
    folder = pages_folder()
    folder.mkdir(parents=True, mode=0o700, exist_ok=True)
    out, name = tempfile.mkstemp(_SUFFIX, _PREFIX, folder)
    with os.fdopen(out, "w", encoding="utf-8", newline="\n") as file:
        file.write(text)
    _forget(folder, Path(name))
    return Path(name)


def _forget(folder: Path, newest: Path) -> None:
    """Remove all but the newest pages; a folder that another server cleans up at the same time is fine."""
    found: list[tuple[int, Path]] = []
    for page in folder.glob(f"{_PREFIX}*{_SUFFIX}"):
        try:
            found.append((page.lstat().st_mtime_ns, page))
        except FileNotFoundError:
            continue
    for _, page in sorted(found, reverse=True)[_KEPT:]:
        if page != newest:
            page.unlink(missing_ok=True)
