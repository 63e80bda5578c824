"""How a run divides the model's window: history, reply, results, and what a summary will need."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

_MARGIN, _MARGIN_SHARE = 64, 100
_REPLY_SHARE = 5
_SUMMARY, _SUMMARY_SHARE = 4_096, 10
_RESULTS, _RESULTS_SHARE = 4_096, 16
_LARGE = 65_536
"""Tokens of a window from which on the first pack may take half of it, whatever the task."""
LEAST_WORK = 512
"""Tokens of work between the first request and the first summary, below which a window is too small."""


@dataclass(frozen=True, slots=True)
class Room:
    """All in tokens. The window holds `most` of history, then a reply, its results, and a summary of it all.

    So whatever a reply and its results hold, cut to `results_after`, the request for a summary still fits.
    """

    window: int
    reply: int
    """The longest reply."""
    asking: int
    """The request for a summary itself, without what it sums up."""
    summary: int
    """The longest summary."""
    results: int
    """What the results of a turn have at the least."""
    margin: int

    @classmethod
    def of(cls, window: int, max_tokens: int, asking: int) -> Room:
        """The division of a window. `max_tokens`: the longest reply by the settings."""
        return cls(
            window,
            min(max_tokens, window // _REPLY_SHARE),
            asking,
            min(_SUMMARY, window // _SUMMARY_SHARE),
            min(_RESULTS, window // _RESULTS_SHARE),
            _MARGIN + window // _MARGIN_SHARE,
        )

    @property
    def most(self) -> int:
        """The largest history that another turn may begin with."""
        return self.summarised - self.reply - self.results

    @property
    def summarised(self) -> int:
        """The largest history that a summary can be asked of."""
        return self.window - self.asking - self.summary - self.margin

    def results_after(self, history: int) -> int:
        """What the results of a turn may have together, when its reply is part of the history already."""
        return max(0, self.summarised - history)

    def pack(self, fixed: int, wanted: int) -> int:
        """What the first pack may have, where the rest of the first request has `fixed` tokens.

        Of a large window half, which does not depend on the task: an epoch is only gone on with where its
        size stays what it was. Of a small one half of what is left. Zero or less: the window is too small.
        """
        left = self.most - fixed
        share = self.window // 2 if self.window >= _LARGE else left // 2
        return min(wanted, share, left - LEAST_WORK)


def fitted(text: str, tokens: int, count: Callable[[str], int], *, tail: float = 0.0) -> tuple[str, bool]:
    """The text cut to about so many tokens, never more, and whether it was cut; `tail` of it from the end."""
    size = count(text)
    if size <= tokens:
        return text, False
    keep = int(len(text) * tokens / size)
    while True:
        note = f"\n[cut: {keep:,} of {len(text):,} characters fit; ask for a smaller part]\n"
        last = int(keep * tail)
        cut = text[: keep - last] + note + (text[len(text) - last :] if last else "")
        over = count(cut) - tokens
        if over <= 0 or keep <= 0:
            return cut if keep > 0 else note.strip(), True
        keep = max(0, keep - max(8, 4 * over))
