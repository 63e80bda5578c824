"""Loads a cold model in the background: a completion cannot wait for it, and leaving aborts the load."""

from __future__ import annotations

import asyncio
from contextlib import suppress

from qwen_lsp.errors import EndpointError
from qwen_lsp.model.transport import Transport


class Warmer:
    """One load at a time. Ollama gives up loading when the client that caused it goes away."""

    def __init__(self, transport: Transport, patience: float) -> None:
        self._transport = transport
        self._patience = patience
        self._task: asyncio.Task[None] | None = None

    @property
    def loading(self) -> bool:
        """Whether the model is being loaded right now."""
        return self._task is not None and not self._task.done()

    def start(self, model: str) -> None:
        """Ask the server to load the model, without waiting."""
        if not self.loading:
            self._task = asyncio.create_task(self._load(model))

    async def _load(self, model: str) -> None:
        # A request without a prompt only loads; what goes wrong the next completion will tell.
        with suppress(EndpointError):
            url = f"{self._transport.root}/api/generate"
            await self._transport.ask("POST", url, {"model": model}, timeout=self._patience)

    async def aclose(self) -> None:
        """Stop waiting for the load."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
