"""Symbols by a few letters, references, patterns, globs."""

from __future__ import annotations

import re

import pytest

from qwen_lsp.errors import UserError
from qwen_lsp.index.references import references
from qwen_lsp.index.search import Match, glob, grep, similarity, symbols
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import workspace

PROJECT = """
    #- app/models.py
    class UserAccount:
        def reset_password(self): ...
    class Order:
        def reset(self): ...
    #- app/views.py
    from app.models import UserAccount
    def show(user: UserAccount):
        user.reset_password()  # reset
    #- tests/test_models.py
    class UserAccount: ...
    #- README.txt
    reset the Order
    """


@pytest.fixture
def snapshot() -> Snapshot:
    return workspace(PROJECT).snapshot


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("UserAccount", ["UserAccount", "UserAccount"]),
        ("ua", ["UserAccount", "UserAccount"]),
        ("rp", ["reset_password"]),
        ("reset", ["reset", "reset_password"]),
        ("RESETP", ["reset_password"]),
        ("rstpwd", ["reset_password"]),
        ("Order.reset", ["reset"]),
        ("Order::reset", ["reset"]),
        ("models.reset", ["reset", "reset_password"]),
        ("zzz", []),
        ("%", []),
    ],
)
def test_symbols_fit_the_letters_best_first(snapshot: Snapshot, query: str, names: list[str]) -> None:
    assert [site.definition.name for site in symbols(snapshot, query)] == names


def test_tests_come_after_what_they_test(snapshot: Snapshot) -> None:
    assert [site.path for site in symbols(snapshot, "UserAccount")] == [
        "app/models.py",
        "tests/test_models.py",
    ]


def test_there_are_no_more_symbols_than_asked_for(snapshot: Snapshot) -> None:
    assert len(symbols(snapshot, "", limit=2)) == 2


@pytest.mark.parametrize(
    ("query", "better", "worse"),
    [
        ("get", "get", "getter"),
        ("get", "getter", "forget"),
        ("fb", "FooBar", "offbeat"),
        ("fb", "foo_bar", "foobar"),
        ("snap", "Snapshot", "make_snapshot"),
        ("snap", "make_snapshot", "presnapped"),
        ("abc", "abxc", "axbxc"),
    ],
)
def test_a_name_that_fits_better_counts_more(query: str, better: str, worse: str) -> None:
    assert similarity(query, better) > similarity(query, worse) > 0


def test_references_are_uses_and_the_definition(snapshot: Snapshot) -> None:
    assert references(snapshot, "reset_password") == ([("app/models.py", 1), ("app/views.py", 2)], True)
    assert references(snapshot, "nobody") == ([], True)


def test_grep_finds_lines_of_all_files(snapshot: Snapshot) -> None:
    assert grep(snapshot, r"^reset\b") == ([Match(RelPath("README.txt"), 0, 0, "reset the Order")], True)
    found, _ = grep(snapshot, "reset", glob="*.py")
    assert [match.path for match in found] == ["app/models.py"] * 2 + ["app/views.py"]
    assert len(grep(snapshot, "reset", limit=1)[0]) == 1


@pytest.mark.parametrize("pattern", ["(", "[", "a{2,1}", "(?P<a>x)(?P<a>y)"])
def test_a_pattern_that_is_wrong_is_refused(snapshot: Snapshot, pattern: str) -> None:
    with pytest.raises(UserError, match="is not a regular expression"):
        grep(snapshot, pattern)


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|a)*$", "(?:a|aa)+$", r"(a*)*\d", "(.*,){9}x"])
def test_a_pattern_that_finds_no_end_is_ended(pattern: str) -> None:
    hostile = workspace("#- a.txt\n" + "a" * 60 + "b," * 60 + "\n").snapshot
    with pytest.raises(UserError, match="takes too long"):
        grep(hostile, pattern, seconds=0.3)


@pytest.mark.parametrize("pattern", ["a.*a.*b", "[^x]*y", r"\w+\s*=", "a{1,99999}b", "x?.*y"])
def test_a_simple_pattern_is_ended_too_where_a_line_is_very_long(pattern: str) -> None:
    hostile = workspace("#- a.txt\n" + "a" * 400_000 + "\n").snapshot
    with pytest.raises(UserError, match="takes too long"):
        grep(hostile, pattern, seconds=0.3)


@pytest.mark.parametrize("pattern", [".*needle", "^.*needle", "(?i).*NEEDLE", ".*?needle.*", "^.*.*needle"])
def test_whatever_comes_before_is_found_at_once(pattern: str) -> None:
    text = "a" * 400_000 + "needle"
    (match,), complete = grep(workspace(f"#- a.txt\nx\n{text}\n").snapshot, pattern)
    assert (match.line, complete) == (1, True)


def test_a_search_says_when_there_was_no_time_for_all_files(snapshot: Snapshot) -> None:
    assert grep(snapshot, "reset", seconds=-1) == ([], False)


@pytest.mark.parametrize(
    "pattern", [r"(in)+g", r"\w+\((\w+, )+", r"(?:foo|be)*\(", r"(\w)\1", "b.*c.*d.*e", r"\(c+\)*"]
)
def test_a_pattern_that_repeats_groups_finds_what_it_says(pattern: str) -> None:
    text = "ing bebe(cc, d, e) or\n"
    (match,), _ = grep(workspace(f"#- a.txt\n{text}").snapshot, pattern)
    found = re.search(pattern, text)
    assert found is not None
    assert match.column == found.start()


@pytest.mark.parametrize(
    ("pattern", "found"),
    [
        ("*.py", ["app/models.py", "app/views.py", "tests/test_models.py"]),
        ("app/*", ["app/models.py", "app/views.py"]),
        ("**/test_*.py", ["tests/test_models.py"]),
        ("{app,tests}/*models.py", ["app/models.py", "tests/test_models.py"]),
        ("app/[mv]*.py", ["app/models.py", "app/views.py"]),
        ("app/[!m]*.py", ["app/views.py"]),
        ("./README.???", ["README.txt"]),
        ("app/**", ["app/models.py", "app/views.py"]),
        ("[", []),
        ("a{b", []),
    ],
)
def test_globs(snapshot: Snapshot, pattern: str, found: list[str]) -> None:
    assert glob(snapshot, pattern) == found
