"""What was said or sent under other circumstances is not used: settings, documents, files."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator

import pytest

from qwen_lsp.features.complete import frame
from qwen_lsp.features.complete.frame import Frame, Wanted
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.request import Completion, complete
from qwen_lsp.model import tokens
from qwen_lsp.model.endpoint import connect
from qwen_lsp.settings import CompletionSettings, EndpointSettings
from qwen_lsp.workspace.secrets import Gate
from tests.features.complete.typist import TWO, Typist, typing
from tests.support.endpoint import ScriptedEndpoint
from tests.support.fixture import workspace


@pytest.fixture
async def typist() -> AsyncIterator[Typist]:
    async with ScriptedEndpoint(kind="vllm") as server, typing(server) as typist:
        yield typist


async def ask(typist: Typist, gate: Gate) -> Completion | None:
    means = Means(typist.endpoint, None, gate, typist.settings, tokens.count)
    made = typist.made
    return await complete(made.snapshot, made.path, typist.at, means, typist.state)


# -- settings ------------------------------------------------------------------------------------------


async def test_another_endpoint_is_asked_although_the_old_one_has_answered(typist: Typist) -> None:
    typist.server.reply(text="compute(a)")
    assert await typist.text_of() == "compute(a)"
    async with ScriptedEndpoint(kind="vllm", models=("other",)) as other:
        old = typist.endpoint
        new = connect(EndpointSettings(base_url=other.base_url, model="other", kind="vllm"))
        assert new is not None
        typist.endpoint = new
        other.reply(text="better(a)")
        assert await typist.text_of() == "better(a)"
        await new.aclose()
        typist.endpoint = old


async def test_a_longer_answer_is_asked_for_when_longer_ones_are_wanted(typist: Typist) -> None:
    typist.server.reply(text="compute(a)")
    typist.server.reply(text="compute(a, 1)")
    assert await typist.text_of() == "compute(a)"
    typist.settings = CompletionSettings(max_tokens=512)
    assert await typist.text_of() == "compute(a, 1)"


async def test_what_is_under_way_ends_with_the_settings_it_began_with(typist: Typist) -> None:
    typist.server.reply(text="never", hang="headers")
    older = typist.begin()
    await typist.server.wait_requests(1)
    typist.state.forget()
    assert await older is None
    assert typist.problems == []
    await typist.server.wait_early_closes(1)


async def test_a_secret_that_a_new_setting_names_leaves_no_more(typist: Typist) -> None:
    """Neither in what stands above the cursor nor in another file, both of which were sent before."""
    typist.made = workspace(TWO.replace("return r", "return r, 'hush'").replace("def f(a):", "hush = f\n\n"))
    typist.at = typist.made.offset
    typist.settings = CompletionSettings(ranking_ms=5_000)
    typist.server.reply(text="ute(a)")
    typist.server.reply(text="ute(b)")
    await ask(typist, Gate(None))
    assert typist.server.requests[-1].prompt.count("hush") == 2
    typist.type("z")
    await ask(typist, Gate(None, patterns=["hush"]))
    assert "compz" in typist.server.requests[-1].prompt
    assert "hush" not in typist.server.requests[-1].prompt


async def test_a_file_that_is_ignored_from_now_on_is_sent_no_more(typist: Typist) -> None:
    typist.made = workspace(TWO)
    typist.at = typist.made.offset
    typist.settings = CompletionSettings(ranking_ms=5_000)
    ignored: set[str] = set()
    gate = Gate(None, ignored=lambda path: path in ignored)
    typist.server.reply(text="ute(a)")
    typist.server.reply(text="ute(b)")
    await ask(typist, gate)
    assert "def compute" in typist.server.requests[-1].prompt
    ignored.add("shapes.py")
    typist.type("z")
    await ask(typist, gate)
    assert "def compute" not in typist.server.requests[-1].prompt


# -- documents -----------------------------------------------------------------------------------------


async def test_a_document_that_was_opened_anew_is_asked_about_anew(typist: Typist) -> None:
    """Its declarations may have changed out of sight of the last prompt."""
    typist.server.reply(text="compute(a)")
    typist.server.reply(text="other(a)")
    assert await typist.text_of() == "compute(a)"
    typist.state.closed(typist.made.path)
    assert await typist.text_of() == "other(a)"


async def test_a_closed_document_waits_for_nothing(typist: Typist) -> None:
    typist.server.reply(text="never", hang="headers")
    older = typist.begin()
    await typist.server.wait_requests(1)
    typist.state.closed(typist.made.path)
    assert await older is None
    await typist.server.wait_early_closes(1)


async def test_a_choice_made_for_the_request_before_is_not_sent_when_a_file_has_changed_since(
    typist: Typist, monkeypatch: pytest.MonkeyPatch
) -> None:
    typist.made = workspace(TWO)
    typist.at = typist.made.offset
    chosen, go = frame.choose, threading.Event()

    def slow(wanted: Wanted, before: Frame) -> Frame:
        found = chosen(wanted, before)
        go.wait(10)
        return found

    monkeypatch.setattr(frame, "choose", slow)
    typist.settings = CompletionSettings(ranking_ms=0)
    typist.server.reply(text="")
    assert await typist.ask() is None  # there was no time for it
    shapes = next(path for path in typist.made.texts if path == "shapes.py")
    at = typist.made.snapshot.text(shapes).index("r):") + 1
    typist.edit(at, at, ", unit", shapes)
    typist.server.reply(text="")
    typist.type("z")
    task = asyncio.create_task(typist.ask(invoked=True))
    await asyncio.sleep(0)
    go.set()
    await task
    assert "compute(r)" not in typist.server.requests[-1].prompt
