"""What has landed from an editor is committed, and pushed, each after a yes and never without one."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from tests.support.agent import AFTER, FILES, Scene, scene
from tests.support.desk import EGLOT, THIN, VSCODE
from tests.support.editor import Json
from tests.workspace.repositories import git, repository, user

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

MESSAGE = "Call net before_tax"


@pytest.fixture
def root(tmp_path: Path, own_user_folders: Path) -> Path:
    user(own_user_folders)
    return repository(tmp_path / "w", FILES)


async def landed(at: Scene, **more: Any) -> str:
    """A run whose edit was applied and saved."""
    at.script()
    run = (await at.edit(**more))["run"]
    for path in AFTER:
        if at.desk.uri(path) in at.desk.texts:
            at.desk.save(path)
    return run


def asked(at: Scene, *answers: str) -> list[Json]:
    """What a client with our requests is asked, answered with these in turn."""
    heard: list[Json] = []
    left = list(answers)

    def reply(params: Json) -> Json:
        heard.append(params)
        return {"answer": left.pop(0)}

    at.editor.answers["qwen/approve"] = reply
    return heard


async def test_a_commit_holds_what_landed_after_a_yes(root: Path) -> None:
    async with scene(root, THIN) as at:
        (root / "old.py").write_text("x = 'the person is at it'\n")
        run = await landed(at)
        heard = asked(at, "once", "once")
        at.model.reply(MESSAGE)
        answer = await at.editor.command("qwen.commitEdit", {"run": run})
        question, *more = heard
        assert not more, more
        assert question["kind"] == "commit"
        assert MESSAGE in question["detail"]
        assert set(answer["commit"]["files"]) == set(AFTER)
        assert git(root, "rev-parse", "HEAD").startswith(answer["commit"]["id"])
        changed = git(root, "show", "--format=", "--name-only", "HEAD").split()
        assert set(changed) == set(AFTER)
        assert git(root, "log", "-1", "--format=%s").strip() == MESSAGE
        assert answer["pushed"] is None


async def test_a_no_leaves_the_repository_as_it_is(root: Path) -> None:
    async with scene(root, VSCODE) as at:
        head = git(root, "rev-parse", "HEAD")
        run = await landed(at)
        at.editor.answers["window/showMessageRequest"] = lambda params: {"title": "Leave as it is"}
        answer = await at.editor.command("qwen.commitEdit", {"run": run, "message": MESSAGE})
        assert (answer["commit"], answer["problem"]) == (None, "it was refused")
        assert git(root, "rev-parse", "HEAD") == head


async def test_a_push_is_a_question_of_its_own(root: Path, tmp_path: Path) -> None:
    remote = tmp_path / "remote.git"
    git(tmp_path, "init", "--quiet", "--bare", str(remote))
    git(root, "checkout", "--quiet", "-b", "feature")
    git(root, "remote", "add", "origin", str(remote))
    git(root, "push", "--quiet", "--set-upstream", "origin", "feature")
    before = git(remote, "rev-parse", "feature")
    async with scene(root, THIN) as at:
        run = await landed(at)
        heard = asked(at, "once", "no", "once", "once", "once")
        argument = {"run": run, "message": MESSAGE, "push": True}
        answer = await at.editor.command("qwen.commitEdit", argument)
        assert answer["commit"]["subject"] == MESSAGE
        assert (answer["pushed"], answer["problem"]) == (None, "the push was refused")
        assert git(remote, "rev-parse", "feature") == before
        (root / "old.py").write_text("x = 1\ny = 'the person is at it'\n")
        at.script(("edit", {"file_path": "old.py", "old_string": "x = 1", "new_string": "x = 4"}))
        run = (await at.edit())["run"]
        at.desk.save("old.py")
        answer = await at.editor.command("qwen.commitEdit", {**argument, "run": run})
        assert answer["pushed"] is not None
        assert git(remote, "rev-parse", "feature") == git(root, "rev-parse", "HEAD")
        titles = [question["title"] for question in heard]
        assert titles[:2] == ["Commit this?", "Push this?"]
        assert titles[2::2] == ["Commit this?", "Push this?"]
        assert "changes of your own" in titles[3]


async def test_what_is_not_saved_is_not_committed(root: Path) -> None:
    async with scene(root, THIN) as at:
        at.script()
        run = (await at.edit())["run"]
        heard = asked(at)
        said = await at.refused("qwen.commitEdit", {"run": run, "message": MESSAGE})
        assert "Save first" in said
        assert "cart.py" in said
        assert not heard


async def test_only_what_has_landed_can_be_committed(root: Path) -> None:
    async with scene(root, THIN) as at:
        at.script()
        run = (await at.edit(apply=False))["run"]
        assert "Nothing of the run" in await at.refused("qwen.commitEdit", {"run": run})


async def test_a_client_that_cannot_ask_has_to_have_asked(root: Path) -> None:
    async with scene(root, EGLOT) as at:
        run = await landed(at, apply=True)
        assert "agreed" in await at.refused("qwen.commitEdit", {"run": run, "message": MESSAGE})
        argument = {"run": run, "message": MESSAGE, "agreed": True}
        assert (await at.editor.command("qwen.commitEdit", argument))["commit"]["subject"] == MESSAGE
