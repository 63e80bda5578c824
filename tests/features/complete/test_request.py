"""A completion from place to reply, against a scripted model server over loopback HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.request import Completion, complete
from qwen_lsp.features.complete.state import Completions
from qwen_lsp.model import tokens
from qwen_lsp.model.endpoint import Endpoint, connect
from qwen_lsp.predict.predictor import Predictor
from qwen_lsp.settings import CompletionSettings, EndpointSettings
from qwen_lsp.workspace.secrets import Gate
from tests.support.endpoint import ScriptedEndpoint
from tests.support.fixture import Workspace, workspace

SHAPES = """
#- shapes.py
class Circle:
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
        return 3 * self.radius**2
#- use.py
from shapes import Circle


def total(circles: list[Circle]) -> float:
    return sum(<CURSOR>)
"""


@dataclass
class Editor:
    """One person at one place, with a server behind."""

    server: ScriptedEndpoint
    endpoint: Endpoint | None
    state: Completions = field(default_factory=Completions)
    predictor: Predictor | None = None
    problems: list[str] = field(default_factory=list[str])

    async def complete(
        self, made: Workspace, *, invoked: bool = True, gate: Gate | None = None, **settings: Any
    ) -> Completion | None:
        means = Means(
            self.endpoint, self.predictor, gate or Gate(None), CompletionSettings(**settings), tokens.count,
            failed=self.problems.append,
        )  # fmt: skip
        return await complete(made.snapshot, made.path, made.offset, means, self.state, invoked=invoked)


@pytest.fixture
async def editor() -> AsyncIterator[Editor]:
    async with ScriptedEndpoint(kind="vllm") as server:
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model, kind="vllm"))
        assert endpoint is not None
        yield Editor(server, endpoint)
        await endpoint.aclose()


async def test_the_prompt_holds_what_the_code_needs_from_other_files(editor: Editor) -> None:
    editor.server.reply(text="circle.area() for circle in circles)")

    found = await editor.complete(workspace(SHAPES))

    assert found is not None
    assert (found.text, found.source) == ("circle.area() for circle in circles", "model")
    sent = editor.server.requests[-1].prompt
    assert "def area(self) -> float:" in sent
    assert sent.index("shapes.py") < sent.index("<|fim_prefix|>")
    assert "return sum(<|fim_suffix|>)" in sent


async def test_a_known_answer_costs_no_request(editor: Editor) -> None:
    editor.server.reply(text="circle.area() for circle in circles)")
    await editor.complete(workspace(SHAPES))
    asked = len(editor.server.requests)

    found = await editor.complete(workspace(SHAPES.replace("<CURSOR>", "circle<CURSOR>")), invoked=False)

    assert found is not None
    assert (found.text, found.source) == (".area() for circle in circles", "cache")
    assert len(editor.server.requests) == asked


async def test_the_model_is_stopped_where_enough_is_said(editor: Editor) -> None:
    editor.server.reply(chunks=["1\n", "2\n", "3\n"], hang_after=2)

    found = await editor.complete(workspace("#- a.py\nx = f(<CURSOR>, 1)\n"))

    assert found is not None
    assert found.text == "1"
    await editor.server.wait_early_closes()


async def test_typing_on_cancels_the_request_in_flight(editor: Editor) -> None:
    editor.server.reply(text="never", hang="headers")
    editor.server.reply(text="(1)")
    older = asyncio.create_task(editor.complete(workspace("#- a.py\nx = foo<CURSOR>\n")))
    await editor.server.wait_requests(1)

    newer = await editor.complete(workspace("#- a.py\nx = foobar<CURSOR>\n"))

    assert newer is not None
    assert newer.text == "(1)"
    assert await older is None
    await editor.server.wait_early_closes()


async def test_cancelling_closes_the_socket(editor: Editor) -> None:
    editor.server.reply(text="never", hang_after=1)
    task = asyncio.create_task(editor.complete(workspace("#- a.py\nx = <CURSOR>\n")))
    await editor.server.wait_requests(1)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await editor.server.wait_early_closes()


async def test_a_failing_endpoint_is_answered_around(editor: Editor) -> None:
    editor.server.reply(status=500)
    editor.predictor = Predictor()
    text = "".join(f"def f{n}(self, request):\n    return self.render(request)\n\n\n" for n in range(30))
    editor.predictor.learn("b.py", text)
    made = workspace(f"#- a.py\n{text}def g(self, request):\n    return self.render(<CURSOR>\n")
    editor.predictor.learn("a.py", text)

    found = await editor.complete(made)

    assert found is not None
    assert (found.text, found.source) == ("request)", "embedded")
    assert found.problem


async def test_a_silent_endpoint_is_answered_around(editor: Editor) -> None:
    editor.server.reply(text="too late", hang="headers")
    settings = EndpointSettings(base_url=editor.server.base_url, model="m", kind="vllm")
    editor.endpoint = connect(settings, first_token_timeout=0.05)
    assert await editor.complete(workspace("#- a.py\nx = <CURSOR>\n")) is None
    await editor.server.wait_early_closes()
    assert len(editor.problems) == 1
    assert editor.problems[0].endswith("gave no text within 0.05 s")
    assert editor.endpoint is not None
    await editor.endpoint.aclose()


async def test_inside_a_word_nothing_fits(editor: Editor) -> None:
    assert await editor.complete(workspace("#- a.py\nx = val<CURSOR>ue\n")) is None
    assert editor.server.requests == []


@pytest.mark.parametrize("text", ["<CURSOR>", "<CURSOR>x = 1\n", "x = 1\n<CURSOR>", "\r\n<CURSOR>\r\n"])
async def test_the_edges_of_a_file(editor: Editor, text: str) -> None:
    editor.server.reply(text="y = 2\n")
    found = await editor.complete(workspace(f"#- a.py\n{text}"))
    assert found is not None
    assert found.text == "y = 2"


async def test_a_secret_file_gets_no_completion_from_a_model(editor: Editor) -> None:
    assert await editor.complete(workspace("#- .env\nTOKEN=<CURSOR>\n")) is None
    assert editor.server.requests == []


async def test_a_secret_near_the_cursor_does_not_leave(editor: Editor) -> None:
    key = "AKIA" + "Q3EGRIWDF5TJ7XYZ"
    editor.server.reply(text="client(KEY)")

    await editor.complete(workspace(f'#- a.py\nKEY = "{key}"\nuse = <CURSOR>\n'))

    assert key not in editor.server.requests[-1].prompt


@pytest.mark.parametrize(
    ("settings", "invoked", "asked"),
    [
        ({}, False, 1),
        ({"enabled": False}, True, 0),
        ({"trigger": "manual"}, False, 0),
        ({"trigger": "manual"}, True, 1),
        ({"disabled_languages": ("python",)}, True, 0),
        ({"disabled_globs": ("*.py",)}, True, 0),
    ],
)
async def test_settings_decide_whether_to_speak(
    editor: Editor, settings: dict[str, Any], invoked: bool, asked: int
) -> None:
    for _ in range(asked):
        editor.server.reply(text="1")
    await editor.complete(workspace("#- a.py\nx = <CURSOR>\n"), invoked=invoked, **settings)
    assert len(editor.server.requests) == asked


@pytest.mark.parametrize("budget", [256, 700, 2_048])
async def test_the_prompt_never_exceeds_its_budget(editor: Editor, budget: int) -> None:
    body = "".join(f"    value_{n} = compute(value_{n - 1}, {n})\n" for n in range(1, 400))
    others = "".join(
        f"#- m{n}.py\ndef compute(a, b):\n    return a\nclass C{n}:\n    def m(self): ...\n"
        for n in range(20)
    )
    editor.server.reply(text="1")

    await editor.complete(
        workspace(f"{others}#- a.py\ndef f(value_0):\n{body}    x = <CURSOR>\n{body}"), budget_tokens=budget
    )

    sent = editor.server.requests[-1].prompt
    assert budget // 2 < tokens.count(sent, allow_special=True) <= budget
