"""A turn from the first word to the last: what streams, what is asked, and how it ends."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from pathlib import Path

from acp import schema

from tests.acp_server.desk import Desk, capabilities, configure, desk
from tests.support.agent import BEFORE, CALLS, CART, NEW_CART, NEW_PRICES, RENAME
from tests.support.endpoint import ScriptedEndpoint
from tests.support.prefix import as_prompt, kept


async def test_the_agent_says_what_it_can(at: Desk) -> None:
    reply = await at.agent.initialize(1, at.can)

    can = reply.agent_capabilities
    assert can is not None and can.prompt_capabilities is not None and can.session_capabilities is not None
    assert reply.protocol_version == 1
    assert (can.load_session, can.prompt_capabilities.embedded_context) == (True, True)
    assert (can.prompt_capabilities.image, can.prompt_capabilities.audio) == (False, False)
    assert can.session_capabilities.list is not None and can.session_capabilities.resume is not None
    assert can.session_capabilities.fork is None
    assert reply.auth_methods == []


async def test_words_stream_and_the_turn_ends(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply("It is a shop.", tool_calls=[])

    reply = await at.prompt("What is this?")

    assert reply.stop_reason == "end_turn"
    assert at.words == "It is a shop."
    assert "What is this?" in model.requests[-1].prompt


async def test_calls_are_shown_with_kind_place_and_status(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[("read_file", {"file_path": "cart.py", "offset": 2})])
    model.reply(tool_calls=[("grep_search", {"pattern": "net"}), ("read_file", {"file_path": "no.py"})])
    model.reply("Done.")

    await at.prompt("Look around.")

    read, search, missing = at.call("cart.py"), at.call("net"), at.call("no.py")
    assert (read["kind"], read["status"]) == ("read", "completed")
    assert read["locations"] == [{"path": str(at.root / "cart.py"), "line": 3}]
    assert (search["kind"], search["status"]) == ("search", "completed")
    assert "cart.py:1" in search["content"][0]["content"]["text"]
    assert missing["status"] == "failed"


async def test_the_plan_is_shown(at: Desk, model: ScriptedEndpoint) -> None:
    steps = [{"content": "Look", "status": "completed"}, {"content": "Do", "status": "in_progress"}]
    model.reply(tool_calls=[("todo_write", {"todos": steps})])
    model.reply("Done.")
    model.reply("Done.")

    await at.prompt("Do it.")

    (plan,) = at.of(schema.AgentPlanUpdate)
    assert [(entry.content, entry.status) for entry in plan.entries] == [
        ("Look", "completed"),
        ("Do", "in_progress"),
    ]


async def test_a_change_is_shown_whole_asked_for_once_and_lands(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=CALLS)
    model.reply("Renamed it.")
    at.answers("apply")

    reply = await at.prompt("Rename net.")

    assert reply.stop_reason == "end_turn"
    assert {path: at.text(path) for path in BEFORE} == {
        "prices.py": NEW_PRICES,
        "cart.py": NEW_CART,
        "docs/notes.md": "net is called before_tax now.\n",
        "gone.py": None,
    }
    ((asked, options),) = at.questions
    change = at.calls[asked.tool_call_id]
    assert options == ["apply", "leave"]
    assert change["title"] == "Apply the change of 4 files: cart.py, docs/notes.md, gone.py, prices.py"
    assert change["status"] == "completed"
    assert asked.content is not None and asked.locations is not None, (
        "some clients look at the question alone"
    )
    assert "`docs/notes.md` +1" in change["content"][0]["content"]["text"]
    diffs = {Path(one["path"]).name: one for one in change["content"] if one["type"] == "diff"}
    assert (diffs["cart.py"]["old_text"], diffs["cart.py"]["new_text"]) == (CART, NEW_CART)
    assert diffs["notes.md"].get("old_text") is None
    assert diffs["gone.py"]["new_text"] == ""
    assert "Applied: cart.py, docs/notes.md, gone.py, prices.py." in at.words


async def test_each_edit_shows_its_place_as_a_diff(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[RENAME])
    model.reply("Renamed it.")
    at.answers("leave")

    await at.prompt("Rename net.")

    edit = at.call("Edit")
    assert (edit["kind"], edit["status"]) == ("edit", "completed")
    (diff,) = edit["content"]
    assert "def net(price)" in diff["old_text"] and "def before_tax(price)" in diff["new_text"]
    assert edit["locations"][0]["path"] == str(at.root / "prices.py")


async def test_a_change_that_is_refused_is_gone(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[RENAME])
    model.reply("Renamed it.")
    at.answers("leave")
    await at.prompt("Rename net.")
    model.reply("As you like.")

    await at.prompt("Then leave it.")

    assert at.text("prices.py") == BEFORE["prices.py"]
    assert len(at.questions) == 1, "what was refused is not offered again"
    assert "did not accept your changes of these files" in model.requests[-1].prompt


async def test_a_second_prompt_goes_on_with_the_conversation(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(tool_calls=[RENAME])
    model.reply("Renamed it.")
    at.answers("apply", "apply")
    await at.prompt("Rename net.")
    model.reply(tool_calls=[CALLS[1]])
    model.reply("The caller too.")

    await at.prompt("And the caller.")

    prompts = [as_prompt(request.json) for request in model.requests]
    assert all(kept(before, after) == 1.0 for before, after in pairwise(prompts))
    assert "And the caller." in prompts[2] and "accepted your changes" in prompts[2]
    assert "was stopped here" not in prompts[2]
    assert (at.text("prices.py"), at.text("cart.py")) == (NEW_PRICES, NEW_CART)
    assert at.calls[at.questions[1][0].tool_call_id]["title"] == "Apply the change of 1 file: cart.py"


async def test_in_the_mode_allow_a_change_lands_at_once(root: Path, model: ScriptedEndpoint) -> None:
    configure(model, mode="allow")
    async with desk(root) as at:
        model.reply(tool_calls=[RENAME])
        model.reply("Renamed it.")

        await at.prompt("Rename net.")

        assert at.text("prices.py") == NEW_PRICES
        assert at.questions == []
        assert at.call("Apply the change")["status"] == "completed"


async def test_an_editor_can_only_lower_the_mode(at: Desk, model: ScriptedEndpoint) -> None:
    assert at.modes is not None
    assert [mode.id for mode in at.modes.available_modes] == ["plan", "ask"]
    assert at.modes.current_mode_id == "ask"

    error = await at.refused(at.agent.set_session_mode(mode_id="allow", session_id=at.session))
    assert "agent.mode = 'ask'" in str(error)

    await at.agent.set_session_mode(mode_id="plan", session_id=at.session)
    model.reply(tool_calls=[RENAME])
    model.reply("The plan: rename it.")
    await at.prompt("Rename net.")
    assert at.call("Edit")["status"] == "failed"
    assert at.questions == []


async def test_a_run_that_reaches_its_limit_says_so(root: Path, model: ScriptedEndpoint) -> None:
    configure(model, max_turns=1)
    async with desk(root) as at:
        model.reply(tool_calls=[RENAME])
        at.answers("leave")

        reply = await at.prompt("Rename net.")

        assert reply.stop_reason == "max_turn_requests"
        assert "raise agent.max_turns" in at.words


async def test_cancelling_ends_at_the_socket_and_the_next_prompt_goes_on(
    at: Desk, model: ScriptedEndpoint
) -> None:
    model.reply(tool_calls=[RENAME])
    model.reply("x" * 400, hang_after=20)
    turn = asyncio.create_task(at.prompt("Rename net."))
    await at.until(lambda: "xxxx" in at.words)

    await at.agent.cancel(at.session)

    assert (await turn).stop_reason == "cancelled"
    await model.wait_early_closes()
    assert at.text("prices.py") == BEFORE["prices.py"]
    model.reply("Done.")
    at.answers("apply")
    await at.prompt("Go on.")
    assert at.text("prices.py") == NEW_PRICES, "what was done before is offered with the rest"
    assert "was stopped here" in model.requests[-1].prompt


async def test_a_failing_endpoint_is_an_error_that_says_what_to_do(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(status=404, text="no such model")

    error = await at.refused(at.prompt("Rename net."))

    assert "no such model" in str(error)
    model.reply("Here I am.")
    assert (await at.prompt("Again.")).stop_reason == "end_turn"


async def test_without_an_endpoint_it_is_said_what_to_set(root: Path) -> None:
    async with desk(root) as at:
        error = await at.refused(at.prompt("Rename net."))
        assert "OPENAI_BASE_URL" in str(error) and "/explain" in str(error)
        error = await at.refused(at.agent.authenticate("any"))
        assert "OPENAI_BASE_URL" in str(error)

        await at.prompt("/explain cart.py")
        assert "total" in at.words


async def test_the_window_is_told(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply("Hello.")

    reply = await at.prompt("Hello?")

    (usage,) = at.of(schema.UsageUpdate)
    assert usage.size == model.window and usage.used > 0
    assert reply.usage is not None and reply.usage.input_tokens == usage.used - reply.usage.output_tokens


async def test_the_conversation_gets_a_title(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply("Hello.")
    await at.prompt("Say hello.\nNicely.")
    assert [info.title for info in at.of(schema.SessionInfoUpdate)] == ["Say hello."]


async def test_pictures_in_the_models_words_are_not_loaded(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply("Look: ![x](https://example.org/?secret) here.")
    await at.prompt("Hello?")
    assert "![" not in at.words and "Look: " in at.words


async def test_a_client_without_files_gets_everything_by_the_disk(
    root: Path, model: ScriptedEndpoint
) -> None:
    async with desk(root, capabilities(schema.FileSystemCapabilities())) as at:
        model.reply(tool_calls=CALLS)
        model.reply("Renamed it.")
        at.answers("apply")

        await at.prompt("Rename net.")

        assert (at.reads, at.writes) == ([], [])
        assert (root / "cart.py").read_text() == NEW_CART
