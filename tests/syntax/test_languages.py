"""The table: every row complete, nothing loaded before it is needed."""

from __future__ import annotations

import subprocess
import sys
from importlib.resources import files

import pytest

from qwen_lsp.syntax.facts import KINDS
from qwen_lsp.syntax.grammar import (
    KNOWN_CAPTURES,
    capture_names,
    fields,
    grammar,
    query,
    query_source,
)
from qwen_lsp.syntax.languages import (
    LANGUAGES,
    Language,
    available,
    by_id,
    language_for,
    language_in,
    related,
)

INSTALLED = [language for language in LANGUAGES if available(language)]
CORE = """python javascript typescript typescriptreact go rust java c cpp csharp ruby php kotlin swift scala
lua shellscript sql html css json yaml toml markdown"""


def test_the_core_languages_are_installed() -> None:
    assert set(CORE.split()) <= {language.id for language in INSTALLED}


@pytest.mark.parametrize(
    ("path", "first_line", "expected"),
    [
        ("src/a.py", "", "python"),
        ("src/a.PY", "", "python"),
        ("types.d.ts", "", "typescript"),
        ("a/View.tsx", "", "typescriptreact"),
        ("View.jsx", "", "javascript"),
        ("include/ring.h", "", "c"),
        ("Dockerfile", "", "dockerfile"),
        ("sub/Makefile", "", "makefile"),
        ("Rakefile", "", "ruby"),
        (".bashrc", "", "shellscript"),
        ("bin/tool", "#!/usr/bin/env python3", "python"),
        ("bin/tool", "#! /usr/bin/python3.12 -u", "python"),
        ("bin/tool", "#!/usr/bin/env -S FOO=1 deno run", "typescript"),
        ("bin/tool", "#!/bin/sh", "shellscript"),
        ("bin/tool", "#!", None),
        ("bin/tool", "#!/usr/bin/env", None),
        ("bin/tool", "", None),
        (".py", "", None),
        ("README", "", None),
        ("a.unknown", "", None),
        ("py", "", None),
    ],
)
def test_language_for(path: str, first_line: str, expected: str | None) -> None:
    found = language_for(path, first_line)
    assert (found.id if found else None) == expected


@pytest.mark.parametrize(
    ("path", "text", "expected"),
    [
        ("a.h", '#ifdef __cplusplus\nextern "C" {\n#endif\nint f(void);\n', "c"),
        ("a.h", "/* a class of\n * class names: public: words\n */\nstruct class_t { int new; };\n", "c"),
        ("a.h", "#pragma once\nclass Ring;\n", "cpp"),
        ("a.h", "class EXPORT Ring final : public Base {\n", "cpp"),
        ("a.h", "namespace a::b {\nint f();\n}\n", "cpp"),
        ("a.h", "  template <typename T>\nT f(T t);\n", "cpp"),
        ("a.h", "using Word = int;\n", "cpp"),
        ("a.c", "class Ring;\n", "c"),
        ("tool", "#!/bin/sh\necho\n", "shellscript"),
        ("tool", "words", None),
    ],
)
def test_language_in(path: str, text: str, expected: str | None) -> None:
    found = language_in(path, text)
    assert (found.id if found else None) == expected


def test_related_languages_share_what_they_define() -> None:
    assert related("c", "cpp")
    assert related("typescriptreact", "javascript")
    assert related("go", "go")
    assert not related("c", "go")


def test_by_id_knows_what_editors_say() -> None:
    for id in ("javascriptreact", "shellscript", "bash", "csharp", "cpp"):
        assert by_id(id) is not None
    assert by_id("cobol") is None


def test_ids_suffixes_and_names_are_unique() -> None:
    for keys in (
        [language.id for language in LANGUAGES],
        [suffix for language in LANGUAGES for suffix in language.suffixes],
        [name for language in LANGUAGES for name in language.filenames],
        [name for language in LANGUAGES for name in language.shebangs],
    ):
        assert len(keys) == len(set(keys))
    assert all(suffix.startswith(".") for language in LANGUAGES for suffix in language.suffixes)


def test_every_query_file_belongs_to_a_language() -> None:
    used = {language.query for language in LANGUAGES} | {"ecma.scm", "jsx.scm"}
    assert {file.name for file in (files("qwen_lsp.syntax") / "queries").iterdir()} == used


@pytest.mark.parametrize("language", INSTALLED, ids=lambda language: language.id)
def test_query_compiles_and_captures_what_is_known(language: Language) -> None:
    for capture in capture_names(language):
        head, _, rest = capture.partition(".")
        if head == "definition":
            assert rest in KINDS or rest in ("attribute", "global")
        else:
            assert capture in KNOWN_CAPTURES or (head in ("is", "by") and rest)


@pytest.mark.parametrize("language", INSTALLED, ids=lambda language: language.id)
def test_query_can_be_limited_to_a_range(language: Language) -> None:
    """Only rooted patterns may be asked about a part of a tree."""
    compiled = query(language)
    assert all(compiled.is_pattern_rooted(i) for i in range(compiled.pattern_count))
    # The binding stumbles over texts that are no UTF-8 when it matches them.
    assert "match?" not in query_source(language.query)


def test_a_grammar_that_is_not_installed_is_no_error() -> None:
    absent = Language(id="absent", name="Absent", grammar="tree_sitter_absent:language", query="python.scm")
    assert not available(absent)


def test_fields_of_a_grammar() -> None:
    python = by_id("python")
    assert python is not None
    found = fields(python)
    assert found.names[0] == grammar(python).field_id_for_name("name")
    assert found.constructor == "__init__"


@pytest.mark.slow
def test_importing_the_table_loads_no_grammar() -> None:
    code = (
        "import sys, qwen_lsp.syntax.languages, qwen_lsp.syntax.facts, qwen_lsp.syntax.outline\n"
        "print([name for name in sys.modules if name.startswith('tree_sitter')])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
