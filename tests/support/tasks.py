"""Tasks for the agent, written as text: a workspace, what is asked, what the model replies, and hidden tests.

==== task            what is asked
==== check           the command line that must fail before and pass afterwards, with the tests below added
==== needs           programs it needs, one a line
==== files           `---- path [crlf|latin-1|bom|executable]`, then the file
==== tests           the same; written after the run has landed, so that the agent never saw them
==== reply           one reply of the model in Qwen3-Coder's own format, once for each turn
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.model.toolcalls import parse
from tests.support.endpoint import ScriptedEndpoint

FOLDER = Path(__file__).parents[1] / "e2e" / "data" / "tasks"
SPECS = [
    *(tool.spec() for tool in TOOLS.values()),
    *(
        {
            "type": "function",
            "function": {
                "name": name,
                "description": "",
                "parameters": {"type": "object", "properties": {"command": {"type": "string"}}},
            },
        }
        for name in ("run_shell_command", "run_checks")
    ),
]
"""What the replies may call."""
_LIMIT = 180.0
"""Longest wait for one process, in seconds: a run that hangs fails instead."""


@dataclass(frozen=True, slots=True)
class TaskFile:
    """One file of a task."""

    path: str
    text: str
    kind: str

    def write(self, folder: Path) -> None:
        target = folder / self.path
        target.parent.mkdir(parents=True, exist_ok=True)
        text = self.text.replace("\n", "\r\n") if self.kind == "crlf" else self.text
        encoding = {"latin-1": "latin-1", "bom": "utf-8-sig"}.get(self.kind, "utf-8")
        target.write_bytes(text.encode(encoding))
        target.chmod(0o755 if self.kind == "executable" else 0o644)


@dataclass(frozen=True, slots=True)
class Task:
    """One task."""

    name: str
    asked: str
    check: str
    needs: tuple[str, ...]
    files: tuple[TaskFile, ...]
    tests: tuple[TaskFile, ...]
    replies: tuple[str, ...]

    @property
    def lacking(self) -> list[str]:
        """Programs that are not installed."""
        return [name for name in self.needs if shutil.which(name) is None]


@dataclass(frozen=True, slots=True)
class Done:
    """How a task went."""

    passed_before: bool
    """Whether the hidden tests pass without the change: then they say nothing."""
    status: int
    """Exit status of the agent."""
    events: tuple[dict[str, Any], ...]
    passed: bool
    said: str
    """What the check printed, and the agent's standard error."""

    @property
    def result(self) -> dict[str, Any]:
        """The last event."""
        return self.events[-1] if self.events else {}


def tasks(folder: Path = FOLDER) -> list[Task]:
    """Every task, by name."""
    return [read(path) for path in sorted(folder.glob("*.txt"))]


def read(path: Path) -> Task:
    """One task from its file."""
    parts: dict[str, list[str]] = {}
    for piece in ("\n" + path.read_text(encoding="utf-8")).split("\n==== ")[1:]:
        name, _, body = piece.partition("\n")
        parts.setdefault(name.strip(), []).append(body)
    return Task(
        path.stem,
        parts["task"][0].strip(),
        parts["check"][0].strip(),
        tuple(parts.get("needs", [""])[0].split()),
        _files(parts["files"][0]),
        _files(parts["tests"][0]),
        tuple(parts["reply"]),
    )


def _files(body: str) -> tuple[TaskFile, ...]:
    found: list[TaskFile] = []
    for piece in ("\n" + body).split("\n---- ")[1:]:
        head, _, text = piece.partition("\n")
        path, _, kind = head.partition(" [")
        found.append(TaskFile(path, f"{text.rstrip()}\n" if text.strip() else "", kind.rstrip("]")))
    return tuple(found)


def script(server: ScriptedEndpoint, text: str, *, native: bool) -> None:
    """Script a reply as text, or as a server sends it that has read the calls itself."""
    if not native:
        server.reply(text)
        return
    said = parse(text, SPECS)
    server.reply(said.content, tool_calls=[(call.name, call.arguments) for call in said.calls])


async def carry_out(task: Task, folder: Path, *, native: bool, arguments: Sequence[str] = ()) -> Done:
    """Run the real program on the task in `folder`, land, add the hidden tests, and run the check."""
    work = folder / "workspace"
    for file in task.files:
        file.write(work)
    before = folder / "before"
    shutil.copytree(work, before)
    passed_before, _ = await _checked(task, before)
    async with ScriptedEndpoint() as server:
        for text in task.replies:
            script(server, text, native=native)
        status, out, errors = await _run(
            [sys.executable, "-m", "qwen_lsp", "agent", str(work), "-p", task.asked, "--yes", "--json"],
            cwd=folder,
            env=environment(folder, OPENAI_BASE_URL=server.base_url, OPENAI_MODEL=server.model),
        )
    passed, said = await _checked(task, work)
    events = tuple(json.loads(line) for line in out.splitlines())
    return Done(passed_before, status, events, passed, f"{said}\n{errors}")


def environment(folder: Path, **more: str) -> dict[str, str]:
    """The environment of a user who keeps everything below `folder`."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("OPENAI_", "XDG_"))}
    homes = {f"XDG_{name}_HOME": str(folder / name.lower()) for name in ("CACHE", "CONFIG", "STATE")}
    return {**kept, **homes, **more}


async def _checked(task: Task, folder: Path) -> tuple[bool, str]:
    for file in task.tests:
        file.write(folder)
    status, out, errors = await _run(["sh", "-c", task.check], cwd=folder, env={**os.environ, "CI": "1"})
    return status == 0, out + errors


async def _run(argv: Sequence[str], *, cwd: Path, env: dict[str, str]) -> tuple[int, str, str]:
    process = await asyncio.create_subprocess_exec(
        *argv, cwd=cwd, env=env, stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    try:
        async with asyncio.timeout(_LIMIT):
            out, errors = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(errors="replace"), errors.decode(errors="replace")


async def main() -> None:
    """Run every task both ways and print one line each."""
    good = 0
    ran = 0
    for task in tasks():
        if task.lacking:
            print(f"{task.name:<28} not run: {', '.join(task.lacking)} is not installed")
            continue
        for native in (True, False):
            with tempfile.TemporaryDirectory() as name:
                done = await carry_out(task, Path(name), native=native)
            right = done.passed and not done.passed_before and done.status == 0
            good += right
            ran += 1
            how = "calls" if native else "text"
            print(f"{task.name:<28} {how:<6} {'lands and passes' if right else 'FAILED'}")
            if not right:
                print(f"  before: {done.passed_before}, status {done.status}, {done.result}")
                print(done.said[-2_000:])
    print(f"{good} of {ran}")


if __name__ == "__main__":
    asyncio.run(main())
