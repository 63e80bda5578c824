"""The project's own checks: which are found, and that only what is new is told."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import pytest

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.checks import find
from qwen_lsp.settings import CheckKind
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import workspace
from tests.support.scratch import Commands, commands

PYTEST = "python -m pytest -q --tb=short --color=no -rfE --continue-on-collection-errors"


def found(
    files: str, changed: tuple[str, ...] = (), paths: tuple[str, ...] = (), **settings: str
) -> list[str]:
    """The lines of the checks over these files, each with its kind and folder."""
    snapshot = workspace(files).snapshot
    given = cast("Mapping[CheckKind, str]", settings)
    checks = find(snapshot, [RelPath(p) for p in changed], [RelPath(p) for p in paths], given)
    return [f"{c.kind}: {c.line}" + (f" (in {c.folder})" if c.folder else "") for c in checks]


PYPROJECT = "#- pyproject.toml\n[tool.pytest.ini_options]\n"
TWO_SCRIPTS = '#- package.json\n{"scripts": {"test": "vitest", "typecheck": "tsc"}}\n#- tsconfig.json\n{}\n'
SCRIPTS = (
    '#- package.json\n{"scripts": {"test": "jest", "lint": "eslint .", "build": "tsc"}}\n'
    "#- tsconfig.json\n{}\n"
)
NO_TEST = '#- package.json\n{"scripts": {"test": "echo \\"Error: no test specified\\" && exit 1"}}\n'
GO = ["test: go test ./...", "lint: go vet ./...", "build: go build ./..."]

FOUND: dict[str, list[str]] = {
    "#- notes.md\n# Notes": [],
    f"{PYPROJECT}[tool.ruff]\n[tool.pyright]\n#- a.py\n": [
        f"test: {PYTEST}",
        "lint: ruff check --no-cache --output-format=concise",
        "type: pyright",
    ],
    f"{PYPROJECT}addopts = '-q'\n[tool.mypy]\nstrict = true\n#- a.py\n": [
        f"test: {PYTEST.replace(' -q', '')}",
        "type: python -m mypy --no-error-summary .",
    ],
    "#- setup.cfg\n[flake8]\n[tool:pytest]\n#- a.py\n": [f"test: {PYTEST}", "lint: python -m flake8"],
    "#- a.py\n#- test_a.py\nimport unittest\n": ["test: python -m unittest discover"],
    "#- a.py\n#- tests/test_a.py\ndef test_a(): pass\n": [f"test: {PYTEST}"],
    "#- setup.py\n#- tox.ini\n[testenv]\ncommands = nose\n": ["test: tox -q"],
    SCRIPTS: [
        "test: npm run --silent test",
        "lint: npm run --silent lint",
        "build: npm run --silent build",
        "type: tsc --noEmit --pretty false",
    ],
    f"#- pnpm-lock.yaml\n{TWO_SCRIPTS}": [
        "test: pnpm run --silent test",
        "type: pnpm run --silent typecheck",
    ],
    NO_TEST: [],
    "#- package.json\nnot json\n": [],
    "#- go.mod\nmodule x\n#- a.go\n": GO,
    "#- Cargo.toml\n[package]\n#- src/lib.rs\n": [
        "test: cargo test --offline --color never --no-fail-fast",
        "lint: cargo clippy --offline --color never --all-targets --message-format short",
        "type: cargo check --offline --color never --all-targets --message-format short",
        "build: cargo build --offline --color never",
    ],
    "#- pom.xml\n<project/>\n#- mvnw\n": ["test: ./mvnw -o -q -B test", "build: ./mvnw -o -q -B compile"],
    "#- build.gradle.kts\n": [
        "test: gradle --offline --console=plain test",
        "build: gradle --offline --console=plain classes",
    ],
    "#- composer.json\n{}\n#- phpunit.xml\n": ["test: vendor/bin/phpunit --colors=never"],
    "#- Gemfile\n#- .rspec\n": ["test: bundle exec rspec --no-color"],
    "#- mix.exs\n": ["test: mix test --no-color"],
    "#- Makefile\nCC = gcc\ncheck: all\n\ttrue\nlint:\n\ttrue\n": ["test: make check", "lint: make lint"],
    "#- justfile\ntest *ARGS:\n  true\n": ["test: just test"],
    "#- go.mod\n#- Makefile\ntest:\n\tgo test\n": GO,
}


@pytest.mark.parametrize(("files", "lines"), FOUND.items())
def test_checks_are_found(files: str, lines: list[str]) -> None:
    assert found(files) == lines


MONOREPO = """
#- package.json
{"scripts": {"test": "echo top"}}
#- web/package.json
{"scripts": {"test": "jest"}}
#- web/src/a.ts
#- api/pyproject.toml
[tool.pytest.ini_options]
#- api/app/main.py
#- tools/gen/go.mod
#- tools/gen/main.go
"""


def test_in_a_monorepo_the_nearest_folder_decides() -> None:
    assert found(MONOREPO, changed=("api/app/main.py",)) == [
        f"test: {PYTEST} (in api)", "test: npm run --silent test",
    ]  # fmt: skip
    assert found(MONOREPO, changed=("web/src/a.ts",)) == ["test: npm run --silent test (in web)"]
    assert "test: go test ./... (in tools/gen)" in found(MONOREPO, paths=("tools/gen",))


def test_without_a_project_at_the_top_those_below_it_are_taken() -> None:
    files = '#- web/package.json\n{"scripts": {"test": "jest"}}\n#- api/go.mod\nmodule x\n'

    assert found(files) == [
        "test: go test ./... (in api)",
        "lint: go vet ./... (in api)",
        "build: go build ./... (in api)",
        "test: npm run --silent test (in web)",
    ]


def test_checks_may_be_about_some_files_only() -> None:
    files = (
        "#- pyproject.toml\n[tool.pytest.ini_options]\n[tool.ruff]\n[tool.mypy]\n"
        "#- app/a.py\n#- tests/test_a.py\n#- docs/x.md\n"
    )

    assert found(files, paths=("app/a.py", "tests/test_a.py", "docs/x.md")) == [
        f"test: {PYTEST} tests/test_a.py",
        "lint: ruff check --no-cache --output-format=concise app/a.py tests/test_a.py",
        "type: python -m mypy --no-error-summary app/a.py tests/test_a.py",
    ]


def test_a_name_is_quoted_for_the_shell() -> None:
    files = "#- pyproject.toml\n[tool.ruff]\n#- a; rm -rf x.py\n"

    assert found(files, paths=("a; rm -rf x.py",))[-1].endswith("concise 'a; rm -rf x.py'")


def test_settings_take_the_place_of_what_is_found() -> None:
    files = "#- pyproject.toml\n[tool.pytest.ini_options]\n[tool.ruff]\n"

    assert found(files, test="make fast-test", lint="") == ["test: make fast-test"]


CALC = """
#- pyproject.toml
[tool.pytest.ini_options]
#- calc.py
def add(a, b):
    return a + b


