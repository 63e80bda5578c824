"""The embedded default end to end: what it suggests, what it forgets, what it costs."""

from __future__ import annotations

import gc
import random
import time
import tracemalloc

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.predict import Predictor

HANDLER = """\
def handle_{name}(request):
    session = request.registry.session
    if not session.is_open:
        raise SessionClosed("handle_{name}")
    return session.respond(request, status=200)
"""


@pytest.fixture
def taught() -> Predictor:
    predictor = Predictor(20_000)
    for name in ("login", "logout", "profile", "search"):
        predictor.learn(f"views/{name}.py", HANDLER.format(name=name))
    return predictor


def answer(predictor: Predictor, text: str, path: str = "views/new.py") -> str | None:
    """The suggestion at the `$0` of a text."""
    before, _, after = text.partition("$0")
    suggestion = predictor.suggest(path, before, after)
    return suggestion and suggestion.text


@pytest.mark.parametrize(
    ("text", "rest"),
    [
        ("def handle_new(request):\n    session = request$0", ".registry.session"),
        ("def handle_new(request):\n    session = request.reg$0", "istry.session"),
        ("    session = request.registry.session\n    if not$0", " session.is_open:"),
        ("    session = request.registry.session\n    if not $0", "session.is_open:"),
        ("        return session.respond($0", "request, status=200)"),
        ("        return session.respond($0)", "request, status=200"),
    ],
)
def test_completes_the_rest_of_the_line(taught: Predictor, text: str, rest: str) -> None:
    assert answer(taught, text) == rest


@pytest.mark.parametrize(
    "text",
    [
        "$0",
        "\n    $0",
        "import something\nfrom nowhere import $0",
        "def handle_new(request):\n    session = request$0 or None",
    ],
)
def test_is_silent_where_it_knows_nothing(taught: Predictor, text: str) -> None:
    assert answer(taught, text) is None


def test_confidence_is_a_probability(taught: Predictor) -> None:
    suggestion = taught.suggest("views/new.py", "    session = request")
    assert suggestion is not None
    assert 0 < suggestion.confidence < 1


CLASS = """\
class {name}:
    def __init__(self, {first}, {second}):
        self.{first} = {first}
        self.{second} = {second}
        self.ready = False
"""


def test_says_the_same_with_the_names_of_this_place() -> None:
    predictor = Predictor(20_000)
    known = "".join(
        CLASS.format(name=name, first=first, second=second)
        for name, first, second in (
            ("Door", "width", "height"),
            ("Road", "start", "end"),
            ("Cup", "size", "lid"),
        )
    )
    predictor.learn("shapes.py", known)
    predictor.learn("shapes.py", known)
    begun = known + "class Ship:\n    def __init__(self, mast, keel):\n        self.mast"
    predictor.learn("shapes.py", begun)
    assert answer(predictor, begun + "$0", "shapes.py") == " = mast"


@pytest.mark.parametrize("begun", ["total = price", "call(price", "rows[price", "price"])
def test_closes_no_bracket_that_is_not_open(begun: str) -> None:
    predictor = Predictor(20_000)
    lines = ["call(price)", "rows[price]", "call(rows[price])", "{price}", "(call(price))"]
    predictor.learn("a.py", "\n".join(lines * 4) + "\n")
    known = predictor.guess("b.py", begun, "", 0.0)
    stack: list[str] = []
    for mark in begun + (known[0] if known else ""):
        if mark in "([{":
            stack.append(mark)
        elif mark in ")]}":
            assert stack
            assert stack.pop() + mark in ("()", "[]", "{}")


def test_forgotten_text_never_comes_back() -> None:
    predictor = Predictor(20_000)
    predictor.learn("a.py", "password = vault.open_sesame(1234)\n" * 5)
    assert answer(predictor, "password = vault$0") == ".open_sesame(1234)"
    predictor.forget("a.py")
    assert answer(predictor, "password = vault$0") is None
    predictor.forget("a.py")


def test_relearning_replaces_what_was_known() -> None:
    predictor = Predictor(20_000)
    predictor.learn("a.py", "left = open_the_door(now)\n" * 5)
    predictor.learn("a.py", "left = close_the_window(later)\n" * 5)
    assert answer(predictor, "left = $0") == "close_the_window(later)"


def test_the_line_being_typed_is_not_learnt_until_the_cursor_leaves_it() -> None:
    predictor = Predictor(20_000)
    predictor.learn("a.py", "one = 1\ntwo = 2\n")
    for text in ("one = 1\ntwo = 2\nrare = compute_u", "one = 1\ntwo = 2\nrare = compute_unique(42)"):
        predictor.learn("a.py", text)
        assert answer(predictor, "rare = $0") is None
    predictor.learn("a.py", "one = 1\ntwo = 2\nrare = compute_unique(42)\n")
    predictor.learn("a.py", "one = 1\ntwo = 2\nrare = compute_unique(42)\nrare")
    known = predictor.guess("a.py", "one = 1\ntwo = 2\nrare =", "", 0.0)
    assert known is not None
    assert known[0] == " compute_unique(42)"


