"""A control group is made where one can limit processes, and otherwise nothing is left of the attempt."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.sandbox import groups

FIRST = "39 31 0:36 / {at} rw,relatime - cgroup cgroup rw,pids\n"
SECOND = "41 31 0:38 / {at} rw,relatime - cgroup2 cgroup2 rw\n"
PART = "41 31 0:38 /elsewhere {at} rw,relatime - cgroup2 cgroup2 rw\n"


def proc(folder: Path, cgroup: str, mountinfo: str) -> Path:
    folder.mkdir(exist_ok=True)
    (folder / "cgroup").write_text(cgroup, "ascii")
    (folder / "mountinfo").write_text(mountinfo, "ascii")
    return folder


@pytest.fixture
def controlled(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """A hierarchy in which some folders pass the controller of processes on to new ones."""
    passing: list[Path] = []
    plain = Path.mkdir

    def mkdir(path: Path, mode: int = 0o777, parents: bool = False, exist_ok: bool = False) -> None:
        plain(path, mode, parents, exist_ok)
        if path.parent in passing and path.name.startswith("qwen-lsp"):
            for name in ("pids.max", "memory.max", "cgroup.procs"):
                (path / name).write_text("", "ascii")

    monkeypatch.setattr(Path, "mkdir", mkdir)
    return passing


@pytest.mark.parametrize(("mounted", "own"), [(FIRST, "8:pids:/a/b\n"), (SECOND, "0::/a/b\n")])
def test_one_is_made_as_near_as_can_be(
    tmp_path: Path, controlled: list[Path], mounted: str, own: str
) -> None:
    top = tmp_path / "cgroup with space"
    (top / "a/b").mkdir(parents=True)
    controlled += [top, top / "a"]
    line = mounted.format(at=str(top).replace(" ", r"\040"))
    made = groups.make(proc(tmp_path / "proc", own, "1 1 0:1 / / rw - ext4 /dev/x rw\n" + line))
    assert made is not None
    assert made.folder.parent == top / "a"
    assert made.hold(4711, 100, 1 << 20)
    assert (made.folder / "pids.max").read_text("ascii") == "100"
    assert (made.folder / "cgroup.procs").read_text("ascii") == "4711"
    assert list((top / "a/b").iterdir()) == []


@pytest.mark.parametrize("mounted", [SECOND, PART, ""])
def test_where_none_can_be_made_nothing_is_left(tmp_path: Path, mounted: str) -> None:
    top = tmp_path / "cgroup"
    (top / "a").mkdir(parents=True)
    assert groups.make(proc(tmp_path / "proc", "0::/a\n", mounted.format(at=top))) is None
    assert list(top.rglob("qwen-lsp*")) == []


def test_groups_of_programs_that_died_are_taken_away(tmp_path: Path, controlled: list[Path]) -> None:
    top = tmp_path / "cgroup"
    for name in ("qwen-lsp-4194305-1", "qwen-lsp-1-1", "other"):
        (top / name).mkdir(parents=True)
    controlled.append(top)
    made = groups.make(proc(tmp_path / "proc", "0::/\n", SECOND.format(at=top)))
    assert made is not None
    assert {path.name for path in top.iterdir()} == {"qwen-lsp-1-1", "other", made.folder.name}


def test_a_group_the_kernel_refuses_is_said_to_be_none(tmp_path: Path) -> None:
    assert not groups.Group(tmp_path / "gone").hold(1, 1, 1)


def test_a_system_without_groups_has_none(tmp_path: Path) -> None:
    assert groups.make(tmp_path) is None
