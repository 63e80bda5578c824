"""Code actions: what is offered where, what is asked, and which answers change the file."""

from __future__ import annotations

import json
from contextlib import aclosing

import pytest

from qwen_lsp.errors import ConflictError, EditRejected, EndpointMissing, FileUnreadable, UserError
from qwen_lsp.features.actions import ACTIONS, Diagnostic, Offer, edit_selection, offered, resolve
from qwen_lsp.model.endpoint import connect
from qwen_lsp.model.tokens import count
from qwen_lsp.settings import ActionSettings, EndpointSettings
from qwen_lsp.text.edits import ChangeSet
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.endpoint import ScriptedEndpoint
from tests.support.fixture import Workspace, workspace

CODE = """
#- shop/money.py
import sys


class Price:
    def times(self, factor):
        <CURSOR>return self.cents * factor

    def plus(self, other):
        pass
#- tests/test_other.py
def test_other():
    assert True
"""
MONEY = RelPath("shop/money.py")


def at(place: Workspace, text: str) -> Span:
    """The place of a text in the file with the mark."""
    start = place.texts[place.path].index(text)
    return Span(start, start)


def titles(place: Workspace, span: Span, *problems: Diagnostic, has_endpoint: bool = True) -> list[str]:
    return [o.title for o in offered(place.snapshot, place.path, span, problems, has_endpoint=has_endpoint)]


def offer(place: Workspace, action: str, span: Span, *problems: Diagnostic) -> Offer:
    found = offered(place.snapshot, place.path, span, problems, has_endpoint=True)
    return next(o for o in found if o.id.startswith(action))


async def resolved(place: Workspace, one: Offer, *replies: str) -> tuple[ChangeSet, ScriptedEndpoint]:
    async with ScriptedEndpoint() as server:
        for reply in replies:
            server.reply(reply)
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
        assert endpoint is not None
        async with aclosing(endpoint):
            change = await resolve(
                place.snapshot,
                one,
                endpoint=endpoint,
                gate=Gate(place.root),
                settings=ActionSettings(),
                count=count,
            )
    return change, server


async def refused(place: Workspace, one: Offer, *replies: str) -> str:
    with pytest.raises(EditRejected) as caught:
        await resolved(place, one, *replies)
    return str(caught.value)


# --- what is offered


def test_what_is_offered_in_a_method() -> None:
    place = workspace(CODE)
    assert titles(place, at(place, "return self")) == [
        "Document `times`",
        "Write tests for `times`",
        "Change by instruction…",
        "Explain this file",
    ]


def test_a_stub_can_be_implemented_and_is_not_tested() -> None:
    place = workspace(CODE)
    found = titles(place, at(place, "pass"))
    assert found[0] == "Implement `plus`"
    assert "Write tests for `plus`" not in found


def test_a_problem_can_be_fixed_where_it_is() -> None:
    place = workspace(CODE)
    problem = Diagnostic(at(place, "self.cents"), "no attribute\n`cents`", "pyright", "reportAttr")
    assert titles(place, at(place, "self.cents"), problem)[0] == "Fix: no attribute `cents`"
    assert not titles(place, at(place, "import"), problem)[0].startswith("Fix")


def test_a_test_file_and_plain_text_get_fewer() -> None:
    place = workspace("#- tests/test_a.py\ndef test_a():\n    <CURSOR>assert 1\n")
    assert titles(place, Span(place.offset, place.offset)) == ["Change by instruction…", "Explain this file"]
    notes = workspace("#- notes.txt\nhello\n")
    assert titles(notes, Span(0, 0)) == ["Explain this file"]
    assert titles(notes, Span(0, 3)) == ["Change by instruction…", "Explain the selection"]
    assert offered(notes.snapshot, RelPath("gone.txt"), Span(0, 0), has_endpoint=True) == []


