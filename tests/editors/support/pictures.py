"""Pictures of what a test has on its screen, for people to look at and for the READMEs.

They go to the folder $QWEN_LSP_SCREENS, else to `screens` in the cache folder of the editors. A terminal's
screen is a page, and a picture of that page where there is a browser to take it.
"""

from __future__ import annotations

import os
from io import StringIO
from pathlib import Path
from typing import Any

from playwright.async_api import async_playwright
from rich.console import Console
from rich.terminal_theme import MONOKAI
from rich.text import Text

from tests.editors.conftest import CACHE, installed, program

CHROMIUM = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND , EXCLUDE 127.0.0.1",
)
"""How the browser is started: it can resolve no name, and asks nobody anything by itself."""

_PAGE = """<!doctype html><meta charset="utf-8"><style>
body {{ margin: 0; background: #0c0c0c; display: inline-block }}
pre {{ margin: 0; padding: 12px 14px; font: 14px/1.16 "DejaVu Sans Mono", monospace;
  color: {foreground}; background: {background} }}
{stylesheet}
</style><pre><code style="font-family: inherit">{code}</code></pre>"""


def folder() -> Path:
    """Where pictures go; it is made when it is missing."""
    named = os.environ.get("QWEN_LSP_SCREENS")
    into = Path(named) if named else Path(os.environ[CACHE]) / "screens"
    into.mkdir(parents=True, exist_ok=True)
    return into


def options() -> dict[str, Any]:
    """What Playwright needs to start the installed browser."""
    return {"executable_path": program("chromium"), "headless": True, "args": list(CHROMIUM)}


async def of_terminal(coloured: str, name: str, *, width: int) -> Path:
    """Write a terminal's screen, given with its escape sequences, as `name`.png; the file.

    Without an installed browser it is `name`.html: tests of terminals need none.

    `width` is the terminal's, in cells.
    """
    console = Console(
        file=StringIO(), record=True, width=width, force_terminal=True, color_system="truecolor"
    )
    console.print(Text.from_ansi(coloured), no_wrap=True, crop=False, overflow="ignore")
    page_text = console.export_html(theme=MONOKAI, code_format=_PAGE)
    if not installed("chromium"):
        file = folder() / f"{name}.html"
        file.write_text(page_text, encoding="utf-8")
        return file
    file = folder() / f"{name}.png"
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(**options())
        try:
            page = await browser.new_page(device_scale_factor=1.5)
            await page.set_content(page_text)
            await page.locator("pre").screenshot(path=file)
        finally:
            await browser.close()
    return file
