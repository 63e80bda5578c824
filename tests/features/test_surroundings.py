"""Large prompts of the features: each extends the last one byte for byte, and none exceeds its budget."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field, replace

import pytest

from qwen_lsp.context.epoch import Held
from qwen_lsp.context.prefix import Epoch
from qwen_lsp.errors import EditRejected
from qwen_lsp.features.actions import edit_selection
from qwen_lsp.features.agent.approval import Approval
from qwen_lsp.features.agent.course import Means
from qwen_lsp.features.agent.opening import Request
from qwen_lsp.features.agent.task import run
from qwen_lsp.features.explain import explain
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint, connect
from qwen_lsp.model.tokens import count
from qwen_lsp.settings import ActionSettings, AgentSettings, EndpointSettings, ExplainSettings
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.endpoint import Recorded, ScriptedEndpoint
from tests.support.fixture import workspace

BUDGET = 34_000


def module(name: str) -> str:
    return "".join(f"def {name}{i}(value):\n    return {name}{i - 1}(value) + {i}\n\n" for i in range(1, 25))


FILES = "".join(f"#- app/{name}.py\nimport app.a\n{module(name)}" for name in "abcdefghij")
A, B = RelPath("app/a.py"), RelPath("app/b.py")


@dataclass
class Work:
    """A workspace in which something is asked, edited and asked again."""

    server: ScriptedEndpoint
    endpoint: Endpoint
    budget: int = BUDGET
    epoch: Epoch | None = None
    kept: list[Epoch] = field(default_factory=list[Epoch])

    def __post_init__(self) -> None:
        self.snapshot = workspace(FILES).snapshot

    def edit(self, path: RelPath, old: str, new: str) -> None:
        self.snapshot = self.snapshot.edited(path, self.snapshot.text(path).replace(old, new))

    @property
    def held(self) -> Held:
        return Held(self.kept[-1] if self.kept else None, "main", self.kept.append)

    async def ask(self, feature: str, path: RelPath = A) -> Recorded:
        """The request with which a feature asks about a file."""
        self.server.reply("Not code.")
        place = Span(self.snapshot.text(path).index("def"), self.snapshot.text(path).index("def"))
        if feature == "explain":
            pieces = explain(
                self.snapshot, path, endpoint=self.endpoint, gate=Gate(None), count=count, held=self.held,
                settings=ExplainSettings(budget_tokens=self.budget),
            )  # fmt: skip
            async with aclosing(pieces):
                assert [piece async for piece in pieces]
        elif feature == "action":
            self.server.reply("Not code either.")
            asked = len(self.server.requests)
            with pytest.raises(EditRejected):
                await edit_selection(
                    self.snapshot, path, place, "Do it.", endpoint=self.endpoint, gate=Gate(None),
                    count=count, settings=ActionSettings(budget_tokens=self.budget), held=self.held,
                )  # fmt: skip
            return self.server.requests[asked]
        else:
            settings = AgentSettings(budget_tokens=self.budget)
            means = Means(self.endpoint, Gate(None), settings, count, 500, Approval("plan"))
            await run(self.snapshot, Request("Do it.", [path]), means, held=self.held)
        return self.server.requests[-1]


@pytest.fixture
async def work() -> AsyncIterator[Work]:
    async with ScriptedEndpoint() as server:
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
        assert endpoint is not None
        yield Work(server, endpoint)
        await endpoint.aclose()


@pytest.mark.parametrize("feature", ["explain", "action", "agent"])
async def test_each_prompt_extends_the_last_one_and_none_exceeds_its_budget(feature: str, work: Work) -> None:
    prompts = [(await work.ask(feature)).prompt]
    for number in range(6):
        path = (A, A, B, A, B, B)[number]
        work.edit(path, f"+ {number + 3}\n", f"+ {number + 300}\n")
        prompts.append((await work.ask(feature, path)).prompt)
        epoch = work.kept[-1]
        assert f"+ {number + 300}\n" in prompts[-1]
        assert epoch.frozen_text + epoch.tail_text in prompts[-1]
    assert len({epoch.digest() for epoch in work.kept}) == 1
    for before, after, epoch in zip(prompts, prompts[1:], work.kept, strict=False):
        stable = before.index(epoch.frozen_text) + len(epoch.frozen_text) + len(epoch.tail_text)
        assert len(epoch.frozen_text) > 9_000
        assert after.startswith(before[:stable])
    if feature != "agent":  # what is sent of the tools is not counted as context
        assert all(count(prompt) <= work.budget for prompt in prompts)


async def test_the_file_in_question_is_the_last_that_is_said_under_its_name(work: Work) -> None:
    await work.ask("explain", B)
    work.edit(A, "+ 7\n", "+ 77\n")
    sent = (await work.ask("explain", A)).prompt
    assert sent.rindex("+ 77\n") > sent.rindex("## app/")
    assert "this is its text now, should there be another one above" in sent


async def test_a_small_prompt_is_made_by_relevance_as_ever(work: Work) -> None:
    work.budget = 16_000
    await work.ask("explain")
    await work.ask("action")
    await work.ask("agent")
    assert work.kept == []


async def test_no_epoch_is_touched_while_the_workspace_is_being_indexed(work: Work) -> None:
    await work.ask("explain")
    (epoch,) = work.kept
    whole = work.snapshot
    work.snapshot = replace(Snapshot(whole.root, whole.service), buffers={A: whole.buffers[A]})
    await work.ask("explain")
    assert work.kept == [epoch]
    work.snapshot = whole
    await work.ask("explain")
    assert work.kept[-1].tail == ()
    assert work.kept[-1].frozen == epoch.frozen


async def test_a_file_too_large_for_an_epoch_is_shown_whole_instead(work: Work) -> None:
    work.edit(A, "import app.a\n", "".join(f"print('{i} is a number')\n" for i in range(2_000)))
    sent = (await work.ask("explain")).prompt
    assert "(whole)" in sent
    assert work.kept == []


async def test_a_prompt_that_the_endpoint_finds_too_long_begins_no_epoch(work: Work) -> None:
    too_long = b'{"error": {"message": "This model\'s maximum context length is 20000 tokens.", "code": '
    too_long += b'"context_length_exceeded", "type": "invalid_request_error"}}'
    work.server.reply(status=400, body=too_long)
    await work.ask("explain")
    assert len(work.server.requests) == 2
    assert len(work.kept) == 1
    assert count(work.server.requests[1].prompt) < 20_000


async def test_marks_stand_where_the_stable_parts_end() -> None:
    async with ScriptedEndpoint("dashscope", models=("qwen3-coder-plus",), window=1_000_000) as server:
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model, kind="dashscope"))
        assert endpoint is not None
        async with aclosing(endpoint):
            work = Work(server, endpoint)
            await work.ask("explain", B)
            work.edit(A, "+ 7\n", "+ 77\n")
            work.edit(RelPath("app/c.py"), "+ 7\n", "+ 77\n")
            sent = await work.ask("explain", B)
    blocks = sent.json["messages"][1]["content"]
    marked = ["cache_control" in block for block in blocks]
    # The frozen part, two changed files of which the last is marked, the rest.
    assert marked == [True, False, True, False]
    assert blocks[0]["text"].endswith(work.kept[-1].frozen_text)
    assert [block["text"] for block in blocks[1:3]] == [entry.text for entry in work.kept[-1].tail]
