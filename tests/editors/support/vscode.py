"""VS Code as a person has it: the editor, its extension host and our packaged extension, with hands and eyes.

    async with VSCode(workspace, extensions=folder, settings={"qwen.endpoint.baseUrl": url}) as code:
        await code.open("shop.py")
        await code.types("def ")
        assert await code.ghost_text() == "total(items):"
        await code.press("Tab")
        await code.picture("vscode-ghost-text")

It is served by code-server and drawn by Chromium without a window. Every folder and setting is the test's
own, and the page may ask no host but this machine. Waits are for states; nothing sleeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import shutil
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlsplit

from playwright.async_api import Frame, Locator, Page, Request, async_playwright
from playwright.async_api import TimeoutError as TookTooLong

from tests.editors.support import pictures
from tests.editors.support.code_server import WAIT, CodeServer
from tests.editors.support.quick_input import QuickInput

PATIENCE = 15.0
"""Seconds after which ghost text is asked for."""

GHOST = """() => {
    const all = (where, what) => [...where.querySelectorAll(what)];
    const top = line => parseFloat(line.style.top) || 0;
    const text = (line, what) => all(line, what).map(piece => piece.textContent).join("");
    const drawn = all(document, ".monaco-editor .view-line").sort((a, b) => top(a) - top(b));
    const inline = drawn.map(line => text(line, ".ghost-text-decoration")).filter(Boolean);
    const below = drawn.filter(line => line.querySelector(".ghost-text")).map(line => line.textContent);
    return [...inline, ...below].join("\\n");
}"""
"""Ghost text stands in pieces: behind the cursor within its line, and as lines of its own below."""

OWN_HOST = ".vscode-resource.vscode-cdn.net"
"""How the name ends that pages of VS Code ask for files: a worker in the browser answers, from the server."""


class VSCode:
    """One window of VS Code on one folder, with a server, a browser and user folders of its own."""

    def __init__(
        self,
        workspace: Path,
        *,
        extensions: Path,
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        keys: Sequence[Mapping[str, Any]] = (),
        size: tuple[int, int] = (1280, 800),
    ) -> None:
        """`extensions` is `extension.installed()`, or an empty folder; `size` is in pixels.

        `keys` are the person's own, as in VS Code's keybindings.json.
        """
        self.workspace = workspace
        self._extensions = extensions
        self._settings = settings or {}
        self._environment = environment or {}
        self._keys = keys
        self._size = size
        self.hosts: set[str] = set()
        """Every host that the page has asked for anything."""
        self.page: Page

    # --- life

    async def __aenter__(self) -> Self:
        # Not in the test's folder: the path of a socket may have 107 characters only.
        self.folder = Path(tempfile.mkdtemp(prefix="vscode-"))
        self.server = CodeServer(self.folder, self._extensions, self._settings, self._environment)
        self.data = self.server.data
        (self.data / "User" / "keybindings.json").write_text(json.dumps(list(self._keys)))
        self._ending = contextlib.AsyncExitStack()
        try:
            await self._start()
        except BaseException as error:
            await self.__aexit__(type(error), error, error.__traceback__)
            raise
        return self

    async def _start(self) -> None:
        self.url = await self._ending.enter_async_context(self.server)
        playwright = await self._ending.enter_async_context(async_playwright())
        width, height = self._size
        context = await playwright.chromium.launch_persistent_context(
            self.folder / "browser", viewport={"width": width, "height": height}, **pictures.options()
        )
        self._ending.push_async_callback(context.close)
        context.on("request", self._note_host)
        context.set_default_timeout(WAIT * 1_000)
        self.page = context.pages[0]
        self.quick_input = QuickInput(self.page, self._size)
        loop = asyncio.get_running_loop()
        self.asked_at = loop.time()
        await self.page.goto(f"{self.url}/?folder={quote(str(self.workspace))}", wait_until="commit")
        await self.page.locator(".monaco-workbench .statusbar-item").first.wait_for()
        self.drawn_at = loop.time()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if error is not None and hasattr(self, "page"):
                await self._tell_about(error)
        finally:
            await self._ending.aclose()
            shutil.rmtree(self.folder, ignore_errors=True)
        if error is None:
            others = {host for host in self.hosts if not host.endswith(OWN_HOST)}
            assert others <= {urlsplit(self.url).netloc}, f"the page has asked {sorted(self.hosts)}"

    async def _tell_about(self, error: BaseException) -> None:
        """What helps to find the reason: the screen, what was said, and the extension's logs."""
        name = re.sub(r"\W+", "-", os.environ.get("PYTEST_CURRENT_TEST", "vscode").split(" ")[0])
        with contextlib.suppress(Exception):  # the first error is the one to tell
            error.add_note(f"the screen: {await self.picture('failed-' + name.strip('-'))}")
            error.add_note(f"notifications: {await self.notifications()}")
        for log in sorted(self.data.rglob("exthost*/qwen-lsp.qwen-lsp/*.log")):
            error.add_note(f"--- {log.name}\n{log.read_text(errors='replace')[-4_000:]}")

    def _note_host(self, request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.scheme not in ("data", "blob"):
            self.hosts.add(parts.netloc)

    # --- hands

    async def press(self, *keys: str) -> None:
        """Press keys by the names that a browser has for them: `Tab`, `Control+Period`, `F1`."""
        for key in keys:
            await self.page.keyboard.press(key)

    async def types(self, text: str) -> None:
        """Type a text, as fast as the browser takes it."""
        await self.page.keyboard.type(text)

    async def types_at(self, rate: float, text: str) -> float:
        """Type a text at so many keys a second, catching up after a pause; the rate that it came to."""
        loop = asyncio.get_running_loop()
        begun = loop.time()
        typing: list[asyncio.Future[None]] = []
        for number, key in enumerate(text):
            await asyncio.sleep(begun + number / rate - loop.time())
            # Nobody waits for a screen before the next key: they reach the browser in this order.
            typing.append(asyncio.ensure_future(self.page.keyboard.type(key)))
        reached = len(text) / (loop.time() - begun)
        await asyncio.gather(*typing)
        return reached

    async def open(self, file: str) -> None:
        """Open a file of the folder by its name, as Ctrl+P does, and put the cursor in it."""
        name = file.rsplit("/", 1)[-1]
        async with asyncio.timeout(WAIT):
            await self.press("Control+P")
            # The editor hears late of a file that is new.
            while not await self.quick_input.offers(file, name):
                await self.press("Escape", "Control+P")
        await self.quick_input.pick(file, name)
        tab = self.page.locator(".editor-group-container.active .tab.active")
        await tab.filter(has_text=name).wait_for()
        await self.editor.locator(".view-line").first.wait_for()
        await self.page.locator(".monaco-editor.focused").wait_for()

    async def command(self, title: str) -> None:
        """Run a command by its title in the command palette."""
        await self.press("F1")
        await self.quick_input.pick(f">{title}", title)

    async def cursor_to(self, line: int, column: int = 1) -> None:
        """Put the cursor somewhere; both are counted from 1, as the editor shows them."""
        await self.press("Control+G")
        await self.quick_input.type(f":{line}:{column}")
        await self.press("Enter")
        await self.page.locator(".statusbar-item", has_text=f"Ln {line}, Col {column}").wait_for()
        await self.page.locator(".monaco-editor.focused").wait_for()

    async def answer(self, text: str) -> None:
        """Type into the box at the top that asks for something, and press Enter."""
        await self.quick_input.type(text)
        await self.press("Enter")
        await self.quick_input.closed()

    async def save(self) -> None:
        """Save the file in front, and wait until nothing of it is unsaved."""
        await self.press("Control+S")
        await self.page.locator(".editor-group-container.active .tab.active:not(.dirty)").wait_for()

    # --- eyes

    @property
    def editor(self) -> Locator:
        """The text editor in front."""
        return self.page.locator(".editor-group-container.active .editor-instance .monaco-editor").first

    @property
    def ghosts(self) -> Locator:
        """The pieces of ghost text that are drawn."""
        return self.page.locator('.monaco-editor [class*="ghost-text"]')

    async def ghost_text(self) -> str:
        """Wait for ghost text; all of it, lines as they stand.

        VS Code takes its request back when its list of words opens meanwhile, and asks again only at the next
        key. On a slow machine that is often; then it is asked for, by the key that our extension has for it.
        """
        for _ in range(int(WAIT / PATIENCE)):
            with contextlib.suppress(TookTooLong):
                await self.ghosts.first.wait_for(timeout=PATIENCE * 1_000)
                break
            await self.press("Alt+Backslash")
        else:
            await self.ghosts.first.wait_for(timeout=PATIENCE * 1_000)
        return plain(await self.page.evaluate(GHOST))

    async def lines(self) -> list[str]:
        """The lines that are drawn in the editor in front, ghost text included."""
        drawn = await self.editor.locator(".view-line").evaluate_all(
            "lines => lines.map(l => [parseFloat(l.style.top), l.innerText]).sort((a, b) => a[0] - b[0])"
        )
        return [plain(text) for _, text in drawn]

    async def shows_line(self, text: str) -> None:
        """Wait until a line with this in it is drawn in the editor in front; ghost text counts."""
        await self.editor.locator(".view-line", has_text=text).first.wait_for()

    def status(self, text: str | re.Pattern[str]) -> Locator:
        """The item of the status bar with this text."""
        return self.page.locator(".statusbar-item", has_text=text)

    @property
    def our_status(self) -> Locator:
        """The item of our extension in the status bar; its sentence is its `aria-label`."""
        return self.page.locator('[id="qwen-lsp.qwen-lsp.qwen-lsp.status"]')

    async def ready(self) -> str:
        """Wait until the server runs and has nothing to do; the sentence that the status bar has for it."""
        item = self.our_status.and_(self.page.locator(':not([aria-label="Qwen: The server runs."])'))
        await item.filter(has=self.page.locator(".codicon-sparkle")).wait_for()
        return await self.our_status.get_attribute("aria-label") or ""

    async def says(self, text: str) -> None:
        """Wait until the sentence of the status bar has this in it."""
        await self.our_status.and_(self.page.locator(f'[aria-label*="{text}"]')).wait_for()

    async def notifications(self) -> list[str]:
        """The messages that stand on the screen."""
        return await self.page.locator(".notification-list-item-message").all_inner_texts()

    def notification(self, text: str | re.Pattern[str]) -> Locator:
        """A message on the screen, with its buttons."""
        return self.page.locator(".notification-list-item", has_text=text)

    async def webview(self, holds: str) -> Frame:
        """Wait for the page of a view of ours that has this selector in it."""
        async with asyncio.timeout(WAIT):
            while True:
                for frame in self.page.frames:
                    with contextlib.suppress(Exception):  # frames come and go while they are looked at
                        if await frame.locator(holds).count():
                            return frame
                await asyncio.sleep(0.1)  # a page draws when it likes, and no event of the window tells

    def traced(self) -> str:
        """The messages between editor and server, where `qwen.trace.server` is on."""
        logs = self.data.rglob("exthost*/qwen-lsp.qwen-lsp/*race*.log")
        return "".join(log.read_text(errors="replace") for log in logs)

    async def picture(self, name: str) -> Path:
        """Write what is on the screen as `name`.png where a person can look at it; the file."""
        file = pictures.folder() / f"{name}.png"
        await self.page.screenshot(path=file)
        return file


def plain(text: str) -> str:
    """A drawn text as it was written: the editor draws blanks that do not break."""
    return text.replace("\xa0", " ").replace("\u200b", "")
