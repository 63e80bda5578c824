"""A run as every front end starts it: what it is given, what is kept of it, what is sent."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import EndpointMissing, UserError
from qwen_lsp.features.agent.events import Asked, Began, Noted, Stopped
from qwen_lsp.runs.front import Plain, Question
from qwen_lsp.runs.record import runs_folder
from qwen_lsp.runs.run import carry_out
from qwen_lsp.runs.stored import infos, load, resumable
from qwen_lsp.session import Session
from qwen_lsp.settings import PriceSettings, Settings
from tests.runs.running import CALLER, RENAME, TASK, Work
from tests.support.prefix import as_prompt, kept


def last_user_message(body: dict[str, Any]) -> str:
    return next(str(m["content"]) for m in reversed(body["messages"]) if m["role"] == "user")


async def test_a_run_is_kept_from_its_first_message_to_its_end(work: Work) -> None:
    work.server.reply("On it.", tool_calls=[("edit", RENAME), ("edit", CALLER)])
    work.server.reply("Renamed.")

    done = await work.run()

    stored = load(done.run)
    assert (stored.info.meta.ended, stored.info.meta.turns) == ("done", 2)
    assert (stored.info.meta.task, stored.info.meta.files) == (TASK, ("greet.py", "main.py"))
    roles = [message.role for message in stored.messages]
    assert roles == ["system", "user", "assistant", "tool", "tool", "assistant"]
    assert stored.edits == done.edits
    told = [event["event"] for event in stored.events()]
    assert (told[0], told[-1]) == ("began", "stopped")
    assert isinstance(work.events[0], Began)
    assert work.events[0].run == done.run
    assert isinstance(work.events[-1], Stopped)
    assert (work.root / "greet.py").read_text().startswith("def greet"), "nothing lands by itself"


async def test_within_a_run_each_request_extends_the_one_before(work: Work) -> None:
    work.server.reply(tool_calls=[("read_file", {"file_path": "main.py"})])
    work.server.reply(tool_calls=[("edit", RENAME)])
    work.server.reply("Now I will edit the caller:")
    work.server.reply("Renamed.")

    await work.run()

    prompts = [as_prompt(body) for body in work.sent]
    assert [kept(before, after) for before, after in itertools.pairwise(prompts)] == [1.0] * 3


async def test_a_new_run_after_a_commit_has_the_same_system_prompt_and_tools(work: Work) -> None:
    who = ("-c", "user.name=t", "-c", "user.email=t@example.org", "-c", "commit.gpgsign=false")

    def commit() -> None:
        for command in (("init", "-q"), ("add", "."), (*who, "commit", "-qm", "More")):
            subprocess.run(("git", *command), cwd=work.root, check=True)

    await asyncio.to_thread(commit)
    work.server.reply("Nothing to do.")
    await work.run("Look around.")
    (work.root / "new.py").write_text("x = 1\n")
    await asyncio.to_thread(commit)
    work.server.reply("Nothing to do.")
    await work.run("Look elsewhere.")

    first, second = work.sent
    head = as_prompt({**first, "messages": first["messages"][:1]})
    assert as_prompt(second).startswith(head)
    assert len(head) > 5_000


async def test_what_changes_from_run_to_run_stands_at_the_very_end(work: Work) -> None:
    (work.root / "AGENTS.md").write_text("Write short functions.\n")
    await asyncio.to_thread(subprocess.run, ("git", "init", "-q", "-b", "topic"), cwd=work.root, check=True)
    work.server.reply("Done.")

    await work.run(selection="greet.py, lines 1 to 1:\ndef greet(name):")

    (body,) = work.sent
    said = last_user_message(body)
    parts = ["## greet.py", "Write short functions.", TASK, "The date is", "topic", "def greet(name):"]
    places = [said.rindex(part) for part in parts]
    assert places == sorted(places)
    assert "The date is" not in str(body["messages"][0]) + str(body["tools"])


async def test_system_prompt_and_tools_are_short(work: Work) -> None:
    work.server.reply("Done.")
    await work.run()
    (body,) = work.sent
    names = [tool["function"]["name"] for tool in body["tools"]]
    assert names[-3:] == ["run_shell_command", "run_checks", "ask_user"]
    assert len(str(body["messages"][0]["content"])) + sum(len(str(tool)) for tool in body["tools"]) <= 10_000


async def test_a_run_that_is_cancelled_says_so_and_keeps_what_it_did(work: Work) -> None:
    work.server.reply(tool_calls=[("edit", RENAME)])
    work.server.reply("I am", hang_after=1)
    going = asyncio.create_task(work.run())
    await work.server.wait_requests(2)
    going.cancel()
    with pytest.raises(asyncio.CancelledError):
        await going

    (info,) = resumable(work.root)
    assert info.meta.ended == "cancelled"
    assert [edit.path for edit in load(info.run).edits] == ["greet.py"]
    await work.server.wait_early_closes()


@pytest.mark.parametrize("status", [401, 400, 500])
async def test_an_endpoint_that_fails_in_the_middle_leaves_a_run_to_go_on_with(
    work: Work, status: int
) -> None:
    work.server.reply(tool_calls=[("edit", RENAME)])
    work.server.reply(status=status, text="no")

    done = await work.run()

    assert done.result.ended == "endpoint"
    assert [edit.path for edit in done.edits] == ["greet.py"]
    assert [info.run for info in resumable(work.root)] == [done.run]


async def test_the_model_may_ask_the_person(work: Work) -> None:
    asked: list[Question] = []

    async def ask(question: Question) -> str:
        asked.append(question)
        return "welcome"

    choices = {"question": "Which name?", "options": ["welcome", "hail"]}
    work.server.reply(tool_calls=[("ask_user", choices)])
    work.server.reply("Done.")

    async with work.session() as session:
        done = await carry_out(session, TASK, front=Plain(work.events.append, ask=ask))

    assert done.result.ended == "done"
    assert asked == [Question("Which name?", ("welcome", "hail"))]
    assert "The user answered: welcome" in str(work.sent[1]["messages"][-1]["content"])
    assert [event.answer for event in work.events if isinstance(event, Asked)] == ["", "welcome"]


async def test_a_price_of_the_settings_becomes_money_of_the_run(work: Work) -> None:
    work.server.reply("Done.")
    async with work.session() as session:
        prices = {"qwen3-coder": PriceSettings(input=2.0, output=10.0)}
        endpoint = session.settings.endpoint.model_copy(update={"prices": prices})
        await session.reconfigure(session.settings.model_copy(update={"endpoint": endpoint}))
        done = await carry_out(session, TASK, front=Plain())
    usage = done.result.usage
    assert done.result.cost == pytest.approx((2 * usage.prompt + 10 * usage.completion) / 1e6)
    assert load(done.run).info.meta.cost == pytest.approx(done.result.cost)


async def test_planning_changes_nothing(work: Work) -> None:
    work.server.reply(tool_calls=[("edit", RENAME)])
    work.server.reply("First rename greet, then its caller.")

    done = await work.run(mode="plan")

    assert (done.result.ended, done.edits) == ("done", ())
    assert "only plans" in last_user_message(work.sent[0])


async def test_a_disk_that_takes_nothing_does_not_stop_a_run(work: Work) -> None:
    runs_folder().parent.mkdir(parents=True, exist_ok=True)
    runs_folder().write_text("in the way")
    work.server.reply(tool_calls=[("edit", RENAME)])
    work.server.reply("Done.")

    done = await work.run()

    assert (done.result.ended, len(done.edits)) == ("done", 1)
    (noted,) = [event for event in work.events if isinstance(event, Noted)]
    assert "cannot be written down" in noted.text


async def test_without_an_endpoint_there_is_no_run(tmp_path: Path) -> None:
    session = Session(tmp_path, Settings())
    with pytest.raises(EndpointMissing):
        await carry_out(session, TASK, front=Plain())
    await session.aclose()
    assert infos() == []


async def test_a_run_of_another_workspace_is_not_gone_on_with(work: Work, tmp_path: Path) -> None:
    work.server.reply(status=401)
    done = await work.run()
    other = replace(work, root=tmp_path / "other")
    other.root.mkdir()
    with pytest.raises(UserError, match="belongs to"):
        await other.run("", resume=done.run)
