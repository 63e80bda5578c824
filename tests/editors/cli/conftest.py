"""A person's machine with nothing set up: a home, a project, this program installed, an agent to start."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import AsyncGenerator, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from tests.editors.conftest import CACHE
from tests.support.endpoint import Recorded, Reply, ScriptedEndpoint

SOURCE = Path(__file__).resolve().parents[3]
WAIT = 300.0
"""Seconds that an agent has for one task, on a busy machine too."""

FILES = {
    "shop/__init__.py": "",
    "shop/money.py": "def rounded(cents: int) -> int:\n    return (cents + 2) // 5 * 5\n",
    "shop/till.py": "from shop.money import rounded\n\n\n"
    "def due(cents: int) -> int:\n    return rounded(cents)\n",
}
RENAMED = [
    {"file_path": "shop/money.py", "old_string": "def rounded(", "new_string": "def to_five("},
    {"file_path": "shop/till.py", "old_string": "import rounded", "new_string": "import to_five"},
    {"file_path": "shop/till.py", "old_string": "return rounded(", "new_string": "return to_five("},
]


@dataclass(frozen=True, slots=True)
class Ran:
    """How a program ended, and everything it said."""

    code: int
    said: str


@dataclass(slots=True)
class Person:
    """Somebody with a home and a project, who runs programs there."""

    home: Path
    project: Path
    script: Path
    environment: dict[str, str] = field(default_factory=dict[str, str])

    async def runs(self, *words: str) -> Ran:
        """Run a program to its end."""
        process = await asyncio.create_subprocess_exec(
            *words, cwd=self.project, env=self.environment, start_new_session=True,
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            async with asyncio.timeout(WAIT):
                said, _ = await process.communicate()
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            pytest.fail(f"{' '.join(words)} did not end")
        return Ran(process.returncode or 0, said.decode("utf-8", "replace"))

    async def sets_up(self, *words: str) -> str:
        """Run `qwen-lsp setup`, which must succeed; returns what it said."""
        ran = await self.runs(str(self.script), "setup", *words)
        assert ran.code == 0, ran.said
        return ran.said

    def slow_to_start(self, seconds: float) -> None:
        """From now on the server needs that long before it reads anything."""
        self.script.write_text(_script(f"if 'mcp' in sys.argv: time.sleep({seconds})"), encoding="utf-8")

    def writes(self, file: Path, text: str) -> None:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")

    def file(self, name: str) -> str:
        return (self.project / name).read_text(encoding="utf-8")


@pytest.fixture
def person(tmp_path: Path) -> Generator[Person]:
    home, project = tmp_path / "home", tmp_path / "home" / "shop-project"
    for name, text in FILES.items():
        (project / name).parent.mkdir(parents=True, exist_ok=True)
        (project / name).write_text(text, encoding="utf-8")
    subprocess.run(("git", "init", "-q"), cwd=project, check=True)
    script = home / "bin" / "qwen-lsp"
    script.parent.mkdir()
    script.write_text(_script(""), encoding="utf-8")
    script.chmod(0o755)
    search = os.pathsep.join((str(script.parent), str(Path(os.environ[CACHE]) / "bin"), os.environ["PATH"]))
    environment = {"HOME": str(home), "PATH": search, "TERM": "dumb", "LANG": "C.UTF-8"}
    yield Person(home, project, script, environment)
    _end_what_was_left(home)


def _script(first: str) -> str:
    """The script that a package manager makes for this program; it runs the sources that are tested."""
    return (
        f"#!{sys.executable}\nimport sys, time\n{first}\nsys.path.insert(0, {str(SOURCE)!r})\n"
        "from qwen_lsp.cli import main\nsys.exit(main())\n"
    )


def _end_what_was_left(home: Path) -> None:
    """Cline leaves a daemon behind. It is known by its home, which is this test's own."""
    mark = f"HOME={home}".encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if mark in (folder / "environ").read_bytes().split(b"\0"):
                os.kill(int(folder.name), signal.SIGKILL)


@pytest.fixture
async def model() -> AsyncGenerator[ScriptedEndpoint]:
    """A model that says it is done when nothing else is scripted."""
    async with ScriptedEndpoint(kind="vllm", responder=lambda request: Reply("Done.")) as endpoint:
        yield endpoint


def tools(request: Recorded) -> list[str]:
    """The names of the tools that a model was offered."""
    offered = cast("list[dict[str, Any]]", request.json.get("tools", []))
    return [str(tool["function"]["name"]) for tool in offered]


def answers(requests: Sequence[Recorded]) -> list[str]:
    """What the tools answered, as the last request that has their answers gives it to the model."""
    told = [
        [_text(message["content"]) for message in request.messages if message["role"] == "tool"]
        for request in requests
    ]
    return max(told, key=len) if told else []


def _text(content: object) -> str:
    if isinstance(content, list):
        return "".join(str(part.get("text", "")) for part in cast("list[dict[str, Any]]", content))
    return str(content)


def plain(answer: str) -> str:
    """The text of a result, whether the agent hands it on as it is or in its wrapping."""
    try:
        wrapped: object = json.loads(answer)
    except ValueError:
        return answer
    found = cast("dict[str, Any]", wrapped).get("content") if isinstance(wrapped, dict) else None
    return _text(found) if found is not None else answer
