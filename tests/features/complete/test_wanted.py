"""Where the settings want a completion, and where not; each refusal names its setting."""

from __future__ import annotations

from typing import Any

import pytest

from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.wanted import ruling, why_silent
from qwen_lsp.settings import CompletionSettings
from qwen_lsp.syntax.languages import language_for
from qwen_lsp.workspace.paths import RelPath


def place(path: str, code: str) -> Place:
    """A place in a file; `|` is the cursor."""
    before, _, after = code.partition("|")
    return Place(RelPath(path), before + after, len(before), language_for(path))


def silent(where: Place, *, invoked: bool = False, **settings: Any) -> str:
    return why_silent(where, CompletionSettings(**settings), invoked=invoked)


CODE = place("src/a.py", "x = |")


def test_by_default_everything_is_offered() -> None:
    assert silent(CODE) == ""
    assert silent(place("a.py", "# why |")) == ""
    assert silent(place("notes.unknown", "some text |")) == ""


@pytest.mark.parametrize(
    ("settings", "trigger", "by"),
    [
        ({}, "auto", "completion.trigger"),
        ({"enabled": False, "trigger_by_glob": {"*.py": "auto"}}, "off", "completion.enabled"),
        ({"trigger": "manual"}, "manual", "completion.trigger"),
        ({"trigger_by_language": {"python": "manual"}}, "manual", "completion.trigger_by_language.python"),
        ({"trigger": "manual", "trigger_by_language": {"python": "auto"}}, "auto",
         "completion.trigger_by_language.python"),
        ({"disabled_languages": ("python",)}, "off", "completion.disabled_languages"),
        ({"disabled_languages": ("python",), "trigger_by_glob": {"src/**": "auto"}}, "auto",
         'completion.trigger_by_glob."src/**"'),
        ({"trigger_by_language": {"python": "auto"}, "trigger_by_glob": {"**/gen/**": "off"}}, "off",
         'completion.trigger_by_glob."**/gen/**"'),
        ({"trigger_by_glob": {"*.py": "off", "src/gen/**": "manual"}}, "manual",
         'completion.trigger_by_glob."src/gen/**"'),
        ({"disabled_globs": ("gen/",), "trigger_by_glob": {"*.py": "auto"}}, "off",
         "completion.disabled_globs"),
        ({"disabled_globs": ("*.py", "!src/gen/a.py")}, "auto", "completion.trigger"),
        ({"disabled_globs": ("/gen/",)}, "auto", "completion.trigger"),
    ],
)  # fmt: skip
def test_a_glob_counts_for_more_than_a_language_and_that_for_more_than_the_rest(
    settings: dict[str, Any], trigger: str, by: str
) -> None:
    found = ruling(RelPath("src/gen/a.py"), "python", CompletionSettings(**settings))
    assert (found.trigger, found.by) == (trigger, by)


def test_a_language_may_be_named_as_editors_name_it() -> None:
    settings = CompletionSettings(trigger_by_language={"bash": "off", "javascriptreact": "manual"})
    assert ruling(RelPath("a.sh"), "shellscript", settings).trigger == "off"
    assert ruling(RelPath("a.jsx"), "javascript", settings).trigger == "manual"
    plain = CompletionSettings(trigger_by_language={"plaintext": "off"})
    assert ruling(RelPath("notes"), "", plain).trigger == "off"
    assert ruling(RelPath("a.py"), "python", plain).trigger == "auto"


def test_manual_answers_when_asked_and_off_never() -> None:
    assert silent(CODE, trigger="manual") == (
        "completions come here only when asked for, by `completion.trigger`"
    )
    assert silent(CODE, trigger="manual", invoked=True) == ""
    assert "`completion.enabled`" in silent(CODE, enabled=False, invoked=True)


def test_nothing_fits_inside_a_word_even_when_asked() -> None:
    assert silent(place("a.py", "x = fo|o"), invoked=True) == "the cursor stands inside a word"


COMMENTS = {
    "a.py": "# it's |", "a.js": "/**\n * @param |", "a.ts": "// a |", "a.go": "// F |", "a.rs": "/// Adds |",
    "a.java": "/** Adds |", "a.c": "/* a\n * |", "a.cs": "/// <summary> |", "a.rb": "# a |",
    "a.php": "// a |", "a.sh": "# a |", "a.lua": "--[[ a |",
}  # fmt: skip
STRINGS = {
    "a.py": 'x = f("a |', "a.js": "x = `a\n |", "a.ts": "x = 'https://|", "a.go": 'x := "a |',
    "a.rs": 'let x = "a |', "a.java": 'String x = "a |', "a.c": 'printf("%d |', "a.cs": 'var x = $"a {b} |',
    "a.rb": "x = <<~EOT\n  a |", "a.php": "$x = 'a |", "a.sh": 'echo "a |', "a.lua": "x = 'a |",
}  # fmt: skip


@pytest.mark.parametrize(("path", "code"), COMMENTS.items(), ids=COMMENTS)
def test_comments_may_be_left_alone(path: str, code: str) -> None:
    where = place(path, code)
    assert "`completion.in_comments`" in silent(where, in_comments=False)
    assert silent(where, in_comments=False, invoked=True) == ""
    assert silent(where, in_strings=False) == ""


@pytest.mark.parametrize(("path", "code"), STRINGS.items(), ids=STRINGS)
def test_strings_may_be_left_alone(path: str, code: str) -> None:
    where = place(path, code)
    assert "`completion.in_strings`" in silent(where, in_strings=False)
    assert silent(where, in_strings=False, invoked=True) == ""
    assert silent(where, in_comments=False) == ""
    assert silent(CODE, in_strings=False, in_comments=False) == ""
