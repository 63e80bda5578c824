"""Many files as one: all or nothing at every point where a machine can stop."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import signal
import subprocess
import sys
import textwrap
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import ConflictError, ProtectedPath, WorkspaceError
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import journal as journals
from qwen_lsp.workspace import landing
from qwen_lsp.workspace.journal import Change, pending
from qwen_lsp.workspace.transaction import commit, recover, undo, undo_last

BEFORE = {
    "a.py": "a = 1\n",
    "pkg/b.py": "b = 1\r\n",
    "old.txt": "old\n",
    "gone.txt": "gone\n",
    "run.sh": "run\n",
}
AFTER = {
    "a.py": "a = 2\n", "pkg/b.py": "b = 2\r\n", "new/deep/c.py": "c = 3\n", "moved.txt": "old, moved\n",
    "run.sh": "run\n*", "new.sh": "new\n*",
}  # fmt: skip
"""A star is a file that may be run."""
EDITS = [
    FileEdit("a.py", "a = 1\n", "a = 2\n"),
    FileEdit("pkg/b.py", "b = 1\r\n", "b = 2\r\n"),
    FileEdit("new/deep/c.py", None, "c = 3\n"),
    FileEdit("moved.txt", "old\n", "old, moved\n", moved_from="old.txt"),
    FileEdit("gone.txt", "gone\n", None),
    FileEdit("run.sh", "run\n", "run\n", executable=True),
    FileEdit("new.sh", None, "new\n", executable=True),
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
    return {
        p.relative_to(root).as_posix(): p.read_bytes().decode() + "*" * bool(p.stat().st_mode & 0o100)
        for p in root.rglob("*")
        if p.is_file()
    }


def test_all_is_written_and_taken_back_in_one_step(root: Path, journal: Path) -> None:
    commit(root, EDITS, journal)
    assert files(root) == AFTER
    assert sorted(undo_last(root, journal)) == sorted({*BEFORE, *AFTER})
    assert files(root) == BEFORE
    with pytest.raises(WorkspaceError, match="nothing to undo"):
        undo_last(root, journal)


def test_each_write_can_be_taken_back_by_name(root: Path, journal: Path) -> None:
    first = commit(root, [FileEdit("a.py", "a = 1\n", "a = 2\n")], journal)
    second = commit(root, [FileEdit("x/y/z.py", None, "z\n")], journal)
    undo(root, journal, first)
    assert files(root) == {**BEFORE, "x/y/z.py": "z\n"}
    undo(root, journal, second)
    assert files(root) == BEFORE
    assert not (root / "x").exists()
    with pytest.raises(ConflictError, match="no record"):
        undo(root, journal, second)


def test_an_edit_that_changes_nothing_writes_nothing(root: Path, journal: Path) -> None:
    inode = (root / "a.py").stat().st_ino
    step = commit(root, [FileEdit("a.py", "a = 1\n", "a = 1\n")], journal)
    assert step.paths == ()
    undo(root, journal, step)
    assert (root / "a.py").stat().st_ino == inode


def test_files_can_change_places(root: Path, journal: Path) -> None:
    edits = [
        FileEdit("old.txt", "gone\n", "gone\n", moved_from="gone.txt"),
        FileEdit("gone.txt", "old\n", "old!\n", moved_from="old.txt"),
    ]
    (root / "gone.txt").chmod(0o700)
    commit(root, edits, journal)
    assert files(root) == {**BEFORE, "old.txt": "gone\n*", "gone.txt": "old!\n"}
    assert (root / "old.txt").stat().st_mode & 0o777 == 0o700
    undo_last(root, journal)
    assert files(root) == {**BEFORE, "gone.txt": "gone\n*"}


def test_rights_change_with_a_file_or_alone_and_come_back(root: Path, journal: Path) -> None:
    (root / "a.py").chmod(0o640)
    (root / "run.sh").chmod(0o604)
    inode = (root / "run.sh").stat().st_ino
    edits = [
        FileEdit("a.py", "a = 1\n", "a = 2\n", executable=True),
        FileEdit("run.sh", "run\n", "run\n", executable=True),
        FileEdit("moved.txt", "old\n", "old\n", moved_from="old.txt", executable=True),
    ]
    commit(root, edits, journal)
    rights = {name: (root / name).stat().st_mode & 0o777 for name in ("a.py", "run.sh", "moved.txt")}
    assert rights == {"a.py": 0o750, "run.sh": 0o705, "moved.txt": 0o755}
    assert (root / "run.sh").stat().st_ino == inode
    undo_last(root, journal)
    assert (root / "a.py").stat().st_mode & 0o777 == 0o640
    assert (root / "run.sh").stat().st_mode & 0o777 == 0o604
    assert files(root) == BEFORE


def test_rights_that_are_so_already_are_no_change(root: Path, journal: Path) -> None:
    (root / "run.sh").chmod(0o755)
    assert commit(root, [FileEdit("run.sh", "run\n", "run\n", executable=True)], journal).paths == ()


def test_rights_that_somebody_changed_since_are_not_taken_back(root: Path, journal: Path) -> None:
    commit(root, [FileEdit("run.sh", "run\n", "run\n", executable=True)], journal)
    (root / "run.sh").write_text("edited since\n")
    (root / "run.sh").chmod(0o700)
    with pytest.raises(ConflictError, match=r"run\.sh"):
        undo_last(root, journal)
    (root / "run.sh").chmod(0o755)
    undo_last(root, journal)
    assert files(root)["run.sh"] == "edited since\n"


def test_a_file_with_several_names_is_changed_under_one(root: Path, journal: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside.py"
    outside.hardlink_to(root / "a.py")
    commit(root, [FileEdit("a.py", "a = 1\n", "a = 2\n")], journal)
    assert outside.read_text() == "a = 1\n"


def test_a_read_only_file_is_refused(root: Path, journal: Path) -> None:
    (root / "a.py").chmod(0o444)
    with pytest.raises(ProtectedPath):
        commit(root, [FileEdit("a.py", "a = 1\n", "a = 2\n")], journal)


def test_journals_of_another_workspace_are_left_alone(root: Path, journal: Path, tmp_path: Path) -> None:
    commit(root, EDITS, journal)
    other = tmp_path / "other"
    other.mkdir()
    assert not recover(other, journal)
    with pytest.raises(WorkspaceError):
        undo_last(other, journal)
    assert files(root) == AFTER


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
    """The machine stops here: nothing after this reaches the disk."""


class Faults:
    """Counts every call that changes the disk and makes one of them go wrong.

    `before` and `after`: the machine stops around the call. `torn`: half of what is written arrives.
    `power`: it stops before the call, and what was written and not made durable is gone. `full`: the call
    alone fails, as on a full disk.
    """

    def __init__(
        self, patch: pytest.MonkeyPatch, at: int = 0, kind: str = "before", disks: Sequence[Path] = ()
    ) -> None:
        self.made = 0
        self._lock = threading.Lock()
        self._volatile: set[int] = set()
        self._disks = disks
        self.trace: list[tuple[str, str]] = []
        self._at, self._kind, self._dead = at, kind, False
        for name in ("write", "fsync", "fchmod", "fchown", "link", "unlink", "rename", "mkdir", "rmdir"):
            patch.setattr(os, name, self._wrap(name, getattr(os, name)))
        opened = os.open

        def creating(path: Any, flags: int, *args: Any, **kwargs: Any) -> int:
            return (self._wrap("create", opened) if flags & os.O_CREAT else opened)(
                path, flags, *args, **kwargs
            )

        patch.setattr(os, "open", creating)
        patch.setattr(landing, "_exchange", self._wrap("exchange", getattr(landing, "_exchange")))  # noqa: B009

    def _wrap(self, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            with self._lock:  # files are made durable side by side
                if self._dead:
                    raise Crash
                self.made += 1
                self.trace.append((name, str(args[0])))
                if self.made != self._at:
                    result = original(*args, **kwargs)
                    self._noted(name, args)
                    return result
                if self._kind == "full":
                    raise OSError(errno.ENOSPC, "No space left on device")
                self._dead = True
            if self._kind == "torn" and name == "write":
                original(args[0], args[1][: len(args[1]) // 2])
            elif self._kind == "after":
                original(*args, **kwargs)
            elif self._kind == "power":
                self._lose()
            raise Crash

        return counted

    def _noted(self, name: str, args: tuple[Any, ...]) -> None:
        if name == "write":
            self._volatile.add(os.fstat(args[0]).st_ino)
        elif name == "fsync":
            self._volatile.discard(os.fstat(args[0]).st_ino)

    def _lose(self) -> None:
        for disk in self._disks:
            for path in disk.rglob("*"):
                if path.is_file() and path.stat().st_ino in self._volatile:
                    path.write_bytes(b"")


def do(doing: str, root: Path, journal: Path) -> None:
    if doing == "commit":
        commit(root, EDITS, journal)
    else:
        undo_last(root, journal)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("doing", "kind"),
    [("commit", "before"), ("commit", "after"), ("commit", "torn"), ("commit", "power"), ("undo", "before")],
)
def test_a_crash_at_any_step_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doing: str, kind: str
) -> None:
    outcomes: list[str] = []
    at, finished = 0, False
    while not finished:
        at += 1
        root, journal = tmp_path / f"w{at}", tmp_path / f"j{at}"
        lay(root)
        if doing == "undo":
            commit(root, EDITS, journal)
        with monkeypatch.context() as patch:
            Faults(patch, at, kind, (root, journal))
            try:
                do(doing, root, journal)
                finished = True
            except Crash:
                pass
        # The machine can stop while it recovers, too.
        with monkeypatch.context() as patch:
            Faults(patch, at % 7 + 1, kind, (root, journal))
            with contextlib.suppress(Crash):
                recover(root, journal)
        assert not recover(root, journal).left
        now = files(root)
        assert now in (BEFORE, AFTER), f"half of it after step {at}"
        assert list(pending(journal)) == []
        assert len(list(journal.glob("*.done"))) == (now == AFTER)
        outcomes.append("before" if now == BEFORE else "after")
    # One commit point: up to it nothing, after it everything.
    first, then = ("before", "after") if doing == "commit" else ("after", "before")
    point = outcomes.index(then)
    assert outcomes == [first] * point + [then] * (len(outcomes) - point)
    assert point > 20
    assert len(outcomes) - point > 10


@pytest.mark.slow
@pytest.mark.parametrize("doing", ["commit", "undo"])
def test_a_full_disk_at_any_step_leaves_all_or_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, doing: str
) -> None:
    kept, failed = (BEFORE, AFTER) if doing == "commit" else (AFTER, BEFORE), 0
    for at in range(1, 500):
        root, journal = tmp_path / f"w{at}", tmp_path / f"j{at}"
        lay(root)
        if doing == "undo":
            commit(root, EDITS, journal)
        with monkeypatch.context() as patch:
            faults = Faults(patch, at, "full")
            try:
                do(doing, root, journal)
                refused = False
            except WorkspaceError:
                refused = True
        failed += refused
        now = files(root)
        assert now == kept[0] if refused else now == kept[1], f"after step {at}"
        assert not recover(root, journal).left
        assert files(root) == now
        if faults.made < at:
            break
    assert failed > 20


def test_contents_are_durable_before_they_are_in_place(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        faults = Faults(patch)
        commit(root, EDITS, journal)
        trace = [name for name, _ in faults.trace]
    first = min(trace.index("exchange"), trace.index("link"))
    created = trace[:first].count("create")
    assert (
        trace[:first].count("fsync") == created - 1 + 2
    )  # each but the lock, and the journal's folder twice
    folders = len({path.rpartition("/")[0] for path in {*BEFORE, *AFTER}} | {"new"})
    # Afterwards each folder, the file whose rights alone changed, and the journal's folder.
    assert trace[first:].count("fsync") == folders + 2


def test_recovery_leaves_alone_what_somebody_changed(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(1, 200):
        with monkeypatch.context() as patch:
            Faults(patch, at)
            with pytest.raises(Crash):
                commit(root, EDITS, journal)
        if list(journal.glob("*.committed")):
            break
    (root / "pkg/b.py").write_text("mine\n")
    assert recover(root, journal).left == ("pkg/b.py",)
    assert files(root) == {**AFTER, "pkg/b.py": "mine\n"}


def no_such_call() -> None:
    """A system without an exchange of names."""


@pytest.mark.parametrize("exchanging", [True, False])
@pytest.mark.parametrize("path", ["a.py", "pkg/b.py", "gone.txt", "old.txt", "moved.txt", "new/deep/c.py"])
def test_a_file_saved_in_the_last_moment_is_kept_and_the_rest_taken_back(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch, path: str, exchanging: bool
) -> None:
    land = landing.land

    def saved_meanwhile(folder: int, change: Change) -> None:
        if change.path == path:
            (root / path).write_text("mine\n")
        land(folder, change)

    monkeypatch.setattr(landing, "land", saved_meanwhile)
    if not exchanging:
        monkeypatch.setattr(landing, "_renameat2", no_such_call)
    with pytest.raises(ConflictError, match=re.escape(path)):
        commit(root, EDITS, journal)
    assert files(root) == {**BEFORE, path: "mine\n"}
    assert not (root / "new").exists() or path == "new/deep/c.py"
    assert list(pending(journal)) == []


@pytest.mark.slow
def test_no_byte_of_somebody_who_saves_at_the_same_time_is_lost(tmp_path: Path) -> None:
    """Another process saves one of the files over and over; each of its versions is there or was refused."""
    root, journal = tmp_path / "w", tmp_path / "j"
    root.mkdir()
    edits = [FileEdit(f"{n}.txt", "old\n", "new\n") for n in range(6)]
    script = """
