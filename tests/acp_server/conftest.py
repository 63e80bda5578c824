"""What the tests of the agent in editors share."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.acp_server.desk import Desk, configure, desk
from tests.support.agent import FILES
from tests.support.endpoint import ScriptedEndpoint


@pytest.fixture
async def model() -> AsyncIterator[ScriptedEndpoint]:
    """A model server that the user has configured."""
    async with ScriptedEndpoint() as server:
        configure(server)
        yield server


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A workspace with two files that belong together."""
    folder = tmp_path / "shop"
    folder.mkdir()
    for path, text in FILES.items():
        (folder / path).write_text(text)
    return folder


@pytest.fixture
async def at(root: Path, model: ScriptedEndpoint) -> AsyncIterator[Desk]:
    """An editor with a session in the workspace."""
    async with desk(root) as found:
        yield found