def subtract(a, b):
    return a + b
#- tests/test_calc.py
import sys

sys.path.insert(0, ".")
from calc import add, subtract


def test_add():
    assert add(2, 1) == 3


def test_subtract():
    assert subtract(2, 1) == 1
"""
SUBTRACT = "def subtract(a, b):\n    return a + b"


@pytest.fixture
def python_first(monkeypatch: pytest.MonkeyPatch) -> None:
    import os

    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTEST_DISABLE_PLUGIN_AUTOLOAD", "1")


@pytest.mark.usefixtures("python_first")
@pytest.mark.slow
class TestWithPytest:
    async def test_only_failures_of_the_edit_are_told(self, tmp_path: Path) -> None:
        async with commands(CALC, tmp_path) as at:
            at.edit("calc.py", "return a + b\n\n\ndef", "return a * b\n\n\ndef")
            outcome = await at.call("run_checks", kinds=["test"])

            assert "1 new; failing before: 1 (not shown)." in outcome.text
            assert "test_add" in outcome.text and "assert 2 == 3" in outcome.text
            assert "test_subtract" not in outcome.text
            assert not outcome.ok
            assert [ask.detail for ask in at.asked] == [PYTEST]

    async def test_a_quick_second_edit_of_the_same_length_is_seen(self, tmp_path: Path) -> None:
        async with commands(CALC, tmp_path) as at:
            at.edit("calc.py", SUBTRACT, SUBTRACT.replace("+", "-"))
            for old, new, ok in (("+", "*", False), ("*", "|", True)):
                at.edit("calc.py", f"return a {old} b\n\n\ndef", f"return a {new} b\n\n\ndef")
                outcome = await at.call("run_checks", kinds=["test"])
                assert outcome.ok is ok, outcome.text


LINTED = r"""
#- Makefile
lint:
	@sh lint.sh
