"""Going on with a run that stopped: the same prompt, the same edits, and what changed meanwhile told."""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import pytest

from qwen_lsp.errors import UserError
from qwen_lsp.features.agent.events import Began, Noted
from qwen_lsp.runs.landing import land
from qwen_lsp.runs.record import EVENTS, MESSAGES, WORK, Fate, Record, folder_of, new_name, settle
from qwen_lsp.runs.stored import infos, load, resumable
from qwen_lsp.runs.undoing import undo_last
from qwen_lsp.workspace.paths import RelPath
from tests.runs.running import CALLER, RENAME, Work
from tests.support.prefix import as_prompt, kept


async def stopped(work: Work, *turns: list[tuple[str, Any]]) -> str:
    """A run that did these turns and stopped since the endpoint refused the next one."""
    for calls in turns:
        work.server.reply("Working.", tool_calls=calls)
    work.server.reply(status=401, text="no")
    done = await work.run()
    assert done.result.ended == "endpoint"
    return done.run


def texts(edits: Any) -> dict[str, str | None]:
    return {edit.path: edit.after for edit in edits}


async def test_the_next_request_extends_the_last_one(work: Work) -> None:
    run = await stopped(work, [("read_file", {"file_path": "main.py"})], [("edit", RENAME)])
    work.server.reply(tool_calls=[("edit", CALLER)])
    work.server.reply("Renamed.")

    done = await work.run("", resume=run)

    prompts = [as_prompt(body) for body in work.sent]
    assert all(kept(before, after) == 1.0 for before, after in pairwise(prompts))
    assert done.run == run
    assert list(texts(done.edits)) == ["greet.py", "main.py"]
    assert (load(run).info.meta.ended, load(run).info.meta.turns) == ("done", 4)
    assert any(isinstance(event, Began) and event.resumed for event in work.events)
    assert resumable(work.root) == []


async def test_a_further_instruction_comes_last(work: Work) -> None:
    run = await stopped(work, [("edit", RENAME)])
    work.server.reply("Done.")

    await work.run("", resume=run, more="Use hail instead of welcome.")

    last = work.sent[-1]["messages"][-1]
    assert last["role"] == "user"
    assert "Use hail instead of welcome." in last["content"]
    assert "The date is" in last["content"]


async def test_a_run_that_was_done_can_be_told_more(work: Work) -> None:
    work.server.reply(tool_calls=[("edit", RENAME)])
    work.server.reply("Renamed.")
    run = (await work.run()).run
    work.server.reply(tool_calls=[("edit", CALLER)])
    work.server.reply("The caller too.")

    done = await work.run("", resume=run, more="And the caller.")

    assert list(texts(done.edits)) == ["greet.py", "main.py"]
    assert kept(as_prompt(work.sent[1]), as_prompt(work.sent[2])) == 1.0


async def test_what_the_user_changed_elsewhere_is_merged_and_told(work: Work) -> None:
    run = await stopped(work, [("edit", RENAME)], [("read_file", {"file_path": "main.py"})])
    file = work.root / "greet.py"
    file.write_text(file.read_text() + "\n\ndef part():\n    return 'Bye'\n")
    (work.root / "main.py").write_text("print('mine')\n")
    work.server.reply("Done.")

    done = await work.run("", resume=run)

    assert texts(done.edits)["greet.py"] == file.read_text().replace("def greet(", "def welcome(")
    told = work.sent[-1]["messages"][-1]["content"]
    assert "The user changed these files too; your changes are merged into them: greet.py." in told
    assert "not as you saw them; read them before you rely on them: main.py." in told


async def test_a_conflict_leaves_the_users_text_and_is_told_to_both(work: Work) -> None:
    run = await stopped(work, [("edit", RENAME), ("edit", CALLER)])
    (work.root / "greet.py").write_text("def hail(name):\n    return name\n")
    work.server.reply("Done.")

    done = await work.run("", resume=run)

    assert (done.conflicts, list(texts(done.edits))) == (("greet.py",), ["main.py"])
    assert "Your changes to these files are lost" in work.sent[-1]["messages"][-1]["content"]
    assert any("greet.py" in event.text for event in work.events if isinstance(event, Noted))


async def test_edits_that_have_landed_meanwhile_are_no_changes(work: Work) -> None:
    run = await stopped(work, [("edit", RENAME)])
    file = work.root / "greet.py"
    file.write_text(file.read_text().replace("def greet(", "def welcome("))
    work.server.reply("Done.")

    done = await work.run("", resume=run)

    assert (done.edits, done.conflicts) == ((), ())


