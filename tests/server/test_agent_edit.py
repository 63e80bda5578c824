"""A run from an editor: what it tells while it works, how it is stopped and gone on with, and what it may."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from qwen_lsp.server.protocol import RequestCancelled
from tests.support.agent import (
    AFTER,
    BEFORE,
    CALLS,
    RENAME,
    endpoint,
    result_of,
    scene,
    states,
)
from tests.support.desk import VSCODE
from tests.support.editor import TIME, Editor, Json
from tests.support.endpoint import ScriptedEndpoint


def told(editor: Editor) -> list[Json]:
    return [m["params"] for m in editor.messages if m.get("method") == "qwen/agentEvent"]


def kinds(editor: Editor) -> list[str]:
    return [one["event"]["event"] for one in told(editor)]


# -- what is told --------------------------------------------------------------------------------------


async def test_a_run_is_told_event_by_event_before_its_result(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.model.reply("I rename it.", tool_calls=[RENAME], chunks=["I ", "rename", " it."])
        at.model.reply("Done.")
        result = await at.edit(stream="s1")
        events = told(at.editor)
        assert {(e["token"], e["run"]) for e in events} == {("s1", result["run"])}
        said = "".join(e["event"]["text"] for e in events if e["event"]["event"] == "said")
        assert said == "I rename it.Done."
        order = [kind for kind in kinds(at.editor) if kind in ("began", "called", "changed", "stopped")]
        assert order == ["began", "called", "changed", "stopped"]
        changed = next(e["event"] for e in events if e["event"]["event"] == "changed")
        assert changed["paths"] == ["prices.py"]
        assert changed["uris"] == {"prices.py": at.desk.uri("prices.py")}
        assert "+def before_tax(price):" in changed["diff"]
        called = next(e["event"] for e in events if e["event"]["event"] == "called")
        assert called["uris"] == {"prices.py": at.desk.uri("prices.py")}
        assert called["about"] == "prices.py"
        last = max(i for i, m in enumerate(at.editor.messages) if m.get("method") == "qwen/agentEvent")
        answer = next(i for i, m in enumerate(at.editor.messages) if m.get("result") == result)
        assert last < answer


async def test_text_comes_in_pieces_a_person_can_follow(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        words = [f"word{n} " for n in range(400)]
        at.model.reply("".join(words), chunks=words)
        await at.edit(stream=1)
        pieces = [e["event"]["text"] for e in told(at.editor) if e["event"]["event"] == "said"]
        assert "".join(pieces) == "".join(words)
        assert len(pieces) < len(words) / 2


async def test_without_a_token_nothing_is_told_but_a_line_of_progress(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        hold = asyncio.Event()
        at.model.reply(tool_calls=CALLS)
        at.model.reply("Done.", hold=hold)
        _, reply = at.begin("bar")

        def thinking(message: Json) -> bool:
            params: Json = message.get("params") or {}
            return (
                message.get("method") == "$/progress"
                and params["token"] == "bar"
                and params["value"].get("message", "").startswith("turn 1: ")
            )

        await at.editor.until(thinking)
        hold.set()
        await result_of(reply)
        assert not told(at.editor)
        lines = [
            m["params"]["value"].get("message", "")
            for m in at.editor.messages
            if m.get("method") == "$/progress" and m["params"]["token"] == "bar"
        ]
        assert any(path in line for line in lines for path in AFTER)
        assert not any("before_tax" in line for line in lines), "no text of a file"


async def test_the_answer_says_what_the_run_was_and_used(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.script()
        result = await at.edit()
        assert (result["ended"], result["summary"], result["turns"]) == ("done", "Renamed it.", 2)
        assert result["usage"]["prompt"] > 0
        assert result["cost"] is None, "no prices are known"
        (run,) = await at.editor.command("qwen.agentRuns")
        assert (run["run"], run["task"], run["ended"]) == (result["run"], "Rename net.", "done")
        assert (run["running"], run["resumable"], run["undoable"]) == (False, False, True)
        assert set(run["files"]) == set(AFTER)


# -- what is asked for ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("argument", "said"),
    [
        ({}, "`task`"),
        ({"task": "x", "mode": "allow"}, "only lower"),
        ({"task": "x", "mode": "fast"}, "`mode`"),
        ({"task": "x", "files": "a.py"}, "`files`"),
        ({"task": "x", "files": ["file:///elsewhere/a.py"]}, "another folder"),
        ({"task": "x", "apply": "no"}, "`apply`"),
        ({"task": "x", "stream": 1.5}, "`stream`"),
        ({"task": "x", "resume": "../../etc"}, "not the name of a run"),
        ({"task": "x", "resume": "20261126T080000-abcdef"}, "no run"),
    ],
)
async def test_a_wrong_argument_is_refused_by_name(tmp_path: Path, argument: Json, said: str) -> None:
    async with scene(tmp_path, VSCODE) as at:
        assert said in await at.refused("qwen.edit", argument)
        at.script()
        assert (await at.edit())["applied"] is True, "nothing is left over from the refused one"


async def test_without_an_endpoint_it_is_said_what_to_set(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE, endpoint={}) as at:
        for argument in ({}, {"uri": at.desk.uri("cart.py"), "scope": "selection"}):
            said = await at.refused("qwen.edit", {"task": "x", **argument})
            assert "needs a model: set OPENAI_BASE_URL and OPENAI_MODEL" in said
            assert "qwen." not in said


async def test_a_run_that_only_plans_changes_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.model.reply(tool_calls=[RENAME])
        at.model.reply("First rename it in prices.py, then in cart.py.")
        result = await at.edit(mode="plan")
        assert (result["files"], result["diff"]) == ([], "")
        assert result["summary"].startswith("First rename")
        assert at.seen() == BEFORE
        assert not at.desk.asked


async def test_files_pointed_at_are_shown_to_the_model(tmp_path: Path) -> None:
    (tmp_path / "far").mkdir()
    (tmp_path / "far" / "away.txt").write_text("A heron stands in the reeds.\n")
    async with scene(tmp_path, VSCODE) as at:
        at.model.reply("Nothing to do.")
        await at.edit(uri=at.desk.uri("cart.py"), files=[at.desk.uri("far/away.txt")])
        assert "A heron stands in the reeds." in at.model.requests[0].prompt


async def test_unsaved_text_is_what_the_run_works_on(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.desk.write("prices.py", "# unsaved\n" + (tmp_path / "prices.py").read_text())
        at.script(RENAME, ("read_file", {"file_path": "prices.py"}))
        await at.edit()
        assert "# unsaved" in at.model.requests[1].prompt
        assert (at.desk.text("prices.py") or "").startswith("# unsaved\ndef before_tax")


async def test_line_ends_of_an_open_text_stay_the_editors(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        text = "def net(price):\r\n    return price\r\n"
        at.desk.write("prices.py", text)
        at.script(RENAME)
        assert (await at.edit())["applied"] is True
        assert at.desk.text("prices.py") == text.replace("net", "before_tax")


# -- stopping and going on -----------------------------------------------------------------------------


@pytest.mark.parametrize("way", ["qwen.stopEdit", "window/workDoneProgress/cancel"])
async def test_a_stopped_run_answers_with_what_it_has_and_goes_on_later(tmp_path: Path, way: str) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.model.reply(tool_calls=[RENAME])
        at.model.reply("never said", hang="headers")
        _, reply = at.begin("bar")
        await at.model.wait_requests(2)
        if way == "qwen.stopEdit":
            stopped = await at.editor.command(way)
            assert len(stopped["stopped"]) == 1
        else:
            at.editor.notify(way, {"token": "bar"})
        result = await result_of(reply)
        assert (result["ended"], result["applied"]) == ("cancelled", False)
        assert "+def before_tax" in result["diff"]
        assert not at.desk.asked
        (run,) = await at.editor.command("qwen.agentRuns")
        assert (run["run"], run["resumable"], run["undoable"]) == (result["run"], True, False)
        at.script(*CALLS[1:])
        again = await at.editor.command("qwen.edit", {"resume": result["run"]})
        assert (again["run"], again["ended"], again["applied"]) == (result["run"], "done", True)
        assert at.seen() == AFTER
        assert (await at.undo())["undone"] is True
        assert at.seen() == BEFORE


async def test_a_cancelled_request_is_answered_as_one_and_can_be_gone_on_with(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.model.reply(tool_calls=[RENAME])
        at.model.reply("never said", hang="headers")
        msg_id, reply = at.begin()
        await at.model.wait_requests(2)
        at.editor.notify("$/cancelRequest", {"id": msg_id})
        async with asyncio.timeout(TIME):
            assert (await reply)["error"]["code"] == RequestCancelled
        await at.model.wait_early_closes()
        (run,) = await at.editor.command("qwen.agentRuns")
        assert (run["resumable"], run["running"]) == (True, False)
        landed = await at.editor.command("qwen.landEdit", {"run": run["run"]})
        assert (landed["applied"], states(landed)) == (True, {"prices.py": "applied"})


async def test_cancelling_while_the_preview_is_open_takes_it_back(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        del at.editor.answers["workspace/applyEdit"]
        at.script()
        msg_id, reply = at.begin()
        asked = await at.editor.until(lambda m: m.get("method") == "workspace/applyEdit")
        at.editor.notify("$/cancelRequest", {"id": msg_id})
        async with asyncio.timeout(TIME):
            assert (await reply)["error"]["code"] == RequestCancelled
        assert await at.editor.notified("$/cancelRequest") == {"id": asked["id"]}
        # This editor cannot take its preview back; what the person does with it is written down all the same.
        at.editor.answers["workspace/applyEdit"] = at.desk.apply
        said = at.desk.apply(asked["params"])
        at.editor.post({"jsonrpc": "2.0", "id": asked["id"], "result": said})
        assert at.seen() == AFTER
        async with asyncio.timeout(TIME):
            while not (await at.editor.command("qwen.agentRuns"))[0]["undoable"]:
                pass  # each look is a round trip
        assert (await at.undo())["undone"] is True
        assert at.seen() == BEFORE


async def test_a_failing_endpoint_ends_the_run_and_loses_nothing(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at:
        at.model.reply(tool_calls=[RENAME])
        at.model.reply(status=500)
        at.desk.refuses = True
        result = await at.edit()
        assert result["ended"] == "endpoint"
        assert "+def before_tax" in result["diff"]
        assert "stopped early" in at.desk.asked[0]["label"]
        at.desk.refuses = False
        at.script(*CALLS[1:])
        again = await at.editor.command("qwen.edit", {"resume": result["run"], "task": ""})
        assert (again["ended"], at.seen()) == ("done", AFTER)


async def test_settings_that_change_meanwhile_leave_a_run_its_endpoint(tmp_path: Path) -> None:
    async with scene(tmp_path, VSCODE) as at, ScriptedEndpoint() as other:
        hold = asyncio.Event()
        at.model.reply(tool_calls=CALLS, hold=hold)
        at.model.reply("Renamed it.")
        _, reply = at.begin()
        await at.model.wait_requests()
        settings = {"endpoint": endpoint(other), "agent": {"mode": "plan"}}
        at.editor.notify("workspace/didChangeConfiguration", {"settings": {"qwen": settings}})
        async with asyncio.timeout(TIME):
            while (await at.editor.command("qwen.status"))["endpoint"]["host"] != f"127.0.0.1:{other.port}":
                pass
        hold.set()
        result = await result_of(reply)
        assert (result["ended"], result["applied"], at.seen()) == ("done", True, AFTER)
        assert not other.requests
        other.reply("Nothing to do.")
        await at.edit()
        assert len(other.requests) == 1
