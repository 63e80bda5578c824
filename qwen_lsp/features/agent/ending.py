"""How a run stops before it is done: raised at any depth of the loop, caught at its top."""

from __future__ import annotations

from qwen_lsp.features.agent.events import Ended


class End(Exception):
    """Leaves the loop; its text is the reason, a sentence for the user."""

    def __init__(self, ended: Ended, reason: str) -> None:
        super().__init__(reason)
        self.ended: Ended = ended
