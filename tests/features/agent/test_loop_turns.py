"""Single turns of the loop: what runs at the same time, what is answered, what is asked for again."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from qwen_lsp.features.agent.events import Called, Changed, Observed, Planned, Said, Stopped, Turned
from qwen_lsp.features.agent.toolbox import Arguments, Desk, Outcome, Tool
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.model.messages import Usage
from qwen_lsp.workspace.paths import RelPath
from tests.features.agent.running import RENAME, Agent

NO_SUCH = {**RENAME, "old_string": "def salute("}
READ = ("read_file", {"file_path": "greet.py"})


def meeting(number: int) -> Tool:
    """A tool that looks, and only answers once `number` of its calls are under way."""
    barrier = asyncio.Barrier(number)

    async def meet(desk: Desk, arguments: Arguments) -> Outcome:
        async with asyncio.timeout(5), barrier:
            return Outcome(desk.snapshot, f"met {arguments['who']}")

    return Tool("meet", "Meet.", None, (("who", {"type": "string"}),), act=meet)


def answers(agent: Agent, request: int = -1) -> list[str]:
    """The tool results that a request ends with."""
    found: list[str] = []
    for message in reversed(agent.sent[request]["messages"]):
        if message["role"] != "tool":
            break
        found.append(message["content"])
    return found[::-1]


async def test_calls_that_only_look_run_at_the_same_time_and_answer_in_order(agent: Agent) -> None:
    agent.tools = {**TOOLS, "meet": meeting(3)}
    agent.server.reply(tool_calls=[("meet", {"who": who}) for who in ("Ada", "Bob", "Cy")])
    agent.server.reply("Met.")

    await agent.run()

    assert answers(agent) == ["met Ada", "met Bob", "met Cy"]


async def test_a_look_behind_an_edit_sees_the_edit(agent: Agent) -> None:
    agent.server.reply(tool_calls=[READ, ("edit", RENAME), READ])
    agent.server.reply("Done.")

    await agent.run()

    before, _, after = answers(agent)
    assert "def greet" in before
    assert "def welcome" in after


async def test_checks_after_edits_are_told_with_the_last_result_of_the_turn(agent: Agent) -> None:
    seen: list[str] = []

    async def check(desk: Desk) -> str | None:
        seen.append(desk.text(RelPath("greet.py")))
        return "1 test fails that passed before."

    agent.after_edits = check
    agent.server.reply(tool_calls=[("edit", RENAME), READ])
    agent.server.reply(tool_calls=[READ])
    agent.server.reply("Done.")

    await agent.run()

    (text,) = seen  # after the turn that edited, not after the one that looked
    assert text.startswith("def welcome")
    assert "1 test fails that passed before." in answers(agent, 1)[1]
    assert "1 test fails" not in answers(agent, 1)[0]


async def test_a_call_that_fails_does_not_stop_the_others(agent: Agent) -> None:
    agent.server.reply(tool_calls=[("edit", NO_SUCH), ("edit", RENAME), READ])
    agent.server.reply("Done.")

    ran = await agent.run()

    assert [event.ok for event in ran.events if isinstance(event, Observed)] == [False, True, True]
    assert [edit.path for edit in ran.result.edits] == ["greet.py"]


async def test_what_builds_on_a_failed_edit_is_not_run(agent: Agent) -> None:
    """Writing a file anew and deleting the old one is a move: without the first half nothing is deleted."""
    agent.server.reply(tool_calls=[("edit", NO_SUCH), ("delete_file", {"file_path": "main.py"})])
    agent.server.reply("Done.")

    ran = await agent.run()

    assert ran.result.edits == ()
    assert "before it in the same reply failed" in answers(agent)[1]


async def test_unknown_names_never_run_and_are_answered(agent: Agent) -> None:
    agent.server.reply(tool_calls=[("rm_rf", {"path": "/"}), READ])
    agent.server.reply("Done.")

    await agent.run()

    unknown, read = answers(agent)
    assert "no tool 'rm_rf'" in unknown
    assert "def greet" in read


@pytest.mark.parametrize("arguments", ['{"file_path": ', "[]", '{"nothing": 3}', "{}", '{"a": {1, 2}}'])
async def test_a_malformed_call_is_told_what_was_wrong(agent: Agent, arguments: Any) -> None:
    agent.server.reply(tool_calls=[("read_file", arguments)])
    agent.server.reply("Done.")

    ran = await agent.run()

    (seen,) = [event for event in ran.events if isinstance(event, Observed)]
    assert not seen.ok
    assert "file_path" in seen.text or "JSON" in seen.text


async def test_three_repairs_in_a_row_are_the_most(agent: Agent) -> None:
    for _ in range(4):
        agent.server.reply(tool_calls=[("read_file", '{"file_path": ')])

    ran = await agent.run()

    assert ran.result.ended == "malformed"
    assert agent.server.left == 0


async def test_a_good_call_makes_up_for_bad_ones(agent: Agent) -> None:
    for number in range(12):
        agent.server.reply(tool_calls=[("read_file", "{" if number % 4 else {"file_path": f"{number}.py"})])
    agent.server.reply("Done.")

    assert (await agent.run()).result.ended == "done"


async def test_of_a_reply_that_was_cut_only_whole_calls_run(agent: Agent) -> None:
    agent.server.reply(
        tool_calls=[("edit", RENAME), ("edit", '{"file_path": "main.py", "old_')], finish_reason="length"
    )
    agent.server.reply("Done.")

    ran = await agent.run()

    assert [edit.path for edit in ran.result.edits] == ["greet.py"]
    assert "cut off" in answers(agent)[1]


async def test_of_a_text_call_that_was_cut_nothing_runs(agent: Agent) -> None:
    agent.server.reply(
        "<tool_call>\n<function=write_file>\n<parameter=file_path>\ngreet.py\n</parameter>\n<parameter=content>\nde",
        finish_reason="length",
    )
    agent.server.reply("Done.")

    ran = await agent.run()

    assert ran.result.edits == ()


async def test_a_content_filter_ends_the_run_and_says_so(agent: Agent) -> None:
    agent.server.reply("I can", tool_calls=[("edit", RENAME)], finish_reason="content_filter")

    ran = await agent.run()

    assert (ran.result.ended, ran.result.edits) == ("refused", ())
    assert "content filter" in ran.result.reason


async def test_an_empty_reply_is_asked_about_once(agent: Agent) -> None:
    agent.server.reply("")
    agent.server.reply("Renamed.")

    ran = await agent.run()

    assert (ran.result.ended, ran.result.summary) == ("done", "Renamed.")
    assert "empty" in agent.sent[1]["messages"][-1]["content"]


async def test_two_empty_replies_are_the_end(agent: Agent) -> None:
    agent.server.reply("")
    agent.server.reply("")

    ran = await agent.run()

    assert ran.result.ended == "malformed"


async def test_an_announcement_is_asked_to_be_carried_out(agent: Agent) -> None:
    agent.server.reply("Now I will rename it:")
    agent.server.reply(tool_calls=[("edit", RENAME)])
    agent.server.reply("Renamed.")

    ran = await agent.run()

    assert (ran.result.ended, len(ran.result.edits)) == ("done", 1)


async def test_an_announcement_said_twice_is_the_end(agent: Agent) -> None:
    agent.server.reply("Here is what you asked for:")
    agent.server.reply("Here is what you asked for:")

    assert (await agent.run()).result.ended == "done"


@pytest.mark.parametrize(
    "text", ["Editing <function=foo now", "<tool_call>", '{"name": "edit", "arguments": {}}']
)
async def test_a_lost_call_is_never_success(agent: Agent, text: str) -> None:
    for _ in range(4):
        agent.server.reply(text)

    ran = await agent.run()

    assert ran.result.ended == "malformed"


async def test_a_reply_that_breaks_off_is_asked_for_again(agent: Agent) -> None:
    agent.server.reply("Renamed greet to welcome in two files.", cut_after=700, done=False)
    agent.server.reply("Renamed.")

    ran = await agent.run()

    assert (ran.result.ended, ran.result.turns) == ("done", 1)
    first, again = agent.sent
    assert first["messages"] == again["messages"]


async def test_a_reply_that_breaks_off_again_ends_the_run(agent: Agent) -> None:
    agent.server.reply(tool_calls=[("edit", RENAME)])
    for _ in range(2):
        agent.server.reply("Renamed greet to welcome in two files.", cut_after=700, done=False)

    ran = await agent.run()

    assert ran.result.ended == "endpoint"
    assert [edit.path for edit in ran.result.edits] == ["greet.py"]


async def test_what_happens_is_told_in_order(agent: Agent) -> None:
    todos = [{"content": "rename", "status": "completed"}]
    agent.server.reply("On it.", tool_calls=[("edit", RENAME), ("todo_write", {"todos": todos})])
    agent.server.reply("Renamed.")

    ran = await agent.run()

    kinds = [type(event) for event in ran.events if not isinstance(event, Said)]
    assert kinds == [Turned, Called, Observed, Changed, Called, Observed, Planned, Turned, Stopped]
    (changed,) = [event for event in ran.events if isinstance(event, Changed)]
    assert changed.paths == ("greet.py",)
    assert "+def welcome(name):" in changed.diff


async def test_a_plan_in_other_dress_is_told_as_the_tool_took_it(agent: Agent) -> None:
    steps = '[{"content": "rename", "status": "in_progress"}]'
    agent.server.reply(tool_calls=[("todo_write", {"items": steps})])
    agent.server.reply("Renamed.")

    ran = await agent.run()

    (planned,) = [event for event in ran.events if isinstance(event, Planned)]
    assert planned.todos == (("rename", "in_progress"),)


async def test_a_tool_that_ends_badly_leaves_what_was_done(agent: Agent) -> None:
    """Whatever escapes from below the loop, each message and each change up to there is in the log."""

    async def broken(desk: Desk, arguments: Arguments) -> Outcome:
        raise RuntimeError("a defect")

    agent.tools = {**TOOLS, "broken": Tool("broken", "Break.", act=broken)}
    agent.server.reply(tool_calls=[("edit", RENAME), ("broken", {})])

    with pytest.raises(RuntimeError):
        await agent.run()

    assert [message.role for message in agent.log.messages] == ["system", "user", "assistant", "tool"]
    assert [list(changed) for changed in agent.log.work] == [["greet.py"]]
    assert isinstance(agent.events[-1], Stopped)


async def test_what_a_run_costs_is_told_with_each_turn(agent: Agent) -> None:
    agent.cost = lambda usage: usage.prompt / 100
    agent.server.reply(tool_calls=[READ])
    agent.server.reply("Done.")

    ran = await agent.run()

    costs = [event.cost for event in ran.events if isinstance(event, Turned)]
    one = agent.cost(Usage(prompt=ran.result.usage.prompt // 2))
    assert costs == [pytest.approx(one), pytest.approx(2 * (one or 0))]
    assert ran.result.cost == costs[-1]
