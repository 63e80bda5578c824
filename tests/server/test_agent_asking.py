"""Who is asked for leave and for answers, by what each client can show, and how a question is taken back."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.features.agent.approval import Ask
from qwen_lsp.features.agent.asking import Question
from qwen_lsp.server.agent_asking import answer, can_ask, leave
from qwen_lsp.server.host import Server
from qwen_lsp.server.table import build
from tests.support.agent import result_of, scene
from tests.support.desk import EGLOT, NEOVIM, THIN, VSCODE
from tests.support.editor import TIME, Editor, Json, in_process

ASK = Ask("command", "Run a command?", "make test -- 'a b'", ("command", "make test -- 'a b'", ""))
QUESTION = Question("Which database?", ("sqlite", "postgres"))
OPEN = Question("What shall it be called?")


@asynccontextmanager
async def client(capabilities: Json) -> AsyncGenerator[tuple[Server, Editor]]:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(capabilities=capabilities)
        yield server, editor


def heard(editor: Editor, method: str, *replies: Any) -> list[Json]:
    """What the client is asked by a method, which it answers with these, one after another."""
    asked: list[Json] = []
    left = list(replies)

    def reply(params: Json) -> Any:
        asked.append(params)
        return left.pop(0)

    editor.answers[method] = reply
    return asked


async def test_a_client_with_our_requests_sees_exactly_what_would_happen() -> None:
    async with client(THIN) as (server, editor):
        asked = heard(editor, "qwen/approve", {"answer": "once"}, {"answer": "request"}, {"answer": "no"})
        assert [await leave(server, "r1", ASK) for _ in range(3)] == ["once", "request", "no"]
        assert asked[0] == {
            "run": "r1", "title": "Run a command?", "detail": "make test -- 'a b'", "kind": "command",
            "lines": [
                {"style": "question", "text": "? Run a command?"},
                {"style": "output", "text": "  make test -- 'a b'"},
            ],
            "choices": [
                {"key": "y", "text": "Allow once", "answer": "once"},
                {"key": "a", "text": "Allow for this run", "answer": "request"},
                {"key": "n", "text": "Refuse", "answer": "no"},
            ],
            "free": False,
        }  # fmt: skip


async def test_an_edit_that_the_client_does_not_preview_comes_with_its_diff(tmp_path: Path) -> None:
    async with scene(tmp_path, {**NEOVIM, "experimental": THIN["experimental"]}) as at:
        asked = heard(at.editor, "qwen/approve", {"answer": "once"})
        at.script()
        result = await at.edit()
        assert (asked[0]["kind"], asked[0]["diff"]) == ("edit", result["diff"])
        assert "+def before_tax" in result["diff"]
        assert result["applied"]


@pytest.mark.parametrize("reply", [None, {}, {"answer": "yes"}, {"answer": True}, [], "once"])
async def test_an_answer_that_is_none_of_ours_is_no(reply: object) -> None:
    async with client(THIN) as (server, editor):
        heard(editor, "qwen/approve", reply)
        assert await leave(server, "r1", ASK) == "no"


async def test_other_clients_show_a_message_with_three_buttons() -> None:
    async with client(VSCODE) as (server, editor):
        asked = heard(
            editor,
            "window/showMessageRequest",
            {"title": "Allow once"},
            {"title": "Allow for this run"},
            {"title": "Refuse"},
            None,
            {"title": "Something else"},
        )
        said = [await leave(server, "r1", ASK) for _ in range(5)]
        assert said == ["once", "request", "no", "no", "no"]
        assert asked[0]["message"] == "Run a command?\nmake test -- 'a b'"
        titles = [action["title"] for action in asked[0]["actions"]]
        assert titles == ["Allow once", "Allow for this run", "Refuse"]


async def test_where_nobody_can_be_asked_it_is_no() -> None:
    async with client(EGLOT) as (server, editor):
        before = len(editor.messages)
        assert await leave(server, "r1", ASK) == "no"
        assert not can_ask(server)
        assert await answer(server, "r1", QUESTION) == ""
        assert len(editor.messages) == before


async def test_an_error_of_the_client_is_no() -> None:
    async with client(THIN) as (server, editor):
        asking = asyncio.ensure_future(leave(server, "r1", ASK))
        asked = await editor.until(lambda m: m.get("method") == "qwen/approve")
        error = {"code": -32601, "message": "unknown"}
        editor.post({"jsonrpc": "2.0", "id": asked["id"], "error": error})
        async with asyncio.timeout(TIME):
            assert await asking == "no"


async def test_a_question_with_options_is_put_to_either_kind_of_client() -> None:
    async with client(THIN) as (server, editor):
        asked = heard(editor, "qwen/ask", {"answer": "a third one"}, {"answer": 3})
        assert can_ask(server)
        assert await answer(server, "r1", QUESTION) == "a third one"
        assert await answer(server, "r1", OPEN) == ""
        choices = [
            {"key": "1", "text": "sqlite", "answer": "sqlite"},
            {"key": "2", "text": "postgres", "answer": "postgres"},
        ]
        assert [(one["title"], one["choices"], one["free"]) for one in asked] == [
            ("Which database?", choices, True),
            ("What shall it be called?", [], True),
        ]
        shown = [line["text"] for line in asked[0]["lines"]]
        assert shown == ["? Which database?", "  1: sqlite", "  2: postgres"]
    async with client(VSCODE) as (server, editor):
        asked = heard(editor, "window/showMessageRequest", {"title": "postgres"})
        assert await answer(server, "r1", QUESTION) == "postgres"
        assert await answer(server, "r1", OPEN) == "", "a message has no room for words"
        assert [action["title"] for action in asked[0]["actions"]] == ["sqlite", "postgres"]


@pytest.mark.parametrize(
    ("capabilities", "method"), [(THIN, "qwen/approve"), (VSCODE, "window/showMessageRequest")]
)
async def test_whoever_stops_waiting_takes_the_question_back(capabilities: Json, method: str) -> None:
    async with client(capabilities) as (server, editor):
        asking = asyncio.ensure_future(leave(server, "r1", ASK))
        asked = await editor.until(lambda m: m.get("method") == method)
        asking.cancel()
        back = await editor.notified("$/cancelRequest")
        assert back == {"id": asked["id"]}
        # An answer that comes all the same is nobody's.
        editor.post({"jsonrpc": "2.0", "id": asked["id"], "result": {"answer": "once"}})
        assert (await editor.command("qwen.status"))["version"]
        assert asking.cancelled()


# -- in a run ------------------------------------------------------------------------------------------

TOUCHY: tuple[str, Json] = ("write_file", {"file_path": "AGENTS.md", "content": "Be kind.\n"})


@pytest.mark.parametrize(("said", "lands"), [("once", True), ("no", False)])
async def test_a_path_that_is_touchy_is_changed_only_on_a_yes(tmp_path: Path, said: str, lands: bool) -> None:
    async with scene(tmp_path, THIN) as at:
        asked = heard(at.editor, "qwen/approve", {"answer": said})
        at.script(TOUCHY)
        result = await at.edit(stream=1)
        (question,) = asked
        assert (question["run"], question["kind"], question["detail"]) == (result["run"], "path", "AGENTS.md")
        assert [file["path"] for file in result["files"]] == (["AGENTS.md"] if lands else [])
        told = [m["params"]["event"] for m in at.editor.messages if m.get("method") == "qwen/agentEvent"]
        shown = [event["answer"] for event in told if event["event"] == "asked"]
        assert shown == ["", said]
        observed = next(event for event in told if event["event"] == "observed")
        assert observed["ok"] is lands


async def test_where_nobody_can_be_asked_the_model_is_told(tmp_path: Path) -> None:
    async with scene(tmp_path, EGLOT) as at:
        at.script(TOUCHY)
        result = await at.edit()
        assert result["files"] == []
        assert "not allow" in at.model.requests[1].prompt


async def test_the_models_question_reaches_the_person_and_the_answer_the_model(tmp_path: Path) -> None:
    async with scene(tmp_path, THIN) as at:
        asked = heard(at.editor, "qwen/ask", {"answer": "The one with the heron."})
        at.script(("ask_user", {"question": "Which picture?", "options": ["boat", "heron"]}))
        result = await at.edit()
        assert [(one["run"], one["title"]) for one in asked] == [(result["run"], "Which picture?")]
        assert [choice["answer"] for choice in asked[0]["choices"]] == ["boat", "heron"]
        assert "The one with the heron." in at.model.requests[1].prompt


async def test_stopping_a_run_takes_its_question_back(tmp_path: Path) -> None:
    async with scene(tmp_path, THIN) as at:
        at.model.reply(tool_calls=[TOUCHY])
        _, reply = at.begin()
        asked = await at.editor.until(lambda m: m.get("method") == "qwen/approve")
        await at.editor.command("qwen.stopEdit")
        result = await result_of(reply)
        assert await at.editor.notified("$/cancelRequest") == {"id": asked["id"]}
        assert (result["ended"], result["diff"]) == ("cancelled", "")
