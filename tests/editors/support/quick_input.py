"""VS Code's list at the top of the window: commands, files, lines, and whatever else is asked for there."""

from __future__ import annotations

import re

from playwright.async_api import Locator, Page
from playwright.async_api import TimeoutError as TookTooLong

SOON = 5.0
"""Seconds after which a list without what is looked for is opened anew."""

GONE = """typed => {
    const box = document.querySelector(".quick-input-widget");
    return !box || !box.checkVisibility() || box.querySelector("input[type=text]")?.value !== typed;
}"""
"""Whether the list at the top is no longer the one that this was typed into."""


class QuickInput:
    """The list of one window, once something has opened it."""

    def __init__(self, page: Page, size: tuple[int, int]) -> None:
        self._page = page
        self._away = size[0] * 0.7, size[1] * 0.8

    async def type(self, text: str) -> None:
        """Type something into its box, in place of what stands there."""
        asked = self._page.locator(".quick-input-widget input:visible").first
        await asked.wait_for()
        await asked.fill(text)

    async def offers(self, typed: str, begins: str) -> bool:
        """Whether it soon has a row that begins so."""
        await self.type(typed)
        try:
            await self._row(begins).wait_for(timeout=SOON * 1_000)
        except TookTooLong:
            return False
        return True

    async def pick(self, typed: str, begins: str) -> None:
        """Type, and click the first row that begins so; that may ask for something in the same place."""
        await self.type(typed)
        await self._row(begins).click()
        await self._page.wait_for_function(GONE, arg=typed)
        await self._page.mouse.move(*self._away)  # from what says something about itself

    async def closed(self) -> None:
        """Wait until nothing is asked for any more."""
        await self._page.locator(".quick-input-widget").wait_for(state="hidden")

    def _row(self, begins: str) -> Locator:
        rows = self._page.locator(".quick-input-list .monaco-list-row .label-name:visible")
        return rows.filter(has_text=re.compile("^" + re.escape(begins))).first
