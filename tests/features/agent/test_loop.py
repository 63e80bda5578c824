"""The loop against a scripted model server: what is sent, what ends it, what is kept."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import Sequence
from typing import Any

import pytest

from qwen_lsp.errors import ConflictError
from qwen_lsp.features.agent.events import Called, Observed, Stopped
from qwen_lsp.index.landing import landed
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath
from tests.features.agent.running import RENAME, Agent
from tests.support.fixture import workspace


async def test_edits_of_many_turns_become_one_change(agent: Agent) -> None:
    agent.server.reply(text="Looking.", tool_calls=[("read_file", {"file_path": "greet.py"})])
    agent.server.reply(
        tool_calls=[
            ("edit", RENAME),
            ("edit", {"file_path": "main.py", "old_string": "import greet", "new_string": "import welcome"}),
            ("edit", {"file_path": "main.py", "old_string": "print(greet(", "new_string": "print(welcome("}),
        ]
    )
    agent.server.reply(text="Renamed greet to welcome in two files.")

    ran = await agent.run()

    assert (ran.result.ended, ran.result.summary) == ("done", "Renamed greet to welcome in two files.")
    assert {edit.path: edit.after for edit in ran.result.edits} == {
        "greet.py": 'def welcome(name):\n    return "Hello " + name\n',
        "main.py": 'from greet import welcome\n\nprint(welcome("Ada"))\n',
    }
    assert [event.tool for event in ran.events if isinstance(event, Called)] == ["read_file", *["edit"] * 3]
    assert agent.made.snapshot.text(RelPath("greet.py")).startswith("def greet")


async def test_a_key_in_the_task_does_not_leave(agent: Agent) -> None:
    key = "AKIA" + "Q3EGRIWDF5TJ7XYZ"
    agent.server.reply(text="Done.")

    await agent.run(f"Put {key} into greet.py")

    sent = next(request for request in agent.server.requests if request.messages)
    assert "into greet.py" in sent.prompt
    assert key not in sent.prompt


async def test_every_request_extends_the_one_before(agent: Agent) -> None:
    agent.server.reply(tool_calls=[("read_file", {"file_path": "greet.py"})])
    agent.server.reply(tool_calls=[("edit", RENAME)])
    agent.server.reply(text="Done.")

    await agent.run()

    sent = [request.json for request in agent.server.requests if request.messages]
    assert len(sent) == 3
    for earlier, later in itertools.pairwise(sent):
        assert later["messages"][: len(earlier["messages"])] == earlier["messages"]
        assert later["tools"] == earlier["tools"]


async def test_observations_are_sent_in_call_order(agent: Agent) -> None:
    agent.server.reply(
        tool_calls=[("read_file", {"file_path": "main.py"}), ("read_file", {"file_path": "greet.py"})]
    )
    agent.server.reply(text="Done.")

    ran = await agent.run()

    asked = next(m for m in ran.record if m.tool_calls)
    answers = [m for m in ran.record if m.role == "tool"]
    assert [m.tool_call_id for m in answers] == [c.id for c in asked.tool_calls]
    assert "from greet" in answers[0].content
    assert "def greet" in answers[1].content


async def test_no_two_calls_of_a_conversation_have_the_same_id(agent: Agent) -> None:
    call = {"id": "", "function": {"name": "read_file", "arguments": '{"file_path": "main.py"}'}}
    same = {**call, "id": "call_0"}
    for calls in ([call, call], [same, same], [call]):
        message = {"role": "assistant", "content": None, "tool_calls": calls}
        whole = {"choices": [{"message": message, "finish_reason": "tool_calls"}]}
        agent.server.reply(body=json.dumps(whole).encode(), headers={"Content-Type": "application/json"})
    agent.server.reply(text="Done.")

    ran = await agent.run()

    asked = [call.id for m in ran.record for call in m.tool_calls]
    assert len(set(asked)) == 5
    assert [m.tool_call_id for m in ran.record if m.role == "tool"] == asked


async def test_a_call_printed_as_text_is_carried_out(agent: Agent) -> None:
    agent.server.reply(
        text="I will rename it.\n<function=edit>\n<parameter=file_path>\ngreet.py\n</parameter>\n"
        "<parameter=old_string>\ndef greet(\n</parameter>\n"
        "<parameter=new_string>\ndef welcome(\n</parameter>\n</function>\n</tool_call>"
    )
    agent.server.reply(text="Done.")

    ran = await agent.run()

    assert [edit.path for edit in ran.result.edits] == ["greet.py"]


async def test_a_refused_call_is_an_observation(agent: Agent) -> None:
    agent.server.reply(tool_calls=[("edit", {**RENAME, "old_string": "def salute("})])
    agent.server.reply(text="I could not find it.")

    ran = await agent.run()

    seen = next(event for event in ran.events if isinstance(event, Observed))
    assert not seen.ok
    assert ran.result.ended == "done"
    assert ran.result.edits == ()


async def test_the_same_call_again_and_again_ends_the_run(agent: Agent) -> None:
    for _ in range(5):
        agent.server.reply(tool_calls=[("read_file", {"file_path": "greet.py"})])

    ran = await agent.run()

    assert ran.result.ended == "loop"
    assert isinstance(ran.events[-1], Stopped)


async def test_steady_work_is_no_loop(agent: Agent) -> None:
    for number in range(8):
        agent.server.reply(
            tool_calls=[("write_file", {"file_path": "count.txt", "content": f"{number}\n"})],
        )
    agent.server.reply(text="Counted.")

    ran = await agent.run()

    assert ran.result.ended == "done"


async def test_turns_are_capped(agent: Agent) -> None:
    for number in range(2):
        agent.server.reply(tool_calls=[("list_directory", {"path": "." if number else ""})])

    ran = await agent.run(max_turns=2)

    assert ran.result.ended == "turns"
    assert "agent.max_turns" in ran.result.reason


async def test_unreadable_markup_is_never_success(agent: Agent) -> None:
    for _ in range(4):
        agent.server.reply(text="<tool_call>\nnothing that can be read\n</tool_call>")

    ran = await agent.run()

    assert ran.result.ended == "malformed"


async def test_a_reply_cut_by_its_length_goes_on(agent: Agent) -> None:
    agent.server.reply(text="First half", finish_reason="length")
    agent.server.reply(text="Second half.")

    ran = await agent.run()

    assert (ran.result.ended, ran.result.summary) == ("done", "Second half.")


async def test_a_failing_endpoint_keeps_what_was_done(agent: Agent) -> None:
    agent.server.reply(tool_calls=[("edit", RENAME)])
    agent.server.reply(status=401)

    ran = await agent.run()

    assert ran.result.ended == "endpoint"
    assert [edit.path for edit in ran.result.edits] == ["greet.py"]


async def test_cancelling_closes_the_stream_and_keeps_the_record(agent: Agent) -> None:
    agent.server.reply(text="A long thought", hang_after=1)
    task = asyncio.create_task(agent.run())
    await agent.server.wait_for(lambda: any(request.messages for request in agent.server.requests))
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await agent.server.wait_early_closes()


EDIT = FileEdit("a.py", "one\ntwo\nthree\nfour\n", "one\n2\nthree\nfour\n")


def test_landing_on_an_untouched_file() -> None:
    assert landed([EDIT], workspace("#- a.py\none\ntwo\nthree\nfour\n").snapshot) == [EDIT]


def test_landing_keeps_what_the_user_did_meanwhile() -> None:
    (edit,) = landed([EDIT], workspace("#- a.py\none\ntwo\nthree\nfour\nfive\n").snapshot)
    assert (edit.before, edit.after) == ("one\ntwo\nthree\nfour\nfive\n", "one\n2\nthree\nfour\nfive\n")


@pytest.mark.parametrize("now", ["#- a.py\none\nzwei\nthree\nfour\n", "#- b.py\nother\n"])
def test_landing_refuses_to_overwrite(now: str) -> None:
    with pytest.raises(ConflictError, match=r"a\.py"):
        landed([EDIT], workspace(now).snapshot)


def test_landing_what_is_there_already_changes_nothing() -> None:
    assert landed([EDIT], workspace("#- a.py\none\n2\nthree\nfour\n").snapshot) == []


def spent(number: int) -> Sequence[tuple[str, Any]]:
    return [("list_directory", {"path": "." * (number % 2)}), ("glob", {"pattern": f"{number}*"})]


@pytest.mark.parametrize(
    ("settings", "ended", "named"),
    [
        ({"max_turns": 12}, "turns", "agent.max_turns"),
        ({"max_total_tokens": 1_000}, "tokens", "agent.max_total_tokens"),
        ({"max_cost": 0.05}, "money", "agent.max_cost"),
    ],
)
async def test_each_cap_has_an_end_of_its_own(
    agent: Agent, settings: dict[str, Any], ended: str, named: str
) -> None:
    agent.cost = lambda usage: usage.prompt / 10_000
    for number in range(12):
        agent.server.reply(tool_calls=[("edit", RENAME)] if not number else spent(number))

    ran = await agent.run(**settings)

    assert ran.result.ended == ended
    assert named in ran.result.reason
    assert [edit.path for edit in ran.result.edits] == ["greet.py"]
    warned = [m for m in ran.record if m.role == "tool" and "left in this run" in m.content]
    assert len(warned) == 1, "the model is told once"


async def test_the_time_of_a_run_is_capped(agent: Agent) -> None:
    agent.server.reply(tool_calls=[("edit", RENAME)])
    agent.server.reply("I am", hang_after=1)

    ran = await agent.run(max_seconds=1.0)

    assert ran.result.ended == "time"
    assert "agent.max_seconds" in ran.result.reason
    assert [edit.path for edit in ran.result.edits] == ["greet.py"]
