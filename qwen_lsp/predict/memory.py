"""Every token remembered, in one ring, with two hash chains to find where a context occurred before.

Three arrays of four bytes for each token: the token, and for a short and a long context ending before it
the previous place whose context has the same hash; and one byte for its kind. As in a compressor's sliding
window a link is never repaired: an older place is always farther behind the write head, so a link that does
not lead farther behind has been overwritten, and the walk ends there.
"""

from __future__ import annotations

from array import array
from collections import deque
from collections.abc import Iterable, Sequence

from qwen_lsp.predict.tokens import GAP

SHORT = 2  # tokens in the short context: the least that must match
LONG = 5
LONGEST_MATCH = 20  # tokens compared at most
PLENTY = 8  # places with the long context that make the short one needless
_WALK = range(14)  # links followed at most in each chain

_K1, _K2, _K3, _K4, _K5 = 0x9E3779B1, 0x85EBCA77, 0xC2B2AE3D, 0x27D4EB2F, 0x165667B1


def _table(capacity: int, share: int) -> array[int]:
    size = 1 << max(10, (capacity // share).bit_length())
    return array("I", bytes(4 * size))


class Piece:
    """A run of tokens written together, new ones from `first` on; `owner` is None once it is forgotten."""

    __slots__ = ("end", "first", "owner", "start")

    def __init__(self, start: int, first: int, end: int, owner: object) -> None:
        self.start = start
        self.first = first
        self.end = end
        self.owner: object | None = owner


class Memory:
    """A ring of at most `capacity` tokens; writing past it overwrites the oldest pieces."""

    def __init__(self, capacity: int, kind_of: bytearray) -> None:
        """`kind_of` holds the kind of each token's number; it grows with the vocabulary."""
        self.capacity = max(capacity, 1024)
        self.tokens = array("I", [GAP])
        self.kinds = bytearray(1)
        self._kind_of = kind_of
        self.pieces: deque[Piece] = deque()
        self._head = 1  # slot 0 means "no link"
        self._links = (array("I", [0]), array("I", [0]))
        self._heads = (_table(self.capacity, 32), _table(self.capacity, 16))

    def make_room(self, count: int) -> list[Piece]:
        """Forget the oldest pieces until `count` tokens fit behind the write head; returns them."""
        dropped: list[Piece] = []
        pieces = self.pieces
        if self._head + count > self.capacity:
            while pieces and pieces[0].start >= self._head:
                dropped.append(pieces.popleft())
            self._head = 1
        end = self._head + count
        while pieces and self._head <= pieces[0].start < end:
            dropped.append(pieces.popleft())
        for piece in dropped:
            self.blank(piece.start, piece.end)
        return dropped

    def write(self, tokens: array[int], owner: object, *, context: int) -> Piece:
        """Add a piece, for which `make_room` was called; its first `context` tokens are not looked up."""
        tokens_at, start = self.tokens, self._head
        end = start + len(tokens)
        grow = end - len(tokens_at)
        if grow > 0:
            zeros = array("I", bytes(4 * grow))
            for part in (tokens_at, *self._links):
                part.extend(zeros)
            self.kinds.extend(bytes(grow))
        tokens_at[start:end] = tokens
        self.kinds[start:end] = bytes(map(self._kind_of.__getitem__, tokens))
        self._link(start, max(context, SHORT), tokens)
        self._head = end
        piece = Piece(start, start + context, end, owner)
        self.pieces.append(piece)
        return piece

    def _link(self, start: int, first: int, tokens: array[int]) -> None:
        short_links, long_links = self._links
        short_heads, long_heads = self._heads
        short_mask, long_mask = len(short_heads) - 1, len(long_heads) - 1
        e = d = c = b = a = GAP
        for token in tokens[max(0, first - LONG) : first]:
            e, d, c, b, a = d, c, b, a, token
        slot = start + first
        for token in tokens[first:]:
            key = a * _K1 + b * _K2
            bucket = (key >> 9 ^ key >> 21) & short_mask
            short_links[slot] = short_heads[bucket]
            short_heads[bucket] = slot
            key += c * _K3 + d * _K4 + e * _K5
            bucket = (key >> 9 ^ key >> 21) & long_mask
            long_links[slot] = long_heads[bucket]
            long_heads[bucket] = slot
            slot += 1
            e, d, c, b, a = d, c, b, a, token

    def blank(self, start: int, end: int) -> None:
        """Forget the tokens of these slots; links through them stay, and lead to nothing."""
        self.tokens[start:end] = array("I", bytes(4 * (end - start)))
        self.kinds[start:end] = bytes(end - start)

    def places(self, context: Sequence[int], found: set[int]) -> Iterable[tuple[int, int]]:
        """Slots that `context` precedes, and how many of its tokens; those `found` before are left out."""
        tokens, head, capacity = self.tokens, self._head, self.capacity
        back = list(context[: -LONGEST_MATCH - 1 : -1])
        most = len(back)
        back.extend([GAP] * (LONG - most))
        a, b, c, d, e = back[:5]
        if not (a and b):
            return ()
        key = a * _K1 + b * _K2
        short = (key >> 9 ^ key >> 21) & (len(self._heads[0]) - 1)
        key += c * _K3 + d * _K4 + e * _K5
        long = (key >> 9 ^ key >> 21) & (len(self._heads[1]) - 1)
        matches: dict[int, int] = {}
        for heads, links, bucket in (
            (self._heads[1], self._links[1], long),
            (self._heads[0], self._links[0], short),
        ):
            slot, behind = heads[bucket], -1
            for _ in _WALK:
                if not slot:
                    break
                distance = (head - slot) % capacity
                if distance <= behind:
                    break
                behind = distance
                if tokens[slot - 1] == a and tokens[slot - 2] == b and tokens[slot] and slot not in found:
                    length = SHORT
                    while length < most and tokens[slot - 1 - length] == back[length]:
                        length += 1
                    matches[slot] = length
                slot = links[slot]
            if len(matches) >= PLENTY:
                break
        return matches.items()

    def live(self) -> int:
        """How many tokens are remembered."""
        return len(self.tokens) - self.tokens.count(GAP)

    def size(self) -> int:
        """Bytes held by the ring and its chains."""
        parts = (self.tokens, self.kinds, *self._links, *self._heads)
        return sum(part.__sizeof__() for part in parts)
