"""A full-screen program in a real terminal (tmux): keys typed into it, and its screen as a person sees it.

    async with Tmux("nvim", "a.py", cwd=folder) as terminal:
        await terminal.shows("def total")
        await terminal.keys("A")
        await terminal.types(" + 1")
        await terminal.shows(lambda screen: "total + 1" in screen)
        await terminal.picture("neovim-ghost-text")

tmux is driven in its control mode: it says when something was drawn, so that nothing here polls or sleeps.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import shlex
import shutil
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Self

from tests.editors.conftest import program
from tests.editors.support import pictures

WAIT = 60.0
"""Longest wait in seconds for something to be drawn; the machine may be busy."""

Seen = str | re.Pattern[str] | Callable[[str], bool]
"""What a screen is to show: a text, a pattern, or a condition on all of it."""

_SETTINGS = """\
set -g default-terminal tmux-256color
set -g history-limit 5000
set -g status off
set -sg escape-time 0
set -g set-clipboard off
"""

_WRAPPER = """\
trap : INT QUIT
"$@"
echo $? >"$0.part"
mv "$0.part" "$0"
printf '\\033[0m'
while read -r line; do :; done
"""
"""Keeps the last screen of a program that has ended; drawing nothing is what tells us about the end."""


class Tmux:
    """One program in a terminal of its own, with a tmux server of its own."""

    def __init__(
        self,
        *command: str | Path,
        cwd: Path,
        environment: Mapping[str, str] | None = None,
        width: int = 100,
        height: int = 30,
    ) -> None:
        """`environment` is added to the test's; `width` and `height` are in cells."""
        self._command = [str(part) for part in command]
        self._cwd = cwd
        unwanted = ("TMUX", "TMUX_PANE", "COLUMNS", "LINES", "NO_COLOR")
        self._environment = {name: value for name, value in os.environ.items() if name not in unwanted}
        self._environment |= {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LC_ALL": "C.UTF-8"}
        self._environment |= environment or {}
        self._size = (width, height)
        self._changed = asyncio.Event()
        self._answers: asyncio.Queue[list[str]] = asyncio.Queue()
        self._one_at_a_time = asyncio.Lock()

    async def __aenter__(self) -> Self:
        # Not in the test's folder: the path of a socket may have 107 characters only.
        self._folder = Path(tempfile.mkdtemp(prefix="tmux-"))
        self._status = self._folder / "status"
        settings = self._folder / "tmux.conf"
        settings.write_text(_SETTINGS)
        wrapped = shlex.join(["sh", "-c", _WRAPPER, str(self._status), *self._command])
        width, height = map(str, self._size)
        self._tmux = await asyncio.create_subprocess_exec(
            program("tmux"), "-C", "-f", str(settings), "-S", str(self._folder / "socket"),
            "new-session", "-x", width, "-y", height, "-c", str(self._cwd), wrapped,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
            env=self._environment, limit=2**22,
        )  # fmt: skip
        self._reading = asyncio.create_task(self._read())
        await self._answer()
        await self._tell(f"refresh-client -C {width}x{height}")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with contextlib.suppress(ConnectionError, AssertionError):
            await self._tell("kill-server")
        if self._tmux.stdin is not None:
            self._tmux.stdin.close()
        await self._tmux.wait()
        await self._reading
        shutil.rmtree(self._folder, ignore_errors=True)

    # --- hands

    async def keys(self, *names: str) -> None:
        """Press keys by the names that tmux has for them: `Enter`, `Escape`, `C-x`, `M-]`, `Tab`, `g`."""
        await self._tell("send-keys " + " ".join(_quoted(name) for name in names))

    async def types(self, text: str) -> None:
        """Type a text as it stands; a line end is the Enter key."""
        sent = text.replace("\n", "\r").encode()
        for start in range(0, len(sent), 1_000):
            piece = sent[start : start + 1_000]
            await self._tell("send-keys -H " + " ".join(f"{byte:02x}" for byte in piece))

    # --- eyes

    async def screen(self) -> str:
        """What is on the screen now, without colours; lines have no blanks at their end."""
        return "\n".join(await self._tell("capture-pane -p"))

    async def everything(self) -> str:
        """What is on the screen and what has scrolled off it."""
        return "\n".join(await self._tell("capture-pane -p -S -"))

    async def coloured(self) -> str:
        """The screen with its colours, as escape sequences."""
        return "\n".join(await self._tell("capture-pane -p -e -N"))

    async def shows(self, seen: Seen, *, wait: float = WAIT) -> str:
        """Wait until the screen shows something; the screen."""
        return await self._until(lambda screen: _is_on(seen, screen), f"{_named(seen)} did not come", wait)

    async def hides(self, seen: Seen, *, wait: float = WAIT) -> str:
        """Wait until the screen no longer shows something; the screen."""
        return await self._until(lambda screen: not _is_on(seen, screen), f"{_named(seen)} did not go", wait)

    async def ended(self, *, wait: float = WAIT) -> int:
        """Wait until the program has ended; its exit status."""
        await self._until(lambda _: self._status.exists(), "the program did not end", wait)
        return int(self._status.read_text())

    async def picture(self, name: str) -> Path:
        """Write the screen as `name`.png where a person can look at it; the file."""
        return await pictures.of_terminal(await self.coloured(), name, width=self._size[0])

    # --- tmux

    async def _until(self, condition: Callable[[str], bool], failure: str, wait: float) -> str:
        """Look again whenever something was drawn, until it is so."""
        screen = ""
        try:
            async with asyncio.timeout(wait):
                while True:
                    self._changed.clear()
                    screen = await self.screen()
                    if condition(screen):
                        return screen
                    await self._changed.wait()
        except TimeoutError:
            raise AssertionError(f"{failure}; the screen:\n{screen}") from None

    async def _tell(self, command: str) -> list[str]:
        """Have tmux do something; the lines it answers with."""
        async with self._one_at_a_time:
            if self._tmux.stdin is None or self._reading.done():
                raise AssertionError("tmux has ended")
            self._tmux.stdin.write(command.encode() + b"\n")
            return await asyncio.shield(self._answer())

    async def _answer(self) -> list[str]:
        lines = await self._answers.get()
        if lines and lines[0] == _FAILED:
            raise AssertionError(f"tmux refused: {' '.join(lines[1:])}")
        return lines

    async def _read(self) -> None:
        """Take apart what tmux writes: answers between %begin and %end, messages outside of them."""
        assert self._tmux.stdout is not None
        answer: list[str] = []
        ending = ""
        async for raw in self._tmux.stdout:
            line = raw.decode("utf-8", "replace").removesuffix("\n")
            word, _, rest = line.partition(" ")
            if ending and rest == ending and word in ("%end", "%error"):
                self._answers.put_nowait([_FAILED, *answer] if word == "%error" else answer)
                ending = ""
            elif ending:
                answer.append(line)
            elif word == "%begin":
                ending, answer = rest, []
            elif word == "%output":
                self._changed.set()
        self._answers.put_nowait([_FAILED, "it has ended"])
        self._changed.set()


_FAILED = "\0failed"


def _quoted(name: str) -> str:
    """A word for tmux's own parser, in which nothing within single quotes is special."""
    return "'" + name.replace("'", "'\"'\"'") + "'"


def _is_on(seen: Seen, screen: str) -> bool:
    if isinstance(seen, str):
        return seen in screen
    if isinstance(seen, re.Pattern):
        return seen.search(screen) is not None
    return seen(screen)


def _named(seen: Seen) -> str:
    if isinstance(seen, re.Pattern):
        return repr(seen.pattern)
    return repr(seen) if isinstance(seen, str) else "what was waited for"
