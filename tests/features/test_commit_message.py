"""The message of a commit: in the repository's manner, without secrets, and always there."""

from __future__ import annotations

from contextlib import aclosing
from typing import Any

import pytest

from qwen_lsp.features.commit_message import commit_message, plain_message, tidy
from qwen_lsp.model.endpoint import connect
from qwen_lsp.model.tokens import count
from qwen_lsp.settings import EndpointSettings
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.secrets import Gate
from tests.support.endpoint import ScriptedEndpoint

EDITS = [FileEdit("shop/order.py", "total = 1\n", "total = 2\n")]
KEY = "sk-proj-" + "a1B2c3D4e5F6g7H8" * 3


async def written(server: ScriptedEndpoint, edits: list[FileEdit] = EDITS, **said: Any) -> tuple[str, bool]:
    endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
    assert endpoint is not None
    async with aclosing(endpoint):
        return await commit_message(edits, endpoint=endpoint, gate=Gate(None), count=count, **said)


async def test_the_model_is_shown_the_change_and_the_manner_of_the_repository() -> None:
    async with ScriptedEndpoint() as server:
        server.reply("shop: count every item\n\nOnly the first was counted.")
        message, by_model = await written(
            server, subjects=["shop: sell tea", "docs: say so"], task="Fix the total", summary="Done."
        )
    assert (message, by_model) == ("shop: count every item\n\nOnly the first was counted.", True)
    sent = server.requests[0].prompt
    places = [
        sent.index(text) for text in ("shop: sell tea\ndocs: say so", "Fix the total", "Done.", "+total = 2")
    ]
    assert places == sorted(places)


async def test_no_secret_is_sent_and_a_long_change_is_cut() -> None:
    edits = [
        FileEdit("config.py", None, f'KEY = "{KEY}"\n'),
        FileEdit(".env", None, "TOKEN=8f1c9a7be1d24f6f9a0d\n"),
        FileEdit("big.py", None, "".join(f"value_{n} = {n}\n" for n in range(5_000))),
        *EDITS,
    ]
    async with ScriptedEndpoint() as server:
        server.reply("Configure")
        await written(server, edits, task=f"use {KEY}")
    sent = server.requests[0].prompt
    assert KEY not in sent
    assert "8f1c9a7be1d24f6f9a0d" not in sent
    assert ".env: new, not shown" in sent
    assert "big.py: new, left out for length" in sent
    assert "+total = 2" in sent
    assert count(sent) < 8_000


@pytest.mark.parametrize(
    "reply",
    [
        {"text": "```\n```"},
        {"text": " \n"},
        {"text": "Half a mess", "finish_reason": "length"},
        {"status": 400},
    ],
    ids=["empty fence", "blank", "cut", "refused"],
)
async def test_where_the_model_says_nothing_fit_the_task_has_to_do(reply: dict[str, Any]) -> None:
    async with ScriptedEndpoint() as server:
        server.reply(**reply)
        assert await written(server, task="fix the total. Then rest") == ("Fix the total", False)


async def test_without_a_model_nothing_is_asked() -> None:
    made = await commit_message(EDITS, endpoint=None, gate=Gate(None), count=count, task="fix it")
    assert made == ("Fix it", False)


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        ("Fix it.", "Fix it"),
        ("```text\nFix it\n```", "Fix it"),
        ('"Fix it"', "Fix it"),
        ("Fix it\r\n\r\nBecause.\r\n", "Fix it\n\nBecause."),
        ("Fix it\nBecause.", "Fix it\n\nBecause."),
        ("Fix it\n\nCo-authored-by: X <x@y>\nGenerated with something\n", "Fix it"),
        ("\x1b[31mFix\x07 it", "[31mFix it"),
        ("# Fix it", "Fix it"),
        ("word " * 30, "word " * 13 + "word…"),
        ("x" * 200, "x" * 71 + "…"),
    ],
)
def test_a_reply_is_made_a_message(reply: str, message: str) -> None:
    assert tidy(reply) == message


def test_a_message_without_a_model() -> None:
    new, gone = FileEdit("a/b.py", None, "x"), FileEdit("c.py", "x", None)
    assert plain_message(EDITS, "", "All totals are right now. Bye.") == "All totals are right now"
    assert plain_message(EDITS, "") == "Change order.py"
    assert plain_message([new], "  \n") == "Add b.py"
    assert plain_message([gone, gone], "") == "Delete c.py and 1 more file"
    assert plain_message([gone, new, *EDITS], "") == "Change c.py and 2 more files"
