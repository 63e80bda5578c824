"""Values put into JSON texts as people keep them, and taken out again."""

from __future__ import annotations

import json
from typing import Any, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_lsp.cli.setup.jsonc import NotJson, Value, parse
from qwen_lsp.cli.setup.splice import Done, Put, Unfit, put, taken_back

ENTRY = {"command": "/opt/qwen-lsp", "args": ["mcp"], "timeout": 60}
PUT = Put(("mcpServers", "qwen-lsp"), ENTRY)
ALLOW = Put(("permissions", "allow"), "mcp__qwen-lsp__outline", item=True)

LINES = """{
  "mcpServers": {
    "other": { "command": "x" }
  }
}
"""


def meant(text: str) -> Any:
    root = parse(text)
    return None if root is None else root.plain


def after(text: str, wanted: Put = PUT) -> str:
    return put(text, wanted)[0]


# -- what a person sees --------------------------------------------------------------------------------


def test_a_new_entry_looks_like_its_neighbours() -> None:
    assert (
        after(LINES)
        == """{
  "mcpServers": {
    "other": { "command": "x" },
    "qwen-lsp": {
      "command": "/opt/qwen-lsp",
      "args": [
        "mcp"
      ],
      "timeout": 60
    }
  }
}
"""
    )


def test_tabs_and_line_ends_are_those_of_the_file() -> None:
    text = '{\r\n\t"mcpServers": {\r\n\t\t"a": {}\r\n\t}\r\n}\r\n'
    grown = after(text, Put(("mcpServers", "qwen-lsp"), {"args": []}))
    ours = ',\r\n\t\t"qwen-lsp": {\r\n\t\t\t"args": []\r\n\t\t}'
    assert grown == text.replace('"a": {}', '"a": {}' + ours)


def test_a_comment_at_the_end_of_a_line_stays_with_its_line() -> None:
    text = '{\n  "mcpServers": {\n    "a": {} // mine\n  } // all of them\n}\n'
    grown = after(text, Put(("mcpServers", "b"), 1))
    assert grown == '{\n  "mcpServers": {\n    "a": {}, // mine\n    "b": 1\n  } // all of them\n}\n'


def test_where_commas_trail_ours_does_too() -> None:
    text = '{\n  "mcpServers": {\n    "a": {}, // mine\n  },\n}\n'
    grown = after(text, Put(("mcpServers", "b"), 1))
    assert grown == '{\n  "mcpServers": {\n    "a": {}, // mine\n    "b": 1,\n  },\n}\n'


@pytest.mark.parametrize(
    ("text", "grown"),
    [
        ('{"a":1}', '{"a":1,"mcpServers":{"b":1}}'),
        ('{"a": 1}\n', '{"a": 1, "mcpServers": {"b": 1}}\n'),
        ('{"mcpServers": {}, "a": 1}', '{"mcpServers": {"b": 1}, "a": 1}'),
    ],
)
def test_a_file_of_one_line_stays_one(text: str, grown: str) -> None:
    assert after(text, Put(("mcpServers", "b"), 1)) == grown


@pytest.mark.parametrize("text", ["", "  \n", "{}", "{}\n", "// mine\n", "/* mine */"])
def test_a_file_of_nothing_begins_to_be_one(text: str) -> None:
    grown = after(text)
    assert meant(grown) == {"mcpServers": {"qwen-lsp": ENTRY}}
    assert grown.count("\n") > 5
    assert text.strip() == "{}" or text.strip() in grown


def test_a_list_gets_one_item_more_and_the_same_one_only_once() -> None:
    text = '{"permissions": {"allow": ["Read"]}}'
    grown, done = put(text, ALLOW)
    assert meant(grown) == {"permissions": {"allow": ["Read", "mcp__qwen-lsp__outline"]}}
    assert done is not None
    assert put(grown, ALLOW) == (grown, None)


def test_of_two_members_of_one_name_the_one_that_counts_is_changed() -> None:
    text = '{"mcpServers": {"a": 1}, "mcpServers": {}}'
    assert meant(after(text)) == {"mcpServers": {"qwen-lsp": ENTRY}}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[]", "the whole file is not an object"),
        ('{"mcpServers": []}', "“mcpServers” is not an object"),
        ('{"mcpServers": null}', "“mcpServers” is not an object"),
    ],
)
def test_something_else_in_the_way_is_told(text: str, said: str) -> None:
    with pytest.raises(Unfit) as raised:
        put(text, PUT)
    assert str(raised.value) == said


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"a": 1', "line 1: a comma or } is missing"),
        ('{\n"a": 1\n"b": 2}', "line 3: a comma or } is missing"),
        ('{"a" 1}', "line 1: a colon is missing"),
        ("{'a': 1}", "line 1: a name in double quotes is missing"),
        ('{"a": }', "line 1: a value is missing"),
        ('{"a": 01}', "line 1: this is no value"),
        ('{"a": "\\x"}', "line 1: a string has an escape that does not exist"),
        ('{"a": 1} {"b": 2}', "line 1: something follows the end of the settings"),
        ('{"a": 1} /* open', "line 1: something follows the end of the settings"),
        ("[" * 5_000, "line 1: it is nested too deeply"),
        ("mcpServers:\n  a: 1\n", "line 1: this is no value"),
    ],
)
def test_what_is_no_json_is_told_by_its_line(text: str, said: str) -> None:
    with pytest.raises(NotJson) as raised:
        parse(text)
    assert str(raised.value) == said


