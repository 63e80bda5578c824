"""Replace a text in a file as a model asked for it, exactly where it meant, or say why not.

May import: text, errors. **Invariant:** does no I/O, never picks one of several places, and leaves every
byte outside the place as it was (tests/features/agent/test_edits.py::test_nothing_outside_changes).
"""

from __future__ import annotations

from qwen_lsp.features.agent.edits.ladder import Rung, apply, find, replace
from qwen_lsp.features.agent.edits.laying import lay_over_file
from qwen_lsp.features.agent.edits.lines import unify
from qwen_lsp.features.agent.edits.placeholders import placeholder

__all__ = ["Rung", "apply", "find", "lay_over_file", "placeholder", "replace", "unify"]
