"""Why this suggestion, and why none: the receipt of what was shown, or what kept the last request silent."""

from __future__ import annotations

from dataclasses import dataclass

from qwen_lsp.features.complete.receipt import Receipt, safe, told
from qwen_lsp.features.complete.state import Completions
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

NEVER = "Nothing has been asked for yet: the editor has sent no request for a completion."


@dataclass(frozen=True, slots=True)
class Why:
    """What is known; the receipts hold no secrets."""

    suggestion: Receipt | None
    """Of what was shown."""
    nothing: str
    """A sentence on why the last request showed nothing; empty when it did show something."""
    answer: Receipt | None
    """Of the answer of that last request, when there was one with nothing in it worth showing."""

    @property
    def markdown(self) -> str:
        pieces: list[str] = []
        if self.nothing:
            pieces.append(f"# Why no suggestion\n\n{self.nothing}\n")
        if self.answer is not None:
            pieces.append(told(self.answer, "The answer"))
        if self.suggestion is not None:
            title = "The last suggestion before that" if self.nothing else "Why this suggestion"
            pieces.append(told(self.suggestion, title))
        return "\n".join(pieces)


def why(state: Completions, gate: Gate, path: RelPath | None = None, index: int = 0) -> Why:
    """What is known of the suggestion that many before the newest, of one file or of all."""
    shown = [r for r in reversed(state.receipts) if r.text and path in (None, r.path)]
    suggestion = safe(shown[index], gate) if index < len(shown) else None
    if index:
        missing = f"Only {len(shown)} suggestions are remembered there." if suggestion is None else ""
        return Why(suggestion, missing, None)
    last = state.outcomes.last(path)
    if last is None:
        return Why(suggestion, "" if suggestion else NEVER, None)
    answer = last.receipt if last.why else None
    return Why(suggestion, last.sentence, None if answer is None else safe(answer, gate))
