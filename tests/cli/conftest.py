"""A small repository to run commands in, and a way to run them."""

from __future__ import annotations

import asyncio
import io
import subprocess
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from qwen_lsp.cli import main
from tests.support.endpoint import ScriptedEndpoint

FILES = {
    "calc/__init__.py": "",
    "calc/money.py": '''"""Money."""


class Money:
    def __init__(self, cents: int) -> None:
        self.cents = cents


def rounded(amount: Money, step: int) -> Money:
    rest = amount.cents % step
    if rest * 2 >= step:
        return Money(amount.cents - rest + step)
    return Money(amount.cents - rest)
''',
    "calc/report.py": '''"""Reports."""

import logging

from calc.money import Money, rounded

logger = logging.getLogger(__name__)


def first(amounts: list[Money]) -> None:
    logger.info("printed %d amounts of money", len(amounts))


def second(amounts: list[Money]) -> None:
    logger.info("printed %d amounts of money", len(amounts))


def third(amounts: list[Money]) -> None:
    logger.info("printed %d amounts of money", len(amounts))


def fourth(amounts: list[Money]) -> None:
    logger.info("printed
''',
    "README.md": "# Calc\n\nRounds money.\n",
    ".gitignore": "*.log\n",
}


@dataclass(frozen=True, slots=True)
class Ran:
    """How a command ended."""

    code: int
    out: str
    err: str


Run = Callable[..., Awaitable[Ran]]


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """A repository with one commit."""
    root = tmp_path / "calc-project"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text)
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    for command in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "Begin")):
        subprocess.run(("git", *command), cwd=root, check=True)
    return root


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run a command as a person would: no terminal, standard input from `typed`."""

    async def ran(*argv: object, typed: str | io.TextIOBase | None = "") -> Ran:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed) if isinstance(typed, str) else typed)
        capsys.readouterr()
        try:
            # A command runs its own event loop; this one goes on to serve the scripted endpoint.
            code = await asyncio.to_thread(main, [str(arg) for arg in argv])
        except SystemExit as ended:
            code = int(ended.code or 0)
        out, err = capsys.readouterr()
        return Ran(code, out, err)

    return ran


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    """No model server is found on this machine, whatever runs on it."""

    async def found() -> list[object]:
        return []

    monkeypatch.setattr("qwen_lsp.cli.endpoint_choice.discover", found)
    monkeypatch.setattr("qwen_lsp.cli.doctor.discover", found)


@pytest.fixture
def configured(monkeypatch: pytest.MonkeyPatch) -> Callable[[ScriptedEndpoint], None]:
    """Point the environment at an endpoint, as a person does."""

    def configure(model: ScriptedEndpoint) -> None:
        monkeypatch.setenv("OPENAI_BASE_URL", model.base_url)
        monkeypatch.setenv("OPENAI_MODEL", model.model)

    return configure