def test_without_a_model_what_needs_one_shows_as_disabled() -> None:
    place = workspace(CODE)
    found = offered(place.snapshot, MONEY, at(place, "return self"), has_endpoint=False)
    assert {o.id.partition(":")[0] for o in found if not o.disabled} == {"explain"}
    assert all("OPENAI_BASE_URL" in o.disabled for o in found if o.disabled)


def test_offers_are_json_and_every_row_is_whole() -> None:
    place = workspace(CODE)
    for one in offered(place.snapshot, MONEY, at(place, "return self"), has_endpoint=True):
        assert json.loads(json.dumps(dict(one.data))) == dict(one.data)
    for row in ACTIONS:
        assert (row.job is None) == bool(row.command)
    assert len({row.id for row in ACTIONS}) == len(ACTIONS)


# --- what comes of it


async def test_a_method_is_documented_in_its_own_indentation() -> None:
    place = workspace(CODE)
    one = offer(place, "document", at(place, "return self"))
    reply = 'Here:\n```python\ndef times(self, factor):\n    """The price of several."""\n```\n'
    change, server = await resolved(place, one, reply)
    (edit,) = change.edits
    expected = '    def times(self, factor):\n        """The price of several."""\n        return self.cents'
    assert edit.path == MONEY
    assert expected in (edit.after or "")
    assert edit.before == place.texts[MONEY]
    assert change.label == "Document `times`"
    assert "Add the documentation comment of `Price.times`" in server.requests[0].prompt


async def test_a_fix_sees_the_message_and_may_add_an_import() -> None:
    place = workspace(CODE)
    problem = Diagnostic(at(place, "self.cents"), "use math here", "lint", "X1")
    one = offer(place, "fix", at(place, "self.cents"), problem)
    reply = (
        "```python\n    def times(self, factor):\n        return math.floor(self.cents * factor)\n```\n"
        "```imports\nimport math\nimport sys\n```\n"
    )
    change, server = await resolved(place, one, reply)
    after = change.edits[0].after or ""
    assert after.startswith("import sys\nimport math\n\n\nclass Price:")
    assert "math.floor" in after
    assert "def plus" in after
    sent = server.requests[0].prompt
    assert "reported by lint X1 at line 6" in sent
    assert "use math here" in sent


async def test_a_broken_answer_gets_one_chance_to_be_repaired() -> None:
    place = workspace(CODE)
    one = offer(place, "implement", at(place, "pass"))
    good = "```python\n    def plus(self, other):\n        return Price(self.cents + other.cents)\n```"
    change, server = await resolved(
        place, one, "```python\n    def plus(self, other:\n        return (\n```", good
    )
    assert "return Price(self.cents + other.cents)" in (change.edits[0].after or "")
    assert "breaks the syntax at line" in server.requests[1].prompt
    said = await refused(place, one, "```python\n    def plus(:\n```", "```python\n    def plus(:\n```")
    assert "Nothing was changed" in said


@pytest.mark.parametrize(
    ("reply", "said"),
    [
        (
            "```python\n    def plus(self, other):\n        # ... rest of the code\n        return 1\n```",
            "leaves code out",
        ),
        ("```python\n    def plus(self, other):\n        return 1\n", "no end"),
        ("```python\n    def plus(self, other):\n        pass\n```", "changes nothing"),
        ("I would rather not.", "breaks the syntax"),
    ],
)
async def test_what_may_not_be_used_is_refused(reply: str, said: str) -> None:
    place = workspace(CODE)
    assert said in await refused(place, offer(place, "implement", at(place, "pass")), reply, reply)


async def test_tests_go_where_the_project_has_its_tests() -> None:
    place = workspace(CODE)
    one = offer(place, "tests", at(place, "return self"))
    change, server = await resolved(place, one, "```python\ndef test_times():\n    assert True\n```")
    (edit,) = change.edits
    assert (edit.path, edit.before) == ("tests/test_money.py", None)
    assert edit.after == "def test_times():\n    assert True\n"
    assert change.description == "Creates tests/test_money.py"
    assert "return self.cents * factor" in server.requests[0].prompt


