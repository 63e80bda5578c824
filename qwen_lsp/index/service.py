"""IndexService: what a snapshot asks about contents that are indexed, whoever keeps the index.

A content is named by its digest and language, never by a path: so one index can serve many copies of a
workspace, and a snapshot lays its own manifest and its edited buffers over the answers. `Cache` keeps an
index on this machine; anything that answers these questions alike can stand in for it
(tests/index/test_service.py holds every one of them to the same contract).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from typing import Literal, NamedTuple, Protocol

from qwen_lsp.syntax.facts import Definition, FileFacts

Content = tuple[str, str]
"""Digest and language."""
How = Literal["begin", "hold", "order"]
"""How letters are looked for in a name."""


class Defined(NamedTuple):
    """A definition in a content; `position` is its place in the facts."""

    digest: str
    language: str
    position: int
    definition: Definition


class Users(NamedTuple):
    """Contents that refer to a name. `complete`: whether those are all that do."""

    contents: Sequence[Content]
    complete: bool


class IndexService(Protocol):
    """Questions from any thread. None raises: what cannot be answered is answered with nothing."""

    def facts(self, digest: str, language: str) -> FileFacts | None:
        """The facts of a content that is indexed."""
        ...

    def definitions(
        self, name: str, limit: int, among: Collection[Content] | None = None
    ) -> Sequence[Defined]:
        """Definitions with this name, at most `limit`; only those in some contents when they are given."""
        ...

    def using(self, name: str, limit: int) -> Users:
        """Contents that refer to this name, at most `limit`: a search for one word."""
        ...

    def importing(self, words: Iterable[str]) -> Sequence[Content]:
        """Contents with one of these words in an import."""
        ...

    def names(self, letters: str, how: How, limit: int) -> Sequence[str]:
        """Names of definitions that begin with these letters, hold them, or have them in this order.

        Whatever their case; each name once, the shortest first, at most `limit`. Names of contents that no
        file has any more may be among them. Of hundreds of thousands of names, some long ones may not be
        looked at for letters that are only in order.
        """
        ...

    def tokens(self, digest: str) -> int | None:
        """The number of tokens kept for a content."""
        ...

    def keep_tokens(self, digest: str, tokens: int) -> None: ...
