"""Ranking: what helps at a place comes first, and says why."""

from __future__ import annotations

from dataclasses import replace

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.rank import limit_for, rank, rank_file, rank_task
from qwen_lsp.context.visits import Visit
from qwen_lsp.index.history import history_of
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import Workspace, workspace


def check(text: str, *expected: str, within: int = 8) -> list[Candidate]:
    """The names that must be among the first headers: `path:name`."""
    place = workspace(text)
    found = rank(place.snapshot, place.path, place.offset)
    headers = [label(place, c) for c in found if c.form == "header"][:within]
    for one in expected:
        assert one in headers, (one, headers)
    return found


def label(place: Workspace, candidate: Candidate) -> str:
    facts = place.snapshot.facts(candidate.path)
    assert facts is not None
    return f"{candidate.path}:{facts.qualified_name(candidate.position)}"


def test_a_name_near_the_cursor_finds_its_definition() -> None:
    found = check(
        """
        #- geometry.py
        def area(width, height):
            return width * height
        #- main.py
        def main():
            size = area(2, 3)
            <CURSOR>
        """,
        "geometry.py:area",
        within=1,
    )
    assert next(c for c in found if c.form == "header").why == "defines `area`, used 1 line away"


def test_a_key_or_a_heading_of_the_same_name_is_no_definition() -> None:
    found = check(
        """
        #- pyproject.toml
        area = 1
        #- README.md
        # area
        #- geometry.py
        def area(width, height):
            return width * height
        #- main.py
        def main():
            size = area(2, 3)
            <CURSOR>
        """,
        "geometry.py:area",
    )
    assert {c.path for c in found if c.form == "header"} == {"geometry.py"}


def test_the_imported_definition_is_preferred_to_a_namesake() -> None:
    check(
        """
        #- a/tools.py
        def load(path): ...
        #- b/tools.py
        def load(path): ...
        #- a/main.py
        from b.tools import load
        def main():
            load(<CURSOR>)
        """,
        "b/tools.py:load",
        within=1,
    )


def test_members_of_a_receiver_made_by_a_call() -> None:
    check(
        """
        #- db.py
        class Connection:
            def cursor(self): ...
            def commit(self): ...
        #- main.py
        from db import Connection
        def main():
            conn = Connection("x")
            conn.<CURSOR>
        """,
        "db.py:Connection.cursor",
        "db.py:Connection.commit",
    )


def test_members_inherited_over_two_files() -> None:
    check(
        """
        #- base.py
        class Root:
            def setup(self): ...
        #- middle.py
        from base import Root
        class Middle(Root):
            def render(self): ...
        #- leaf.py
        from middle import Middle
        class Leaf(Middle):
            def go(self):
                self.<CURSOR>
        """,
        "middle.py:Middle.render",
        "base.py:Root.setup",
    )


def test_siblings_of_an_imported_name() -> None:
    check(
        """
        #- util.py
        def first(): ...
        def second(): ...
        #- main.py
        from util import first
        first()
        <CURSOR>
        """,
        "util.py:second",
    )


def test_a_package_that_only_passes_a_name_on() -> None:
    check(
        """
        #- lib/__init__.py
        from lib.inner import Thing
        #- lib/inner.py
        class Thing:
            def use(self): ...
        #- other/inner.py
        class Thing: ...
        #- main.py
        from lib import Thing
        Thing().<CURSOR>
        """,
        "lib/inner.py:Thing",
        "lib/inner.py:Thing.use",
        within=3,
    )


def test_what_similar_files_use_though_this_one_does_not_yet() -> None:
    check(
        """
        #- views/base.py
        def render_page(x): ...
        def check_access(x): ...
        #- lib/access.py
        def audit_trail(x): ...
        #- views/one.py
        from views.base import render_page
        from lib.access import audit_trail
        def one(request):
            audit_trail(request)
            return render_page(request)
        #- views/two.py
        from views.base import render_page
        def two(request):
            <CURSOR>
            return render_page(request)
        """,
        "lib/access.py:audit_trail",
    )


def test_the_file_itself_is_never_a_candidate_and_recent_files_are() -> None:
    place = workspace(
        """
        #- a.py
        def f(): ...
        #- notes.py
        x = 1
        #- main.py
        def g():
            f()
            g()
            <CURSOR>
        """
    )
    found = rank(place.snapshot, place.path, place.offset, visits=[Visit(RelPath("notes.py"))])
    assert all(c.path != "main.py" for c in found)
    assert any(c.path == "notes.py" and "a moment ago" in c.why for c in found)


