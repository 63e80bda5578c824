"""FIM prompts are the model's own format, and nothing of it reaches the editor."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.model import fim, tokens
from qwen_lsp.model.fim import ChatAnswer, Cutter
from qwen_lsp.model.markers import CONTROL, Restorer, neutral, restore, restore_all
from qwen_lsp.model.messages import FimRequest

HOSTILE = st.text(alphabet="<|¦>_imendfsuxtop \n", max_size=40)


def pieces_of(text: str, sizes: list[int]) -> list[str]:
    """The text cut into pieces of the sizes given, then the rest."""
    pieces: list[str] = []
    for size in sizes:
        pieces.append(text[:size])
        text = text[size:]
    return [*pieces, text]


def cut(pieces: list[str], *stops: str) -> str:
    cutter = Cutter(stops)
    return "".join(cutter.feed(piece) for piece in pieces) + cutter.finish()


def answer(prefix: str, pieces: list[str]) -> str:
    reader = ChatAnswer(prefix)
    return "".join(reader.feed(piece) for piece in pieces) + reader.finish()


def test_the_file_prompt() -> None:
    prompt = fim.prompt(FimRequest("a.py", "def f(", "):\n"))
    assert prompt == "<|fim_prefix|>def f(<|fim_suffix|>):\n<|fim_middle|>"


def test_the_repository_prompt() -> None:
    request = FimRequest("b.py", "x", "y", context=(("a.py", "A = 1\n"), ("c.py", "C\n")), repo="demo")
    assert fim.prompt(request) == (
        "<|repo_name|>demo\n<|file_sep|>a.py\nA = 1\n\n<|file_sep|>c.py\nC\n\n"
        "<|file_sep|>b.py\n<|fim_prefix|>x<|fim_suffix|>y<|fim_middle|>"
    )


def test_stops_are_single_tokens_and_no_marker_of_a_prompt_is_missing_from_the_cut() -> None:
    request = FimRequest("b.py", "x", "y", context=(("a.py", "A"),))
    used = {name for name in tokens.SPECIAL if name in fim.prompt(request)}
    assert used == {fim.PREFIX, fim.SUFFIX, fim.MIDDLE, fim.REPO, fim.FILE}
    assert used | set(fim.STOPS) <= set(CONTROL)
    for stop in fim.STOPS:
        assert tokens.encode(stop, allow_special=True) == [tokens.SPECIAL[stop]]
    for marker in CONTROL:
        assert cut([f"a{marker}b"]) == "a"


@pytest.mark.parametrize(
    ("own", "sent"),
    [
        ((), ["<|endoftext|>", "<|file_sep|>", "<|im_end|>", "<|fim_pad|>"]),
        (("\n",), ["\n", "<|endoftext|>", "<|file_sep|>", "<|im_end|>"]),
        (("a", "b", "c", ""), ["a", "b", "<|endoftext|>", "<|file_sep|>"]),
    ],
)
def test_at_most_four_stops_are_sent(own: tuple[str, ...], sent: list[str]) -> None:
    assert fim.stops(FimRequest("a", "", "", stops=own)) == sent


@given(HOSTILE, HOSTILE, st.sampled_from(CONTROL))
@settings(deadline=None)
def test_file_content_cannot_bring_a_marker_into_a_prompt(before: str, after: str, marker: str) -> None:
    hostile = before + marker + after
    request = FimRequest(hostile, hostile, hostile, context=((hostile, hostile),), repo=hostile)
    ids = tokens.encode(fim.prompt(request), allow_special=True)
    found = [token for token in ids if token >= tokens.SPECIAL[fim.END_OF_TEXT]]
    names = (fim.REPO, fim.FILE, fim.FILE, fim.PREFIX, fim.SUFFIX, fim.MIDDLE)
    assert found == [tokens.SPECIAL[name] for name in names]


@given(HOSTILE, st.lists(st.integers(0, 9), max_size=6), st.sampled_from([*CONTROL, "stop", ""]), HOSTILE)
@settings(deadline=None, max_examples=300)
def test_a_marker_is_cut_however_the_stream_was_split(
    text: str, sizes: list[int], end: str, rest: str
) -> None:
    whole = text + end + rest
    assert cut(pieces_of(whole, sizes), "stop") == cut([whole], "stop")


def test_every_split_of_a_marker_is_held_back() -> None:
    text = "return 1\n<|fim_pad|>junk"
    for at in range(len(text)):
        cutter = Cutter()
        first = cutter.feed(text[:at])
        assert "return 1\n".startswith(first)
        assert first + cutter.feed(text[at:]) + cutter.finish() == "return 1\n"
        assert cutter.done


def test_what_only_looks_like_a_marker_is_kept() -> None:
    assert cut(["a <", "| b"]) == "a <| b"
    assert cut(["if a <|fim_"]) == "if a <|fim_"


@given(HOSTILE, st.sampled_from(CONTROL), st.lists(st.integers(0, 9), max_size=8))
@settings(deadline=None)
def test_a_look_alike_comes_back_as_the_marker(text: str, marker: str, sizes: list[int]) -> None:
    whole = neutral(text + marker)
    restorer = Restorer()
    shown = "".join(restorer.feed(piece) for piece in pieces_of(whole, sizes)) + restorer.finish()
    assert shown == restore(whole)
    assert shown.endswith(marker)
    assert cut(pieces_of(whole, sizes)).endswith(marker)


def test_restoring_reaches_into_arguments() -> None:
    sent = {"old": "<¦im_end¦>", "edits": [{"<¦im_end¦>": 1}, None]}
    assert restore_all(sent) == {"old": "<|im_end|>", "edits": [{"<|im_end|>": 1}, None]}


@pytest.mark.parametrize(
    ("prefix", "said", "completion"),
    [
        ("x = ", "1 + 2", "1 + 2"),
        ("x = ", "```python\n1 + 2\n```", "1 + 2"),
        ("x = ", "```\n1\n2\n```\nThis adds.", "1\n2"),
        ("    x = ", "    x = 1", "1"),
        ("    x = ", "x =1", "1"),
        ("    return ", "return(1)", "(1)"),
        ("    return ", "retry()", "retry()"),
        ("x = ", "Here is the missing code:\n\n```python\n1 + 2\n```", "1 + 2"),
        ("x = ", "Sure, it's this.\n```\nx = 1\n```\nDone.", "1"),
        ("x = ", "Sum(a, b)", "Sum(a, b)"),
        ("x = ", "Total", "Total"),
        ("", "The end of it.\n\nNo code.", "The end of it.\n\nNo code."),
        ("", "A sentence alone:\n", "A sentence alone:\n"),
        ("x = foo(", "```python\nx = foo(1)\n```", "1)"),
        ("", "```py\nimport a\n", "import a\n"),
        ("x", "", ""),
        ("", "``", "``"),
        ("a = [", "a = [\n    1,\n]", "\n    1,\n]"),
        ("", "```\nx\n``", "x"),
        ("s = `", "a`", "a`"),
        ("return ", "re", "re"),
    ],
)
def test_a_chat_answer_is_reduced_to_the_completion(prefix: str, said: str, completion: str) -> None:
    assert answer(prefix, [said]) == completion
    assert answer(prefix, list(said)) == completion
    for at in range(len(said)):
        assert answer(prefix, [said[:at], said[at:]]) == completion


def test_partial_mode_leaves_the_prefix_as_the_answer_begun() -> None:
    request = FimRequest("a.py", "def f(", ")\n", context=(("b.py", "B = 1"),))
    system, user, begun = fim.partial_messages(request)
    assert (system.role, user.role, begun.role) == ("system", "user", "assistant")
    assert begun.content == "def f("
    assert "<after>)\n</after>" in user.content
    assert "B = 1" in user.content
    assert "<before>\ndef f(</before>" in fim.chat_messages(request)[1].content
