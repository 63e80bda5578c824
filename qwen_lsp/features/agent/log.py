"""Log: where a run writes down what it is, as it goes, so that it can be gone on with whatever ends it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from qwen_lsp.model.messages import Message
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath

Changes = Mapping[RelPath, FileEdit | None]
"""Files, each with its whole change against the base; None for one that is again as it was."""


class Log(Protocol):
    """What is told to it is kept before the next request is sent."""

    def said(self, message: Message, /) -> None:
        """A message joined the history."""
        ...

    def restarted(self, history: Sequence[Message], /) -> None:
        """The history was shortened to this one."""
        ...

    def worked(self, changed: Changes, seen: Mapping[RelPath, str], /) -> None:
        """A call changed these files of the fork, and showed the model files with these digests."""
        ...


class Unlogged:
    """A log that keeps nothing."""

    def said(self, message: Message, /) -> None:
        pass

    def restarted(self, history: Sequence[Message], /) -> None:
        pass

    def worked(self, changed: Changes, seen: Mapping[RelPath, str], /) -> None:
        pass
