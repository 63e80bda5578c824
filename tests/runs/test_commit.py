"""Commit and push after landing: each shown as it would be, and made on a yes only."""

from __future__ import annotations

import shutil
from collections.abc import AsyncGenerator
from pathlib import Path

import pytest

from qwen_lsp.errors import UserError
from qwen_lsp.runs.commit import Question, commit, propose_commit, propose_push, push
from qwen_lsp.runs.landing import Landed, land
from qwen_lsp.session import Session
from qwen_lsp.settings import EndpointSettings, Settings
from qwen_lsp.text.edits import FileEdit
from tests.support.endpoint import ScriptedEndpoint
from tests.workspace.repositories import bare, git, repository, user, write

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed"),
]
EDITS = [FileEdit("a.py", "a = 1\n#\n", "a = 2\n#\n"), FileEdit("new.py", None, "n = 1\n")]


class Person:
    """Answers in order, and remembers what was asked."""

    def __init__(self, *answers: bool) -> None:
        self.answers = list(answers)
        self.asked: list[Question] = []

    async def __call__(self, question: Question) -> bool:
        self.asked.append(question)
        return self.answers.pop(0)


@pytest.fixture
async def session(tmp_path: Path, own_user_folders: Path) -> AsyncGenerator[Session]:
    user(own_user_folders)
    root = repository(tmp_path / "w", {"a.py": "a = 1\n#\n", "b.py": "b = 1\n"})
    git(root, "remote", "add", "origin", str(bare(tmp_path / "remote.git")))
    git(root, "push", "-q", "-u", "origin", "work")
    session = Session(root, Settings())
    await session.start()
    yield session
    await session.aclose()


@pytest.fixture
async def landed(session: Session) -> Landed:
    return await land(session, EDITS)


async def test_a_commit_is_shown_and_made_on_a_yes(session: Session, landed: Landed) -> None:
    proposed, message = await propose_commit(session, landed.edits, task="raise a")
    person = Person(True)
    made = await commit(proposed, message, person)
    assert made is not None
    assert person.asked == [Question("Commit this?", "Raise a\n\non work:\n  a.py\n  new.py")]
    assert git(session.root, "log", "-1", "--format=%s") == "Raise a"
    assert git(session.root, "status", "--porcelain") == ""


async def test_a_no_leaves_everything_as_it_is(session: Session, landed: Landed) -> None:
    before = git(session.root, "status", "--porcelain"), git(session.root, "rev-parse", "HEAD")
    proposed, message = await propose_commit(session, landed.edits)
    assert await commit(proposed, message, Person(False)) is None
    assert (git(session.root, "status", "--porcelain"), git(session.root, "rev-parse", "HEAD")) == before


async def test_the_users_own_changes_are_asked_for_by_name(session: Session) -> None:
    write(session.root, {"a.py": "a = 1\n#\nmine\n"})
    landed = await land(session, EDITS)
    assert landed.edits[0].after == "a = 2\n#\nmine\n"
    proposed, message = await propose_commit(session, landed.edits)
    person = Person(True, False)
    assert await commit(proposed, message, person) is None
    assert "also changed by you: a.py" in person.asked[0].detail
    assert person.asked[1] == Question(
        "These files hold changes of your own as well. Commit those too?", "a.py"
    )
    assert await commit(proposed, message, Person(True, True)) is not None
    assert git(session.root, "show", "HEAD:a.py") == "a = 2\n#\nmine"


async def test_the_model_writes_the_message(session: Session, landed: Landed) -> None:
    async with ScriptedEndpoint() as server:
        server.reply("Count from two")
        endpoint = EndpointSettings(base_url=server.base_url, model=server.model)
        await session.reconfigure(Settings(endpoint=endpoint))
        _, message = await propose_commit(session, landed.edits, task="raise a")
        assert message == "Count from two"
        assert "Begin" in server.requests[0].prompt


async def test_nothing_is_asked_of_the_model_where_no_commit_can_be_made(session: Session) -> None:
    async with ScriptedEndpoint() as server:
        endpoint = EndpointSettings(base_url=server.base_url, model=server.model)
        await session.reconfigure(Settings(endpoint=endpoint))
        with pytest.raises(UserError, match="nothing to commit"):
            await propose_commit(session, EDITS[:1])
    assert server.requests == []


async def test_a_push_is_shown_and_made_on_a_yes(session: Session, landed: Landed, tmp_path: Path) -> None:
    proposed, message = await propose_commit(session, landed.edits, task="raise a")
    made = await commit(proposed, message, Person(True))
    assert made is not None
    remote = tmp_path / "remote.git"
    before = git(remote, "rev-parse", "work")
    plan = await propose_push(session)
    assert await push(plan, Person(False)) is None
    assert git(remote, "rev-parse", "work") == before

    person = Person(True)
    assert await push(plan, person) is not None
    assert person.asked == [
        Question("Push this?", f"work to origin/work\n  at {remote}\n\n  {made.id} Raise a")
    ]
    assert git(remote, "log", "-1", "--format=%s", "work") == "Raise a"


async def test_a_branch_that_many_share_is_asked_for_once_more(
    session: Session, landed: Landed, tmp_path: Path
) -> None:
    proposed, message = await propose_commit(session, landed.edits, task="raise a")
    await commit(proposed, message, Person(True))
    plan = await propose_push(session, "origin", "main")
    person = Person(True, False)
    assert await push(plan, person) is None
    assert "main is a branch that many people share" in person.asked[1].title
    assert git(tmp_path / "remote.git", "branch", "--list", "main") == ""
    assert await push(plan, Person(True, True)) is not None
