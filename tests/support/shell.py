"""A sandbox that is none: commands run in the scratch copy where it is, to try what is around a sandbox."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from qwen_lsp.sandbox.command import Cage, Command, Exit, Limits


@dataclass
class PlainShell:
    """Runs `/bin/sh` with nothing between it and the machine: for commands of tests only."""

    cages: list[Cage] = field(default_factory=list[Cage])
    lines: list[str] = field(default_factory=list[str])

    @property
    def name(self) -> str:
        return "plain shell"

    async def run(
        self,
        cage: Cage,
        command: Command,
        limits: Limits,
        on_output: Callable[[str], None] = lambda text: None,
    ) -> Exit:
        self.cages.append(cage)
        self.lines.append(command.line)
        begun = time.monotonic()
        process = await asyncio.create_subprocess_exec(
            "/bin/sh", "-c", command.line, cwd=cage.scratch / command.folder,
            env={"PATH": os.environ["PATH"], "HOME": str(cage.scratch), **command.environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
            start_new_session=True,
        )  # fmt: skip
        pieces: list[str] = []
        try:
            async with asyncio.timeout(limits.seconds):
                assert process.stdout is not None
                while piece := await process.stdout.read(65_536):
                    pieces.append(piece.decode("utf-8", "replace"))
                    on_output(pieces[-1])
                await process.wait()
            ending = "exited"
        except TimeoutError:
            ending = "time"
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            await process.wait()
        return Exit(ending, process.returncode or 0, "".join(pieces), time.monotonic() - begun)
