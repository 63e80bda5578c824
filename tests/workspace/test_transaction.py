"""Many files as one: all or nothing at every point where a machine can stop."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import ConflictError, ProtectedPath, WorkspaceError
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.transaction import commit, recover, undo_last

BEFORE = {"a.py": "a = 1\n", "pkg/b.py": "b = 1\r\n", "old.txt": "old\n", "gone.txt": "gone\n"}
AFTER = {"a.py": "a = 2\n", "pkg/b.py": "b = 2\r\n", "new/deep/c.py": "c = 3\n", "moved.txt": "old, moved\n"}
EDITS = [
    FileEdit("a.py", "a = 1\n", "a = 2\n"),
    FileEdit("pkg/b.py", "b = 1\r\n", "b = 2\r\n"),
    FileEdit("new/deep/c.py", None, "c = 3\n"),
    FileEdit("moved.txt", "old\n", "old, moved\n", moved_from="old.txt"),
    FileEdit("gone.txt", "gone\n", None),
]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "workspace"
    lay(root)
    return root


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "state" / "journal"


def lay(root: Path) -> None:
    for path, text in BEFORE.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(text.encode())


def files(root: Path) -> dict[str, str]:
    return {p.relative_to(root).as_posix(): p.read_bytes().decode() for p in root.rglob("*") if p.is_file()}


def test_all_is_written_and_taken_back_in_one_step(root: Path, journal: Path) -> None:
    commit(root, EDITS, journal)
    assert files(root) == AFTER
    assert sorted(undo_last(root, journal)) == sorted({*BEFORE, *AFTER})
    assert files(root) == BEFORE
    with pytest.raises(WorkspaceError, match="nothing to undo"):
        undo_last(root, journal)


def test_mode_bits_encoding_and_mark_survive(root: Path, journal: Path) -> None:
    script = root / "run.sh"
    script.write_bytes(b"\xef\xbb\xbfecho one\r\n")
    script.chmod(0o750)
    latin = root / "latin.txt"
    latin.write_bytes("caf\xe9\n".encode("latin-1"))
    commit(
        root,
        [FileEdit("run.sh", "echo one\r\n", "echo two\r\n"), FileEdit("latin.txt", "café\n", "cafés\n")],
        journal,
    )
    assert script.read_bytes() == b"\xef\xbb\xbfecho two\r\n"
    assert script.stat().st_mode & 0o777 == 0o750
    assert latin.read_bytes() == "cafés\n".encode("latin-1")


@pytest.mark.parametrize(
    ("edit", "error"),
    [
        (FileEdit("a.py", "a = 0\n", "x"), ConflictError),
        (FileEdit("missing.py", "a\n", "b\n"), ConflictError),
        (FileEdit("a.py", None, "x"), ConflictError),
        (FileEdit("gone.txt", "old\n", "old\n", moved_from="old.txt"), ConflictError),
        (FileEdit(".git/config", None, "x"), ProtectedPath),
        (FileEdit(".GIT/hooks/x", None, "x"), ProtectedPath),
        (FileEdit(".vscode/tasks.json", None, "x"), ProtectedPath),
        (FileEdit("../out.txt", None, "x"), WorkspaceError),
        (FileEdit("a.py/below.py", None, "x"), WorkspaceError),
    ],
)
def test_one_bad_edit_and_nothing_is_written(
    root: Path, journal: Path, edit: FileEdit, error: type[Exception]
) -> None:
    with pytest.raises(error):
        commit(root, [FileEdit("pkg/b.py", "b = 1\r\n", "b = 9\r\n"), edit], journal)
    assert files(root) == BEFORE


def test_a_link_out_of_the_root_is_not_written_through(root: Path, journal: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (root / "link").symlink_to(outside)
    with pytest.raises(WorkspaceError):
        commit(root, [FileEdit("link/x.txt", None, "x")], journal)
    assert list(outside.iterdir()) == []


def test_undo_refuses_when_a_file_changed_since(root: Path, journal: Path) -> None:
    commit(root, EDITS, journal)
    (root / "a.py").write_text("mine\n")
    with pytest.raises(ConflictError, match=r"a\.py"):
        undo_last(root, journal)
    assert files(root) == {**AFTER, "a.py": "mine\n"}


class Crash(BaseException):
    """The machine stops here."""


def crashing(monkeypatch: pytest.MonkeyPatch, at: int) -> Callable[[], int]:
    """Every call that changes the disk counts; the one with number `at` never happens."""
    made = 0

    def wrap(original: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            nonlocal made
            made += 1
            if made == at:
                raise Crash
            return original(*args, **kwargs)

        return counted

    for name in ("replace", "unlink", "mkdir", "fsync", "fchmod", "rename"):
        monkeypatch.setattr(os, name, wrap(getattr(os, name)))
    return lambda: made


@pytest.mark.parametrize("doing", ["commit", "undo"])
def test_a_crash_at_any_step_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doing: str
) -> None:
    outcomes: set[str] = set()
    at = 0
    while "finished" not in outcomes:
        at += 1
        root, journal = tmp_path / f"w{at}", tmp_path / f"j{at}"
        lay(root)
        if doing == "undo":
            commit(root, EDITS, journal)
        with monkeypatch.context() as patched:
            crashing(patched, at)
            try:
                commit(root, EDITS, journal) if doing == "commit" else undo_last(root, journal)
                outcomes.add("finished")
            except Crash:
                pass
        assert recover(root, journal) == []
        now = files(root)
        assert now in (BEFORE, AFTER), f"half of it after step {at}"
        outcomes.add("before" if now == BEFORE else "after")
    assert outcomes == {"finished", "before", "after"}
    assert at > 20


def test_recovery_leaves_alone_what_somebody_changed(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(1, 200):
        with monkeypatch.context() as patched:
            crashing(patched, at)
            with pytest.raises(Crash):
                commit(root, EDITS, journal)
        if (journal / "plan.json").exists():
            break
    (root / "pkg/b.py").write_text("mine\n")
    assert recover(root, journal) == ["pkg/b.py"]
    assert files(root) == {**AFTER, "pkg/b.py": "mine\n"}


@pytest.mark.slow
def test_killed_at_any_moment(tmp_path: Path) -> None:
    script = textwrap.dedent("""
        import sys
        from pathlib import Path
        from qwen_lsp.text.edits import FileEdit
        from qwen_lsp.workspace.transaction import commit
        root, journal = Path(sys.argv[1]), Path(sys.argv[2])
        edits = [FileEdit(f"{n}.txt", "old\\n", "new\\n") for n in range(40)]
        print("go", flush=True)
        commit(root, edits, journal)
    """)
    seen: set[str] = set()
    for number in range(12):
        root, journal = tmp_path / f"w{number}", tmp_path / f"j{number}"
        root.mkdir()
        for n in range(40):
            (root / f"{n}.txt").write_text("old\n")
        with subprocess.Popen(
            [sys.executable, "-c", script, root, journal], stdout=subprocess.PIPE
        ) as process:
            assert process.stdout is not None
            process.stdout.readline()
            try:
                process.wait(number * 0.004)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        assert recover(root, journal) == []
        texts = {text for path, text in files(root).items() if path.endswith(".txt")}
        assert len(texts) == 1
        assert not [path for path in files(root) if not path.endswith(".txt")]
        seen |= texts
    assert seen <= {"old\n", "new\n"}
