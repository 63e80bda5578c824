"""A push to where the branch belongs, never by force: against bare repositories next door."""

from __future__ import annotations

import asyncio
import base64
import shutil
from pathlib import Path

import pytest

from qwen_lsp.errors import UserError
from qwen_lsp.workspace.pushing import look, push
from tests.workspace.repositories import bare, git, repository, user, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]


@pytest.fixture
def remote(tmp_path: Path) -> Path:
    return bare(tmp_path / "remote.git")


@pytest.fixture
def root(tmp_path: Path, own_user_folders: Path, remote: Path) -> Path:
    user(own_user_folders)
    root = repository(tmp_path / "w", {"a.py": "a = 1\n"})
    git(root, "remote", "add", "origin", str(remote))
    git(root, "push", "-q", "-u", "origin", "work")
    return root


def commit(root: Path, text: str, subject: str) -> None:
    write(root, {"a.py": text})
    git(root, "commit", "-q", "-a", "-m", subject)


async def refused(root: Path, remote: str | None = None, branch: str | None = None) -> str:
    with pytest.raises(UserError) as error:
        await look(root, remote, branch)
    return str(error.value)


async def test_new_commits_go_to_the_upstream(root: Path, remote: Path) -> None:
    commit(root, "a = 2\n", "Two")
    commit(root, "a = 3\n", "Three")
    git(root, "tag", "-a", "-m", "tag", "v1")
    proposed = await look(root)
    assert (proposed.remote, proposed.branch, proposed.target) == ("origin", "work", "work")
    assert [line.split(" ", 1)[1] for line in proposed.commits] == ["Three", "Two"]
    assert (proposed.new, proposed.protected, proposed.urls) == (False, False, (str(remote),))

    await push(proposed)
    assert git(remote, "rev-parse", "work") == git(root, "rev-parse", "HEAD")
    assert git(root, "status", "-sb").split("\n")[0] == "## work...origin/work"
    assert git(remote, "tag") == ""
    assert "nothing to push" in await refused(root)


async def test_only_what_was_shown_is_pushed(root: Path, remote: Path) -> None:
    commit(root, "a = 2\n", "Two")
    proposed = await look(root)
    commit(root, "a = 3\n", "Three")
    before = git(remote, "rev-parse", "work")
    with pytest.raises(UserError, match="changed since you were asked"):
        await push(proposed)
    assert git(remote, "rev-parse", "work") == before


