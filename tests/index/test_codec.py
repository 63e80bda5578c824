"""Facts survive the way to disk and back; nonsense is recognised."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.index.codec import BYTES, Encoded, decode, definition, encode, fingerprint, import_keys, keys_of
from qwen_lsp.syntax.facts import KINDS, Definition, FileFacts, Import
from qwen_lsp.syntax.languages import language_for

_numbers = st.integers(0, 10**6)
_definitions = st.builds(
    Definition,
    name=st.text(max_size=8),
    kind=st.sampled_from(KINDS),
    line=_numbers,
    name_line=_numbers,
    column=_numbers,
    header_end=_numbers,
    end_line=_numbers,
    parent=st.integers(-1, 100),
)
_facts = st.builds(
    FileFacts,
    language=st.just("python"),
    lines=_numbers,
    definitions=st.lists(_definitions, max_size=4).map(tuple),
    references=st.dictionaries(st.text(max_size=6), st.integers(1, 99), max_size=4),
    imports=st.lists(
        st.builds(
            Import,
            module=st.text(max_size=9),
            names=st.lists(st.text(max_size=5), max_size=3).map(tuple),
            line=_numbers,
        ),
        max_size=3,
    ).map(tuple),
    has_errors=st.booleans(),
)


@given(_facts)
@settings(deadline=None, max_examples=60)
def test_facts_come_back_as_they_were(facts: FileFacts) -> None:
    assert decode(encode(facts), "python") == facts


@pytest.mark.parametrize(
    ("numbers", "data"),
    [
        (b"", b""),
        (b"", b"{"),
        (b"", b"[]"),
        (b"", b"3"),
        (b"", b"[1,0,[1],{},[]]"),
        (b"", b'[1,0,["f"],{},[]]'),
        (b"\0" * 13, b'[1,0,["f"],{},[]]'),
        (b"\0" * 56, b'[1,0,["f"],{},[]]'),
        (b"\x63" * 28, b'[1,0,["f"],{},[]]'),
    ],
)
def test_anything_else_is_a_value_error(numbers: bytes, data: bytes) -> None:
    with pytest.raises(ValueError):
        decode(Encoded(numbers, data), "python")


@given(_facts)
@settings(deadline=None, max_examples=30)
def test_one_definition_is_cut_out_of_many(facts: FileFacts) -> None:
    numbers = encode(facts).numbers
    found = [
        definition(each.name, numbers[BYTES * i : BYTES * (i + 1)])
        for i, each in enumerate(facts.definitions)
    ]
    assert tuple(found) == facts.definitions


@pytest.mark.parametrize(
    ("path", "module", "names"),
    [
        ("pkg/a/b.py", "pkg.a.b", ()),
        ("pkg/a/b.py", ".", ("b",)),
        ("pkg/a/__init__.py", "pkg.a", ("x",)),
        ("pkg/__init__.py", ".", ("x",)),
        ("src/x/y.ts", "./x/y.js", ("a",)),
        ("src/x/index.ts", "../x", ()),
        ("src/index.ts", ".", ()),
        ("include/a/b.h", "a/b.h", ()),
        ("cmd/sub/z.go", "example.org/m/cmd/sub", ()),
        ("src/a/mod.rs", "crate::a", ("T",)),
        ("a/b/C.java", "a.b.C", ()),
        ("a/b/C.java", "a.b", ("C",)),
    ],
)
def test_an_import_shares_a_word_with_its_file(path: str, module: str, names: tuple[str, ...]) -> None:
    language = language_for(path)
    id = "java" if language is None else language.id
    assert import_keys([Import(module, names, 0)], id) & keys_of(path)


def test_the_fingerprint_is_short_and_stable() -> None:
    assert fingerprint() == fingerprint()
    assert len(fingerprint()) == 12
