"""What is offered next: computed, or written by a model; what is sent, and which answers are used."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import aclosing

import pytest

from qwen_lsp.features.next_edit import change
from qwen_lsp.features.next_edit.change import NextEdit
from qwen_lsp.features.next_edit.offer import changes, inline, next_edit, title
from qwen_lsp.features.next_edit.places import next_places
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import connect
from qwen_lsp.model.tokens import count
from qwen_lsp.settings import CompletionSettings, EndpointSettings
from qwen_lsp.text.positions import LineIndex, Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.features.next_edit.editing import edited
from tests.support.endpoint import Reply, ScriptedEndpoint
from tests.support.fixture import workspace

AREA = """
#- shapes/area.py
def area(width, height):
    return width * height
#- shapes/plan.py
from shapes.area import area


def plan(rooms):
    total = 0
    for room in rooms:
        total += area(room.width, room.height)
    return total
"""
ADDED = ("shapes/area.py", "(width, height)", "(width, height, unit)")
PLAN = RelPath("shapes/plan.py")
ON = CompletionSettings(next_edit=True)
GOOD = "```python\n        total += area(room.width, room.height, room.unit)\n```"
KEY = "AKIA" + "Q3EGRIZ5ZPLM7TWV"


async def asked(
    text: str,
    steps: Sequence[tuple[str, str, str]],
    *replies: str | Reply,
    settings: CompletionSettings = ON,
    gate: Gate | None = None,
) -> tuple[NextEdit | None, ScriptedEndpoint, list[str], Snapshot]:
    place = workspace(text)
    snapshot, edits = edited(place.snapshot, *steps)
    problems: list[str] = []
    async with ScriptedEndpoint() as server:
        server.script(Reply(reply) if isinstance(reply, str) else reply for reply in replies)
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model, max_retries=0))
        assert endpoint is not None
        async with aclosing(endpoint):
            found = await next_edit(
                snapshot,
                edits,
                endpoint=endpoint,
                gate=gate or Gate(place.root),
                settings=settings,
                count=count,
                failed=problems.append,
            )
    return found, server, problems, snapshot


# --- computed


async def test_a_rename_is_followed_without_a_request() -> None:
    text = "#- a.py\ndef area(w):\n    return w\n\n\nprint(area(1), area(2))\n"
    found, server, _, snapshot = await asked(text, [("a.py", "area", "surface")])
    assert found is not None
    assert found.mechanical
    assert title(found, RelPath("a.py")) == (
        "Next edit, line 5: still says `area`, which is called `surface` now"
    )
    change_set = changes(snapshot, found)
    assert (change_set.edits[0].after or "").endswith("print(surface(1), surface(2))\n")
    assert "computed" in change_set.description
    assert server.requests == []


async def test_it_is_off_unless_it_was_switched_on() -> None:
    text = "#- a.py\ndef area(w):\n    return w\n\n\nprint(area(1))\n"
    assert not CompletionSettings().next_edit
    found, *_ = await asked(text, [("a.py", "area", "surface")], settings=CompletionSettings())
    assert found is None


async def test_without_an_endpoint_only_what_is_computed_is_offered() -> None:
    snapshot, edits = edited(workspace(AREA).snapshot, ADDED)
    assert await next_edit(snapshot, edits, endpoint=None, gate=Gate(None), settings=ON, count=count) is None
    assert await next_edit(snapshot, (), endpoint=None, gate=Gate(None), settings=ON, count=count) is None


# --- written


async def test_a_call_is_written_anew_by_the_model() -> None:
    found, server, problems, snapshot = await asked(AREA, [ADDED], GOOD)
    assert found is not None
    assert not found.mechanical
    assert problems == []
    assert title(found, RelPath("shapes/area.py")).startswith(
        "Next edit, shapes/plan.py:7: still calls `area`"
    )
    (edit,) = changes(snapshot, found).edits
    assert edit.path == PLAN
    assert "        total += area(room.width, room.height, room.unit)\n    return total\n" in (
        edit.after or ""
    )
    (request,) = server.requests
    assert request.json["temperature"] == 0.0
    for sent in (
        "-def area(width, height):",
        "+def area(width, height, unit):",
        "Line 7 of `shapes/plan.py` may have to follow it",
        "for room in rooms:",
        "`shapes/area.py` has:",
    ):
        assert sent in request.prompt


async def test_indentation_left_out_by_the_model_is_put_back() -> None:
    found, *_ = await asked(AREA, [ADDED], "```\ntotal += area(room.width, room.height, 1)\n```")
    assert found is not None
    assert found.text == "        total += area(room.width, room.height, 1)"


@pytest.mark.parametrize(
    "reply",
    [
        "I would rather not.",
        "total += area(room.width, room.height, room.unit)",
        "",
        "```python\n```",
        "```python\n        total += area(room.width, room.height, room.unit)\n",
        "```python\n        total += area(room.width, room.height\n```",
        "```python\n        total += area(room.width, room.height)\n```",
        "```python\n        total += area(room.width)\n```",
        "```python\n        # ... rest of the code\n        total += area(1, 2, 3)\n```",
        "```python\n    for room in rooms:\n        total += area(room.width, room.height, room.unit)\n```",
        "```python\n        total += area(room.width, room.height, 1)\n    return total\n```",
        "```python\n        total += area(1, 2, 3)\n```\n```imports\nimport units\n```",
        "```python\n" + "        total += area(1, 2, 3)\n" * 9 + "```",
    ],
    ids=[
        "refusal", "no fence", "nothing", "empty fence", "open fence", "broken", "no change", "wrong change",
        "omission", "line above", "line below", "imports", "much more",
    ],
)  # fmt: skip
async def test_what_cannot_be_used_is_not_offered(reply: str) -> None:
    found, server, problems, _ = await asked(AREA, [ADDED], reply)
    assert found is None
    assert problems == []
    assert len(server.requests) == 1, "nobody asks again for something that was not asked for"


async def test_an_answer_that_was_cut_is_not_offered() -> None:
    found, *_ = await asked(AREA, [ADDED], Reply(GOOD, finish_reason="length"))
    assert found is None


@pytest.mark.parametrize(
    "reply",
    [
        Reply(status=500),
        Reply(body=b"<html>a proxy</html>"),
        Reply(GOOD, reset_after=40),
        Reply(status=429, headers={"Retry-After": "30"}),
    ],
    ids=["500", "html", "reset", "429"],
)
async def test_a_failing_endpoint_is_told_and_nothing_is_offered(reply: Reply) -> None:
    found, _, problems, _ = await asked(AREA, [ADDED], reply)
    assert found is None
    assert len(problems) == 1


async def test_an_answer_that_does_not_come_is_not_waited_for() -> None:
    place = workspace(AREA)
    snapshot, edits = edited(place.snapshot, ADDED)
    (spot,) = next_places(snapshot, edits)
    async with ScriptedEndpoint() as server:
        server.reply(hang="headers")
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
        assert endpoint is not None
        async with aclosing(endpoint):
            found = await change.written(
                snapshot, edits[0], spot, endpoint=endpoint, gate=Gate(None), settings=ON, count=count,
                seconds=0.05,
            )  # fmt: skip
        await server.wait_early_closes()
    assert found is None


async def test_cancelling_closes_the_connection() -> None:
    place = workspace(AREA)
    snapshot, edits = edited(place.snapshot, ADDED)
    async with ScriptedEndpoint() as server:
        server.reply(GOOD, hang_after=1)
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
        assert endpoint is not None
        async with aclosing(endpoint):
            task = asyncio.create_task(
                next_edit(snapshot, edits, endpoint=endpoint, gate=Gate(None), settings=ON, count=count)
            )
            await server.wait_requests()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            await server.wait_early_closes()


# --- what may be sent


async def test_a_secret_beside_the_lines_is_not_sent() -> None:
    text = AREA.replace("    total = 0\n", f'    total, key = 0, "{KEY}"\n')
    found, server, *_ = await asked(text, [ADDED], GOOD)
    assert found is not None
    assert KEY not in server.requests[0].prompt
    assert "<redacted" in server.requests[0].prompt


async def test_a_secret_in_the_edit_is_not_sent() -> None:
    added = ("shapes/area.py", "(width, height):", f'(width, height, unit):  # "{KEY}"')
    _, server, *_ = await asked(AREA, [added], GOOD)
    assert KEY not in server.requests[0].prompt


async def test_lines_that_hold_a_secret_are_not_asked_about() -> None:
    text = AREA.replace("room.height)", f'room.height)  # "{KEY}"')
    found, server, *_ = await asked(text, [ADDED])
    assert (found, server.requests) == (None, [])


@pytest.mark.parametrize("withheld", ["shapes/area.py", "shapes/plan.py"])
async def test_a_file_that_may_not_be_shown_is_not_asked_about(withheld: str) -> None:
    found, server, *_ = await asked(AREA, [ADDED], gate=Gate(None, globs=[withheld]))
    assert (found, server.requests) == (None, [])


async def test_a_prompt_larger_than_the_setting_shows_less_and_then_is_not_made() -> None:
    long = AREA.replace("    total = 0\n", "".join(f"    name_{n} = {n} * {n}\n" for n in range(60)))
    long = long.replace("total += area", "result = area")
    _, server, *_ = await asked(long, [ADDED], GOOD)
    size = count(server.requests[0].prompt)
    assert "name_50" in server.requests[0].prompt
    small = CompletionSettings(next_edit=True, budget_tokens=size - 20)
    _, server, *_ = await asked(long, [ADDED], GOOD, settings=small)
    assert "name_59" in server.requests[0].prompt
    assert "name_50" not in server.requests[0].prompt
    long = long.replace("room.width", " + ".join(f"room.width_{n}" for n in range(80)))
    found, server, *_ = await asked(
        long, [ADDED], settings=CompletionSettings(next_edit=True, budget_tokens=256)
    )
    assert (found, server.requests) == (None, [])


# --- the forms it is shown in


def test_an_inline_completion_covers_what_it_replaces_and_the_cursor() -> None:
    text = "a\n    print(area(1))\n"
    edit = NextEdit(RelPath("a.py"), Span(12, 16), "surface", 1, "", mechanical=True)
    index = LineIndex(text)
    assert inline(edit, index, 12) == (Span(12, 16), "surface")
    assert inline(edit, index, 6) == (Span(6, 16), "print(surface")
    assert inline(edit, index, 19) == (Span(12, 19), "surface(1)")
    assert inline(edit, index, 0) is None, "the cursor is on another line"


def test_an_edit_of_several_lines_is_no_inline_completion() -> None:
    edit = NextEdit(RelPath("a.py"), Span(0, 5), "x", 0, "", mechanical=False)
    assert inline(edit, LineIndex("ab\ncd\n"), 1) is None
