"""VS Code's own server: the process behind a window, its settings, and the language servers it starts."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import signal
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Any

from tests.editors.conftest import program

WAIT = 120.0
"""Longest wait in seconds; a start of the editor on a busy machine takes a third of it."""

QUIET: Mapping[str, Any] = {
    "chat.disableAIFeatures": True,
    "extensions.autoCheckUpdates": False,
    "extensions.autoUpdate": False,
    "extensions.ignoreRecommendations": True,
    "files.autoSave": "off",
    "git.enabled": False,
    "remote.autoForwardPorts": False,
    "security.workspace.trust.enabled": False,
    "telemetry.telemetryLevel": "off",
    "update.mode": "none",
    "window.commandCenter": False,
    "workbench.enableExperiments": False,
    "workbench.secondarySideBar.defaultVisibility": "hidden",
    "workbench.startupEditor": "none",
    "workbench.tips.enabled": False,
    "workbench.colorTheme": "Default Dark Modern",
    "editor.accessibilitySupport": "off",
    "editor.cursorBlinking": "solid",
}
"""Settings that keep what is none of our business off the screen."""

OF_MACHINE = ("qwen.server.", "qwen.endpoint.", "qwen.index.workers", "qwen.index.cacheDir")
"""Our settings that belong to a machine: a window on another machine takes them from that one only."""

LISTENING = re.compile(r"HTTP server listening on (http://127\.0\.0\.1:\d+)")


class CodeServer:
    """One code-server with user folders of its own."""

    def __init__(
        self,
        folder: Path,
        extensions: Path,
        settings: Mapping[str, Any],
        environment: Mapping[str, str],
    ) -> None:
        """All it writes is below `folder`; `environment` is added to the test's."""
        self._folder = folder
        self._extensions = extensions
        self.data = folder / "data"
        self.settings = {**QUIET, **settings}
        unwanted = ("VSCODE_", "CODE_SERVER", "ELECTRON_", "NODE_OPTIONS", "DISPLAY")
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith(unwanted)},
            **environment,
        }
        self._draining: asyncio.Task[bytes] | None = None
        self.write_settings()

    async def __aenter__(self) -> str:
        """Start it; the address that it listens on."""
        log_file = self._folder / "code-server.log"
        with log_file.open("wb") as log:
            # It ends with the tests, also where these are killed and can end nothing themselves.
            self._server = await asyncio.create_subprocess_exec(
                "setpriv", "--pdeathsig", "TERM", program("code-server"), "--auth", "none",
                "--bind-addr", "127.0.0.1:0", "--disable-telemetry",
                "--disable-update-check", "--disable-getting-started-override", "--session-socket",
                str(self._folder / "socket"), "--user-data-dir", str(self.data), "--extensions-dir",
                str(self._extensions),
                stdout=asyncio.subprocess.PIPE, stderr=log, stdin=asyncio.subprocess.DEVNULL,
                env=self._environment, cwd=self._folder, start_new_session=True,
            )  # fmt: skip
        assert self._server.stdout is not None
        try:
            async with asyncio.timeout(WAIT):
                async for line in self._server.stdout:
                    if found := LISTENING.search(line.decode()):
                        self._draining = asyncio.create_task(self._server.stdout.read())
                        return found[1]
        except BaseException:
            await self.end()
            raise
        raise AssertionError(f"code-server has not started:\n{log_file.read_text()}")

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.end()

    async def end(self) -> None:
        """End it and all it has started; what does not go by itself is killed."""
        group = self._server.pid
        for number, patience in ((signal.SIGTERM, 10.0), (signal.SIGKILL, 10.0)):
            with contextlib.suppress(ProcessLookupError):
                os.killpg(group, number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._server.wait(), patience)
        if self._draining is not None:
            await self._draining

    def write_settings(self, **changed: Any) -> None:
        """Write the user's settings, with some of them changed; a running window takes them up by itself."""
        self.settings |= {name.replace("__", "."): value for name, value in changed.items()}
        for folder, of_machine in (("User", False), ("Machine", True)):
            own = {n: value for n, value in self.settings.items() if n.startswith(OF_MACHINE) is of_machine}
            file = self.data / folder / "settings.json"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(json.dumps(own, indent=2))

    def servers(self) -> list[int]:
        """Process ids of the language servers of its windows."""
        found: list[int] = []
        for folder in Path("/proc").iterdir():
            with contextlib.suppress(OSError, ValueError, IndexError):
                words = (folder / "cmdline").read_bytes().split(b"\0")
                session = int((folder / "stat").read_text().rpartition(")")[2].split()[3])
                if session == self._server.pid and b"serve" in words:
                    found.append(int(folder.name))
        return found


async def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for something that nothing tells about, such as a process or a file."""
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(WAIT):
            while not condition():  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert condition(), what