async def test_calls_that_were_not_answered_get_an_answer(work: Work) -> None:
    run = await stopped(work, [("edit", RENAME), ("edit", CALLER)])
    said = folder_of(run) / MESSAGES
    said.write_text("".join(said.read_text().splitlines(keepends=True)[:-1]))  # the last result is missing
    work.server.reply("Done.")

    await work.run("", resume=run)

    *_, result, note = work.sent[-1]["messages"]
    assert (result["role"], note["role"]) == ("tool", "user")
    assert "stopped before this call was answered" in result["content"]


@pytest.mark.parametrize("name", [MESSAGES, WORK])
async def test_a_torn_last_line_is_left_out(work: Work, name: str) -> None:
    run = await stopped(work, [("edit", RENAME)], [("edit", CALLER)])
    file = folder_of(run) / name
    text = file.read_text()
    file.write_text(text[: text.rstrip("\n").rindex("\n") + 40])
    work.server.reply(tool_calls=[("edit", CALLER)])
    work.server.reply("Done.")

    done = await work.run("", resume=run)

    assert done.result.ended == "done"
    assert list(texts(done.edits)) == ["greet.py", "main.py"]
    lines = file.read_text().splitlines()
    broken = [line for line in lines if not line.endswith("}")]
    assert len(broken) == 1, "what is written behind a torn line stands on a line of its own"
    assert [json.loads(line) for line in lines if line not in broken]


async def test_after_a_compaction_it_goes_on_from_the_summary(work: Work) -> None:
    run = await stopped(work, [("read_file", {"file_path": "main.py"})])
    stored = load(run)
    record = Record(stored.info.meta, resumed=True)
    record.restarted(stored.messages[:2])
    record.close()
    work.server.reply("Done.")

    await work.run("", resume=run, more="Go on.")

    assert [message["role"] for message in work.sent[-1]["messages"]] == ["system", "user", "user"]


async def test_a_run_that_is_going_on_is_not_resumed(work: Work) -> None:
    work.server.reply("I am", hang_after=1)
    going = asyncio.create_task(work.run())
    await work.server.wait_requests(1)
    (info,) = infos(work.root)
    assert (info.running, info.resumable) == (True, False)
    with pytest.raises(UserError, match="still going on"):
        await work.run("", resume=info.run)
    going.cancel()
    await asyncio.gather(going, return_exceptions=True)


@pytest.mark.parametrize("name", ["../../etc", "nothing", "20260101T000000-abcdef"])
async def test_what_is_no_run_is_refused(work: Work, name: str) -> None:
    with pytest.raises(UserError, match="run"):
        await work.run("", resume=name)


_CHILD = """
import asyncio, sys
from pathlib import Path
from tests.runs.running import Work, TASK
from tests.support.endpoint import ScriptedEndpoint

async def main():
    server = ScriptedEndpoint(kind="vllm", port=int(sys.argv[2]))
    await Work(Path(sys.argv[1]), server).run()

asyncio.run(main())
"""


@pytest.mark.slow
@pytest.mark.parametrize("at", [1, 2, 3])
async def test_a_killed_run_goes_on_where_it_was(work: Work, at: int) -> None:
    """Killed when its request number `at` has arrived; what was done until then is there."""
    turns = [("edit", RENAME)], [("edit", CALLER)]
    for calls in turns[: at - 1]:
        work.server.reply("Working.", tool_calls=calls)
    work.server.reply("I am", hang_after=1)
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-c", _CHILD, str(work.root), str(work.server.port), stderr=asyncio.subprocess.PIPE
    )
    await work.server.wait_requests(at)
    child.send_signal(signal.SIGKILL)
    await child.communicate()

    (info,) = resumable(work.root)
    assert info.meta.ended == ""
    for calls in turns[at - 1 :]:
        work.server.reply("Working.", tool_calls=calls)
    work.server.reply("Renamed.")
    done = await work.run("", resume=info.run)

    assert (done.result.ended, list(texts(done.edits))) == ("done", ["greet.py", "main.py"])
    prompts = [as_prompt(body) for body in work.sent]
    assert kept(prompts[at - 1], prompts[at]) == 1.0


async def told_more(work: Work, run: str, more: str = "Go on.") -> str:
    """The last message of the request with which a run goes on."""
    work.server.reply("Done.")
    await work.run("", resume=run, more=more)
    return str(work.sent[-1]["messages"][-1]["content"])


async def renamed(work: Work) -> str:
    work.server.reply(tool_calls=[("edit", RENAME)])
    work.server.reply("Renamed.")
    return (await work.run()).run


async def test_a_run_that_was_done_is_not_told_that_it_was_stopped(work: Work) -> None:
    run = await renamed(work)
    assert "was stopped" not in await told_more(work, run)


