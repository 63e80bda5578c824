"""One workspace while it is open: its store, endpoint, predictor, gate, watcher, and what is kept of it.

May import: context, model, predict, index and below. **Invariant:** knows neither an editor nor a feature
(import contract "Layers point down").
"""

from qwen_lsp.session.session import Session

__all__ = ["Session"]
