"""What the tests in VS Code share: the packaged extension, a model, a workspace and a window on it."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from tests.editors.support import extension
from tests.editors.support.vscode import VSCode
from tests.support.agent import FILES
from tests.support.endpoint import Recorded, Reply, ScriptedEndpoint

Window = Callable[..., AbstractAsyncContextManager[VSCode]]
"""`window(settings…, environment…, keys…)`: VS Code with the extension, open on the workspace of the test."""

SHOP = '''\
"""What a shop sells."""


def total(items: list[float]) -> float:
    return sum(items)


'''
CHECKOUT = '''\
"""Paying."""

import shop


def bill(items: list[float]) -> str:
    return f"to pay: {shop.total(items)}"
'''


@pytest.fixture(scope="session")
def extensions() -> Path:
    """The folder of extensions with ours in it, installed from its .vsix."""
    return extension.installed()


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A small project of two files."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "shop.py").write_text(SHOP)
    (folder / "checkout.py").write_text(CHECKOUT)
    return folder


@pytest.fixture
def shop(workspace: Path) -> Path:
    """The workspace with the files, and only these, that the calls of `tests.support.agent` change."""
    for file in workspace.glob("*.py"):
        file.unlink()
    for name, text in FILES.items():
        (workspace / name).write_text(text)
    return workspace


@pytest.fixture
async def model() -> AsyncIterator[ScriptedEndpoint]:
    """A model that says what the test has scripted, and nothing where it is asked for more."""
    async with ScriptedEndpoint(kind="vllm", responder=lambda _: Reply("")) as endpoint:
        yield endpoint


def of_this_tree(endpoint: ScriptedEndpoint | None = None) -> dict[str, Any]:
    """Settings that start the server of this tree, asking this model only when it is needed."""
    settings: dict[str, Any] = {
        "qwen.server.interpreter": sys.executable,
        "qwen.completion.fetchAhead": "off",
        "qwen.completion.warmUp": "off",
    }
    if endpoint is not None:
        settings["qwen.endpoint.baseUrl"] = endpoint.base_url
    return settings


def completes(model: ScriptedEndpoint, answers: Mapping[str, str]) -> None:
    """The model completes what is begun with the rest of it, whenever it is asked, and else says nothing.

    A request may be taken back by the editor and made again.
    """

    def answer(request: Recorded) -> Reply:
        before = request.prompt.partition("<|fim_suffix|>")[0]
        return Reply(next((rest for begun, rest in answers.items() if before.endswith(begun)), ""))

    model.respond_with(answer)


@pytest.fixture
def window(extensions: Path, workspace: Path, model: ScriptedEndpoint) -> Window:
    @contextlib.asynccontextmanager
    async def opened(
        settings: Mapping[str, Any] | None = None,
        environment: Mapping[str, str] | None = None,
        keys: Sequence[Mapping[str, Any]] = (),
    ) -> AsyncGenerator[VSCode]:
        environment = {"PYTHONPATH": str(extension.ROOT), **(environment or {})}
        async with VSCode(
            workspace,
            extensions=extensions,
            settings={**of_this_tree(model), **(settings or {})},
            environment=environment,
            keys=keys,
        ) as code:
            yield code

    return opened
