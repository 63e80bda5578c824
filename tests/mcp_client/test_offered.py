"""The tools of a server: what changes a digest, which can be lent, and how a model gets them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from qwen_lsp.mcp_client.offered import Offered, changes, lent, list_digest, shown

SCHEMA: dict[str, Any] = {
    "type": "object",
    "properties": {"text": {"type": "string", "description": "What to say."}},
    "required": ["text"],
}
ECHO = Offered("echo", "Say it again.", SCHEMA)


def mutated(**changed: Any) -> Offered:
    return replace(ECHO, **changed)


MUTATIONS = [
    mutated(name="Echo"),
    mutated(description="Say it again"),
    mutated(description="Say it again.\u200b"),
    mutated(description="Say it again.\n"),
    mutated(schema={**SCHEMA, "required": []}),
    mutated(schema={**SCHEMA, "properties": {"text": {"type": "string", "description": "What to say!"}}}),
    mutated(schema={**SCHEMA, "properties": {"text": {"type": "integer", "description": "What to say."}}}),
    mutated(schema={**SCHEMA, "properties": {**SCHEMA["properties"], "more": {"type": "string"}}}),
    mutated(schema={**SCHEMA, "additionalProperties": False}),
]


@pytest.mark.parametrize("other", MUTATIONS, ids=range(len(MUTATIONS)))
def test_every_change_of_a_tool_changes_its_digest(other: Offered) -> None:
    assert other.digest != ECHO.digest
    assert list_digest([other]) != list_digest([ECHO])
    assert changes([ECHO], [other])


def test_the_order_of_a_list_is_no_change() -> None:
    other = Offered("add", "Add.", SCHEMA)
    assert list_digest([ECHO, other]) == list_digest([other, ECHO])
    assert changes([ECHO, other], [other, ECHO]) == []
    reordered = mutated(schema=dict(reversed(SCHEMA.items())))
    assert reordered.digest == ECHO.digest


def test_what_changed_is_said_by_name() -> None:
    worse = mutated(description="Send it away.", schema={**SCHEMA, "required": []})
    assert changes([ECHO, Offered("b", "", SCHEMA)], [worse, Offered("a", "", SCHEMA)]) == [
        "a is new",
        "b is gone",
        "echo has another description and other arguments",
    ]


def test_a_person_sees_every_word_of_a_tool() -> None:
    assert shown([ECHO]) == (
        'echo: Say it again.\n{"properties": {"text": {"description": "What to say.", "type": "string"}}, '
        '"required": ["text"], "type": "object"}'
    )


def test_a_tool_is_lent_under_a_name_of_its_own() -> None:
    (one,), refused = lent("srv", [ECHO], frozenset())
    assert refused == []
    assert one.name == "mcp__srv__echo"
    assert one.parameters == (("text", {"type": "string", "description": "What to say."}),)
    assert one.optional == frozenset()


@pytest.mark.parametrize(
    ("tool", "said"),
    [
        (mutated(name="edit"), "of this name already"),
        (mutated(name="a b"), "name is not one"),
        (mutated(name=""), "name is not one"),
        (mutated(name="ec\u04bbo"), "name is not one"),
        (mutated(name="echo\n"), "name is not one"),
        (mutated(name="x" * 60), "name is not one"),
        (mutated(schema={"type": "string"}), "not described as an object"),
        (mutated(schema={}), "not described as an object"),
        (mutated(schema={"type": "object", "properties": []}), "not described as an object"),
        (mutated(schema={"type": "object", "properties": {"a b": {}}}), "cannot be used"),
        (mutated(schema={"type": "object", "properties": {"a": True}}), "cannot be used"),
        (mutated(schema={"type": "object", "required": ["a"]}), "does not have"),
        (mutated(schema={"type": "object", "required": "text"}), "does not have"),
        (mutated(schema={**SCHEMA, "description": "x" * 20_000}), "too large"),
    ],
)
def test_what_cannot_be_lent_is_left_out_with_its_reason(tool: Offered, said: str) -> None:
    given, refused = lent("srv", [tool, Offered("fine", "", SCHEMA)], frozenset({"edit", "read_file"}))
    assert [one.name for one in given] == ["mcp__srv__fine"]
    assert said in refused[0]


def test_a_tool_named_twice_is_lent_once() -> None:
    given, refused = lent("srv", [ECHO, mutated(description="Another.")], frozenset())
    assert len(given) == len(refused) == 1


def test_a_schema_stands_by_itself_and_hides_nothing() -> None:
    schema = {
        "type": "object",
        "properties": {
            "at": {"$ref": "#/$defs/Place", "description": "Where.\u200b"},
            "rest": {"anyOf": [{"$ref": "#/$defs/Tree"}, {"type": "null"}]},
            "odd": {"$ref": "https://example.org/schema.json"},
        },
        "$defs": {
            "Place": {"type": "object", "properties": {"line": {"type": "integer"}}},
            "Tree": {"type": "object", "properties": {"inner": {"$ref": "#/$defs/Tree"}}},
        },
    }
    (one,), _ = lent("srv", [mutated(description="Go\u202e.", schema=schema)], frozenset())
    assert one.description == "Go."
    parameters = dict(one.parameters)
    assert parameters["at"] == {
        "type": "object", "properties": {"line": {"type": "integer"}}, "description": "Where.",
    }  # fmt: skip
    assert parameters["odd"] == {}
    assert "$ref" not in str(parameters)
    assert one.optional == {"at", "rest", "odd"}
