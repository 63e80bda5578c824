"""Parameters and arguments, read from the brackets."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from qwen_lsp.features.next_edit.signatures import Parameter, fits, listed, parameters


def parts(text: str) -> list[str] | None:
    found = listed(text, 1)
    return None if found is None else list(found.parts)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("f()", []),
        ("f(a, b)", ["a", "b"]),
        ("f(a,\n  b,\n)", ["a", "b"]),
        ("f(g(a, b), [c, d], {e: f})", ["g(a, b)", "[c, d]", "{e: f}"]),
        ("f(\"a, b\", '(', c)", ['"a, b"', "'('", "c"]),
        ("f(a, // one, two\n  b)", ["a", "b"]),
        ("f(a, # one, (two\n  b)", ["a", "b"]),
        ("f(a, /* one, two */ b)", ["a", "b"]),
        ("f(m: Map<K, V>, n: A<B<C, D>>)", ["m: Map<K, V>", "n: A<B<C, D>>"]),
        ("f<T>(a)", ["a"]),
        ("f[T](a)", ["a"]),
        ("f::<T>(a)", ["a"]),
        ("f!(a)", ["a"]),
        ("f(a < b, c > d)", ["a < b", "c > d"]),
        ("f(a", None),
        ("f", None),
        ("f = (a)", None),
    ],
)
def test_what_stands_between_the_brackets(text: str, expected: list[str] | None) -> None:
    assert parts(text) == expected


def taken(text: str, language: str) -> tuple[Parameter, ...]:
    found = listed(f"f({text})", 1)
    assert found is not None
    return parameters(found, language)


@pytest.mark.parametrize(
    ("text", "language", "names"),
    [
        ("self, a: int, *, b=1, **rest", "python", ["a", "b", "rest"]),
        ("&mut self, a: &str", "rust", ["a"]),
        ("&'a self, b: &'a str, mut c: u8", "rust", ["b", "c"]),
        ("a, b int, c ...string", "go", ["a", "b", "c"]),
        ("int a, const char *b", "c", ["a", "b"]),
        ("a?: string, b = 1, ...rest", "typescript", ["a", "b", "rest"]),
    ],
)
def test_the_names_of_parameters(text: str, language: str, names: list[str]) -> None:
    assert [parameter.name for parameter in taken(text, language)] == names


@pytest.mark.parametrize(
    ("signature", "call", "expected"),
    [
        ("a, b", "1, 2", True),
        ("a, b", "1", False),
        ("a, b=1", "1", True),
        ("a, b", "1, b=2", True),
        ("a, b", "1, c=2", False),
        ("a, *rest", "1, 2, 3", True),
        ("a, **rest", "1, c=2", True),
        ("a", "*pair", None),
        ("a", "1, 2", False),
    ],
)
def test_whether_a_call_fits(signature: str, call: str, expected: bool | None) -> None:
    passed = listed(f"f({call})", 1)
    assert passed is not None
    assert fits(taken(signature, "python"), passed) is expected


@given(st.text(alphabet="(a,b)<>[]{}\"'`/#-*\n =.:", max_size=60))
def test_any_text_is_read_without_an_error(text: str) -> None:
    found = listed(f"f({text}", 1)
    if found is not None:
        assert found.start <= found.end <= len(text) + 2
        for language in ("python", "go", "c", "typescript"):
            fits(parameters(found, language), found)
