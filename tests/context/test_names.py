"""Identifiers around a cursor, from text alone."""

from __future__ import annotations

import pytest

from qwen_lsp.context.names import identifiers, near, renamed_imports
from qwen_lsp.syntax.languages import by_id
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract


def test_nearer_names_weigh_more_and_words_of_the_language_nothing() -> None:
    text = "far = 1\n\n\n\n\n\n\nclose.call(here)\n"
    found = near(text, len(text) - 1)
    assert found["close"].weight > found["far"].weight
    assert found["call"].dotted
    assert found["call"].called
    assert found["call"].receiver == "close"
    assert not found["here"].dotted
    assert near("return self\n", 0) == {}
    assert list(near("pla net", 2)) == ["pl", "net"], "what is behind the cursor in a word is not a name"


def test_identifiers_in_order_each_once() -> None:
    assert identifiers("class A(B, C[D], B): pass") == ["A", "B", "C", "D"]


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("python", "import a.b as c\nfrom x import (\n    y as z,\n    w)\n", {"c": "b", "z": "y"}),
        ("python", "import os\nwith open(p) as f: ...\n", {}),
        ("typescript", "import * as Z from './lib/x';\nimport {a as b} from './y';\n", {"Z": "x", "b": "a"}),
        ("javascript", "const fs = require('./lib/files');\n", {"fs": "files"}),
        ("go", 'package p\nimport (\n\tz "a/b/x"\n\t"k/l"\n)\n', {"z": "x"}),
        ("rust", "use a::b as z;\nuse a::{c as d, e};\n", {"z": "b", "d": "c"}),
        ("php", "<?php use A\\B as C;", {"C": "B"}),
        ("kotlin", "import a.b.C as D\n", {"D": "C"}),
        ("scala", "import a.b.{C => D}\n", {"D": "C"}),
        ("csharp", "using X = A.B.C;\nusing D.E;\n", {"X": "C"}),
    ],
)  # fmt: skip
def test_names_that_imports_give(language: str, text: str, expected: dict[str, str]) -> None:
    grammar = by_id(language)
    assert grammar is not None
    imports = extract(parse(text, grammar)).imports
    assert renamed_imports(text, imports) == expected


def test_a_renamed_name_counts_as_what_it_stands_for() -> None:
    found = near("nx.degree(nx)", 13, {"nx": "networkx"})
    assert found["degree"].receiver == "networkx"
    assert "networkx" in found
    assert "nx" not in found