def test_oldest_text_is_dropped_beyond_the_limit() -> None:
    predictor = Predictor(2_000)
    predictor.learn("old.py", "ancient = relic.from_the_tomb()\n" * 3)
    for number in range(200):
        predictor.learn(f"{number}.py", f"value_{number} = make_{number}(alpha, beta, gamma, {number})\n" * 3)
    assert predictor.tokens <= 2_000
    assert answer(predictor, "ancient = $0") is None


def test_a_file_too_large_to_remember_is_learnt_from_its_beginning() -> None:
    predictor = Predictor(2_000)
    predictor.learn("big.py", "first = opening.move(king)\n" * 3 + "filler = 1\n" * 5_000)
    assert predictor.tokens <= 2_000
    known = predictor.guess("a.py", "first =", "", 0.0)
    assert known is not None
    assert known[0] == " opening.move(king)"


_LINES = st.lists(
    st.sampled_from(["a = b(c)", "  return a", "", "if x:", "f(a, b)", "\t", "é = 'ñ'\r"]), max_size=8
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(["x", "y"]), _LINES), max_size=12))
def test_any_sequence_of_texts_leaves_only_their_words(changes: list[tuple[str, list[str]]]) -> None:
    predictor = Predictor(1_024)
    for path, lines in changes:
        predictor.learn(path, "\n".join(lines))
        predictor.guess(path, "f(a", "", 0.0)
    for path in ("x", "y"):
        predictor.forget(path)
    assert predictor.guess("z", "f(a", "", 0.0) is None
    assert predictor.guess("z", "a = b", "", 0.0) is None


def _source(rng: random.Random, words: list[str], lines: int) -> str:
    weights = [1 / (rank + 1) for rank in range(len(words))]
    picks = iter(rng.choices(words, weights, k=lines * 3))
    return "".join(f"    {a} = {b}({c}, self)\n" for a, b, c in zip(picks, picks, picks, strict=True))


def test_memory_per_token_is_bounded() -> None:
    rng = random.Random(5)  # noqa: S311
    words = [f"word_{number:x}_name" for number in range(4_000)]
    texts = [_source(rng, words, 300) for _ in range(60)]
    gc.collect()
    tracemalloc.start()
    predictor = Predictor(200_000)
    for number, text in enumerate(texts):
        predictor.learn(f"package/module_{number}.py", text)
    gc.collect()
    held, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert predictor.tokens > 120_000
    assert held / predictor.tokens <= 24


def test_words_no_longer_used_are_dropped() -> None:
    predictor = Predictor(4_000)
    for number in range(3_000):
        predictor.learn("a.py", "\n".join(f"name_{number}_{line} = {line}" for line in range(20)))
        if number % 500 == 0:
            predictor.forget("a.py")
    assert predictor.words < 20_000


def test_a_keystroke_in_a_large_file_is_learnt_at_once() -> None:
    rng = random.Random(6)  # noqa: S311
    text = _source(rng, [f"word_{number}" for number in range(900)], 5_000)
    predictor = Predictor(200_000)
    predictor.learn("big.py", text)
    predictor.learn("big.py", text)
    middle = text.index("\n", len(text) // 2) + 1
    times: list[float] = []
    for typed in ("x", "xy", "xyz", "xyz ", "xyz =", "xyz = 1"):
        changed = text[:middle] + typed + text[middle:]
        started = time.perf_counter()
        predictor.learn("big.py", changed)
        times.append(time.perf_counter() - started)
    assert min(times) < 0.001


def test_an_edited_file_is_learnt_right_after_its_text_was_let_go() -> None:
    predictor = Predictor(200_000)
    text = "".join(f"value_{number} = make_{number}(alpha)\n" for number in range(100))
    secret = "special = only_here.once(beta)\n"
    predictor.learn("a.py", text + secret)
    for number in (5, 50, 80):
        predictor.learn("a.py", text.replace(f"make_{number}(", f"build_{number}(") + secret)
    predictor.learn("a.py", text + secret)
    for number in range(40):
        for version in range(2):
            predictor.learn(f"other_{number}.py", f"nothing = {version}\n")
    predictor.learn("a.py", text + secret)
    predictor.learn("a.py", text + "special =")
    known = predictor.guess("a.py", "special =", "", 0.0)
    assert known is None or "only_here" not in known[0]