@pytest.mark.parametrize(
    ("fate", "said"), [("refused", "did not accept your changes"), ("undone", "took your changes")]
)
async def test_changes_that_are_not_wanted_do_not_come_back(work: Work, fate: Fate, said: str) -> None:
    run = await renamed(work)
    settle(run, fate, ["greet.py"], "Not applied: greet.py.")
    work.server.reply("Done.")

    done = await work.run("", resume=run, more="Go on.")

    told = work.sent[-1]["messages"][-1]["content"]
    assert said in told and "greet.py" in told
    assert "not as you saw them; read them before you rely on them: greet.py" in told
    assert done.edits == ()
    assert said not in await told_more(work, run), "it is told once"
    assert all(kept(as_prompt(one), as_prompt(other)) == 1.0 for one, other in pairwise(work.sent))


async def test_changes_that_have_landed_are_told_as_such(work: Work) -> None:
    run = await renamed(work)
    file = work.root / "greet.py"
    file.write_text(file.read_text().replace("def greet(", "def welcome("))
    settle(run, "landed", ["greet.py"], "Applied: greet.py.")

    told = await told_more(work, run)

    assert "The user accepted your changes of these files; the workspace has them now: greet.py." in told
    assert "not as you saw them" not in told
    events = [json.loads(line) for line in (folder_of(run) / EVENTS).read_text().splitlines()]
    assert any(event.get("text") == "Applied: greet.py." for event in events)


async def test_what_was_taken_back_does_not_come_back_with_a_run_that_goes_on(work: Work) -> None:
    work.server.reply(tool_calls=[("edit", RENAME), ("edit", CALLER)])
    work.server.reply("Renamed.")
    done = await work.run()
    first, other = done.edits
    assert (first.path, other.path) == ("greet.py", "main.py")
    async with work.session() as session:
        await land(session, [first], run=done.run)
        await undo_last(session)
    assert texts(load(done.run).edits) == texts(done.edits), "it may still land once more"
    work.server.reply("Done.")

    after = await work.run("", resume=done.run, more="Go on.")

    told = work.sent[-1]["messages"][-1]["content"]
    assert "The user took your changes of these files back; they are as they were before: greet.py." in told
    assert texts(after.edits) == texts([other])
    assert "took your changes" not in await told_more(work, done.run), "it is told once"


async def test_what_landed_once_more_stays(work: Work) -> None:
    run = await renamed(work)
    edits = load(run).edits
    async with work.session() as session:
        await land(session, edits, run=run)
        await undo_last(session)
        await land(session, edits, run=run)
    assert "took your changes" not in await told_more(work, run)
    assert "def welcome(" in (work.root / "greet.py").read_text()


async def test_a_run_cannot_go_on_where_it_cannot_be_noted_what_was_taken_back(
    work: Work, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = await renamed(work)
    async with work.session() as session:
        await land(session, load(run).edits, run=run)
        await undo_last(session)

    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("qwen_lsp.runs.run.settle", full)
    with pytest.raises(UserError, match="cannot be gone on with: No space left on device"):
        await work.run("", resume=run)


async def test_what_the_user_said_later_is_an_event(work: Work) -> None:
    run = await renamed(work)
    await told_more(work, run, "And now?")
    assert [event.more for event in work.events if isinstance(event, Began)] == ["", "And now?"]


async def test_a_run_has_the_name_it_is_given(work: Work) -> None:
    work.server.reply("Hello.")
    name = new_name()
    assert (await work.run(name=name)).run == name
    assert load(name).info.meta.task == "Rename greet to welcome"


async def test_a_run_that_said_nothing_yet_is_about_both_messages(work: Work) -> None:
    work.server.reply(status=404, text="no")
    await work.run()
    (run,) = (info.run for info in infos(work.root))
    (folder_of(run) / MESSAGES).unlink()
    work.server.reply("Hello.")

    await work.run("", resume=run, more="Politely.")

    assert "Rename greet to welcome\n\nPolitely." in work.sent[-1]["messages"][-1]["content"]


async def test_texts_that_are_not_saved_lie_under_the_run(work: Work) -> None:
    typed = "def greet(name):\n    return 'Typed ' + name\n"
    asked: list[list[str]] = []

    async def texts(paths: Sequence[RelPath]) -> dict[RelPath, str | None]:
        asked.append(list(paths))
        return {path: typed if path == "greet.py" else None for path in paths}

    work.server.reply(tool_calls=[("read_many_files", {"paths": ["greet.py:1-2", "main.py"]})])
    work.server.reply(tool_calls=[("edit", RENAME)])
    work.server.reply(tool_calls=[("read_file", {"file_path": "greet.py"})])
    work.server.reply("Done.")

    done = await work.run(texts=texts)

    (edit,) = done.edits
    assert (edit.before, edit.after) == (typed, typed.replace("def greet(", "def welcome("))
    assert "Typed" in json.dumps(work.sent[1]["messages"])
    assert asked == [["greet.py", "main.py"], ["greet.py"]], "a file that the run has changed is its own"
