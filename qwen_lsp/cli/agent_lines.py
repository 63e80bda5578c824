"""A run as JSON lines on standard output: each event, then the diff, then the result, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from qwen_lsp.cli.agent_status import Standing
from qwen_lsp.features.agent.events import AgentEvent, as_json
from qwen_lsp.text.edits import FileEdit, unified


class Lines:
    """Prints each thing as one JSON object in a line of its own."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing

    def event(self, event: AgentEvent) -> None:
        """Print one event."""
        self._line(as_json(event))

    def diff(self, edits: Sequence[FileEdit]) -> None:
        """Print what is offered: the whole diff."""
        self._line({"event": "diff", "text": "".join(unified(edit) for edit in edits)})

    def result(
        self, ended: str, reason: str, *, applied: bool, files: Sequence[str], commit: str = ""
    ) -> None:
        """Print how it ended; `files` are those applied, or those that would be."""
        usage = self._standing.usage
        self._line(
            {
                "event": "result",
                "run": self._standing.run,
                "ended": ended,
                "reason": reason,
                "applied": applied,
                "files": list(files),
                "commit": commit,
                "turns": self._standing.turns,
                "usage": {"prompt": usage.prompt, "cached": usage.cached, "completion": usage.completion},
                "cost": self._standing.cost,
                "seconds": round(self._standing.seconds, 3),
            }
        )

    def _line(self, value: Mapping[str, Any]) -> None:
        print(json.dumps(value, default=str), flush=True)
