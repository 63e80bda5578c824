"""Grammars and compiled queries, loaded when a language is first parsed."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from importlib import import_module
from importlib.resources import files
from typing import NamedTuple

import tree_sitter

from qwen_lsp.syntax.languages import Language

KNOWN_CAPTURES = frozenset(
    ("name", "body", "outer", "attribute", "reference", "type", "qualifier", "import", "module", "imported")
)
"""The captures `collect` understands, besides `definition.<kind>`, `is.<words>` and `by.<words>`."""

_INHERITS = "; inherits:"


@cache
def grammar(language: Language) -> tree_sitter.Language:
    """The grammar of an installed language."""
    module, _, function = language.grammar.partition(":")
    loader: Callable[[], object] = getattr(import_module(module), function)
    pointer = loader()
    return tree_sitter.Language(_capsule(pointer) if isinstance(pointer, int) else pointer)


def _capsule(address: int) -> object:
    """What newer grammars return themselves; for a bare address the binding only warns so far."""
    import ctypes

    new = ctypes.pythonapi.PyCapsule_New
    new.restype = ctypes.py_object
    new.argtypes = (ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p)
    return new(address, b"tree_sitter.Language", None)


@cache
def query(language: Language) -> tree_sitter.Query:
    """The compiled query of an installed language."""
    return tree_sitter.Query(grammar(language), query_source(language.query))


@cache
def capture_names(language: Language) -> frozenset[str]:
    """What the query of an installed language captures."""
    compiled = query(language)
    return frozenset(compiled.capture_name(i) for i in range(compiled.capture_count))


def query_source(name: str) -> str:
    """The text of one query file, with those its first line inherits put in front."""
    text = (files("qwen_lsp.syntax") / "queries" / name).read_text(encoding="utf-8")
    first = text.partition("\n")[0]
    parents = first.removeprefix(_INHERITS).split() if first.startswith(_INHERITS) else []
    return "".join(query_source(parent) for parent in parents) + text


class Fields(NamedTuple):
    """What `collect` needs to know of a grammar: the fields to look in for what was not captured."""

    names: tuple[int, ...]
    bodies: tuple[int, ...]
    comment: bytes
    constructor: str | None


@cache
def fields(language: Language) -> Fields:
    number = grammar(language).field_id_for_name
    names = tuple(filter(None, map(number, ("name", "left"))))
    bodies = tuple(filter(None, map(number, ("body", "value", "right"))))
    return Fields(names, bodies, (language.line_comment or "").encode(), language.constructor)