#- lint.sh
# Complains of every line with BAD in it.
grep -nH BAD *.txt | sed -E 's/^([^:]+:[0-9]+):(.*)/\1:1: error: \2/'
! grep -q BAD *.txt
#- a.txt
one
BAD old
#- b.txt
two
"""


async def told(at: Commands) -> tuple[str, bool]:
    """What linting says after the line that was run, and whether all is well."""
    outcome = await at.call("run_checks", kinds=["lint"])
    return outcome.text.removeprefix("lint (`make lint`): "), outcome.ok


async def test_before_any_edit_all_that_fails_is_told(tmp_path: Path) -> None:
    async with commands(LINTED, tmp_path) as at:
        said, ok = await told(at)

        assert said.startswith("1 failing before any edit.\na.txt:2:1: error: BAD old") and not ok


async def test_after_an_edit_only_its_failures_are_told(tmp_path: Path) -> None:
    async with commands(LINTED, tmp_path) as at:
        at.edit("a.txt", "one", "zero\none")
        at.edit("b.txt", "two", "BAD new")

        assert await told(at) == ("1 new; failing before: 1 (not shown).\nb.txt:1:1: error: BAD new", False)


async def test_what_no_longer_fails_is_counted(tmp_path: Path) -> None:
    async with commands(LINTED, tmp_path) as at:
        at.edit("a.txt", "BAD old", "BAD other")

        said, _ = await told(at)
        assert said.startswith("1 new; 1 that failed before no longer do.\n")


async def test_an_edit_that_breaks_nothing_is_fine(tmp_path: Path) -> None:
    async with commands(LINTED, tmp_path) as at:
        at.edit("a.txt", "one", "zero\none")

        assert await told(at) == ("nothing new fails; failing before: 1 (not shown).", True)


async def test_an_edit_that_mends_everything_needs_no_look_back(tmp_path: Path) -> None:
    async with commands(LINTED, tmp_path) as at:
        at.edit("a.txt", "BAD", "good")

        assert await told(at) == ("passed.", True)
        assert at.lines.count("make lint") == 1


async def test_what_failed_before_is_found_out_once(tmp_path: Path) -> None:
    async with commands(LINTED, tmp_path) as at:
        for word in ("two", "three", "four"):
            at.edit("b.txt", at.fork.text(RelPath("b.txt")), f"{word}\n\n")
            assert (await told(at))[1]

        assert at.lines.count("make lint") == 4


SCRIPTED = """
#- Makefile
test:
	sh test.sh
#- test.sh
cat state.txt
exit 1
#- state.txt
odd output
"""


async def test_output_that_cannot_be_read_is_shown_as_it_is(tmp_path: Path) -> None:
    async with commands(SCRIPTED, tmp_path) as at:
        at.edit("state.txt", "odd", "other")
        outcome = await at.call("run_checks", kinds=["test"])

        assert "could not be read as single failures; before your edits it failed." in outcome.text
        assert "other output" in outcome.text and not outcome.ok


async def test_output_that_cannot_be_read_and_is_as_before_is_not_new(tmp_path: Path) -> None:
    async with commands(SCRIPTED, tmp_path) as at:
        at.edit("test.sh", "exit 1", "# Ends.\nexit 1")
        outcome = await at.call("run_checks", kinds=["test"])

        assert outcome.text.endswith("fails just as it did before your edits (exit status 2).")
        assert outcome.ok


async def test_a_check_that_takes_too_long_is_stopped(tmp_path: Path) -> None:
    async with commands("#- Makefile\ntest:\n\techo begun; sleep 60\n", tmp_path, check_seconds=0.3) as at:
        outcome = await at.call("run_checks", kinds=["test"])

        assert "stopped after 0 s (limit: time), not finished." in outcome.text
        assert "begun" in outcome.text and not outcome.ok


async def test_new_and_old_are_said_not_to_be_told_apart(tmp_path: Path) -> None:
    slow = "#- Makefile\ntest:\n\tsh test.sh\n#- test.sh\nsleep 60\n"
    async with commands(slow, tmp_path, check_seconds=1.0) as at:
        at.edit("test.sh", "sleep 60", "echo 'a.c:3:1: error: no'; exit 1")
        outcome = await at.call("run_checks", kinds=["test"])

        assert "New and old failures are not told apart" in outcome.text
        assert "a.c:3:1: error: no" in outcome.text


async def test_what_a_check_writes_is_no_edit(tmp_path: Path) -> None:
    files = "#- Makefile\nlint:\n\techo formatted > a.py; echo new > b.py\n#- a.py\nx=1\n"
    async with commands(files, tmp_path) as at:
        outcome = await at.call("run_checks", kinds=["lint"])

        assert outcome.ok and at.fork is at.base
        assert (await at.shell("cat a.py; ls")).text == "Exit status 0.\nOutput:\nx=1\nMakefile\na.py"


async def test_a_check_whose_program_is_missing_is_not_run(tmp_path: Path) -> None:
    async with commands("#- mix.exs\n#- Makefile\nlint:\n\ttrue\n", tmp_path) as at:
        assert (await at.call("run_checks")).text == "lint (`make lint`): passed."
        with pytest.raises(ToolRefused, match=r"No check of this kind was found \(test\), or its program"):
            await at.call("run_checks", kinds=["test"])


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ({"kinds": ["tests"]}, "there is no kind 'tests'; the kinds are test, lint, type, build"),
        ({"paths": ["../x"]}, "Use a path inside the workspace"),
    ],
)
async def test_a_call_that_makes_no_sense_is_refused(
    tmp_path: Path, arguments: dict[str, Any], said: str
) -> None:
    async with commands(SCRIPTED, tmp_path) as at:
        with pytest.raises(ToolRefused, match=said):
            await at.call("run_checks", **arguments)


async def test_checks_want_leave(tmp_path: Path) -> None:
    async with commands(SCRIPTED, tmp_path, answer="no") as at:
        with pytest.raises(ToolRefused, match="The user did not allow it: make test"):
            await at.call("run_checks")

        assert not any("make test" in line for line in at.lines)
