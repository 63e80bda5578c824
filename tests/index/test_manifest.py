"""A manifest answers like a dictionary of all paths would, however its changes came about."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from qwen_lsp.index.manifest import Manifest
from qwen_lsp.index.packed import DiskChange, FileEntry, Table
from qwen_lsp.workspace.paths import RelPath

DIGESTS = ("", "00" * 15 + "01", "ab" * 16, "ab" * 15 + "00")
PATHS = tuple(
    RelPath(p)
    for p in ("a", "a/b", "a/b/c.py", "a/b-c/c.py", "a/b.py", "a/b0", "b/c.py", "c.py", "é/c.py", "a/c.py")
)
CHANGES: st.SearchStrategy[DiskChange] = st.one_of(
    st.none(),
    st.sampled_from(["binary", "too large"]),
    st.builds(
        FileEntry,
        st.sampled_from(DIGESTS),
        st.integers(0, 2**40),
        st.integers(-1, 2**62),
        st.sampled_from([None, "python", "c"]),
    ),
)
STEPS = st.lists(
    st.one_of(st.just("merge"), st.dictionaries(st.sampled_from(PATHS), CHANGES, max_size=4)), max_size=8
)


@given(STEPS)
def test_it_answers_like_a_dictionary(steps: list[str | dict[RelPath, DiskChange]]) -> None:
    manifest, truth = Manifest(), dict[RelPath, DiskChange]()
    for step in steps:
        if isinstance(step, str):
            manifest = manifest.merged()
        else:
            _ = manifest.paths  # so that it is carried on where it stays as it is
            manifest = manifest.with_changes(step)
            truth.update(step)
        check(manifest, truth)


def check(manifest: Manifest, truth: dict[RelPath, DiskChange]) -> None:
    files = {path: change for path, change in truth.items() if isinstance(change, FileEntry)}
    skipped = {path: change for path, change in truth.items() if isinstance(change, str)}
    assert manifest.files == files
    assert dict(manifest.files.items()) == files
    assert manifest.skipped == skipped
    assert list(manifest.paths) == list(manifest.files) == sorted(files)
    assert manifest.count == len(manifest.files) == len(files)
    assert set(manifest.known()) == {*files, *skipped}
    for path in PATHS:
        assert manifest.get(path) == truth.get(path)
        assert (path in manifest.files) == (path in files)
        assert (path in manifest.skipped) == (path in skipped)
    for digest in DIGESTS[1:]:
        same = [p for p, e in files.items() if (e.digest, e.language) == (digest, "c")]
        assert sorted(manifest.with_content(digest, "c")) == sorted(same)
    for name in ("c.py", "b", "nothing"):
        assert manifest.named(name) == [p for p in sorted(files) if p.rpartition("/")[2] == name]
    for folder in ("", "a", "a/b", "nothing"):
        assert manifest.in_folder(folder) == [p for p in sorted(files) if p.rpartition("/")[0] == folder]
        below = [p for p in sorted({*files, *skipped}) if folder and p.startswith(f"{folder}/")]
        assert not folder or manifest.beneath(folder) == below
    assert {p.rpartition("/")[0] for p in files} <= set(manifest.folders())
    whole = manifest.merged().table
    assert whole.tally()[:2] == (len(files), sum(entry.size for entry in files.values()))


def test_a_change_leaves_the_manifest_before_it_alone() -> None:
    first = Manifest(Table([(PATHS[2], 1, 2, DIGESTS[1], "c", None), (PATHS[7], 0, 0, "", None, "binary")]))
    second = first.with_changes({PATHS[2]: FileEntry(DIGESTS[2], 3, 4, "python")}).merged()
    assert first.files == {PATHS[2]: FileEntry(DIGESTS[1], 1, 2, "c")}
    assert first.with_content(DIGESTS[1], "c") == [PATHS[2]]
    assert (second.with_content(DIGESTS[1], "c"), second.with_content(DIGESTS[2], "python")) == (
        [],
        [PATHS[2]],
    )


def test_a_table_takes_a_hundred_bytes_a_file() -> None:
    """The paths aside, for which any list of files pays."""
    rows = [(RelPath(f"f/{i:06}.py"), i, i, f"{i:032x}", "python", None) for i in range(10_000)]
    assert packed_bytes(Table(rows)) < 60 * len(rows)


def packed_bytes(table: Table) -> int:
    import tracemalloc

    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        other = table.with_changes({table.paths.rows[0]: "binary"})
        assert other is not table
        return tracemalloc.get_traced_memory()[0] - before
    finally:
        tracemalloc.stop()
