"""Definitions whose names stand nowhere in the file yet: by star, by another name, by type, by subject."""

from __future__ import annotations

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.rank import rank
from tests.context.test_rank import label
from tests.support.fixture import Workspace, workspace


def headers(place: Workspace) -> dict[str, Candidate]:
    found = rank(place.snapshot, place.path, place.offset)
    return {label(place, c): c for c in found if c.form == "header"}


def test_stars_are_followed_to_the_names_under_a_module_that_has_another_name_here() -> None:
    place = workspace(
        """
        #- graphs/__init__.py
        from graphs.algorithms import *
        #- graphs/algorithms/__init__.py
        from graphs.algorithms.components import *
        #- graphs/algorithms/components.py
        def is_connected(graph): ...
        #- other/components.py
        def is_connected(cable): ...
        #- like_this.py
        import graphs as gr
        def check(graph):
            return gr.is_connected(graph)
        #- main.py
        import graphs as gr
        def check(graph):
            assert gr.is_connected(graph)
            <CURSOR>
        """
    )
    found = list(headers(place))
    assert found.index("graphs/algorithms/components.py:is_connected") < found.index(
        "other/components.py:is_connected"
    )


def test_members_of_what_a_function_is_declared_to_return() -> None:
    place = workspace(
        """
        #- log.py
        class Adapter:
            def complain(self, text): ...
        def logger_for(name: str) -> Adapter: ...
        #- main.py
        from log import logger_for
        logger = logger_for(__name__)
        def main():
            logger.<CURSOR>
        """
    )
    assert headers(place)["log.py:Adapter.complain"].why == "`logger_for` is a `Adapter`"


def test_members_of_an_attribute_that_another_file_declares() -> None:
    place = workspace(
        """
        #- settings.py
        class Settings:
            def theme_of(self, user): ...
        #- base.py
        from settings import Settings
        class Base:
            preferences: Settings
        #- main.py
        from base import Base
        class View(Base):
            def show(self):
                self.preferences.load()
                <CURSOR>
        """
    )
    assert headers(place)["settings.py:Settings.theme_of"].why == "`preferences` is a `Settings`"


def test_a_module_that_is_named_before_it_is_imported() -> None:
    place = workspace(
        """
        #- app/coercions.py
        def expect_role(value): ...
        #- app/main.py
        def main(value):
            coercions.<CURSOR>
        """
    )
    found = headers(place)["app/coercions.py:expect_role"]
    assert found.why == "`coercions.` is written here, and this file has that name"


def test_a_test_and_what_it_tests_and_files_of_one_name() -> None:
    place = workspace(
        """
        #- src/basket.py
        def total_of(items): ...
        #- locale/test_basket.py
        GREETING = "hi"
        #- tests/test_basket.py
        def test_it():
            <CURSOR>
        """
    )
    assert headers(place)["src/basket.py:total_of"].why == "named like this file"


def test_a_new_file_with_nothing_but_a_comment_finds_what_is_named_with_its_words() -> None:
    place = workspace(
        """
        #- plan.py
        class CrontabSchedule: ...
        def next_holiday(): ...
        #- new.py
        # when the crontab is due
        <CURSOR>
        """
    )
    found = headers(place)
    assert found["plan.py:CrontabSchedule"].why == "named with `crontab`"
    assert "plan.py:next_holiday" not in found


def test_a_header_counts_as_the_own_language_of_a_source() -> None:
    place = workspace(
        """
        #- include/shape.hpp
        class Shape { public: int area(); };
        int area_of(const Shape &s);
        #- tools/shape.py
        def area_of(shape): ...
        #- src/main.c
        int main() {
            return area_of(<CURSOR>);
        }
        """
    )
    found = [name for name in headers(place) if name.endswith(":area_of")]
    assert found == ["include/shape.hpp:area_of", "tools/shape.py:area_of"]
