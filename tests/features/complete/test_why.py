"""Why this suggestion, and why none."""

from __future__ import annotations

from dataclasses import replace

from qwen_lsp.features.complete.flight import Landed
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.outcome import UNDER_WAY, unfinished, without_model
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.receipt import PromptPart, Receipt, as_json, safe, told
from qwen_lsp.features.complete.request import complete
from qwen_lsp.features.complete.state import Completions
from qwen_lsp.features.complete.why import NEVER, why
from qwen_lsp.settings import CompletionSettings
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace

A, B = RelPath("a.py"), RelPath("b.py")
GATE = Gate(None)
PASSWORD = "Xk9#mQ2vLp8zR4w"


def shown(state: Completions, path: RelPath, text: str, **fields: object) -> Receipt:
    receipt = replace(Receipt(path, 0, 0, text=text, raw=text), **fields)  # pyright: ignore[reportArgumentType]
    state.outcomes.begin(path, 0).answered(receipt, text)
    state.receipts.append(receipt)
    return receipt


def test_before_the_first_request_that_is_what_is_said() -> None:
    found = why(Completions(), GATE)
    assert (found.suggestion, found.nothing) == (None, NEVER)


def test_the_newest_suggestion_of_a_file_or_of_all() -> None:
    state = Completions()
    first, second, third = shown(state, A, "one"), shown(state, A, "two"), shown(state, B, "three")
    assert why(state, GATE).suggestion == third
    assert why(state, GATE, A).suggestion == second
    assert why(state, GATE, A, 1).suggestion == first
    assert why(state, GATE, A, 2).nothing == "Only 2 suggestions are remembered there."


def test_a_silence_is_told_before_the_suggestion_that_was_there() -> None:
    state = Completions()
    before = shown(state, A, "one")
    state.outcomes.begin(A, 4).nothing("the cursor stands inside a word")

    found = why(state, GATE, A)

    assert found.nothing == "Nothing was shown at a.py:5, since the cursor stands inside a word."
    assert found.suggestion == before
    assert found.markdown.index("inside a word") < found.markdown.index("# The last suggestion before that")


def test_an_answer_without_anything_worth_showing_is_told_with_what_was_taken_out() -> None:
    state = Completions()
    shown(
        state, A, "", raw="Sure, here it is", removed=("words instead of code",), ended="the model was done"
    )

    found = why(state, GATE, A)

    assert "since nothing of the answer was worth showing: words instead of code." in found.nothing
    assert found.suggestion is None
    assert "Sure, here it is" in found.markdown
    shown(state, A, "", raw="Sure", removed=("words instead of code",), source="cache")
    assert why(state, GATE, A).nothing.endswith("as is known from an earlier request.")


def test_until_it_is_known_a_request_is_under_way() -> None:
    state = Completions()
    state.outcomes.begin(A, 0)
    assert UNDER_WAY in why(state, GATE, A).nothing


def test_a_newer_request_is_not_told_by_what_came_of_an_older_one() -> None:
    state = Completions()
    older = state.outcomes.begin(A, 0)
    newer = state.outcomes.begin(A, 1)
    newer.nothing("it is so")
    older.nothing("it was otherwise")
    assert why(state, GATE, A).nothing == "Nothing was shown at a.py:2, since it is so."


def test_only_the_latest_files_are_remembered() -> None:
    state = Completions()
    for number in range(100):
        state.outcomes.begin(RelPath(f"{number}.py"), 0)
    assert state.outcomes.last(RelPath("0.py")) is None
    assert state.outcomes.last() is state.outcomes.last(RelPath("99.py"))


def test_reasons_name_what_failed() -> None:
    assert without_model("", "x").startswith("no endpoint is set (`endpoint.base_url`)")
    assert without_model("it answered 500", "x") == "the endpoint failed (it answered 500), and x"
    assert "aborted" in unfinished(Landed(ended="aborted"))
    assert unfinished(Landed(ended="something else was typed")).endswith(": something else was typed")


def test_a_secret_is_known_by_what_stands_before_it() -> None:
    answer = f'{PASSWORD}"'
    receipt = Receipt(A, 0, 0, text=answer, raw=answer, before='password = "')

    found = safe(receipt, GATE)

    assert PASSWORD not in found.raw + found.text
    assert found.before == ""
    rest = replace(receipt, text=answer[5:], typed=5, source="cache")
    assert PASSWORD[5:] not in safe(rest, GATE).text
    assert safe(replace(receipt, before="x = "), GATE).raw == answer


def test_the_json_holds_all_but_what_secrets_are_known_by() -> None:
    receipt = Receipt(A, 3, 4, "cache", text="x", before="secret", typed=2, stages=(("look-up", 0.12345),))
    found = as_json(receipt)
    assert found["place"] == {"path": "a.py", "line": 3, "column": 4}
    assert (found["cached"], found["typed"]) == (True, 2)
    assert found["stages"] == [{"name": "look-up", "ms": 0.123}]
    assert "secret" not in str(found)


def test_an_answer_with_fences_stays_inside_its_fence() -> None:
    page = told(Receipt(A, 0, 0, text="```\ncode\n```"))
    assert "````\n```\ncode\n```\n````" in page


def test_the_page_reads_well_as_text_too() -> None:
    parts = (PromptPart("b.py", 1200, "defines `gross`"),)
    page = told(
        Receipt(A, 0, 0, text="x", tokens=1500, parts=parts, stages=(("pack", 3.04), ("model", 80.0)))
    )
    assert "Time: pack 3.0 ms, model 80.0 ms." in page
    assert "The prompt: 1,500 tokens.\n\n- b.py, 1,200 tokens: defines `gross`" in page


async def test_what_was_fetched_ahead_is_accounted_for_too() -> None:
    made, state = workspace("#- a.py\nx = <CURSOR>\n"), Completions()
    place = Place(made.path, made.before + made.after, made.offset)
    state.answers.add(place, "1 + 2", (4, 1), lambda snapshot: True)
    means = Means(None, None, GATE, CompletionSettings(), len)

    found = await complete(made.snapshot, made.path, made.offset, means, state)

    assert found is not None
    suggestion = why(state, GATE, made.path).suggestion
    assert suggestion is not None
    assert (suggestion.source, suggestion.text, suggestion.ahead) == ("cache", "1 + 2", True)
    assert "while the suggestion before it was being read" in told(suggestion)
    assert state.tally.requests_avoided == 1
