"""A program in a real terminal: what it draws as a person sees it, and keys typed into it.

    async with Terminal("agent", root, "-p", "Do it.", width=80) as terminal:
        await terminal.shows("Apply this")
        terminal.types("y\n")
        assert await terminal.ended() == 0

Only what our programs use is understood: text, line ends, the sequences that move up and erase a line, and
colours, which are dropped. Any other sequence is an error, so that a stray one fails the test.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import pty
import re
import signal
import struct
import sys
import termios
from collections.abc import Callable, Mapping
from types import TracebackType
from typing import Self

WAIT = 30.0
"""Longest wait in seconds; the machine may be busy."""

_SEQUENCE = re.compile(r"\x1b\[(\??)([\d;]*)([A-Za-z])")


class Screen:
    """The lines of a terminal, those that have scrolled away included."""

    def __init__(self, width: int) -> None:
        self.width = width
        self.lines = [""]
        self.row = self.column = 0
        self.cursor_is_shown = True
        self._rest = ""

    def feed(self, text: str) -> None:
        """Take in what a program has written."""
        text = self._rest + text
        at = 0
        while at < len(text):
            if text[at] == "\x1b":
                match = _SEQUENCE.match(text, at)
                if match is None:
                    if len(text) - at > 12:
                        raise AssertionError(f"a sequence that is none of ours: {text[at : at + 20]!r}")
                    break
                self._obey(*match.groups())
                at = match.end()
            else:
                self._write(text[at])
                at += 1
        self._rest = text[at:]

    def _obey(self, private: str, number: str, letter: str) -> None:
        if private:
            if number != "25":
                raise AssertionError(f"mode {number}")
            self.cursor_is_shown = letter == "h"
        elif letter == "A":
            self.row = max(0, self.row - int(number or 1))
        elif letter == "K" and number == "2":
            self.lines[self.row] = ""
        elif letter != "m":
            raise AssertionError(f"sequence {number}{letter}")

    def _write(self, character: str) -> None:
        if character == "\r":
            self.column = 0
        elif character == "\n":
            self._next_row()
        elif character == "\b":
            self.column = max(0, self.column - 1)
        elif character < " ":
            raise AssertionError(f"control character {character!r}")
        else:
            if self.column == self.width:
                self.column = 0
                self._next_row()
            line = self.lines[self.row].ljust(self.column)
            self.lines[self.row] = line[: self.column] + character + line[self.column + 1 :]
            self.column += 1

    def _next_row(self) -> None:
        self.row += 1
        while len(self.lines) <= self.row:
            self.lines.append("")

    @property
    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self.lines)


class Terminal:
    """`qwen-lsp` in a terminal of its own."""

    def __init__(
        self,
        *arguments: object,
        width: int = 100,
        height: int = 40,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self._arguments = [sys.executable, "-m", "qwen_lsp", *map(str, arguments)]
        self._size = struct.pack("HHHH", height, width, 0, 0)
        self._environment = {
            **{name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")},
            "TERM": "xterm-256color",
            "PYTHONFAULTHANDLER": "1",
            **(environment or {}),
        }
        self.screen = Screen(width)
        self.raw = b""
        self._changed = asyncio.Condition()
        self._closed = False

    async def __aenter__(self) -> Self:
        self._keys, other = pty.openpty()
        fcntl.ioctl(other, termios.TIOCSWINSZ, self._size)
        self._process = await asyncio.create_subprocess_exec(
            *self._arguments, stdin=other, stdout=other, stderr=other, env=self._environment,
            preexec_fn=_own_terminal,
        )  # fmt: skip
        os.close(other)
        os.set_blocking(self._keys, False)
        asyncio.get_running_loop().add_reader(self._keys, self._read)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self._process.send_signal(signal.SIGKILL)
            await self._process.wait()
        self._close()
        os.close(self._keys)

    @property
    def echoes(self) -> bool:
        """Whether what is typed is shown."""
        return bool(termios.tcgetattr(self._keys)[3] & termios.ECHO)

    def types(self, text: str) -> None:
        """Type some keys; `\\x03` is Ctrl-C."""
        os.write(self._keys, text.encode())

    async def shows(self, text: str) -> None:
        """Wait until a text stands on the screen, or has scrolled off it."""
        await self._wait(lambda: text in self.screen.text, f"{text!r}")

    async def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait until something is so; it is asked again whenever the program writes."""
        await self._wait(condition, what)

    async def ended(self) -> int:
        """The exit status, after everything that was written has been read."""
        try:
            async with asyncio.timeout(WAIT):
                status = await self._process.wait()
        except TimeoutError:
            self._process.send_signal(signal.SIGABRT)  # it says where it was
            await self._wait(lambda: self._closed, "the end")
            raise AssertionError(f"it goes on; the screen:\n{self.screen.text}") from None
        await self._wait(lambda: self._closed, "the end")
        return status

    async def _wait(self, condition: Callable[[], bool], what: str) -> None:
        try:
            async with asyncio.timeout(WAIT), self._changed:
                await self._changed.wait_for(lambda: condition() or self._closed)
        except TimeoutError:
            raise AssertionError(f"{what} did not come:\n{self.screen.text}") from None
        assert condition(), f"{what} did not come before the program ended:\n{self.screen.text}"

    def _read(self) -> None:
        try:
            piece = os.read(self._keys, 65_536)
        except BlockingIOError:
            return
        except OSError:  # nobody holds the other end any more
            piece = b""
        if not piece:
            self._close()
        self.raw += piece
        self.screen.feed(self._decoded())
        self._tell()

    def _decoded(self) -> str:
        """What came since the last time, as far as whole characters go."""
        text = self.raw[self._taken :].decode("utf-8", "ignore")
        self._taken += len(text.encode())
        return text

    _taken = 0

    def _close(self) -> None:
        if not self._closed:
            self._closed = True
            asyncio.get_running_loop().remove_reader(self._keys)
            self._tell()

    def _tell(self) -> None:
        async def tell() -> None:
            async with self._changed:
                self._changed.notify_all()

        self._telling = asyncio.ensure_future(tell())


def _own_terminal() -> None:
    """In the child: the terminal it was given is the one it is controlled from.

    Tests that were started in the background ignore Ctrl-C, and what they start would too.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.setsid()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
