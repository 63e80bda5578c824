"""What the tests of the loop share."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from tests.features.agent.running import Agent, agent_of


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    async with agent_of() as found:
        yield found
