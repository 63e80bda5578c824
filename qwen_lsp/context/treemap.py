"""Rectangles for a tree of files: within a folder, the area of each is its share of the tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

_DEEPEST = 12
"""Folders below this are one name with what is in them: nobody sees a thirteenth frame."""
_STRIP, _MARGIN = 17.0, 2.0
_LEAST_WIDTH, _LEAST_HEIGHT = 38.0, 40.0
"""A folder smaller than this, in the units of the box, has no strip with its name."""


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle; `x` and `y` are its upper left corner."""

    x: float
    y: float
    width: float
    height: float

    @property
    def area(self) -> float:
        return self.width * self.height


@dataclass(frozen=True, slots=True)
class Tile:
    """A file (`leaf`: its position in what was given) or a folder (None) with its name on a strip."""

    box: Box
    label: str
    path: str
    size: int
    leaf: int | None


@dataclass(slots=True)
class _Folder:
    path: str
    size: int = 0
    folders: dict[str, _Folder] = field(default_factory=dict[str, "_Folder"])
    leaves: list[tuple[str, int, int]] = field(default_factory=list[tuple[str, int, int]])


def squarify(sizes: Sequence[float], box: Box) -> list[Box]:
    """One rectangle for each size, in the order given: together they fill the box, as square as can be.

    After Bruls, Huizing and van Wijk: rows along the shorter side, each as long as that makes its worst
    rectangle squarer. A size of nothing or less gets an empty rectangle.
    """
    found = [Box(box.x, box.y, 0.0, 0.0)] * len(sizes)
    order = sorted((i for i, size in enumerate(sizes) if size > 0), key=lambda i: (-sizes[i], i))
    total = sum(sizes[i] for i in order)
    if not order or box.area <= 0:
        return found
    areas = [sizes[i] / total * box.area for i in order]
    rest, at = box, 0
    while at < len(areas):
        end = _row_end(areas, at, min(rest.width, rest.height))
        upright = rest.width >= rest.height
        side, depth = (rest.height, rest.width) if upright else (rest.width, rest.height)
        row = sum(areas[at:end])
        # The last of a row, and the last row, take what is left, so that rounding leaves no gap.
        thickness = depth if end == len(areas) else min(depth, row / side)
        along = 0.0
        for i in range(at, end):
            length = max(0.0, side - along if i == end - 1 else min(side - along, areas[i] / row * side))
            found[order[i]] = (
                Box(rest.x, rest.y + along, thickness, length)
                if upright
                else Box(rest.x + along, rest.y, length, thickness)
            )
            along += length
        rest = (
            Box(rest.x + thickness, rest.y, rest.width - thickness, rest.height)
            if upright
            else Box(rest.x, rest.y + thickness, rest.width, rest.height - thickness)
        )
        at = end
    return found


def _row_end(areas: Sequence[float], at: int, side: float) -> int:
    """Where a row that begins at `at` ends: before the first that would make its worst rectangle thinner."""
    row, end = areas[at], at + 1
    worst = _thinnest(row, areas[at], areas[at], side)
    while end < len(areas):
        longer = _thinnest(row + areas[end], areas[at], areas[end], side)
        if longer > worst:
            break
        row, worst, end = row + areas[end], longer, end + 1
    return end


def _thinnest(row: float, largest: float, smallest: float, side: float) -> float:
    """The worst ratio of sides in a row of this area along this side."""
    square = row * row
    return max(side * side * largest / square, square / (side * side * smallest)) if square > 0 else 0.0


def treemap(leaves: Sequence[tuple[str, int]], box: Box) -> list[Tile]:
    """Tiles for (path, size) pairs, each folder before what is in it, the large before the small.

    A folder that holds nothing but one folder is one tile with it; a folder that is large enough gives up
    a strip for its name and a margin, a smaller one is only the sum of what is in it.
    """
    top = _Folder("")
    for number, (path, size) in enumerate(leaves):
        names = path.split("/")
        names = [*names[:_DEEPEST], "/".join(names[_DEEPEST:])] if len(names) > _DEEPEST + 1 else names
        folder = top
        folder.size += size
        for name in names[:-1]:
            deeper = folder.folders.get(name)
            if deeper is None:
                deeper = folder.folders[name] = _Folder(f"{folder.path}{name}/")
            folder = deeper
            folder.size += size
        folder.leaves.append((names[-1], size, number))
    tiles: list[Tile] = []
    _lay(top, box, leaves, tiles)
    return tiles


def _lay(folder: _Folder, box: Box, leaves: Sequence[tuple[str, int]], tiles: list[Tile]) -> None:
    inner = sorted(folder.folders.values(), key=lambda f: -f.size)
    own = sorted(folder.leaves, key=lambda leaf: -leaf[1])
    boxes = squarify([*(f.size for f in inner), *(size for _, size, _ in own)], box)
    for within, place in zip(inner, boxes, strict=False):
        deeper = within
        while not deeper.leaves and len(deeper.folders) == 1:
            deeper = next(iter(deeper.folders.values()))
        room = place
        if place.width >= _LEAST_WIDTH and place.height >= _LEAST_HEIGHT:
            label = deeper.path[len(folder.path) : -1]
            tiles.append(Tile(place, label, deeper.path[:-1], deeper.size, None))
            room = Box(
                place.x + _MARGIN,
                place.y + _STRIP,
                place.width - 2 * _MARGIN,
                place.height - _STRIP - _MARGIN,
            )
        _lay(deeper, room, leaves, tiles)
    for (name, size, number), place in zip(own, boxes[len(inner) :], strict=True):
        tiles.append(Tile(place, name, leaves[number][0], size, number))