def test_an_unknown_file_and_plain_text_have_a_rank_too() -> None:
    place = workspace("#- notes.txt\nremember area <CURSOR>\n#- a.py\ndef area(): ...\n")
    assert rank(place.snapshot, RelPath("gone.py"), 0) == []
    assert [c.path for c in rank(place.snapshot, place.path, place.offset)][:1] == ["a.py"]
    assert limit_for(100) < limit_for(100_000)


PROJECT = """
#- README.md
# Shop
#- shop/money.py
def round_up(cents): ...
#- shop/order.py
from shop.money import round_up
def place_order(items):
    return round_up(sum(items))
#- shop/views.py
from shop.order import place_order
def order_view(request):
    return place_order(request.items)
#- tests/test_order.py
from shop.order import place_order
def test_it():
    assert place_order([])
"""


def whys(found: list[Candidate]) -> dict[str, str]:
    return {c.path: c.why for c in reversed(found) if c.form == "whole"}


def test_a_file_is_explained_by_what_it_builds_on_and_who_uses_it() -> None:
    place = workspace(PROJECT)
    found = whys(rank_file(place.snapshot, RelPath("shop/order.py")))
    assert found["shop/money.py"].startswith("imported by `shop/order.py`")
    assert found["shop/views.py"] == "uses `place_order` of `shop/order.py`"
    assert "tests" in found["tests/test_order.py"] or "place_order" in found["tests/test_order.py"]
    assert "shop/order.py" not in found


def test_a_task_brings_what_it_mentions_by_path_by_name_and_by_word() -> None:
    place = workspace(PROJECT)
    found = whys(rank_task(place.snapshot, "Make `round_up` in money.py bankers' rounding", []))
    assert found["shop/money.py"] == "mentioned in the task"
    assert "round_up" in found["shop/order.py"]
    assert "README.md" in found
    by_word = rank_task(place.snapshot, "the view of an order is slow", [])
    assert any(c.path == "shop/views.py" and "order" in c.why for c in by_word)
    given = rank_task(place.snapshot, "improve this", [RelPath("shop/views.py")])
    assert given[0].path == "shop/views.py"


def test_attributes_that_a_method_gives_its_object_are_members() -> None:
    check(
        """
        #- app.py
        class App:
            def __init__(self, config):
                self.registry: Registry = make(config)

        #- main.py
        from app import App

        def run(app: App):
            app.<CURSOR>
        """,
        "app.py:App.registry",
    )


def test_what_a_package_only_passes_on_is_offered() -> None:
    found = check(
        """
        #- util/__init__.py
        from .lang import memoized

        #- util/lang.py
        def memoized(function): ...
        def hidden(): ...

        #- other.py
        from util import memoized
        memoized(1)

        #- main.py
        import util

        util.<CURSOR>
        """,
        "util/lang.py:memoized",
    )
    assert "passed on by `util/__init__.py`" in next(
        c.why for c in found if c.form == "header" and c.path == "util/lang.py"
    )


def test_the_constructor_of_a_class_near_by_is_shown() -> None:
    check(
        """
        #- point.py
        class Point:
            def __init__(self, x, y, *, unit): ...
            def one(self): ...
            def two(self): ...

        #- main.py
        from point import Point

        p = <CURSOR>
        """,
        "point.py:Point.__init__",
        within=3,
    )


def test_what_is_visible_without_an_import_comes_before_what_is_not() -> None:
    place = workspace(
        """
        #- go.mod
        module example.org/shop

        #- cart/cart.go
        package cart
        func Total() int { return price(<CURSOR>) }

        #- cart/price.go
        package cart
        func price(n int) int { return n }

        #- zoo/price.go
        package zoo
        func price(n int) int { return n }
        """
    )
    found = rank(place.snapshot, place.path, place.offset)
    paths = [c.path for c in found if c.form == "header" and label(place, c).endswith(":price")]
    assert paths == ["cart/price.go", "zoo/price.go"]


def test_files_that_change_together_are_candidates() -> None:
    place = workspace("#- a.py\nx = <CURSOR>\n#- b/far.py\ny = 1\n#- c/other.py\nz = 1\n")
    a, far, gone = RelPath("a.py"), RelPath("b/far.py"), RelPath("gone.py")
    history = history_of("0" * 40, [[a, far, gone], [a, far]])
    snapshot = replace(place.snapshot, history=history)
    found = rank(snapshot, a, place.offset)
    assert [c.why for c in found if c.path == far and c.form == "whole"] == [
        "changed together with this file 2 times"
    ]
    assert not any(c.path == gone for c in found)
    assert any("changed together" in c.why for c in rank_file(snapshot, a) if c.path == far)
