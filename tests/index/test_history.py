"""Files that change together: on logs written here, and on real repositories."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_lsp.index.history import History, history_of, parsed, read, refreshed
from qwen_lsp.workspace.paths import RelPath
from tests.workspace.trees import git, write_tree

needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

A, B, C, D = (RelPath(name) for name in ("a.py", "b.py", "c.py", "lib/d.py"))


def commit(root: Path, files: Mapping[str, str], message: str = "m") -> None:
    write_tree(root, files)
    git(root, "add", "-A")
    git(root, "commit", "-qm", message)


def script(path: Path, *lines: str) -> Path:
    path.write_text("\n".join(("#!/bin/sh", *lines, "")))
    path.chmod(0o755)
    return path


@pytest.fixture
def repo(tmp_path: Path) -> Path:
    """Oldest first: a with b; c alone; a, b and c; a with b again."""
    root = tmp_path / "repo"
    root.mkdir()
    git(root, "init", "-q")
    commit(root, {"a.py": "1", "b.py": "1"})
    commit(root, {"c.py": "1"})
    commit(root, {"a.py": "2", "b.py": "2", "c.py": "2"})
    commit(root, {"a.py": "3", "b.py": "3"})
    return root


# -- without git ---------------------------------------------------------------------------------------


def test_what_is_always_changed_together_weighs_most() -> None:
    known = history_of("h", [[A, B], [A, B, C], [C], [A, B], [A, D]])
    found = known.related(A, 5)
    assert [(path, times) for path, _, times in found] == [(B, 3), (D, 1), (C, 1)]
    assert 0.5 < found[0][1] < 1
    assert found[0][1] > 2 * found[1][1]
    assert known.related(C, 5)[0][1] < found[0][1], "c also changes alone"
    assert known.related(RelPath("gone.py"), 5) == []


def test_what_is_recent_weighs_more() -> None:
    busy = [[RelPath(f"other{n}.py")] for n in range(1_999)]
    known = history_of("h", [[A, B], *busy, [A, C]])
    (first, near, _), (second, far, _) = known.related(A, 5)
    assert (first, second) == (B, C)
    assert near == pytest.approx(4 * far)  # two half-lives


def test_a_commit_of_many_files_says_nothing_but_that_time_has_passed() -> None:
    crowd = [RelPath(f"f{n}.py") for n in range(30)]
    assert history_of("h", [[*crowd, A]]) == History("h", (), {})
    assert len(history_of("h", [[*crowd[1:], A]]).related(A, 99)) == 29
    late = history_of("h", [[*crowd, A]] * 300 + [[A, B]]).related(A, 1)
    soon = history_of("h", [[A, B]]).related(A, 1)
    assert late[0][1] < soon[0][1]


def test_limits_and_what_is_gone() -> None:
    known = history_of("h", [[A, B], [A, C], [D], [A, B]])
    assert [path for path, _, _ in known.related(A, 1)] == [B]
    assert [path for path, _, _ in known.related(A, 9, lambda path: path != B)] == [C]
    assert known.recently_changed(3) == [A, B, C]
    assert known.recently_changed(9, lambda path: path != B) == [A, C, D]
    assert known.recently_changed(0) == []


@given(st.lists(st.lists(st.sampled_from([A, B, C, D]), max_size=6), max_size=30))
def test_weights_are_shares_best_first_and_common_commits_are_counted(commits: list[list[RelPath]]) -> None:
    known = history_of("h", commits)
    for path in (A, B, C, D):
        found = known.related(path, 99)
        weights = [weight for _, weight, _ in found]
        assert weights == sorted(weights, reverse=True)
        assert all(0 < weight < 1 for weight in weights)
        for other, _, times in found:
            assert other != path
            assert times == sum(path in commit and other in commit for commit in commits)
            assert [n for back, _, n in known.related(other, 99) if back == path] == [times]


@pytest.mark.parametrize("printed", [b"", b"\0", b"a.py\0b.py", b"\x01xyz\0a.py", b"\xff\xfe\0"])
def test_a_log_that_makes_no_sense_has_no_commits(printed: bytes) -> None:
    assert parsed(printed) == []


# -- with git ------------------------------------------------------------------------------------------


@needs_git
async def test_a_repository_is_read_and_read_again_only_after_a_commit(repo: Path) -> None:
    known = await refreshed(repo)
    assert [(path, times) for path, _, times in known.related(A, 5)] == [(B, 3), (C, 1)]
    assert known.recently_changed(9) == [A, B, C]
    assert known.head == git(repo, "rev-parse", "HEAD").strip()
    assert await refreshed(repo, known) is known
    commit(repo, {"c.py": "9", "lib/d.py": "1"})
    later = await refreshed(repo, known)
    assert later.recently_changed(2) == [C, D]
    assert [path for path, _, _ in later.related(D, 5)] == [C]


@needs_git
def test_no_more_commits_are_read_than_asked_for(repo: Path) -> None:
    assert [paths for _, paths in read(repo, commits=2).commits] == [(A, B), (A, B, C)]


@needs_git
def test_a_folder_of_a_repository_has_its_own_names(repo: Path) -> None:
    commit(repo, {"lib/d.py": "1", "lib/e.py": "1", "a.py": "5"})
    known = read(repo / "lib")
    assert known.recently_changed(9) == ["d.py", "e.py"]
    assert known.related(RelPath("d.py"), 9)[0][0] == "e.py"


@needs_git
def test_any_name_comes_back_as_the_disk_has_it(repo: Path) -> None:
    names = ['quote".py', "new\nline.py", "tab\t.py", "é ü.py", "\nfirst.py", "\x01" + "a" * 40 + "x"]
    commit(repo, dict.fromkeys(names, "x"))
    (repo / "a\udcff.py").write_text("x")
    git(repo, "add", "-A")
    git(repo, "commit", "-qm", "m")
    known = read(repo)
    assert known.recently_changed(1) == ["a\udcff.py"]
    assert set(known.commits[1][1]) == set(names)


@needs_git
def test_where_there_is_nothing_to_read_there_is_no_history(tmp_path: Path) -> None:
    assert read(tmp_path) == History()
    git(tmp_path, "init", "-q")
    assert read(tmp_path) == History(), "no commit yet"
    (tmp_path / ".git" / "HEAD").write_text("nonsense")
    assert read(tmp_path) == History()
    assert read(tmp_path / "gone") == History()


@needs_git
def test_without_git_there_is_no_history(repo: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qwen_lsp.workspace.git.executable", lambda: None)
    assert read(repo) == History()


@needs_git
def test_a_repository_cannot_have_a_program_run_by_its_log(repo: Path, tmp_path: Path) -> None:
    signer = script(
        tmp_path / "signer.sh",
        "cat > /dev/null",
        "printf -- '-----BEGIN PGP SIGNATURE-----\\n\\nx\\n-----END PGP SIGNATURE-----\\n'",
        "printf '\\n[GNUPG:] SIG_CREATED \\n' >&2",
    )
    write_tree(repo, {"a.py": "4", "b.py": "4"})
    git(repo, "-c", f"gpg.program={signer}", "commit", "-qa", "-S", "-m", "signed")
    ran = tmp_path / "ran"
    program = script(tmp_path / "evil.sh", f"echo >> {ran}")
    for name, value in {
        "log.showSignature": "true", "gpg.program": str(program), "core.pager": str(program),
        "core.fsmonitor": str(program), "diff.external": str(program), "core.sshCommand": str(program),
    }.items():  # fmt: skip
        git(repo, "config", name, value)
    (repo / ".gitattributes").write_text("* diff=evil\n")
    git(repo, "config", "diff.evil.command", str(program))
    git(repo, "config", "diff.evil.textconv", str(program))
    assert read(repo).related(A, 1)[0][::2] == (B, 4)
    assert not ran.exists()
    git(repo, "log", "-1")
    assert ran.exists(), "a plain log would have run it"


@needs_git
def test_a_partial_clone_fetches_nothing(repo: Path, tmp_path: Path) -> None:
    git(repo, "config", "uploadpack.allowFilter", "true")
    git(tmp_path, "clone", "-q", "--filter=tree:0", "--no-checkout", f"file://{repo}", "part")
    part, ran = tmp_path / "part", tmp_path / "ran"
    program = script(tmp_path / "evil.sh", f"echo >> {ran}", "exit 1")
    git(part, "config", "core.sshCommand", str(program))
    git(part, "config", "protocol.ssh.allow", "always")
    git(part, "config", "remote.origin.url", "ssh://example.invalid/x")
    assert read(part).commits == ()
    assert not ran.exists()
    with pytest.raises(subprocess.CalledProcessError):
        git(part, "log", "--name-only")
    assert ran.exists(), "a plain log would have run it"