# -- any text at all -----------------------------------------------------------------------------------

NAMES = st.sampled_from(["mcpServers", "permissions", "allow", "other", "ключ", 'a"b', "", "/*", "//"])
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(-9, 9), st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=5),
)  # fmt: skip
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
    max_leaves=8,
)
SETTINGS: st.SearchStrategy[dict[str, Any]] = st.fixed_dictionaries(
    {"other": VALUES},
    optional={
        "mcpServers": st.dictionaries(NAMES, VALUES, max_size=3),
        "permissions": st.fixed_dictionaries({}, optional={"allow": st.lists(SCALARS, max_size=3)}),
    },
)
GAPS = st.sampled_from(["", " ", "\n", "\n\n  ", "\t", "\r\n", " // note, {\n", "/* , */", " /* a\n b */ "])


@st.composite
def kept(draw: st.DrawFn, commented: bool = True) -> tuple[dict[str, Any], str]:
    """Some settings, and a text of them as a person or a program might have it."""
    settings = draw(SETTINGS)
    if not commented or draw(st.booleans()):
        indent = draw(st.sampled_from([None, 2, 4, "\t"]))
        ascii_only = draw(st.booleans())
        text = json.dumps(settings, indent=indent, ensure_ascii=ascii_only)
        newline = draw(st.sampled_from(["\n", "\r\n"]))
        return settings, text.replace("\n", newline) + draw(st.sampled_from(["", newline]))

    def told(value: Any) -> str:
        gap = draw(GAPS)
        if isinstance(value, list):
            parts = [told(item) for item in cast("list[Any]", value)]
            opening, closing = "[]"
        elif isinstance(value, dict):
            members = cast("dict[str, Any]", value).items()
            parts = [f"{draw(GAPS)}{json.dumps(key)}{draw(GAPS)}:{told(item)}" for key, item in members]
            opening, closing = "{}"
        else:
            return gap + json.dumps(value) + draw(GAPS)
        trailing = "," if parts and draw(st.booleans()) else ""
        return f"{gap}{opening}{','.join(parts)}{trailing}{draw(GAPS)}{closing}{draw(GAPS)}"

    return settings, told(settings)


def expected(settings: dict[str, Any]) -> dict[str, Any]:
    wanted = json.loads(json.dumps(settings))
    wanted.setdefault("mcpServers", {})["qwen-lsp"] = ENTRY
    allow = wanted.setdefault("permissions", {}).setdefault("allow", [])
    if ALLOW.value not in allow:
        allow.append(ALLOW.value)
    return wanted


def both(text: str) -> tuple[str, list[Done]]:
    dones: list[Done] = []
    for wanted in (PUT, ALLOW):
        text, done = put(text, wanted)
        dones += [done] if done else []
    return text, dones


@given(kept())
def test_any_text_means_what_was_written(case: tuple[dict[str, Any], str]) -> None:
    settings, text = case
    assert meant(text) == settings


@given(kept())
def test_any_text_gets_what_is_wanted_and_loses_no_character(case: tuple[dict[str, Any], str]) -> None:
    settings, text = case
    grown, _ = both(text)
    assert meant(grown) == expected(settings)
    rest = iter(grown)
    assert all(character in rest for character in text if not character.isspace())
    assert both(grown) == (grown, [])


@given(kept())
def test_any_text_is_what_it_meant_when_ours_is_taken_back(case: tuple[dict[str, Any], str]) -> None:
    settings, text = case
    grown, dones = both(text)
    for done in reversed(dones):
        less = taken_back(grown, done)
        assert less is not None
        grown = less
    assert meant(grown) == settings


@given(kept(commented=False))
def test_a_text_without_comments_is_again_the_same_to_the_letter(case: tuple[dict[str, Any], str]) -> None:
    _, text = case
    grown, dones = both(text)
    for done in reversed(dones):
        grown = taken_back(grown, done) or "?"
    assert grown == text


@given(kept(), st.integers(0, 3))
def test_what_others_wrote_since_stays(case: tuple[dict[str, Any], str], number: int) -> None:
    settings, text = case
    grown, dones = both(text)
    theirs = Put(("mcpServers", "theirs"), {"n": number})
    grown, _ = put(grown, theirs)
    for done in reversed(dones):
        grown = taken_back(grown, done) or "?"
    found = meant(grown)
    assert found["mcpServers"].pop("theirs") == {"n": number}
    settings.setdefault("mcpServers", {})
    settings["mcpServers"].pop("theirs", None)
    assert found == settings


def spans(value: Value) -> list[tuple[int, int]]:
    return [
        (value.start, value.end),
        *(span for member in value.members or () for span in spans(member.value)),
    ]


@given(kept())
def test_every_place_is_where_the_value_is(case: tuple[dict[str, Any], str]) -> None:
    _, text = case
    root = parse(text)
    assert root is not None
    for start, end in spans(root):
        assert meant(text[start:end]) is not None or text[start:end] == "null"
