"""Packing: what is promised whatever the candidates, the budget and the way of counting."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.context.candidates import Candidate, Form
from qwen_lsp.context.order import dependencies_first
from qwen_lsp.context.pack import pack
from qwen_lsp.context.page import Page, counted_whole
from qwen_lsp.context.rank import rank, rank_file
from qwen_lsp.context.render import Pack, piece, receipt, receipt_text, render
from qwen_lsp.index.cache import Cache
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.tokens import count as qwen
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace

KEY = "AKIA" + "Q3EGRIZ5ZPLM7TWV"

SHOP = f"""
#- shop/model.py
from shop.money import Price

class Item:
    '''Something for sale.'''

    def __init__(self, name: str, price: Price) -> None:
        self.name = name
        self.price = price

    def total(self, quantity: int = 1) -> Price:
        return self.price.times(quantity)

def make(name: str) -> Item:
    return Item(name, Price(0))
#- shop/money.py
class Price:
    def __init__(self, cents: int) -> None:
        self.cents = cents

    def times(self, factor: int) -> "Price":
        return Price(self.cents * factor)

    def plus(self, other: "Price") -> "Price":
        return Price(self.cents + other.cents)
#- shop/cloud.py
AWS_ACCESS_KEY_ID = "{KEY}"

def connect(region: str, key: str = "{KEY}") -> None:
    print(region, key)
#- .env
SECRET_TOKEN=8f1c9a7be1d24f6f9a0d
#- README.md
# Shop

Sells things.
#- basket.py
from shop.model import Item

class Basket:
    items: list[Item]

    def sum(self):
        for item in self.items:
            <CURSOR>