async def test_nothing_over_there_is_overwritten(root: Path, remote: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    git(tmp_path, "clone", "-q", str(remote), str(other))
    commit(other, "theirs\n", "Theirs")
    git(other, "push", "-q")
    git(root, "config", "push.default", "matching")
    commit(root, "a = 2\n", "Two")
    before = git(remote, "rev-parse", "work")
    with pytest.raises(UserError, match="has commits that work has not; nothing was pushed"):
        await push(await look(root))
    assert git(remote, "rev-parse", "work") == before


async def test_a_branch_without_an_upstream_goes_where_it_is_said(root: Path, remote: Path) -> None:
    git(root, "checkout", "-q", "-b", "topic")
    commit(root, "a = 2\n", "Two")
    assert "no upstream" in await refused(root)
    proposed = await look(root, "origin")
    assert (proposed.target, proposed.new) == ("topic", True)
    assert [line.split(" ", 1)[1] for line in proposed.commits] == ["Two"]
    await push(proposed)
    assert git(remote, "rev-parse", "topic") == git(root, "rev-parse", "HEAD")
    await push(await look(root, "origin", "review/two"))
    assert git(remote, "rev-parse", "review/two") == git(root, "rev-parse", "HEAD")


async def test_a_branch_of_many_needs_a_yes_of_its_own(root: Path, remote: Path) -> None:
    commit(root, "a = 2\n", "Two")
    proposed = await look(root, "origin", "main")
    assert proposed.protected
    with pytest.raises(UserError, match="main is a branch that many people share; nothing was pushed"):
        await push(proposed)
    assert git(remote, "branch", "--list", "main") == ""
    await push(proposed, protected=True)
    assert git(remote, "rev-parse", "main") == git(root, "rev-parse", "HEAD")


async def test_where_no_push_can_be_made_it_is_said_why(root: Path) -> None:
    commit(root, "a = 2\n", "Two")
    assert "There is no remote 'elsewhere'" in await refused(root, "elsewhere")
    assert "not the name of a branch" in await refused(root, "origin", "a..b")
    assert "not the name of a branch" in await refused(root, "origin", "a b")
    git(root, "config", "branch.work.remote", ".")
    assert "a branch of this same repository" in await refused(root)
    git(root, "checkout", "-q", "--detach")
    assert "HEAD is detached" in await refused(root)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("ext::sh -c 'touch MARKER'", "names a program"),
        ("::whatever", "names a program"),
        ("fd::17", "names a program"),
        ("git://example.org/x", "git is none of https, ssh and file"),
        ("ssh://-oProxyCommand=x/y", "its host is none"),
        ("-oProxyCommand=x:y", "its host is none"),
        ("evil.git", "lies in the workspace itself"),
        ("./evil.git", "lies in the workspace itself"),
        ("ROOT/evil.git", "lies in the workspace itself"),
        ("file://ROOT/evil.git", "lies in the workspace itself"),
        ("file://ROOT/%65vil.git", "lies in the workspace itself"),
        ("../link", "lies in the workspace itself"),
        (".", "lies in the workspace itself"),
        ("../missing.git", "there is no such folder"),
    ],
)
async def test_a_remote_that_is_no_other_place_is_refused(
    root: Path, tmp_path: Path, url: str, said: str
) -> None:
    commit(root, "a = 2\n", "Two")
    evil, marker = bare(root / "evil.git"), tmp_path / "marker"
    hook = evil / "hooks" / "pre-receive"
    hook.write_text(f"#!/bin/sh\ntouch {marker}\n")
    hook.chmod(0o755)
    (tmp_path / "link").symlink_to(evil)
    git(root, "config", "remote.origin.url", url.replace("ROOT", str(root)).replace("MARKER", str(marker)))
    assert said in await refused(root)
    assert not marker.exists()


async def test_the_users_own_rewriting_of_urls_counts(
    root: Path, remote: Path, own_user_folders: Path
) -> None:
    user(own_user_folders, f'[url "{remote}"]\n\tinsteadOf = team:project\n')
    git(root, "config", "remote.origin.url", "team:project")
    commit(root, "a = 2\n", "Two")
    proposed = await look(root)
    assert proposed.urls == (str(remote),)
    await push(proposed)
    assert git(remote, "rev-parse", "work") == git(root, "rev-parse", "HEAD")
    user(own_user_folders, '[url "ext::sh -c x"]\n\tinsteadOf = team:project\n')
    assert "names a program" in await refused(root)


async def test_the_users_credential_helper_signs_in_and_no_password_is_shown(
    root: Path, own_user_folders: Path
) -> None:
    wanted = f"Basic {base64.b64encode(b'ada:secret').decode()}"
    signed_in = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        head = (await reader.readuntil(b"\r\n\r\n")).decode()
        status = "401 Unauthorized\r\nWWW-Authenticate: Basic realm=x"
        if f"Authorization: {wanted}" in head:
            signed_in.set()
            status = "403 Forbidden"
        writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n".encode())
        await writer.drain()
        writer.close()

    helper = own_user_folders / "helper"
    helper.write_text("#!/bin/sh\necho username=ada\necho password=secret\n")
    helper.chmod(0o755)
    user(own_user_folders, f"[credential]\n\thelper = {helper}\n")
    commit(root, "a = 2\n", "Two")
    async with await asyncio.start_server(answer, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        git(root, "config", "remote.origin.url", f"http://ada@127.0.0.1:{port}/x.git")
        proposed = await look(root)
        assert proposed.urls == (f"http://127.0.0.1:{port}/x.git",)
        with pytest.raises(UserError, match="git push failed") as failed:
            await push(proposed)
    assert signed_in.is_set()
    assert "ada" not in str(failed.value)
    assert "403" in str(failed.value)
