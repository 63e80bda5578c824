"""The embedded default: the rest of a line, learnt from the workspace itself; no model, confident or silent.

May import: text, settings, errors, the standard library. **Invariant:** at most 24 bytes of memory for each
token remembered, vocabulary and bookkeeping included (`test_memory_per_token_is_bounded`), and nothing of a
forgotten file can come back (`test_forgotten_text_never_comes_back`).
"""

from qwen_lsp.predict.predictor import Predictor, Suggestion

__all__ = ["Predictor", "Suggestion"]
