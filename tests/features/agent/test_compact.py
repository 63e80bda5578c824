"""A conversation that outgrows its window goes on from a summary, whatever the window and the model do."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import pytest

from qwen_lsp.features.agent import compact, course
from qwen_lsp.features.agent.account import account
from qwen_lsp.features.agent.events import Compacted, Stopped
from qwen_lsp.features.agent.room import Room, fitted
from qwen_lsp.features.prompting import prompt
from qwen_lsp.model.messages import Message, ToolCall
from qwen_lsp.model.tokens import count
from tests.features.agent.running import Agent, Ran, agent_of
from tests.support.endpoint import Recorded, Reply
from tests.support.fixture import workspace
from tests.support.prefix import as_prompt, kept

ASKED = "about to be shortened"
SUMMARY = "Goal: note every module. Done: the ones read so far. Next: the others."
MODULES = 40


def module(number: int) -> str:
    lines = "".join(f"def f{number}_{i}(value):\n    return value + {i} * {number}\n\n" for i in range(60))
    return f"#- m{number}.py\n{lines}"


def working(summary: Reply | Callable[[], Reply], turns: int) -> Callable[[Recorded], Reply]:
    """A model that reads a module and edits it in each turn; asked for a summary, it gives this one."""
    left = iter(range(turns))

    def answer(request: Recorded) -> Reply:
        if ASKED in str(request.messages[-1]["content"]):
            return summary() if callable(summary) else summary
        number = next(left, None)
        if number is None:
            return Reply("All modules have their note.")
        name = f"m{number % MODULES}.py"
        edit = {
            "file_path": name,
            "old_string": f"def f{number}_0(",
            "new_string": f"# {number}\ndef f{number}_0(",
        }
        return Reply(f"Module {number}.", tool_calls=[("read_file", {"file_path": name}), ("edit", edit)])

    return answer


async def ran(window: int, summary: Reply | Callable[[], Reply], turns: int = 30) -> tuple[Agent, Ran]:
    async with agent_of(window) as agent:
        agent.made = workspace("".join(module(number) for number in range(MODULES)))
        agent.count, agent.max_tokens = count, 16_384
        agent.server.respond_with(working(summary, turns))
        return agent, await agent.run("Note every module.")


def size(body: dict[str, Any]) -> int:
    """The tokens of a request and of the reply it leaves room for."""
    said = sum(count(str(message.get("content") or "")) + 5 for message in body["messages"])
    calls = [call["function"] for message in body["messages"] for call in message.get("tool_calls", [])]
    return said + count(json.dumps(calls)) + count(json.dumps(body["tools"])) + body["max_tokens"]


@pytest.mark.parametrize("window", [8_192, 16_384, 32_768, 65_536])
async def test_every_request_fits_and_the_work_is_finished(window: int) -> None:
    agent, run = await ran(window, Reply(SUMMARY))

    assert (run.result.ended, len(run.result.edits)) == ("done", 30)
    assert max(size(body) for body in agent.sent) <= window
    compacted = [event for event in run.events if isinstance(event, Compacted)]
    assert compacted
    assert all(event.by_model and event.after < event.before for event in compacted)


async def test_asking_for_the_summary_extends_the_conversation_and_what_follows_begins_as_it_did() -> None:
    agent, _ = await ran(32_768, Reply(SUMMARY))

    for before, asking, after in zip(agent.sent, agent.sent[1:], agent.sent[2:], strict=False):
        if ASKED not in str(asking["messages"][-1]["content"]):
            continue
        assert kept(as_prompt(before), as_prompt(asking)) == 1.0
        head = as_prompt({**before, "messages": before["messages"][:1]})
        assert as_prompt(after).startswith(head)
        said = after["messages"][2]["content"]
        assert SUMMARY in said
        assert "- m0.py: changed" in said
        return
    pytest.fail("nothing was compacted")


@pytest.mark.parametrize(
    "summary",
    [Reply(""), Reply("  \n"), Reply(status=500), Reply(status=400), Reply("Goal", cut_after=300, done=False),
     Reply("<tool_call>"), Reply(tool_calls=[("read_file", {"file_path": "m0.py"})])],
    ids=["empty", "blank", "fails", "refused", "cut", "markup", "a call"],
)  # fmt: skip
async def test_a_summary_that_fails_is_replaced_by_an_account(summary: Reply) -> None:
    agent, run = await ran(32_768, summary)

    assert (run.result.ended, len(run.result.edits)) == ("done", 30)
    assert not any(event.by_model for event in run.events if isinstance(event, Compacted))
    assert max(size(body) for body in agent.sent) <= 32_768
    shortened = [body["messages"][2]["content"] for body in agent.sent if len(body["messages"]) == 3]
    assert "You called edit(file_path='m0.py'" in shortened[0]


async def test_a_summary_that_takes_too_long_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compact, "SECONDS", 0.2)

    _, run = await ran(32_768, Reply("Goal: everything", hang_after=1), turns=12)

    assert (run.result.ended, len(run.result.edits)) == ("done", 12)


async def test_results_are_cut_to_what_fits() -> None:
    big = "#- big.py\n" + "".join(f"value_{i} = 'something or other {i}'\n" for i in range(1_900))
    async with agent_of(16_384) as agent:
        agent.made = workspace(big + "#- other.py\nx = 1\n")
        agent.count, agent.max_tokens = count, 16_384
        agent.server.reply(tool_calls=[("read_file", {"file_path": "big.py"})] * 3)
        agent.server.reply(SUMMARY, match=ASKED)
        agent.server.reply("Read.")
        run = await agent.run("Read it.")

    results = [m for m in run.record if m.role == "tool"]
    assert len(results) == 3
    assert all("characters fit; ask for a smaller part" in m.content for m in results)
    assert run.result.ended == "done"
    assert max(size(body) for body in agent.sent) <= 16_384


async def test_a_window_that_turns_out_smaller_is_believed() -> None:
    overflow = json.dumps({"error": {"message": "This model's maximum context length is 16000 tokens."}})
    async with agent_of(131_072) as agent:
        agent.made = workspace("".join(module(number) for number in range(MODULES)))
        agent.count, agent.max_tokens = count, 4_000
        answer = working(Reply(SUMMARY), 12)

        def small(request: Recorded) -> Reply:
            if size(request.json) > 16_000:
                return Reply(status=400, body=overflow.encode())
            return answer(request)

        agent.server.respond_with(small)
        run = await agent.run("Note every module.")

    assert (run.result.ended, len(run.result.edits)) == ("done", 12)
    (first, *_) = [event for event in run.events if isinstance(event, Compacted)]
    assert not first.by_model, "what did not fit cannot be summed up by the model either"


async def test_a_reply_that_is_too_long_for_the_window_becomes_shorter() -> None:
    overflow = json.dumps({"error": {"message": "This model's maximum context length is 16000 tokens."}})
    async with agent_of(131_072) as agent:
        agent.count, agent.max_tokens = count, 15_000
        agent.server.reply(status=400, body=overflow.encode())
        agent.server.reply("Done.")
        run = await agent.run()

    refused, sent = agent.sent
    assert run.result.ended == "done"
    assert sent["messages"] == refused["messages"], "all of the conversation fits beside a shorter reply"
    assert sent["max_tokens"] < refused["max_tokens"]


async def test_an_endpoint_that_takes_no_prompt_ends_the_run() -> None:
    async with agent_of() as agent:
        for _ in range(2):
            agent.server.reply(status=400, text="maximum context length is 4000 tokens")
        run = await agent.run()

    assert run.result.ended == "window"


async def test_a_window_too_small_for_anything_says_so_with_numbers() -> None:
    async with agent_of(3_000) as agent:
        run = await agent.run()

    assert (run.result.ended, agent.sent) == ("window", [])
    assert "3,000 tokens" in run.result.reason
    assert isinstance(run.events[-1], Stopped)


async def test_compaction_without_progress_ends() -> None:
    """A model that fills the window in every turn and does nothing else."""
    async with agent_of(8_192) as agent:
        agent.made = workspace("".join(module(number) for number in range(MODULES)))
        agent.count, agent.max_tokens = count, 2_000
        numbers = iter(range(1_000))

        def filling(request: Recorded) -> Reply:
            if ASKED in str(request.messages[-1]["content"]):
                return Reply(SUMMARY)
            number = next(numbers)
            return Reply(
                "word " * 1_500, tool_calls=[("read_file", {"file_path": f"m{number % MODULES}.py"})] * 8
            )

        agent.server.respond_with(filling)
        run = await agent.run()

    assert run.result.ended == "window"
    assert len(agent.sent) < 60


async def test_the_log_restarts_where_the_history_does() -> None:
    _, run = await ran(16_384, Reply(SUMMARY))

    assert len(run.log.restarts) == len([e for e in run.events if isinstance(e, Compacted)])
    for history in run.log.restarts:
        assert [message.role for message in history] == ["system", "user", "user"]


def test_the_request_for_a_summary_fits_what_is_kept_for_it() -> None:
    assert count(prompt("agent_summary")) + 20 <= course._ASKING  # pyright: ignore[reportPrivateUsage]


@pytest.mark.parametrize("window", [8_192, 32_768, 131_072, 262_144, 1_000_000])
def test_the_parts_of_a_window_add_up(window: int) -> None:
    room = Room.of(window, 16_384, 700)
    assert room.most + room.reply + room.results + room.asking + room.summary + room.margin == window
    assert room.most > window // 3


@pytest.mark.parametrize("tokens", [20, 64, 1_000])
@pytest.mark.parametrize("tail", [0.0, 0.6])
def test_a_text_is_cut_to_its_tokens(tokens: int, tail: float) -> None:
    text = "".join(f"line {i} says 日本語 and ünïcode\n" for i in range(500)) + "the very last line\n"
    cut, was_cut = fitted(text, tokens, count, tail=tail)
    assert was_cut
    assert count(cut) <= max(tokens, 30)
    assert ("very last line" in cut) == bool(tail and tokens >= 64)


def test_the_account_keeps_the_latest() -> None:
    messages = [Message("user", "Please hurry.")]
    for number in range(200):
        call = ToolCall("edit", {"file_path": f"{number}.py", "old_string": "x" * 500}, f"c{number}")
        messages += [Message("assistant", "", (call,)), Message("tool", "Edited.", tool_call_id=f"c{number}")]
    told = account(messages, count, 400)
    assert count(told) <= 400
    assert "earlier steps left out" in told.splitlines()[0]
    assert "199.py" in told.splitlines()[-1]
    assert account(messages[:3], count, 400).splitlines()[0] == "The user said: Please hurry."


async def test_cancelling_a_summary_cancels_the_run() -> None:
    async with agent_of(16_384) as agent:
        agent.made = workspace("".join(module(number) for number in range(MODULES)))
        agent.count, agent.max_tokens = count, 16_384
        agent.server.respond_with(working(Reply("Goal", hang_after=0), 30))
        going = asyncio.create_task(agent.run("Note every module."))
        await agent.server.wait_for(lambda: any(ASKED in request.prompt for request in agent.server.requests))
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
    roles = [message.role for message in agent.log.messages]
    assert ("tool", "user") not in set(pairwise(roles)), "the question for a summary is none of the history"
