"""Command lines that look like an allowed one to something that reads lines differently from a shell."""

from __future__ import annotations

from collections.abc import Iterator

ALLOWED = (
    "pytest -q",
    "make test",
    "npm run lint -- --max-warnings=0",
    "python -m 'my tests' --name=\"a b\"",
    "ls",
)
"""What the user's own configuration lists in the tests."""

# {} is an allowed line; {0} its first word, {1} the rest.
_PATTERNS = (
    # separators and what follows them
    "{}; rm -rf .", "{};rm -rf .", "{} ; rm x", "; {}", "{} && rm x", "{}&&rm x", "{} || rm x", "{}||rm x",
    "{} | sh", "{}|sh", "{} |& sh", "{} & rm x", "{}&", "{} &", "{} ;; rm x", "rm x; {}", "rm x && {}",
    "rm x | {}", "{}\nrm x", "{}\n", "\n{}", "{}\r\nrm x", "{}\rrm x", "{}\r", "{}\x0brm x", "{}\x0crm x",
    "{}\x85rm x", "{}\u2028rm x", "{}\u2029rm x", "{}\x1erm x", "{}\\\nrm x", "{}\t; rm x", "{}\t",
    # substitution
    "{} $(rm x)", "{}$(rm x)", "$(rm x) {}", "{} `rm x`", "`rm x` {}", "{} \"$(rm x)\"", "{} \"`rm x`\"",
    "{} <(rm x)", "{} >(rm x)", "{} $((1+1))", "{} ${{HOME}}", "{} $HOME", "{} ${{x:-$(rm x)}}",
    "{} $'\\x41'", "{} $\"text\"", "$0 {}", "{} \"$@\"", "{} $?", "{} $$",
    # redirects
    "{} > x", "{}>x", "{} >> x", "{} 2> x", "{} 2>&1", "{} &> x", "{} < x", "{} << END", "{} <<< x",
    "{} >| x", "{} <> x", "> x {}", "{} >&2", "{} 1>/dev/null",
    # words before the program
    "A=b {}", "PATH=. {}", "LD_PRELOAD=./x.so {}", "A= {}", "'A=b' {}", "A+=b {}", "env {}", "env A=b {}",
    "/usr/bin/env {}", "env -S '{}'", "command {}", "builtin {}", "exec {}", "eval {}", "eval '{}'",
    "time {}", "nohup {}", "nice {}", "sudo {}", "xargs {}", "source {}", ". {}", "! {}", "coproc {}",
    "then {}", "do {}", "if {}", "while {}", "{{ {}; }}", "( {} )", "({})", "[[ {} ]]", "function f {}",
    "f() {}", "trap '{}' EXIT", "alias ls='{}'", "export A=b {}", "set -x {}", "cd / {}", "sh -c '{}'",
    "bash -c '{}'", "python -c '{}'",
    # globs, braces, home, history, comments
    "{} *", "{} ?", "{} [a-z]", "{} {{a,b}}", "{{{0},rm}} {1}", "{} {{1..9}}", "{} ~", "{} ~root", "{} !!",
    "{} !rm", "{} # now", "#{}", "{}#x", "{} \\; rm", "{} \\$(rm x)", "{} %1", "{} ^a^b", "{} @(a|b)",
    "{} +(a)",
    # quotes that end elsewhere
    "{} '", "{} \"", "'{}", "\"{}", "{} 'a\nb'", "'{}'", "\"{}\"", "{0}\"\" {1} x", "{} ''", "{} \"\"",
    "'' {}",
    # more words, other words, other programs
    "{} x", "{} -x", "{} --", "{}x", "x{}", "./{}", "../{}", "/tmp/{}", "{0}", "{0} {1} {1}", "{1} {0}",
    "-- {}",
    # characters that look like others, or like none
    "\u200b{}", "{}\u200b", "{}\u00a0", "{0}\u00a0{1}", "{0}\u2003{1}", "{}\u202e", "{}\ufeff", "\ufeff{}",
    "{}\u3164", "{}\U000e0041", "{}\u037e rm x", "{}\uff1b rm x", "{}\uff06\uff06 rm x", "{}\u2502 sh",
    "{}\u0000", "{}\u0000; rm x", "{}\x1b[2K", "{}\x08\x08", "{}\x7f", "{} \u2010x", "{}\u0301",
)  # fmt: skip
_TWINS = {
    "p": "р",
    "s": "ѕ",
    "e": "е",
    "a": "а",
    "m": "м",
    "n": "ո",
    "l": "ⅼ",
    "y": "у",
    "t": "ｔ",
    "-": "‐",
    " ": "\u2009",
}


def bypasses() -> Iterator[str]:
    """Every pattern with every allowed line, and lines of very many commands. None of them is allowed."""
    for line in ALLOWED:
        first, _, rest = line.partition(" ")
        for pattern in _PATTERNS:
            made = pattern.format(line, rest) if "{}" in pattern else pattern.format(first, rest)
            # The same words between blanks, or one word in quotes, are the same to every shell.
            if made.strip(" ") != line and made.strip("'\"") != line.strip("'\""):
                yield made
        for letter, twin in _TWINS.items():
            if letter in line:
                yield line.replace(letter, twin, 1)
        yield line.upper() if line.upper() != line else line.title()
        for count in (50, 51, 10_000):
            yield "; ".join([line] * count)
            yield "\n".join([line] * count)
            yield " && ".join([line] * count)
    yield from ("", " ", "\t", "\n", "\0", "''", "''''", "a\0b")
