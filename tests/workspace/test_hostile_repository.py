"""Repositories that bring programs along: none of them runs, whatever is done here with git."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from qwen_lsp.errors import UserError
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace import committing, pushing
from qwen_lsp.workspace.git_config import repository as accepted
from tests.workspace.repositories import bare, git, repository, user, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]
EDIT = FileEdit("a.py", "a = 1\n", "a = 2\n")

REFUSED = [
    "filter.evil.clean", "filter.evil.smudge", "filter.evil.process", "filter.lfs.clean",
    "filter.lfs.process",
    "diff.external", "diff.evil.command", "diff.evil.textconv", "merge.evil.driver", "mergetool.evil.cmd",
    "core.sshCommand", "core.gitProxy", "core.askPass", "core.alternateRefsCommand", "core.worktree",
    "core.attributesFile", "gpg.program", "gpg.ssh.program", "gpg.x509.program", "gpg.ssh.defaultKeyCommand",
    "credential.helper", "credential.https://example.org.helper", "credential.useHttpPath",
    "include.path", "includeIf.gitdir:/.path", "url.ext::sh.insteadOf", "url.ext::sh.pushInsteadOf",
    "remote.origin.uploadpack", "remote.origin.receivepack", "remote.origin.vcs", "remote.origin.proxy",
    "remote.origin.mirror", "remote.origin.push", "http.proxy", "http.sslVerify", "http.cookieFile",
    "protocol.ext.allow", "uploadpack.packObjectsHook", "trailer.x.command", "interactive.diffFilter",
    "submodule.x.update", "lfs.customtransfer.evil.path", "lfs.url", "init.templateDir", "man.viewer",
    "unknown.key",
]  # fmt: skip
WITHOUT_EFFECT = [
    "core.hooksPath",
    "core.fsmonitor",
    "core.pager",
    "core.editor",
    "sequence.editor",
    "alias.commit",
]


@pytest.fixture
def root(tmp_path: Path, own_user_folders: Path) -> Path:
    """Everything that a tree may say is said: attributes that choose each driver, and hooks."""
    user(own_user_folders)
    attributes = "* filter=evil diff=evil merge=evil\n"
    root = repository(tmp_path / "w", {"a.py": "a = 1\n", ".gitattributes": attributes})
    git(root, "remote", "add", "origin", str(bare(tmp_path / "remote.git")))
    git(root, "push", "-q", "-u", "origin", "work")
    for name in ("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit", "post-index-change",
                 "reference-transaction", "pre-push", "fsmonitor-watchman", "post-checkout"):  # fmt: skip
        program(root / ".git" / "hooks" / name, tmp_path / "marker")
    write(root, {"a.py": "a = 2\n"})
    return root


def program(path: Path, marker: Path) -> Path:
    """A program that leaves a mark."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\ntouch {marker}\ncat\n", encoding="utf-8")
    path.chmod(0o755)
    return path


async def test_hooks_and_attributes_run_nothing(root: Path, tmp_path: Path) -> None:
    await committing.commit(await committing.look(root, [EDIT]), "Two")
    await pushing.push(await pushing.look(root))
    await committing.subjects(root)
    assert git(tmp_path / "remote.git", "log", "-1", "--format=%s", "work") == "Two"
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("key", REFUSED)
async def test_a_key_that_may_run_a_program_is_named_and_nothing_runs(
    root: Path, tmp_path: Path, key: str
) -> None:
    evil = program(tmp_path / "evil", tmp_path / "marker")
    section, _, rest = key.partition(".")
    subsection, _, name = rest.rpartition(".")
    quoted = f' "{subsection}"' if subsection else ""
    with (root / ".git" / "config").open("a", encoding="utf-8") as config:
        config.write(f"[{section}{quoted}]\n\t{name} = {evil}\n")
    told = f"{section.lower()}.{f'{subsection}.' if subsection else ''}{name.lower()}"
    for looked in (committing.look(root, [EDIT]), pushing.look(root, "origin")):
        with pytest.raises(UserError) as refused:
            await looked
        assert f"configuration sets {told}, by which git could run a program" in str(refused.value)
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("key", WITHOUT_EFFECT)
async def test_a_key_that_is_set_otherwise_has_no_effect(root: Path, tmp_path: Path, key: str) -> None:
    evil = program(tmp_path / "evil" / "pre-commit", tmp_path / "marker")
    git(root, "config", key, str(evil.parent if key == "core.hooksPath" else evil))
    proposed = await committing.look(root, [EDIT])
    await committing.commit(proposed, "Two")
    await pushing.push(await pushing.look(root))
    assert not (tmp_path / "marker").exists()
    assert proposed.hooks == (("pre-commit",) if key == "core.hooksPath" else committing_hooks(root))


