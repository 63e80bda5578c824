"""Conversations that are opened again, listed, closed, and two at once."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

import pytest
from acp import schema

from tests.acp_server.desk import Desk, configure, desk
from tests.support.agent import CALLS, NEW_CART, NEW_PRICES, RENAME
from tests.support.endpoint import ScriptedEndpoint
from tests.support.prefix import as_prompt, kept


async def a_conversation(root: Path, model: ScriptedEndpoint) -> str:
    """A session of a client that has gone since."""
    async with desk(root) as at:
        model.reply("I rename it.", tool_calls=[RENAME])
        model.reply("Renamed it.")
        at.answers("apply")
        await at.prompt("Rename net.")
        return at.session


async def test_a_conversation_is_told_again_after_a_restart(root: Path, model: ScriptedEndpoint) -> None:
    session = await a_conversation(root, model)
    async with desk(root, begin=False) as at:
        reply = await at.agent.load_session(cwd=str(root), session_id=session)

        assert reply.modes is not None and reply.modes.current_mode_id == "ask"
        told = [update for update in at.updates if not isinstance(update, schema.AvailableCommandsUpdate)]
        assert isinstance(told[0], schema.UserMessageChunk)
        assert told[0].content.text == "Rename net."
        assert at.words.startswith("I rename it.") and "Renamed it." in at.words
        assert "Applied: prices.py." in at.words
        assert (at.call("Edit")["status"], at.call("Edit")["kind"]) == ("completed", "edit")
        assert at.call("Edit")["content"][0]["type"] == "diff"


@pytest.mark.parametrize("how", ["load", "resume"])
async def test_and_goes_on_where_it_was(root: Path, model: ScriptedEndpoint, how: str) -> None:
    session = await a_conversation(root, model)
    async with desk(root, begin=False) as at:
        call = at.agent.load_session if how == "load" else at.agent.resume_session
        await call(cwd=str(root), session_id=session)
        said = len(at.of(schema.UserMessageChunk))
        model.reply(tool_calls=[CALLS[1]])
        model.reply("The caller too.")
        at.answers("apply")

        await at.prompt("And the caller.", session=session)

        assert said == (1 if how == "load" else 0)
        assert at.text("cart.py") == NEW_CART
        prompts = [as_prompt(request.json) for request in model.requests]
        assert all(kept(before, after) == 1.0 for before, after in pairwise(prompts))
        await at.prompt("/undo", session=session)
        await at.prompt("/undo", session=session)
        assert "def net" in (at.text("prices.py") or "")


async def test_a_turn_that_was_cut_off_is_told_again_and_goes_on(root: Path, model: ScriptedEndpoint) -> None:
    async with desk(root) as at:
        model.reply(tool_calls=[RENAME])
        model.reply("x" * 400, hang_after=20)
        turn = asyncio.create_task(at.prompt("Rename net."))
        await at.until(lambda: "xxxx" in at.words)
        session = at.session
    await asyncio.gather(turn, return_exceptions=True)
    await model.wait_early_closes()

    async with desk(root, begin=False) as at:
        await at.agent.load_session(cwd=str(root), session_id=session)
        assert at.call("Edit")["status"] == "completed"
        model.reply("Done.")
        at.answers("apply")
        await at.prompt("Go on.", session=session)
        assert at.text("prices.py") == NEW_PRICES


async def test_conversations_are_listed_with_their_titles(root: Path, model: ScriptedEndpoint) -> None:
    session = await a_conversation(root, model)
    async with desk(root) as at:
        listed = await at.agent.list_sessions(cwd=str(root))
        assert [(one.session_id, one.title, one.cwd) for one in listed.sessions] == [
            (session, "Rename net.", str(root))
        ]
        assert listed.sessions[0].updated_at is not None
        everywhere = await at.agent.list_sessions()
        assert len(everywhere.sessions) == 1


async def test_a_session_that_is_not_there_is_said_to_be_none(
    root: Path, model: ScriptedEndpoint, tmp_path: Path
) -> None:
    session = await a_conversation(root, model)
    other = tmp_path / "other"
    other.mkdir()
    async with desk(root) as at:
        for name, folder in (("20260101T000000-abcdef", root), ("../../etc", root), (session, other)):
            error = await at.refused(at.agent.load_session(cwd=str(folder), session_id=name))
            assert "There is no session" in str(error), name
        assert "no open session" in str(await at.refused(at.prompt("Hello?", session="none")))


async def test_one_turn_at_a_time_in_a_session(at: Desk, model: ScriptedEndpoint) -> None:
    hold = asyncio.Event()
    model.reply("Slowly.", hold=hold)
    turn = asyncio.create_task(at.prompt("First."))
    await model.wait_requests()

    assert "is at work" in str(await at.refused(at.prompt("Second.")))

    hold.set()
    assert (await turn).stop_reason == "end_turn"


async def test_two_sessions_in_one_folder_and_one_elsewhere(
    at: Desk, model: ScriptedEndpoint, tmp_path: Path
) -> None:
    first = at.session
    second = await at.begin()
    other = tmp_path / "other"
    other.mkdir()
    (other / "a.py").write_text("a = 1\n")
    third = (await at.agent.new_session(cwd=str(other))).session_id
    for task, file in (("One.", "prices.py"), ("Two.", "cart.py"), ("Three.", "a.py")):
        model.reply(tool_calls=[("read_file", {"file_path": file})], match=task)
    for _ in range(3):
        model.reply("Done.")

    replies = await asyncio.gather(
        *(at.prompt(task, session=id) for task, id in (("One.", first), ("Two.", second), ("Three.", third)))
    )

    assert [reply.stop_reason for reply in replies] == ["end_turn"] * 3
    assert len({first, second, third}) == 3
    assert {call["status"] for call in at.calls.values()} == {"completed"}


async def test_closing_a_session_stops_its_turn(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply("x" * 400, hang_after=20)
    turn = asyncio.create_task(at.prompt("Rename net."))
    await at.until(lambda: "xxxx" in at.words)

    await at.agent.close_session(session_id=at.session)

    assert (await turn).stop_reason == "cancelled"
    assert "no open session" in str(await at.refused(at.prompt("Hello?")))


@pytest.mark.parametrize(
    ("cwd", "said"),
    [
        ("/", "is not one project"),
        ("~", "is not one project"),
        ("relative", "no absolute path"),
        ("/does/not/exist", "no such folder"),
    ],
)
async def test_a_folder_that_is_no_project_is_refused(at: Desk, cwd: str, said: str) -> None:
    folder = str(Path.home()) if cwd == "~" else cwd
    assert said in str(await at.refused(at.agent.new_session(cwd=folder)))


async def test_the_settings_are_those_of_the_moment(root: Path, model: ScriptedEndpoint) -> None:
    configure(None)
    async with desk(root) as at:
        assert "OPENAI_BASE_URL" in str(await at.refused(at.prompt("Hello?")))
        configure(model, mode="allow")
        await at.begin()
        assert at.modes is not None and at.modes.current_mode_id == "allow"
        model.reply("Hello.")
        assert (await at.prompt("Hello?")).stop_reason == "end_turn"


async def test_a_link_to_the_folder_is_the_folder(
    root: Path, model: ScriptedEndpoint, tmp_path: Path
) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    async with desk(link) as at:
        at.open("cart.py", "# typed\n")
        model.reply(tool_calls=[("read_file", {"file_path": "cart.py"})])
        model.reply("Done.")
        await at.prompt("Look.")
        assert "# typed" in model.requests[-1].prompt
        assert at.call("cart.py")["locations"][0]["path"] == str(link / "cart.py")
