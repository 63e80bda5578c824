"""What is open at the end of a piece of code, language by language."""

from __future__ import annotations

import pytest

from qwen_lsp.syntax.blocks import MOST, Nesting, nesting
from qwen_lsp.syntax.languages import available, by_id

# Language, the code before the cursor, the code behind it, and how many of the blocks that began on the
# cursor's line are still open.
OPEN: dict[str, tuple[str, str, str, int]] = {
    "Python, a call": ("python", "x = foo(", "\n    a,\n    b[1],\n", 1),
    "Python, a call that is over": ("python", "x = foo(", "\n    a,\n)\n", 0),
    "JavaScript, braces in a template, a regular expression and a comment": (
        "javascript", "if (a) {", "\n  s = `}\n}`; r = /}/; // }\n", 1,
    ),
    "JavaScript, else": ("javascript", "if (a) {", "\n  b\n} else {\n", 1),
    "TypeScript, a type in braces": ("typescript", "function f(a: { b: C }): D {", "\n  g();\n}\n", 0),
    "TSX, an element in brackets": (
        "typescriptreact", "const a = (", "\n  <div>\n    <b>x</b>\n    <br />\n  </div>\n)\n", 0,
    ),
    "TSX, an element": ("typescriptreact", "  <div>", "\n    <b>x</b>\n", 1),
    "Rust, a lifetime and a brace for a character": (
        "rust", "fn f<'a>(x: &'a str) {", "\n    let c = '}';\n", 1,
    ),
    "Go, a raw text": ("go", "func f() {", "\n\tx := `}`\n", 1),
    "C, a condition of the preprocessor": (
        "c", "int f() {", "\n#ifdef A\n    x = '{';\n#endif\n}\n", 0,
    ),
    "C++, a lambda": (
        "cpp", "std::vector<int> f() {", "\n    auto l = [](int a) { return a; };\n", 1,
    ),
    "Java, a brace for a character": ("java", "int f() {", "\n    return '}';\n", 1),
    "C#, braces in an interpolated text": ("csharp", "int F() {", '\n    return $"{x}}}";\n', 1),
    "PHP, a brace in a text": ("php", "function f() {", '\n    return "}";\n}\n', 0),
    "Ruby, a condition behind a statement": (
        "ruby", "def f(x)", "\n  return 1 if x\n  [1].each do |a|\n    p a\n  end\n", 1,
    ),
    "Ruby, the do of a loop": ("ruby", "def f(x)", "\n  while x do\n    z\n  end\nend\n", 0),
    "Ruby, a value from an if": ("ruby", "def f(x)", "\n  y = if x\n    1\n  end\n", 1),
    "Ruby, a method without an end": ("ruby", "class A", "\n  def f = 1\nend\n", 0),
    "Lua, a loop": ("lua", "local function f()", "\n  for i = 1, 2 do\n    print('end')\n  end\n", 1),
    "Lua, repeat": ("lua", "repeat", "\n  x = x + 1\nuntil x > 2\n", 0),
    "Bash, the pattern of a case": ("shellscript", "case $x in", "\n  a) echo;;\n", 1),
    "Bash, a case in an if": (
        "shellscript", "if true; then", "\n  case $x in\n    a) echo;;\n  esac\nfi\n", 0,
    ),
    "Bash, expansions": ("shellscript", "f() {", '\n  echo "${a}" $(b)\n}\n', 0),
    "HTML, an end that may be left out": ("html", "<ul>", "\n  <li>a\n  <li>b</li>\n  <br>\n</ul>\n", 0),
    "HTML, an element": ("html", "<ul>", "\n  <li>a</li>\n", 1),
    "Elixir, a function in a pipe": ("elixir", "def f do", "\n  x |> Enum.map(fn a -> a end)\nend\n", 0),
}  # fmt: skip


def of(language: str, head: str, rest: str, since: int = 0) -> Nesting:
    row = by_id(language)
    assert row is not None
    if not available(row):
        pytest.skip(f"{row.package} is not installed")
    found = nesting(row, head, rest, since)
    assert found is not None
    return found


@pytest.mark.parametrize(("language", "head", "rest", "still"), OPEN.values(), ids=OPEN.keys())
def test_what_began_on_the_line(language: str, head: str, rest: str, still: int) -> None:
    found = of(language, head, rest)
    assert (found.open, found.outer_closed_at, found.in_text) == (still, None, False)


@pytest.mark.parametrize(
    ("language", "head", "line", "rest", "outer"),
    [
        ("java", "class A {\n", "    int f() {", "\n        return 1;\n    }\n}\n", "}\n"),
        ("python", "x = foo(\n", "    a,", "\n    b,\n)\ny = 1\n", ")\ny = 1\n"),
        ("ruby", "class A\n", "  def f(x)", "\n    x ? 1 : 2\n  end\nend\n", "end\n"),
        ("html", "<div>\n", "  <ul>", "\n    <li>é</li>\n  </ul>\n</div>\n", "</div>\n"),
        ("lua", "if a then\n", "  b()", "\n  c()\nend\n", "end\n"),
        ("go", "func f() {\n\tfor {\n", "\t\ta()", "\n\t}\n", "}\n"),
    ],
)
def test_where_something_is_closed_that_began_above(
    language: str, head: str, line: str, rest: str, outer: str
) -> None:
    found = of(language, head + line, rest, len(head))
    assert found.outer_closed_at is not None
    assert (head + line + rest)[found.outer_closed_at :] == outer


@pytest.mark.parametrize(
    ("language", "unfinished", "end"),
    [
        ("python", 'def f():\n    x = """\nabc (\n', '"""\n'),
        ("python", 'class A:\n    def f(self):\n        """Say it.\n\n', '        """\n'),
        ("javascript", "function f() {\n  const x = `\nabc ( }\n", "`;\n"),
        ("typescript", "class A {\n  /**\n   * Say it }\n", "   */\n"),
        ("go", "func f() {\n\tx := `\nabc ( }\n", "`\n"),
        ("rust", 'fn f() {\n    let x = "\nabc ( }\n', '";\n'),
        ("java", 'class A {\n  void f() {\n    String x = """\nabc ( }\n', '""";\n'),
        ("csharp", 'class A {\n  void F() {\n    var x = @"\nabc ( }\n', '";\n'),
        ("ruby", "def f\n  x = <<~SQL\n    abc end\n", "  SQL\n"),
        ("php", "function f() {\n  $x = <<<SQL\nabc ( }\n", "SQL;\n"),
        ("shellscript", "f() {\n  cat <<EOF\nabc ( }\n", "EOF\n"),
        ("lua", "function f()\n  local x = [[\nabc end\n", "]]\n"),
        ("c", "int f() {\n    /*\n abc ( }\n", " */\n"),
        ("html", "<div>\n  <!-- abc\n", "  -->\n"),
    ],
)
def test_inside_a_text_of_several_lines(language: str, unfinished: str, end: str) -> None:
    assert of(language, unfinished, "").in_text
    assert of(language, unfinished, "abc\n").in_text
    assert not of(language, unfinished, end).in_text


def test_offsets_are_characters_of_the_code() -> None:
    found = of("php", "function f() {\n    // é\n", "    g();\n}\n", len("function f() {\n"))
    assert found.outer_closed_at == len("function f() {\n    // é\n    g();\n")


def test_nothing_is_said_of_too_much_code() -> None:
    python = by_id("python")
    assert python is not None
    assert nesting(python, "x = (", "1,\n" * MOST, 0) is None
