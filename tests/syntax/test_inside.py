"""What a half-written line stands in: code, a comment or a string, language by language."""

from __future__ import annotations

import pytest

from qwen_lsp.syntax.inside import text_around
from qwen_lsp.syntax.languages import available, by_id

# Language, the code before the cursor, and what the cursor stands in. Behind it there is nothing: hardly any
# of these strings and comments has an end.
PLACES: list[tuple[str, str, str | None]] = [
    ("python", 'x = "a', "string"),
    ("python", 'x = "a # b', "string"),
    ("python", 'x = 1 # "a', "comment"),
    ("python", "# it's", "comment"),
    ("python", 'def f():\n    """Doc.\n\n    more', "string"),
    ("python", 'x = "a" ', None),
    ("python", 'x = "a"', None),
    ("python", 'x = f"{a', None),
    ("python", 'x = f"{a} b', "string"),
    ("python", "x = f('", "string"),
    ("python", "# a\n", None),
    ("python", 'def f():\n    """Doc."""\n    ret', None),
    ("python", 'foo("a", b', None),
    ("python", 'x = \'it # "b"', "string"),
    ("python", "x = f\"{g('a", "string"),
    ("python", "#", "comment"),
    ("python", 'x = "a\n', None),
    ("python", 'x = "a\ny = b', None),
    ("javascript", "const a = `x\n y", "string"),
    ("javascript", "const a = `x ${b", None),
    ("javascript", "const a = `x ${b} c", "string"),
    ("javascript", "/** a", "comment"),
    ("javascript", "/**\n * @param a", "comment"),
    ("javascript", "/** a */ f", None),
    ("javascript", "f('a // b", "string"),
    ("javascript", 'x = /a"b/; y', None),
    ("javascript", "f(a); // b", "comment"),
    ("javascript", "x = a / b; c = d", None),
    ("javascript", "a = 'https://x", "string"),
    ("typescript", 'const a: string = "b', "string"),
    ("typescript", "/**\n * b", "comment"),
    ("typescriptreact", '<div className="a', "string"),
    ("typescriptreact", "return <div>it's", None),
    ("rust", "/// a", "comment"),
    ("rust", "//! a", "comment"),
    ("rust", "/// a\nfn f", None),
    ("rust", 'let a = "b\n c', "string"),
    ("rust", "fn f<'a>(x: &'a str) { x", None),
    ("rust", 'let a = r#"b "c', "string"),
    ("rust", "/* a /* b */ c", "comment"),
    ("rust", "let c = '{'; let s = \"x", "string"),
    ("go", "var a = `b\n c", "string"),
    ("go", 'fmt.Println("a', "string"),
    ("go", "// F does", "comment"),
    ("go", "/* F", "comment"),
    ("go", "x := 'a'; y", None),
    ("java", "/** A", "comment"),
    ("java", 'String s = "a', "string"),
    ("java", "class A {\n  /**\n   * @return b\n   */\n  int f", None),
    ("java", 'String s = """\n a', "string"),
    ("java", "class A {\n  // it's", "comment"),
    ("c", 'printf("%d', "string"),
    ("c", "/* a\n * b", "comment"),
    ("c", '#include "a', "string"),
    ("c", "int x; // a", "comment"),
    ("c", "char c = 'a'; d", None),
    ("cpp", 'std::string s = "a', "string"),
    ("cpp", 'auto s = R"(a\n "b', "string"),
    ("cpp", "/// a", "comment"),
    ("csharp", 'var a = "b', "string"),
    ("csharp", 'var a = $"b {c', None),
    ("csharp", 'var a = $"b {c} d', "string"),
    ("csharp", "/// <summary>", "comment"),
    ("csharp", 'var a = @"b\n c', "string"),
    ("ruby", 'x = "a', "string"),
    ("ruby", 'x = "a#{b', None),
    ("ruby", 'x = "a#{b} c', "string"),
    ("ruby", "# a", "comment"),
    ("ruby", "=begin\nfoo", "comment"),
    ("ruby", "x = <<~EOT\n  abc", "string"),
    ("ruby", "x = :a; y = 'b", "string"),
    ("php", "$a = 'b", "string"),
    ("php", '$a = "b $c', "string"),
    ("php", "/** @var", "comment"),
    ("php", "// a", "comment"),
    ("php", "$a = <<<EOT\n b", "string"),
    ("php", "<?php\nfunction f() { return $a", None),
    ("shellscript", 'echo "a', "string"),
    ("shellscript", "echo 'a", "string"),
    ("shellscript", "# a", "comment"),
    ("shellscript", "cat <<EOF\na b", "string"),
    ("shellscript", 'echo "$(ls', None),
    ("shellscript", "x=${#a}; y", None),
    ("lua", 'local a = "b', "string"),
    ("lua", "local a = [[b", "string"),
    ("lua", "--[[ a", "comment"),
    ("lua", "-- a", "comment"),
    ("lua", "local a = 1 ", None),
    ("kotlin", 'val a = "b', "string"),
    ("kotlin", 'val a = "b ${c', None),
    ("kotlin", 'val a = """b', "string"),
    ("kotlin", "/** a", "comment"),
    ("swift", 'let a = "b', "string"),
    ("swift", 'let a = "b \\(c', None),
    ("swift", "/// a", "comment"),
    ("scala", 'val a = "b', "string"),
    ("sql", "SELECT 'a", "string"),
    ("sql", "-- a", "comment"),
    ("json", '{"a": "b', "string"),
    ("yaml", 'a: "b', "string"),
    ("yaml", "a: b", None),
    ("yaml", "# b", "comment"),
    ("toml", 'a = "b', "string"),
    ("toml", "# b", "comment"),
    ("html", "<!-- a", "comment"),
    ("html", '<a href="b', "string"),
    ("css", "/* a", "comment"),
    ("css", 'a { b: url("c', "string"),
    ("elixir", 'x = "a', "string"),
    ("elixir", '@doc """\n a', "string"),
]


@pytest.mark.parametrize(("language", "head", "expected"), PLACES)
def test_what_is_being_written(language: str, head: str, expected: str | None) -> None:
    row = by_id(language)
    assert row is not None
    if not available(row):
        pytest.skip(f"{row.package} is not installed")
    assert text_around(row, head, len(head), 6_000) == expected


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ('x = "a<CURSOR>b"\n', "string"),
        ('x = "ab"<CURSOR>\n', None),
        ("# a<CURSOR>b\nx = 1\n", "comment"),
        ('def f():\n    """Do<CURSOR>c."""\n', "string"),
        ('def f():\n    """Doc."""\n    <CURSOR>\n\n\ndef g():\n    """Doc."""\n', None),
    ],
)
def test_what_stands_behind_the_cursor_changes_nothing(code: str, expected: str | None) -> None:
    python = by_id("python")
    assert python is not None
    offset = code.index("<CURSOR>")
    assert text_around(python, code.replace("<CURSOR>", ""), offset, 6_000) == expected


def test_a_long_text_is_entered_at_a_definition_and_not_in_the_middle_of_a_string() -> None:
    python = by_id("python")
    assert python is not None
    far = 'NOTES = """\n' + "Some words.\n" * 2_000 + '"""\n\n\ndef f():\n'
    for line, expected in (("    x = 1\n", None), ('    """Doc', "string"), ("    # why", "comment")):
        text = far + line
        assert text_around(python, text, len(text), 600) == expected