def committing_hooks(root: Path) -> tuple[str, ...]:
    return accepted(root).hooks(("pre-commit", "prepare-commit-msg", "commit-msg", "post-commit"))


async def test_the_settings_of_one_work_tree_count_as_well(root: Path, tmp_path: Path) -> None:
    git(root, "config", "extensions.worktreeConfig", "true")
    git(root, "worktree", "add", "-q", "-b", "linked", str(tmp_path / "linked"))
    write(tmp_path / "linked", {"a.py": "a = 2\n"})
    (tmp_path / "marker").unlink(missing_ok=True)  # adding it was not ours
    await committing.commit(await committing.look(tmp_path / "linked", [EDIT]), "Linked")
    git(tmp_path / "linked", "config", "--worktree", "filter.evil.clean", str(tmp_path / "evil"))
    with pytest.raises(UserError, match=r"sets filter\.evil\.clean"):
        await committing.look(tmp_path / "linked", [EDIT])
    await committing.look(root, [EDIT])
    assert not (tmp_path / "marker").exists()


@pytest.mark.parametrize("empty", ["sub/.git", "sub/plain"])
async def test_a_folder_that_looks_like_a_repository_has_no_say(
    root: Path, tmp_path: Path, empty: str
) -> None:
    """Git takes a folder with these names for a bare repository, also where it is content of another one."""
    evil = program(tmp_path / "evil", tmp_path / "marker")
    inner = root / "sub"
    settings = f'[core]\n\tbare = false\n\tworktree = .\n[filter "evil"]\n\tclean = {evil}\n'
    write(
        inner,
        {
            "HEAD": "ref: refs/heads/work\n",
            "objects/x": "",
            "refs/x": "",
            "config": settings,
            "a.py": "a = 2\n",
        },
    )
    write(root, {f"{empty}/HEAD": "ref: refs/heads/work\n"})
    with pytest.raises(UserError, match=r"bare repository|instead of the repository"):
        await committing.look(inner, [EDIT])
    with pytest.raises(UserError, match=r"bare repository|instead of the repository"):
        await pushing.look(inner, "origin")
    await committing.subjects(inner)
    assert not (tmp_path / "marker").exists()


async def test_a_filter_of_the_users_own_is_used(root: Path, own_user_folders: Path) -> None:
    user(own_user_folders, '[filter "evil"]\n\tclean = tr a-z A-Z\n')
    proposed = await committing.look(root, [EDIT])
    await committing.commit(proposed, "Filtered", with_own=bool(proposed.mixed))
    assert git(root, "cat-file", "-p", "HEAD:a.py") == "A = 2"


async def test_what_git_lfs_writes_is_accepted(root: Path) -> None:
    git(root, "config", "filter.lfs.clean", "git-lfs clean -- %f")
    git(root, "config", "filter.lfs.required", "true")
    await committing.look(root, [EDIT])


@pytest.mark.parametrize("content", [b"\0\0\0", b"[core\n", b"[a]\n" + b"x" * 2_000_000])
async def test_a_configuration_that_makes_no_sense_is_refused(root: Path, content: bytes) -> None:
    (root / ".git" / "config").write_bytes(content)
    with pytest.raises(UserError):
        await committing.look(root, [EDIT])


async def test_a_program_in_the_repository_is_not_found_by_git(
    root: Path, tmp_path: Path, own_user_folders: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A virtual environment is in the user's PATH and in the tree."""
    user(own_user_folders, '[filter "evil"]\n\tclean = mangle\n\trequired = true\n')
    program(root / ".venv" / "bin" / "mangle", tmp_path / "marker")
    monkeypatch.setenv("PATH", str(root / ".venv" / "bin"), prepend=":")
    with pytest.raises(UserError, match="clean filter 'evil' failed"):
        await committing.commit(await committing.look(root, [EDIT]), "Two", with_own=True)
    assert not (tmp_path / "marker").exists()
