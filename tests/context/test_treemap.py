"""The map of a page: areas are shares, nothing overlaps, nothing leaves its folder."""

from __future__ import annotations

import math
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.context.treemap import Box, Tile, squarify, treemap

SIZES = st.lists(st.integers(1, 200_000), min_size=1, max_size=60)
SIDES = st.floats(20, 2_000)
NAMES = st.sampled_from(["a", "b", "core", "x.py", "é", "__init__.py", "-", " "])
PATHS = st.lists(st.lists(NAMES, min_size=1, max_size=16).map("/".join), max_size=40, unique=True)
SLACK = 1e-6


def inside(inner: Box, outer: Box) -> bool:
    return (
        inner.x >= outer.x - SLACK
        and inner.y >= outer.y - SLACK
        and inner.x + inner.width <= outer.x + outer.width + SLACK
        and inner.y + inner.height <= outer.y + outer.height + SLACK
    )


def apart(one: Box, other: Box) -> bool:
    return (
        one.x + one.width <= other.x + SLACK
        or other.x + other.width <= one.x + SLACK
        or one.y + one.height <= other.y + SLACK
        or other.y + other.height <= one.y + SLACK
    )


@settings(deadline=None)
@given(SIZES, SIDES, SIDES)
def test_areas_are_shares_inside_the_box_and_apart(sizes: list[int], width: float, height: float) -> None:
    box = Box(3.0, 5.0, width, height)
    found = squarify(sizes, box)
    for size, place in zip(sizes, found, strict=True):
        assert math.isclose(place.area, box.area * size / sum(sizes), rel_tol=1e-6, abs_tol=1e-6)
        assert inside(place, box)
    assert all(apart(one, other) for one, other in combinations(found, 2))
    assert squarify(sizes, box) == found


def test_rectangles_are_as_square_as_their_sizes_allow() -> None:
    # The example of Bruls, Huizing and van Wijk; slices side by side would be up to 1:16.
    found = squarify([6, 6, 4, 3, 2, 2, 1], Box(0, 0, 6, 4))
    ratios = [max(b.width / b.height, b.height / b.width) for b in found]
    assert max(ratios) < 3
    assert (found[0].width, found[0].height) == pytest.approx((3, 2))


def test_nothing_gets_no_room() -> None:
    box = Box(1, 2, 10, 10)
    assert squarify([], box) == []
    assert [b.area for b in squarify([0, 5, -3], box)] == [0, pytest.approx(100), 0]
    assert [b.area for b in squarify([1, 2], Box(0, 0, 0, 10))] == [0, 0]


@settings(deadline=None)
@given(PATHS, st.data())
def test_each_file_is_there_once_in_the_frames_of_its_folders(paths: list[str], data: st.DataObject) -> None:
    leaves = [(path, data.draw(st.integers(1, 50_000))) for path in paths]
    box = Box(0, 0, 1150, 460)
    tiles = treemap(leaves, box)
    files = [tile for tile in tiles if tile.leaf is not None]
    assert sorted(tile.leaf for tile in files if tile.leaf is not None) == list(range(len(leaves)))
    assert all(leaves[t.leaf] == (t.path, t.size) for t in files if t.leaf is not None)
    assert all(inside(tile.box, box) for tile in tiles)
    assert all(apart(one.box, other.box) for one, other in combinations(files, 2))
    frames = [tile for tile in tiles if tile.leaf is None]
    for frame in frames:
        assert frame.size == sum(size for path, size in leaves if path.startswith(frame.path + "/"))
    for tile in files:
        around = [frame for frame in frames if tile.path.startswith(frame.path + "/")]
        assert all(inside(tile.box, frame.box) for frame in around)


def named(tiles: list[Tile]) -> list[tuple[str, str]]:
    return [(tile.label, tile.path) for tile in tiles]


def test_a_folder_that_holds_one_folder_is_one_frame_with_it() -> None:
    tiles = treemap(
        [("src/app/core/a.py", 30), ("src/app/core/b.py", 60), ("README.md", 10)], Box(0, 0, 900, 400)
    )
    assert named(tiles) == [
        ("src/app/core", "src/app/core"),
        ("b.py", "src/app/core/b.py"),
        ("a.py", "src/app/core/a.py"),
        ("README.md", "README.md"),
    ]


def test_a_folder_without_end_is_laid_out_all_the_same() -> None:
    deep = "/".join(["a"] * 2_000)
    tiles = treemap([(f"{deep}/x", 5), (f"{deep}/a/y", 5), ("a/z", 1)], Box(0, 0, 900, 400))
    assert {tile.path for tile in tiles if tile.leaf is not None} == {f"{deep}/x", f"{deep}/a/y", "a/z"}
