"""A user who works on the same files meanwhile: nothing they wrote is ever lost."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

from qwen_lsp.errors import ConflictError
from qwen_lsp.index.landing import landed
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.transaction import commit, undo_last
from tests.support.fixture import indexed_workspace, workspace
from tests.support.meanwhile import Case, case

_CASES, _ON_DISK = 1_000, 60


def fitted(one: Case) -> dict[str, str] | None:
    """What the files hold once the edits have landed; None where they were refused."""
    snapshot = workspace("#- unused.py\n-\n").snapshot
    for path, text in one.current.items():
        snapshot = snapshot.edited(RelPath(path), text)
    try:
        edits = landed(one.edits, snapshot)
    except ConflictError:
        return None
    now = dict(one.current)
    for edit in edits:
        if edit.moved_from is not None:
            assert now.pop(edit.moved_from) == edit.before
        elif edit.before is not None:
            assert now.pop(edit.path) == edit.before
    for edit in edits:
        assert edit.path not in now
        if edit.after is not None:
            now[edit.path] = edit.after
    return now


def test_every_token_of_the_user_is_there_or_all_was_refused() -> None:
    outcomes: Counter[str] = Counter()
    for seed in range(_CASES):
        one = case(seed)
        now = fitted(one)
        if now is None:
            outcomes["refused"] += 1
            continue
        assert one.lost(now) == set(), f"case {seed}"
        outcomes["merged" if one.tokens and one.edits else "landed"] += 1
    # Both happen often, or the cases say nothing.
    assert outcomes["refused"] > _CASES / 10
    assert outcomes["merged"] > _CASES / 10


async def test_it_is_so_on_disk_too_and_undo_brings_the_users_files_back(tmp_path: Path) -> None:
    landings = 0
    for seed in range(_CASES, _CASES + _ON_DISK):
        one = case(seed)
        root = tmp_path / f"w{seed}"
        for path, text in one.current.items():
            (root / path).parent.mkdir(parents=True, exist_ok=True)
            (root / path).write_bytes(text.encode())
        root.mkdir(exist_ok=True)
        w = await indexed_workspace("", root)
        try:
            edits = landed(one.edits, w.snapshot)
        except ConflictError:
            continue
        step = commit(root, edits, tmp_path / "journal")
        assert one.lost(on_disk(root)) == set(), f"case {seed}"
        if step.paths:
            undo_last(root, tmp_path / "journal")
            landings += 1
        assert on_disk(root) == one.current
    assert landings > _ON_DISK / 10


def on_disk(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): p.read_bytes().decode() for p in root.rglob("*") if p.is_file()}
