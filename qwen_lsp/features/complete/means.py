"""What completions are made with."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from qwen_lsp.context.visits import Visit
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.predict.predictor import Predictor
from qwen_lsp.settings import CompletionSettings
from qwen_lsp.workspace.secrets import Gate


@dataclass(frozen=True, slots=True)
class Means:
    """The parts of a session that a completion needs."""

    endpoint: Endpoint | None
    predictor: Predictor | None
    gate: Gate
    settings: CompletionSettings
    count: Callable[[str], int]
    visits: Sequence[Visit] = ()
    failed: Callable[[str], None] = lambda problem: None
    """Told of a failure of the endpoint that was answered around."""
