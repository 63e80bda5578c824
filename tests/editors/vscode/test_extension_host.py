"""The extension's own tests: its units in Node, and the whole of it inside VS Code's extension host."""

from __future__ import annotations

import asyncio
import os
import re
import sys
from pathlib import Path

import playwright

from tests.editors.conftest import CACHE, program
from tests.editors.support import extension

DRIVER = Path(playwright.__file__).parent / "driver" / "package"
"""The browser's driver that Playwright for Python brings is the one for Node."""


def code_server() -> Path:
    """The package, in the cache folder."""
    return next(Path(os.environ[CACHE]).rglob("node_modules/code-server"))


async def npm(*arguments: str) -> tuple[int, str]:
    """Run npm in the folder of the extension; its exit status and all that it printed."""
    # Where the .vsix was built by another clone, this one has not needed them yet.
    await asyncio.to_thread(extension.dependencies)
    process = await asyncio.create_subprocess_exec(
        program("npm"), *arguments, cwd=extension.SOURCE, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
        env=os.environ | {"npm_config_update_notifier": "false"},
    )  # fmt: skip
    printed, _ = await process.communicate()
    assert process.returncode is not None
    return process.returncode, printed.decode()


async def test_the_units_of_the_extension(extensions: Path) -> None:
    status, printed = await npm("test")
    assert status == 0, printed
    assert int(re.findall(r"^. pass (\d+)$", printed, re.MULTILINE)[0]) > 10


async def test_the_extension_in_a_real_extension_host(extensions: Path) -> None:
    served = code_server()
    given = {
        "code-server": served,
        "playwright": DRIVER,
        "chromium": program("chromium"),
        "python": sys.executable,
    }
    options = [f"--{name}={value}" for name, value in given.items()]
    status, printed = await npm("run", "test:host", "--", *options)
    assert status == 0, printed
    assert len(re.findall(r"^ok ", printed, re.MULTILINE)) > 10
    assert "FAILED" not in printed
