"""Stub bodies in several languages."""

from __future__ import annotations

import pytest

from qwen_lsp.features.stubs import is_stub
from qwen_lsp.syntax.languages import by_id

STUBS = [
    ("python", "def f(x):\n    pass\n"),
    ("python", "def f(x): ...\n"),
    (
        "python",
        "@c\nasync def f(x: T[str, int] = {}) -> N:\n    '''Say it.'''\n    raise NotImplementedError(1)\n",
    ),
    ("python", 'def f(x):\n    """Doc: with colon."""\n    # TODO\n    return None\n'),
    ("python", "def f(x):\n    '''Only a docstring. TODO'''\n    # TODO: write\n"),
    ("javascript", "function f(x) {}\n"),
    ("javascript", "function f({a, b}) {\n  // TODO\n}\n"),
    ("typescript", "export function f(x: number): string {\n  throw new Error('Not implemented');\n}\n"),
    ("rust", "fn f(x: &str) -> u8 {\n    todo!()\n}\n"),
    ("go", 'func F(x int) int {\n\tpanic("not implemented")\n}\n'),
]
REAL = [
    ("python", "def f(x):\n    return x\n"),
    ("python", "def f(x):\n    return None\n"),
    ("python", "def f(x):\n    x.y = 1\n    pass\n"),
    ("python", "def f(x):\n    raise ValueError(x)\n"),
    ("python", "def f(x):\n    '''Only a docstring.'''\n"),
    ("javascript", "function f(x) { return x }\n"),
    ("typescript", "function f(x: number): number;\n"),
    ("go", "func F(x int) int {\n\treturn x\n}\n"),
]


@pytest.mark.parametrize(("language", "text"), STUBS)
def test_a_stub(language: str, text: str) -> None:
    assert is_stub(text, by_id(language))


@pytest.mark.parametrize(("language", "text"), REAL)
def test_a_real_body(language: str, text: str) -> None:
    assert not is_stub(text, by_id(language))