"""


@cache
def shop(count: Callable[[str], int] | None = None) -> Snapshot:
    """One snapshot for each way of counting: it keeps the counts of whole files."""
    del count
    return workspace(SHOP).snapshot


def words(text: str) -> int:
    """Counts so that a whole may have fewer than its parts, except at a line that begins visibly."""
    return len(re.findall(r"\w+|[^\w\s]+|\n+", text))


COUNTERS: tuple[Callable[[str], int], ...] = (words, len, qwen)
FORMS: tuple[Form, ...] = ("whole", "outline", "header", "excerpt")


@st.composite
def candidates(draw: st.DrawFn) -> list[Candidate]:
    found: list[Candidate] = []
    paths = [*shop().paths(), RelPath("gone.py")]
    for _ in range(draw(st.integers(0, 12))):
        form = draw(st.sampled_from(FORMS))
        first = draw(st.integers(0, 20))
        found.append(
            Candidate(
                draw(st.sampled_from(paths)),
                form,
                draw(st.floats(0, 10)),
                "because",
                draw(st.integers(0, 6)) if form == "header" else -1,
                (first, first + draw(st.integers(0, 9))) if form == "excerpt" else None,
            )
        )
    return found


def packed(found: list[Candidate], budget: int, count: Callable[[str], int] = words) -> Pack:
    return pack(shop(count), found, budget=budget, count=count, gate=Gate(Path("/nowhere/workspace")))


@settings(deadline=None, max_examples=150)
@given(candidates(), st.integers(0, 700), st.sampled_from(COUNTERS))
def test_a_pack_keeps_its_promises(found: list[Candidate], budget: int, count: Callable[[str], int]) -> None:
    result = packed(found, budget, count)
    text = render(result)
    assert result.tokens == count(text) <= budget
    paths = [part.path for part in result.parts]
    assert len(paths) == len(set(paths)), "no file twice"
    assert all(text.count(f"## {path}\n") == 1 for path in paths)
    assert KEY not in text
    assert "8f1c9a7be1d24f6f9a0d" not in text
    assert all(part.why for part in result.parts)
    assert packed(found, budget, count) == result, "equal input, equal bytes"


# What tokenizers stumble over: line ends of all kinds, blanks that merge, marks that combine, other scripts.
ODD = "\n\r\t \x0b\x0c\x85\u2028\xa0\ufeff#`a1A_.;}\u0301\u0e33\uac00\u1161中é'"
TEXTS = st.one_of(
    st.text(st.sampled_from(ODD), max_size=30),
    st.text(max_size=30),
    st.lists(st.sampled_from(("    return x\n", "}\n", "\n", "\r\n", "'s\n", " " * 80, "## a.py\n"))).map(
        "".join
    ),
)


@settings(deadline=None, max_examples=300)
@given(st.lists(TEXTS, min_size=1, max_size=6))
def test_tokens_of_pieces_add_up(texts: list[str]) -> None:
    pieces = [piece(f"dir/file{i}.py", text) for i, text in enumerate(texts)]
    for count in COUNTERS:
        assert count("".join(pieces)) == sum(count(one) for one in pieces)


@settings(deadline=None, max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(["", " ", "    ", "\t\t"]), TEXTS), min_size=1, max_size=6))
def test_tokens_of_signatures_add_up(signatures: list[tuple[str, str]]) -> None:
    """Indented or not: each begins with a line that is not blank, and ends a line."""
    stripped = [(indent, text.strip()) for indent, text in signatures if text.strip()]
    lines = [f"{indent}{text}\n" for indent, text in stripped]
    for count in COUNTERS:
        assert count("".join(lines)) == sum(count(line) for line in lines)


def test_tokens_of_pieces_add_up_past_the_counters_own_cuts() -> None:
    long = [" " * 300_000 + "x", "x = 1\n" * 30_000, "é" * 70_000, "\n" * 70_000 + "y", "a b " * 40_000]
    pieces = [piece(f"f{i}", text) for i, text in enumerate(long)]
    assert qwen("".join(pieces)) == sum(qwen(one) for one in pieces)


@settings(deadline=None, max_examples=150)
@given(TEXTS, st.sampled_from(["", "\n", "x\n", "\n\n  y"]), TEXTS)
def test_a_whole_file_is_counted_by_its_ends(before: str, between: str, after: str) -> None:
    """The index keeps the tokens of a file as it is; in a piece its ends are others."""
    text = before + between + after
    path = RelPath("a.py")
    for count in COUNTERS:
        snapshot = Snapshot(Path("/nowhere/workspace"), Cache(None))
        page = Page(snapshot.edited(path, text), path, count, Gate(None))
        assert counted_whole(snapshot, path, page.text, count) == count(piece(path, page.text))


@pytest.mark.parametrize("budget", [1, 7, 30, 60, 100, 150, 1_000, 1_000_000])
def test_a_bigger_budget_is_used(budget: int) -> None:
    place = workspace(SHOP)
    found = rank(shop(), place.path, place.offset)
    result = packed(found, budget, qwen)
    assert result.tokens <= budget
    if budget >= 60:
        assert "def times" in render(result) or "class Item" in render(result)
    if budget >= 1_000:
        assert {part.kind for part in result.parts if part.path == "shop/model.py"} == {"whole"}


def test_files_grow_from_headers_to_outline_to_whole() -> None:
    place = workspace(SHOP)
    found = [c for c in rank(shop(), place.path, place.offset) if c.path == "shop/model.py"]
    kinds = [packed(found, budget).parts[0].kind for budget in (25, 90, 400)]
    assert kinds == ["header", "outline", "whole"]


def test_what_is_withheld_is_told_and_a_secret_in_a_signature_never_leaves() -> None:
    found = [
        Candidate(RelPath(".env"), "whole", 5.0, "near"),
        Candidate(RelPath("shop/cloud.py"), "header", 4.0, "near", 1),
    ]
    result = packed(found, 500)
    assert "def connect" in render(result)
    assert KEY not in render(result)
    assert {item.path for item in result.withheld} == {".env", "shop/cloud.py"}
    assert ".env" not in [part.path for part in result.parts]


def test_what_does_not_depend_on_the_cursor_comes_first_and_dependencies_before_dependents(
    tmp_path: Path,
) -> None:
    place = workspace(SHOP, tmp_path)
    found = rank_file(place.snapshot, RelPath("basket.py"))
    result = pack(place.snapshot, found, budget=5_000, count=words, gate=Gate(tmp_path))
    order = [part.path for part in result.parts]
    assert order.index(RelPath("shop/money.py")) < order.index(RelPath("shop/model.py"))
    header = Candidate(RelPath("basket.py"), "header", 9.0, "near", 0)
    mixed = pack(place.snapshot, [header, *found], budget=5_000, count=words, gate=Gate(tmp_path))
    assert mixed.parts[-1].path == "basket.py"


def test_any_number_of_files_comes_in_dependency_order() -> None:
    """A chain longer than a stack is deep, a cycle, and files that import nothing."""
    files = [RelPath(f"m{i:04}.py") for i in range(1_500)]
    texts = [f"import m{i + 1:04}\n" for i in range(1_498)] + ["import m1497\n", "x = 1\n"]
    place = workspace("\n".join(f"#- {path}\n{text}" for path, text in zip(files, texts, strict=True)))
    assert dependencies_first(place.snapshot, files) == [*reversed(files[:-1]), files[-1]]
    # What an edited file imports is looked up again; what it was before is not remembered as its own.
    edited = place.snapshot.edited(files[3], "x = 2\n")
    assert dependencies_first(edited, files[:6]) == [files[i] for i in (3, 2, 1, 0, 5, 4)]
    assert dependencies_first(place.snapshot, files[:6]) == [files[i] for i in (5, 4, 3, 2, 1, 0)]


def test_the_receipt_says_what_was_sent_and_why() -> None:
    place = workspace(SHOP)
    result = packed(
        [*rank(shop(), place.path, place.offset), Candidate(RelPath(".env"), "whole", 9, "x")], 60
    )
    told = receipt(result)
    assert told["tokens"] == result.tokens <= told["budget"] == 60
    assert [part["path"] for part in told["parts"]] == [part.path for part in result.parts]
    assert told["withheld"][0]["path"] == ".env"
    shown = receipt_text(result)
    assert f"{result.tokens} of 60 tokens" in shown
    assert "withheld  .env" in shown
    assert all(part.why in shown for part in result.parts)