async def test_an_existing_test_file_is_extended() -> None:
    place = workspace(CODE + "#- tests/test_money.py\ndef test_plus():\n    assert 1\n")
    one = offer(place, "tests", at(place, "return self"))
    reply = "```python\ndef test_plus():\n    assert 1\n\n\ndef test_times():\n    assert 2\n```"
    change, _ = await resolved(place, one, reply)
    assert (change.edits[0].after or "").count("def test_") == 2
    assert change.edits[0].before == "def test_plus():\n    assert 1\n"


async def test_line_ends_are_kept() -> None:
    place = workspace("#- a.py\nx = 1\n")
    snapshot = place.snapshot.edited(RelPath("a.py"), "def f():\r\n    pass\r\n")
    (one,) = [
        o
        for o in offered(snapshot, RelPath("a.py"), Span(12, 12), has_endpoint=True)
        if o.id == "implement:0"
    ]
    async with ScriptedEndpoint() as server:
        server.reply("```python\ndef f():\n    return 1\n```")
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
        assert endpoint is not None
        async with aclosing(endpoint):
            change = await resolve(
                snapshot,
                one,
                endpoint=endpoint,
                gate=Gate(place.root),
                settings=ActionSettings(),
                count=count,
            )
    assert change.edits[0].after == "def f():\r\n    return 1\r\n"


async def test_a_file_that_changed_since_the_offer_is_left_alone() -> None:
    place = workspace(CODE)
    one = offer(place, "document", at(place, "return self"))
    place.store.open(MONEY, "x = 1\n")
    with pytest.raises(ConflictError, match="changed since"):
        await resolved(place, one)


async def test_a_region_with_a_secret_is_not_sent() -> None:
    key = "AKIA" + "Q3EGRIZ5ZPLM7TWV"
    place = workspace(f"#- a.py\ndef connect():\n    <CURSOR>key = '{key}'\n    return key\n")
    one = offer(place, "document", Span(place.offset, place.offset))
    change, server = await resolved(place, one, '```python\ndef connect():\n    """Log in."""\n```')
    assert key not in server.requests[0].prompt
    assert key in (change.edits[0].after or ""), "the file keeps what the model did not see"
    with pytest.raises(FileUnreadable, match="secret"):
        await instructed(place, Span(0, 40), "shorten")


# --- editing by instruction


async def instructed(place: Workspace, span: Span, words: str, *replies: str) -> ChangeSet:
    async with ScriptedEndpoint() as server:
        for reply in replies:
            server.reply(reply)
        endpoint = connect(EndpointSettings(base_url=server.base_url, model=server.model))
        assert endpoint is not None
        async with aclosing(endpoint):
            return await edit_selection(
                place.snapshot,
                place.path,
                span,
                words,
                endpoint=endpoint,
                gate=Gate(place.root),
                settings=ActionSettings(),
                count=count,
            )


async def test_a_selection_is_changed_as_told() -> None:
    place = workspace(CODE)
    start = place.texts[MONEY].index("return self")
    change = await instructed(
        place,
        Span(start, start + 8),
        "round\nit",
        "```python\n        return round(self.cents * factor)\n```",
    )
    assert "        return round(self.cents * factor)\n\n    def plus" in (change.edits[0].after or "")
    assert change.label == "round it"


async def test_nothing_to_do_and_nobody_to_do_it() -> None:
    place = workspace(CODE)
    with pytest.raises(UserError):
        await instructed(place, Span(0, 1), "  ")
    one = offer(place, "document", at(place, "return self"))
    with pytest.raises(EndpointMissing):
        await resolve(
            place.snapshot,
            one,
            endpoint=None,
            gate=Gate(place.root),
            settings=ActionSettings(),
            count=count,
        )