import sys, time
for line in sys.stdin:
    time.sleep(float(line))
    open(sys.argv[1], "w").write("mine")
    print(flush=True)
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, root / "3.txt"],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    ) as other:  # fmt: skip
        assert other.stdin is not None
        assert other.stdout is not None
        for number in range(60):
            for n in range(6):
                (root / f"{n}.txt").write_text("old\n")
            other.stdin.write(f"{number * 0.0002}\n")
            other.stdin.flush()
            try:
                commit(root, edits, journal)
                written = True
            except ConflictError:
                written = False
            other.stdout.readline()
            now = files(root)
            assert now.pop("3.txt") == "mine"
            assert set(now.values()) == {"new\n" if written else "old\n"}
        other.stdin.close()


@pytest.mark.slow
def test_a_link_that_appears_meanwhile_leads_nowhere(tmp_path: Path) -> None:
    """Another process exchanges a folder for a link to the outside, over and over."""
    root, journal, outside = tmp_path / "w", tmp_path / "j", tmp_path / "outside"
    (root / "real").mkdir(parents=True)
    outside.mkdir()
    (root / "d").mkdir()
    script = """
import os, sys
root, outside = sys.argv[1:]
print(flush=True)
while True:
    os.rename(root + "/d", root + "/e"); os.symlink(outside, root + "/d")
    os.unlink(root + "/d"); os.rename(root + "/e", root + "/d")
"""
    with subprocess.Popen(
        [sys.executable, "-c", script, root, outside], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        try:
            for number in range(60):
                with contextlib.suppress(WorkspaceError):
                    commit(root, [FileEdit(f"d/{number}.txt", None, "x")], journal)
        finally:
            other.kill()
    assert list(outside.iterdir()) == []


def test_processes_take_turns_and_nobody_waits_for_ever(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journals, "_LOCK_SECONDS", 0.0)
    with journals.locked(journal):
        for waiting in (
            lambda: commit(root, EDITS, journal),
            lambda: undo_last(root, journal),
            lambda: recover(root, journal),
        ):
            with pytest.raises(WorkspaceError, match="another process is writing"):
                waiting()
    commit(root, EDITS, journal)
    assert files(root) == AFTER


def test_a_write_begins_with_what_a_crash_left(
    root: Path, journal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(folder: int, change: Change) -> None:
        raise Crash

    with monkeypatch.context() as patch:
        patch.setattr(landing, "land", crash)
        with pytest.raises(Crash):
            commit(root, EDITS, journal)
    commit(root, [FileEdit("a.py", "a = 2\n", "a = 3\n")], journal)
    assert files(root) == {**AFTER, "a.py": "a = 3\n"}
    undo_last(root, journal)
    undo_last(root, journal)
    assert files(root) == BEFORE


def test_a_journal_that_cannot_be_read_any_more_is_set_aside_and_told(
    root: Path, journal: Path, caplog: pytest.LogCaptureFixture
) -> None:
    commit(root, EDITS, journal)
    (done,) = journal.glob("*.done")
    damaged = done.rename(done.with_suffix(".committed"))
    damaged.write_bytes(damaged.read_bytes()[:-40])
    assert not recover(root, journal)
    assert [path.name for path in journal.glob("*.unreadable")] == [f"{damaged.stem}.unreadable"]
    assert "cannot be read any more" in caplog.text
    assert files(root) == AFTER


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
    for number in range(24):
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
                process.wait(number * 0.003)
            except subprocess.TimeoutExpired:
                process.send_signal(signal.SIGKILL)
        assert not recover(root, journal).left
        texts = {text for path, text in files(root).items() if path.endswith(".txt")}
        assert len(texts) == 1
        assert not [path for path in files(root) if not path.endswith(".txt")]
        seen |= texts
    assert seen <= {"old\n", "new\n"}
