"""Outcome: what came of the last request of a file, so that a silence can be explained like a suggestion."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import perf_counter

from qwen_lsp.features.complete.flight import Landed
from qwen_lsp.features.complete.latest import keep_latest
from qwen_lsp.features.complete.receipt import Receipt
from qwen_lsp.workspace.paths import RelPath

_FILES = 48

UNDER_WAY = "the request is still under way"
NEWER = "a newer request for the same file took over"
CANCELLED = "the editor cancelled the request before there was an answer"


@dataclass(eq=False, slots=True)
class Outcome:
    """What came of one request."""

    path: RelPath
    line: int
    """Zero-based."""
    why: str = UNDER_WAY
    """Why nothing was shown, as a clause; empty when something was."""
    began: float = field(default_factory=perf_counter)
    receipt: Receipt | None = None
    """Of what was shown, or of an answer in which there was nothing worth showing."""

    def nothing(self, why: str) -> None:
        """Nothing is shown, and why."""
        self.why = why

    def answered(self, receipt: Receipt | None, text: str) -> None:
        """There was an answer, of which `text` is shown."""
        self.receipt = receipt
        if text:
            self.why = ""
        elif self.why == UNDER_WAY:
            self.why = _worthless(receipt)

    @property
    def sentence(self) -> str:
        """Why nothing was shown, in words; empty when something was."""
        return f"Nothing was shown at {self.path}:{self.line + 1}, since {self.why}." if self.why else ""


@dataclass(slots=True)
class Outcomes:
    """The last outcome of each file in which something was asked for lately."""

    _of: dict[RelPath, Outcome] = field(default_factory=dict[RelPath, Outcome])

    def begin(self, path: RelPath, line: int) -> Outcome:
        """A request has come; until it is said what came of it, it is under way."""
        outcome = Outcome(path, line)
        keep_latest(self._of, path, outcome, _FILES)
        return outcome

    def last(self, path: RelPath | None = None) -> Outcome | None:
        """That of the newest request, of a file or of all."""
        if path is not None:
            return self._of.get(path)
        return next(reversed(self._of.values()), None)


def unfinished(landed: Landed) -> str:
    """Why a request that was broken off shows nothing."""
    if landed.ended == "aborted":
        return "the text changed, and the request for what it was before was aborted"
    return f"the request was broken off: {landed.ended}"


def without_model(problem: str, why: str) -> str:
    """Why there is nothing where no model has answered: what failed, if something did, and `why`."""
    first = f"the endpoint failed ({problem})" if problem else "no endpoint is set (`endpoint.base_url`)"
    return f"{first}, and {why}"


def _worthless(receipt: Receipt | None) -> str:
    if receipt is None or not receipt.raw.strip():
        said = "the model had nothing to say there"
    elif receipt.removed:
        said = f"nothing of the answer was worth showing: {', '.join(receipt.removed)}"
    else:
        said = "the answer held nothing worth showing"
    known = receipt is not None and receipt.source == "cache"
    return f"{said}, as is known from an earlier request" if known else said
