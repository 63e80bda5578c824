"""What real tools print, read as failures; each file of `data/failures` is the output of one run."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.features.agent.failures import Failure, failures, new_failures

DATA = Path(__file__).parent / "data" / "failures"
ROOT = "/home/ada/calc"
NOT_A_NUMBER = "error TS2322: Type 'number' is not assignable to type 'string'."
NO_NAME = "error TS2304: Cannot find name 'missing'."
UNSORTED = "I001 [*] Import block is un-sorted or un-formatted"
WRONG_RESULT = (
    'error: Type "int" is not assignable to return type "str" '
    '"int" is not assignable to "str" (reportReturnType)'
)
WRONG_ARGUMENT = (
    'error: Argument of type "Literal[\'1\']" cannot be assigned to parameter "a" of type "int" in function '
    '"add" "Literal[\'1\']" is not assignable to "int" (reportArgumentType)'
)

EXPECTED: dict[str, list[tuple[str, str]]] = {
    "pytest": [
        ("tests/test_calc.py::TestAdd::test_sum[1]", ""),
        ("tests/test_calc.py::TestAdd::test_sum[2]", ""),
        ("tests/test_import.py", ""),
        ("tests/test_calc.py::test_db", ""),
    ],
    "unittest": [("tests.unit_calc.T.test_error", ""), ("tests.unit_calc.T.test_sum", "")],
    "ruff_concise": [
        ("calc.py", UNSORTED),
        ("calc.py", "F401 [*] `os` imported but unused"),
        ("tests/test_calc.py", UNSORTED),
        ("tests/test_import.py", "F401 [*] `nothing_like_this` imported but unused"),
        ("tests/unit_calc.py", UNSORTED),
    ],
    "ruff_full": [
        ("calc.py", UNSORTED),
        ("calc.py", "F401 [*] `os` imported but unused"),
        ("tests/test_calc.py", UNSORTED),
        ("tests/test_import.py", "F401 [*] `nothing_like_this` imported but unused"),
        ("tests/unit_calc.py", UNSORTED),
    ],
    "mypy": [
        ("calc.py", 'error: Incompatible return value type (got "int", expected "str") [return-value]'),
        ("calc.py", 'error: Argument 1 to "add" has incompatible type "str"; expected "int" [arg-type]'),
    ],
    "pyright": [("calc.py", WRONG_RESULT), ("calc.py", WRONG_ARGUMENT)],
    "tsc": [("src/a.ts", NOT_A_NUMBER), ("src/a.ts", NO_NAME)],
    "tsc_pretty": [("src/a.ts", NOT_A_NUMBER), ("src/a.ts", NO_NAME)],
    "eslint": [
        ("src/b.js", "warning 'unused' is assigned a value but never used no-unused-vars"),
        ("src/b.js", "error 'missing' is not defined no-undef"),
        ("src/b.js", "error Expected '===' and instead saw '==' eqeqeq"),
    ],
    "jest": [("jest/a.test.js > add › sums", ""), ("jest/a.test.js > throws", "")],
    "vitest": [("vit/a.test.mjs > add > sums", ""), ("vit/a.test.mjs > throws", "")],
    "node_test": [("a.test.js > adds", ""), ("a.test.js > inner", "")],
    "node_spec": [("a.test.js > adds", ""), ("a.test.js > inner", "")],
    "go_test": [("example.com/calc TestAdd/small", "")],
    "go_build": [("example.com/calc", "")],
    "go_vet": [("calc.go", 'fmt.Printf format %d has arg "x" of wrong type string')],
    "cargo_test": [
        ("src/lib.rs tests::sums", ""),
        ("tests/whole.rs whole", ""),
        ("src/lib.rs", "warning: unused variable: `unused`"),
    ],
    "cargo_check": [("src/lib.rs", "error[E0425]: cannot find value `c` in this scope")],
    "cargo_short": [("src/lib.rs", "error[E0425]: cannot find value `c` in this scope")],
    "gcc": [
        ("a.c", "error: ‘missing’ undeclared (first use in this function)"),
        ("a.c", "error: expected ‘;’ before ‘}’ token"),
        ("a.c", "warning: unused variable ‘unused’ [-Wunused-variable]"),
    ],
}


def read(name: str) -> str:
    return (DATA / f"{name}.txt").read_text(encoding="utf-8")


def test_every_recorded_output_is_expected() -> None:
    assert sorted(path.stem for path in DATA.glob("*.txt")) == sorted(EXPECTED)


@pytest.mark.parametrize("name", EXPECTED)
def test_failures_are_read(name: str) -> None:
    assert [failure.key for failure in failures(read(name), ROOT)] == EXPECTED[name]


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("pytest", ["assert 0 == (1 + 1)", "assert 1 == (2 + 1)", "nothing_like_this", "no database"]),
        ("unittest", ['raise ValueError("x")', "AssertionError: 0 != 2"]),
        ("cargo_test", ["left: 0", "panicked at tests/whole.rs:2:14", "src/lib.rs:2:9"]),
        ("jest", ["Received: 0", "boom"]),
        ("vitest", ["expected +0 to be 2", "Error: boom"]),
        ("node_spec", ["2 !== 3", "Error: boom"]),
        ("node_test", ["2 !== 3", "error: 'boom'"]),
        ("go_test", ["calc_test.go:8: got 0"]),
        ("go_build", ["undefined: c"]),
    ],
)
def test_a_failure_is_shown_with_its_reason(name: str, words: list[str]) -> None:
    shown = [failure.shown for failure in failures(read(name), ROOT)]

    assert [word in text for word, text in zip(words, shown, strict=True)] == [True] * len(words)


@pytest.mark.parametrize("name", EXPECTED)
def test_nothing_is_new_where_nothing_changed_but_the_lines(name: str) -> None:
    before = failures(read(name), ROOT)
    moved = read(name)
    for number in range(9, 0, -1):
        moved = moved.replace(f":{number}:", f":{number + 40}:").replace(f"({number},", f"({number + 40},")

    assert new_failures(failures(moved, ROOT), before) == []
    assert new_failures(before, failures(moved, ROOT)) == []


@pytest.mark.parametrize("name", EXPECTED)
def test_each_failure_alone_is_new_without_it_before(name: str) -> None:
    now = failures(read(name), ROOT)

    for failure in now:
        before = [other for other in now if other is not failure]
        assert [new.key for new in new_failures(now, before)] == [failure.key]


def test_of_several_alike_only_the_additional_ones_are_new() -> None:
    def unused(line: int) -> Failure:
        return failures(f"a.py:{line}:1: F401 `os` imported but unused")[0]

    assert new_failures([unused(3), unused(9)], [unused(2)]) == [unused(9)]
    assert new_failures([unused(3)], [unused(2), unused(9)]) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "All checks passed!\n",
        "Success: no issues found in 3 source files\n",
        "0 errors, 0 warnings, 0 informations\n",
        "Serving on http://localhost.test:8080: press Ctrl-C\n",
        "tests/test_calc.py:7: in test_sum\n",
        "12:30:45: started\n",
        "ok  \texample.com/calc\t0.004s\n",
        "test tests::fine ... ok\n",
    ],
)
def test_what_is_no_failure_is_not_read_as_one(text: str) -> None:
    assert failures(text) == []
