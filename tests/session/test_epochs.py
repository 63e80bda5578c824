"""Epochs that outlive the process: kept privately, read back byte for byte, begun anew when damaged."""

from __future__ import annotations

import os
import stat
import subprocess
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.epoch import Around, advance
from qwen_lsp.context.prefix import Base, Sight, room_for
from qwen_lsp.layers import load
from qwen_lsp.session import Session
from qwen_lsp.settings import Settings
from qwen_lsp.workspace import git
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import write_files

A, B, C = (RelPath(f"{name}.py") for name in "abc")
FILES = {path: f"def {path[0]}():\n    return {path[0]!r} * 7\n" for path in (A, B, C)}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    write_files(tmp_path / "work", FILES)
    return tmp_path / "work"


@asynccontextmanager
async def opened(root: Path, **more: object) -> AsyncGenerator[Session]:
    session = Session(root, load({}, more, environ={}) if more else Settings())
    await session.start()
    try:
        yield session
    finally:
        await session.aclose()


async def asked(session: Session, now: int = 1 << 62) -> Around:
    """The context of a large prompt, made and kept as a feature does it."""
    held = await session.held("explain")
    assert held is not None
    snapshot = session.snapshot
    found = [Candidate(path, "whole", 1.0, "it is there") for path in snapshot.paths()]
    base = Base(held.branch, "m", session.gate.fingerprint, room_for(40_000, held.tail_share, own=False))
    around = advance(
        held.epoch, base, Sight(snapshot, lambda n: found[:n], None, session.count, session.gate, now)
    )
    held.keep(around.epoch)
    return around


async def test_a_file_that_was_written_since_the_cut_comes_into_the_tail(root: Path) -> None:
    """It was on disk all the time and had no room in the prefix, or it is new: nobody has it open."""
    moment = 1_900_000_000_000_000_000
    async with opened(root) as session:
        first = await asked(session, moment)
        for name, written in (("new.py", moment + 10**9), ("old.py", moment - 10**9)):
            (root / name).write_text(f"{name[:3]} = 1\n", encoding="utf-8")
            os.utime(root / name, ns=(written, written))
        session.hint({RelPath("new.py"), RelPath("old.py")})
        await session.refresh()
        second = await asked(session, moment + 2 * 10**9)
    assert second.epoch.frozen == first.epoch.frozen
    assert [(e.path, e.why) for e in second.epoch.tail] == [("new.py", "worked on a moment ago")]


def kept(root: Path) -> list[Path]:
    return sorted((root.parent / "cache").rglob("epoch-*"))


def run_git(root: Path, *args: str) -> None:
    identity = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


async def test_a_restart_and_a_commit_leave_the_prefix_as_it_is(root: Path) -> None:
    run_git(root, "init", "-q", "-b", "main")
    run_git(root, "add", "-A")
    run_git(root, "commit", "-qm", "one")
    async with opened(root) as session:
        first = await asked(session)
    (root / A).write_text("def a():\n    return 'edited'\n")
    async with opened(root) as session:
        second = await asked(session)
        assert second.epoch.tail
        assert second.text.startswith(first.text)
        run_git(root, "commit", "-qam", "two")
        assert (await asked(session)).text == second.text
    async with opened(root) as session:
        third = await asked(session)
        assert third.text == second.text
        assert (third.epoch.frozen, third.epoch.tail) == (second.epoch.frozen, second.epoch.tail)
    run_git(root, "checkout", "-qb", "other")
    async with opened(root) as session:
        assert (await asked(session)).epoch.cut == "the branch changed from main to other"


async def test_what_is_kept_is_private_and_small(root: Path) -> None:
    async with opened(root) as session:
        await asked(session)
    files = kept(root)
    assert len(files) == 2
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}
    assert sum(file.stat().st_size for file in files) < 4_000


@pytest.mark.parametrize("damage", [b"", b"\0" * 100, None])
async def test_a_damaged_or_missing_file_is_just_a_new_epoch(root: Path, damage: bytes | None) -> None:
    async with opened(root) as session:
        await asked(session)
    for file in kept(root):
        if damage is None:
            file.unlink()
        else:
            file.write_bytes(damage)
    async with opened(root) as session:
        assert (await asked(session)).epoch.cut == "it is the first"
    async with opened(root) as session:
        held = await session.held("explain")
        assert held is not None
        assert held.epoch is not None, "and that one is kept again"


async def test_a_folder_that_takes_nothing_costs_only_the_restart(root: Path) -> None:
    async with opened(root) as session:
        folder = kept(root)
        assert folder == []
        database = session.store.cache.database
        assert database is not None
        for name in ("frozen", "tail"):
            (database.parent / f"epoch-1-explain.{name}").mkdir()
        first = await asked(session)
        assert (await asked(session)).text == first.text


async def test_other_rules_about_secrets_are_another_epoch(root: Path) -> None:
    async with opened(root) as session:
        assert "def b()" in (await asked(session)).text
    async with opened(root, secrets={"globs": ["b.py"]}) as session:
        around = await asked(session)
        assert around.epoch.cut == "the rules about secrets changed"
        assert "def b()" not in around.text
    # Nor is it on disk any more.
    async with opened(root, secrets={"globs": ["b.py"]}) as session:
        held = await session.held("explain")
        assert held is not None
        assert held.epoch is not None
        assert "def b()" not in held.epoch.frozen_text


async def test_epochs_can_be_switched_off(root: Path) -> None:
    async with opened(root, context={"epochs": False}) as session:
        assert await session.held("explain") is None


async def test_each_feature_has_its_own(root: Path) -> None:
    async with opened(root) as session:
        await asked(session)
        held = await session.held("agent")
        assert held is not None
        assert held.epoch is None


def test_rules_have_a_name(root: Path) -> None:
    names = {
        gate.fingerprint
        for gate in (
            Gate(None),
            Gate(root),
            Gate(root, globs=["a"]),
            Gate(root, patterns=["a"]),
            Gate(root, globs=["b"]),
        )
    }
    assert len(names) == 4, "where the workspace is does not matter"


def test_the_branch_is_read(root: Path) -> None:
    assert git.branch(root) == ""
    run_git(root, "init", "-q", "-b", "feature/x")
    assert git.branch(root) == "feature/x"
    run_git(root, "add", "-A")
    run_git(root, "commit", "-qm", "one")
    (root / "inner").mkdir()
    assert git.branch(root / "inner") == "feature/x"
    run_git(root, "worktree", "add", "-q", "-b", "beside", str(root.parent / "beside"))
    assert git.branch(root.parent / "beside") == "beside"
    run_git(root, "checkout", "-q", "--detach")
    assert git.branch(root) == ""
