"""Explaining: what is asked of the model, what is shown of its answer, and the page without one."""

from __future__ import annotations

from contextlib import aclosing

from qwen_lsp.features.explain import embedded_explanation, explain
from qwen_lsp.model.endpoint import connect
from qwen_lsp.model.tokens import count
from qwen_lsp.settings import EndpointSettings, ExplainSettings
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.endpoint import ScriptedEndpoint
from tests.support.fixture import Workspace, workspace

PROJECT = """
#- shop/__init__.py
#- shop/money.py
\"\"\"Money, in cents.

More about it.
\"\"\"
RATE = 2

def round_up(cents):
    \"\"\"Round to whole units. And more.\"\"\"
    return cents
#- shop/order.py
'''Orders and their totals.'''
import os
from shop.money import round_up

class Order:
    '''A customer's order.'''

    def total(self, items):
        <START>return round_up(sum(items))
        <END>
#- shop/views.py
from shop.order import Order
def view(request):
    return Order().total(request.items)
#- tests/test_order.py
from shop.order import Order
def test_total():
    assert Order().total([1]) == 1
#- .env
TOKEN=8f1c9a7be1d24f6f9a0d
"""
ORDER = RelPath("shop/order.py")


async def explained(
    place: Workspace,
    server: ScriptedEndpoint,
    path: RelPath = ORDER,
    selection: Span | None = None,
    settings: ExplainSettings | None = None,
) -> str:
    endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
    assert endpoint is not None
    pieces = explain(
        place.snapshot,
        path,
        selection,
        endpoint=endpoint,
        gate=Gate(place.root),
        settings=settings or ExplainSettings(),
        count=count,
    )
    async with aclosing(endpoint), aclosing(pieces):
        return "".join([piece async for piece in pieces])


async def test_the_file_and_what_matters_around_it_go_before_the_question() -> None:
    async with ScriptedEndpoint() as server:
        server.reply("It **totals** orders.")
        assert await explained(workspace(PROJECT), server) == "It **totals** orders."
    sent = server.requests[0].prompt
    places = [
        sent.index("## shop/money.py"),
        sent.index("The file to explain is `shop/order.py` (whole)"),
        sent.index("Explain this file."),
    ]
    assert places == sorted(places)
    assert "def view(request)" in sent
    assert "8f1c9a7be1d24f6f9a0d" not in sent


async def test_a_selection_is_the_question() -> None:
    place = workspace(PROJECT)
    async with ScriptedEndpoint() as server:
        server.reply("ok")
        await explained(place, server, selection=place.selection)
    assert "Explain these lines (lines 9 to 10)" in server.requests[0].prompt.replace(
        "line 9", "lines 9 to 10"
    )


async def test_what_the_model_writes_is_made_safe_and_a_cut_reply_says_so() -> None:
    async with ScriptedEndpoint() as server:
        server.reply(
            "See ![x](http://evil.test) and [run](command:quit)", finish_reason="length", chunks=None
        )
        shown = await explained(workspace(PROJECT), server)
    assert "![" not in shown
    assert "command:" not in shown
    assert "explain.max_tokens" in shown


async def test_a_prompt_that_does_not_fit_is_made_smaller_once() -> None:
    too_long = b'{"error": {"message": "This model\'s maximum context length is 3000 tokens.", "code": '
    too_long += b'"context_length_exceeded", "type": "invalid_request_error"}}'
    async with ScriptedEndpoint() as server:
        server.reply(status=400, body=too_long)
        server.reply("smaller")
        assert await explained(workspace(PROJECT), server) == "smaller"
    first, second = (len(r.prompt) for r in server.requests)
    assert second <= first


async def test_the_prompt_keeps_to_the_budget() -> None:
    lines = "".join(f"def f{i}(x):\n    return x + {i}\n\n" for i in range(2_000))
    place = workspace(f"#- big.py\n{lines}#- other.py\nfrom big import f1\nf1(2)\n")
    for budget in (1_024, 4_000, 30_000):
        async with ScriptedEndpoint() as server:
            server.reply("ok")
            middle = place.texts[RelPath("big.py")].index("def f1000(")
            await explained(
                place,
                server,
                RelPath("big.py"),
                Span(middle, middle + 10),
                ExplainSettings(budget_tokens=budget),
            )
        sent = server.requests[0].prompt
        assert count(sent) <= budget
        assert "def f1000(x):\n    return x + 1000" in sent


async def test_a_withheld_file_is_never_sent() -> None:
    async with ScriptedEndpoint() as server:
        shown = await explained(workspace(PROJECT), server, RelPath(".env"))
    assert "not shown to a model" in shown
    assert server.requests == []


async def test_closing_the_iterator_closes_the_request() -> None:
    place = workspace(PROJECT)
    async with ScriptedEndpoint() as server:
        server.reply("one two three four", hang_after=2)
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
        assert endpoint is not None
        pieces = explain(
            place.snapshot,
            ORDER,
            endpoint=endpoint,
            gate=Gate(place.root),
            settings=ExplainSettings(),
            count=count,
        )
        async with aclosing(endpoint), aclosing(pieces):
            assert await anext(pieces)
            await pieces.aclose()
            await server.wait_early_closes(1)


def test_the_page_from_the_index_says_what_the_code_says() -> None:
    place = workspace(PROJECT)
    page = embedded_explanation(place.snapshot, ORDER, place.selection)
    for said in (
        "**Python**, 10 lines, 1 type, 1 function.",
        "> Orders and their totals.",
        "- `class Order` (line 5): A customer's order.",
        "  - `def total(self, items)` (line 8)",
        "- `shop/money.py`: `round_up`",
        "- from outside the workspace: `os`",
        "- `shop/views.py`: `Order`, `total`",
        "## Tests that touch it\n\n- `tests/test_order.py`: `Order`, `total`",
        "in `Order.total`",
        "- `round_up` is defined in `shop/money.py` at line 7",
        "without a model",
    ):
        assert said in page, said


def test_a_page_about_any_text() -> None:
    place = workspace("#- notes.txt\nhello\nworld\n")
    page = embedded_explanation(place.snapshot, RelPath("notes.txt"))
    assert page.startswith("# `notes.txt`\n\n**Text**, 2 lines.")


async def test_without_an_endpoint_the_page_is_the_explanation() -> None:
    place = workspace(PROJECT)
    pieces = explain(
        place.snapshot, ORDER, endpoint=None, gate=Gate(place.root), settings=ExplainSettings(), count=count
    )
    assert "".join([p async for p in pieces]) == embedded_explanation(place.snapshot, ORDER)
