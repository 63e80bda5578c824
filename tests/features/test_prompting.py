"""Prompt texts: strict placeholders, and nothing in a value is expanded."""

from __future__ import annotations

import pytest

from qwen_lsp.features.prompting import load, names, placeholders, prompt


def test_every_prompt_loads_and_fills() -> None:
    for name in names():
        text = load(name)
        filled = prompt(name, **{place: f"<{place}>" for place in placeholders(text)})
        assert "{{" not in filled
        for place in placeholders(text):
            assert f"<{place}>" in filled


def test_a_missing_or_an_extra_value_is_named() -> None:
    with pytest.raises(KeyError, match="missing"):
        prompt("explain")
    values = dict.fromkeys(placeholders(load("explain")), "")
    with pytest.raises(KeyError, match="mood"):
        prompt("explain", **values, mood="good")


def test_a_value_is_never_expanded() -> None:
    values = dict.fromkeys(placeholders(load("explain")), "{{path}} {{context}}")
    assert prompt("explain", **values).count("{{path}}") == len(placeholders(load("explain")))
