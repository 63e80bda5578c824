"""Every language of the table on real-looking code: facts and outline as readable text.

QWEN_LSP_UPDATE=1 rewrites what is expected; read the diff before committing it.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.languages import LANGUAGES, Language, available, language_for
from qwen_lsp.syntax.outline import outline
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract

DATA = Path(__file__).parent / "data"
_SECTION = re.compile(r"^=== (source|outline|definitions|imports|references)(?: (.*))?\n", re.MULTILINE)


def source_of(path: Path) -> tuple[str, str]:
    """The path and the text a fixture is about."""
    _, kind, name, text, *_ = _SECTION.split(path.read_text(encoding="utf-8"))
    assert kind == "source"
    return name, text


def described(facts: FileFacts, text: str) -> dict[str, str]:
    """Lines are shown one-based: `first[-end of header]..last`."""
    definitions: list[str] = []
    for i, d in enumerate(facts.definitions):
        header = f"-{d.header_end + 1}" if d.header_end > d.line else ""
        lines = f"{d.line + 1}{header}..{d.end_line + 1} at {d.name_line + 1}:{d.column + 1}"
        definitions.append(f"{'  ' * depth_of(facts, i)}{d.kind} {d.name} {lines}")
    imports = [
        f"{i.line + 1}: {i.module}" + (f" -> {', '.join(i.names)}" if i.names else "") for i in facts.imports
    ]
    uses = sorted(facts.references.items())
    return {
        "outline": outline(text, facts).rstrip("\n"),
        "definitions": "\n".join(definitions),
        "imports": "\n".join(imports),
        "references": ", ".join(name if count == 1 else f"{name} {count}" for name, count in uses),
    }


def depth_of(facts: FileFacts, index: int) -> int:
    parent = facts.definitions[index].parent
    return 0 if parent < 0 else 1 + depth_of(facts, parent)


def test_every_language_has_a_fixture() -> None:
    assert {path.stem for path in DATA.glob("*.txt")} == {language.id for language in LANGUAGES}


@pytest.mark.parametrize("language", LANGUAGES, ids=lambda language: language.id)
def test_facts_and_outline(language: Language) -> None:
    path = DATA / f"{language.id}.txt"
    name, text = source_of(path)
    assert language_for(name) is language
    if not available(language):
        pytest.skip(f"{language.package} is not installed")
    facts = extract(parse(text, language))
    assert not facts.has_errors
    assert facts.definitions
    sections = "".join(f"=== {title}\n{body}\n" for title, body in described(facts, text).items())
    actual = f"=== source {name}\n{text}{sections}"
    if os.environ.get("QWEN_LSP_UPDATE"):
        path.write_text(actual, encoding="utf-8")
    assert actual == path.read_text(encoding="utf-8")
