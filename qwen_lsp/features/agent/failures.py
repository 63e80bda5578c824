"""Failures in what test runners, linters and type checkers print, and which of them are new.

A failure is known by what does not move when lines are added above it: the id of a test, or a file with a
message. Every format is tried on every output, because a script of the project's may run any of these tools.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

_LONGEST = 4_000


@dataclass(frozen=True, slots=True)
class Failure:
    """One failing test, or one diagnostic."""

    name: str
    """The test's id, or the file."""
    message: str
    """What is said of the file, without places; empty for a test, whose message may change while it fails."""
    shown: str
    """As it was printed, for the model."""

    @property
    def key(self) -> tuple[str, str]:
        return self.name, self.message


Lines = Sequence[str]
Format = Callable[[Lines], Iterator[Failure]]


def failures(output: str, root: str = "") -> list[Failure]:
    """Every failure in an output, in order of format and place. `root` is taken off the names of files."""
    lines = output.replace(f"{root}/", "").splitlines() if root else output.splitlines()
    tests = [failure for form in _TESTS for failure in form(lines)]
    found = [failure for form in _DIAGNOSTICS for failure in form(lines)]
    if tests:  # what a test prints often begins with a place as well
        found = [failure for failure in found if _SEVERITY.match(failure.message)]
    return tests + found


def new_failures(now: Sequence[Failure], before: Sequence[Failure]) -> list[Failure]:
    """Those of `now` that were not there before; of several alike the last ones are the new ones."""
    known = Counter(failure.key for failure in before)
    new: list[Failure] = []
    for failure in now:
        if known[failure.key]:
            known[failure.key] -= 1
        else:
            new.append(failure)
    return new


# A place as most tools print it: `src/a.c:3:5:` or `src/a.ts(3,5):` or maven's `A.java:[3,5]`.
_PLACE = (
    r"(?P<path>(?:[A-Za-z]:)?[^\s:()\[\]'\"<>|]*\.\w+)"
    r"(?::\d+(?:[:.]\d+)?(?:-\d+(?::\d+)?)?|\(\d+(?:,\d+)?\)|:\[\d+,\d+\])"
)
_DIAGNOSTIC = re.compile(
    rf"^\s*(?:(?:vet|\[?(?:ERROR|WARNING)\]?):?\s+)?{_PLACE}(?::| -)\s+(?P<message>\S.*)$"
)
_POINTER = re.compile(rf"^\s*--> {_PLACE}\s*$")
_HEAD = re.compile(r"^(?:(?:error|warning)(?:\[\w+\])?: |[A-Z]+\d+ )\S.*$")
_ROW = re.compile(r"^\s+\d+:\d+\s+(?P<message>(?:error|warning)\s+\S.*)$")
_FILE = re.compile(r"^(?P<path>/?[^\s:]+\.\w+)$")
_NO_FAILURE = re.compile(r"^(?:note|help|info(?:rmation)?|remark|panicked)\b|^in \S", re.IGNORECASE)
_NUMBERS = re.compile(r"0x[0-9a-f]+|\bline \d+|(?<=:)\d+(?::\d+)?\b|\(\d+,\d+\)", re.IGNORECASE)


def _message(text: str) -> str:
    """A message without places, and with one space wherever there are several."""
    return " ".join(_NUMBERS.sub("#", text).split())


def _name(path: str) -> str:
    return str(PurePosixPath(path))


def _diagnostics(lines: Lines) -> Iterator[Failure]:
    """gcc and its kin, mypy, pyright, tsc, go vet, ruff and rustc in short form, and whoever is like them."""
    for i, line in enumerate(lines):
        found = _DIAGNOSTIC.match(line)
        if found is None or _NO_FAILURE.match(found["message"]):
            continue
        shown = [line.strip()]
        said = found["message"]
        # pyright goes on in the next lines, further to the right, and says its rule in the last one.
        indent = len(line) - len(line.lstrip())
        for more in lines[i + 1 : i + 8]:
            if (
                not indent
                or not more.strip()
                or len(more) - len(more.lstrip()) <= indent
                or _DIAGNOSTIC.match(more)
            ):
                break
            shown.append(more.rstrip())
            said += f" {more.strip()}"
        yield Failure(_name(found["path"]), _message(said), "\n".join(shown))


def _pointed(lines: Lines) -> Iterator[Failure]:
    """rustc and ruff in long form: a message, and below it an arrow to the place."""
    for i, line in enumerate(lines[:-1]):
        if _HEAD.match(line) and (found := _POINTER.match(lines[i + 1])):
            end = i + 2
            while end < len(lines) and end < i + 20 and lines[end].strip():
                end += 1
            yield Failure(_name(found["path"]), _message(line), "\n".join(lines[i:end]))


def _eslint(lines: Lines) -> Iterator[Failure]:
    """A file on a line of its own, and below it a table."""
    path = ""
    for line in lines:
        if found := _FILE.match(line):
            path = found["path"]
        elif path and (row := _ROW.match(line)):
            yield Failure(_name(path), _message(row["message"]), f"{path}:{line.strip()}")
        elif not line.strip():
            path = ""


_PYTEST = re.compile(r"^(?:FAILED|ERROR) (?P<id>\S+\.py(?:::.+?)?)(?: - (?P<why>.*))?$")
_TITLE = re.compile(r"^_{3,} (?P<title>.+?) _{3,}$")
_RULE = re.compile(r"^(=+ .* =+|_{3,} .+ _{3,}|=+|-{60,})$")


def _pytest(lines: Lines) -> Iterator[Failure]:
    """The summary says what failed; the sections above it say how."""
    sections = {found["title"]: i for i, line in enumerate(lines) if (found := _TITLE.match(line))}
    for line in lines:
        if found := _PYTEST.match(line):
            path, _, inner = found["id"].partition("::")
            title = inner.replace("::", ".")
            titles = (
                title,
                f"ERROR at setup of {title}",
                f"ERROR at teardown of {title}",
                f"ERROR collecting {path}",
            )
            at = next((sections[t] for t in titles if t in sections and (inner or t.endswith(path))), None)
            body = _section(lines, at + 1, _RULE) if at is not None else ""
            yield Failure(found["id"], "", f"{line}\n{body}".rstrip())


_UNITTEST = re.compile(r"^(?:FAIL|ERROR): (?P<name>\S+) \((?P<where>[\w.]+)\)")


def _unittest(lines: Lines) -> Iterator[Failure]:
    for i, line in enumerate(lines):
        if i and (found := _UNITTEST.match(line)) and lines[i - 1].startswith("====="):
            where = found["where"].removesuffix(f".{found['name']}")
            yield Failure(f"{where}.{found['name']}", "", f"{line}\n{_section(lines, i + 2, _RULE)}".rstrip())


_GO = re.compile(r"^\s*--- FAIL: (?P<name>\S+)")
_GO_PACKAGE = re.compile(r"^(?:FAIL|---)\s+(?P<package>[^\s:(]+)(?:\s+(?:\[build failed\]|[\d.]+s).*)?$")


def _go(lines: Lines) -> Iterator[Failure]:
    """The package is named after its tests."""
    waiting: list[tuple[str, str]] = []
    for i, line in enumerate(lines):
        if found := _GO.match(line):
            body = [line]
            for more in lines[i + 1 :]:
                if not more.startswith(("    ", "\t")) or _GO.match(more):
                    break
                body.append(more)
            waiting.append((found["name"], "\n".join(body)))
        elif line.startswith("FAIL\t") and (package := _GO_PACKAGE.match(line)):
            if not waiting:
                waiting.append(("", "\n".join((*_built(lines, i, package["package"]), line))))
            # A test fails with each of its parts; the parts are enough.
            whole = {name[:at] for name, _ in waiting for at, sign in enumerate(name) if sign == "/"}
            for name, shown in waiting:
                if name not in whole:
                    yield Failure(f"{package['package']} {name}".strip(), "", shown)
            waiting = []


def _built(lines: Lines, end: int, package: str) -> Lines:
    """What the compiler said of a package, before the line that says it failed."""
    start = next((i for i in range(end) if lines[i].startswith(f"# {package}")), end)
    stop = next((i for i in range(start + 1, end) if lines[i].startswith(("# ", "FAIL", "ok "))), end)
    return lines[start:stop]


_CARGO = re.compile(r"^test (?P<name>.+?) (?:- should panic )?\.\.\. FAILED$")
_CARGO_RUNNING = re.compile(r"^\s+(?:Running (?:unittests )?(?P<target>\S+)|Doc-tests (?P<doc>\S+))")
_CARGO_END = re.compile(r"^(?:---- .* ----|failures:|stack backtrace:)$")


def _cargo(lines: Lines) -> Iterator[Failure]:
    target = ""
    for i, line in enumerate(lines):
        if running := _CARGO_RUNNING.match(line):
            target = running["target"] or f"doc of {running['doc']}"
        elif found := _CARGO.match(line):
            head = f"---- {found['name']} stdout ----"
            at = next((k for k in range(i, len(lines)) if lines[k] == head), None)
            body = _section(lines, at + 1, _CARGO_END) if at is not None else ""
            yield Failure(f"{target} {found['name']}".strip(), "", f"{line}\n{body}".rstrip())


_JEST_FILE = re.compile(r"^\s*FAIL\s+(?P<path>\S+\.[cm]?[jt]sx?)(?: \([\d.]+ m?s\))?(?: > (?P<test>.+?))?$")
_JEST_TEST = re.compile(r"^ {2}● (?P<test>.+)$")
_JEST_END = re.compile(
    r"^(?: {2}● .*|\s*(?:FAIL|PASS)\s+\S+.*|Test Suites: .*|⎯+.*|Summary of all failing tests)$"
)


def _jest(lines: Lines) -> Iterator[Failure]:
    """Jest names a file and then its tests, vitest both on one line; both may say it again in a summary."""
    path = ""
    told: set[str] = set()
    for i, line in enumerate(lines):
        name = ""
        if found := _JEST_FILE.match(line):
            path = found["path"]
            name = f"{path} > {found['test']}" if found["test"] else ""
        elif path and (found := _JEST_TEST.match(line)):
            name = f"{path} > {found['test']}"
        if name and name not in told:
            told.add(name)
            yield Failure(name, "", f"{name}\n{_section(lines, i + 1, _JEST_END)}".rstrip())


_NODE_TAP = re.compile(r"^(?P<indent>\s*)not ok \d+ - (?P<name>.*?)(?: # .*)?$")
_NODE_SPEC = re.compile(r"^(?P<indent>\s*)✖ (?P<name>.+?) \([\d.]+ms\)(?: # .*)?$")
_NODE_GROUP = re.compile(r"^\s*▶ (?P<name>.+?)(?: \([\d.]+ms\))?$")
_NODE_PLACE = re.compile(r"(?:location: '|\()(?:file://)?(?P<path>[^'():\s]+):\d+:\d+")
_NODE_END = re.compile(r"^\s*(?:\.\.\.|✖ .*|✔ .*|▶ .*|test at .*)$")


def _node(lines: Lines) -> Iterator[Failure]:
    """Both of the reporters that node has. A test that only fails with its parts is left out."""
    groups: set[str] = set()
    for i, line in enumerate(lines):
        if line.startswith("✖ failing tests"):  # all of it once more
            return
        if group := _NODE_GROUP.match(line):
            groups.add(group["name"])
        elif found := _NODE_TAP.match(line) or _NODE_SPEC.match(line):
            section = _section(lines, i + 1, _NODE_END)
            if found["name"] not in groups and "failureType: 'subtestsFailed'" not in section:
                where = _NODE_PLACE.search(section)
                name = f"{where['path']} > {found['name']}" if where else found["name"]
                yield Failure(name, "", f"{line}\n{section}".rstrip())


_NAMED = (
    re.compile(r"^rspec (?P<id>\S+\.rb)(?::\d+|\[[\d:]+\]) # (?P<name>.+)$"),
    re.compile(r"^\d+\) (?P<name>[\w\\]+::\w+(?: with data set .*)?)$"),  # PHPUnit
    re.compile(r"^\s+\d+\) test (?P<name>.+ \([\w.]+\))$"),  # ExUnit
    re.compile(
        r"^\s+\d+ - (?P<name>\S+) \((?:Failed|SEGFAULT|Timeout|Not Run|Subprocess aborted)\)"
    ),  # CTest
    re.compile(r"^\[ERROR\]\s+(?P<name>[\w.$]+\.\w+):\d+"),  # Maven
    re.compile(r"^(?P<name>[\w.$]+ > .+) FAILED$"),  # Gradle
    re.compile(r"^\[ {2}FAILED {2}\] (?P<name>[\w/.]+)(?: \(\d+ ms\))$"),  # GoogleTest
)


def _named(lines: Lines) -> Iterator[Failure]:
    """Runners of which a line with the test's name is enough."""
    for i, line in enumerate(lines):
        for pattern in _NAMED:
            if found := pattern.match(line):
                name = " ".join(value for value in found.groupdict().values() if value)
                yield Failure(name, "", "\n".join(lines[i : i + 12]).rstrip())


def _section(lines: Lines, start: int, end: re.Pattern[str]) -> str:
    """The lines from `start` up to one that matches, not more than a page of them."""
    taken: list[str] = []
    size = 0
    for line in lines[start:]:
        size += len(line) + 1
        if end.match(line) or size > _LONGEST:
            break
        taken.append(line)
    return "\n".join(taken).strip("\n")


_TESTS: tuple[Format, ...] = (_pytest, _unittest, _go, _cargo, _jest, _node, _named)
_DIAGNOSTICS: tuple[Format, ...] = (_diagnostics, _pointed, _eslint)
_SEVERITY = re.compile(r"(?:fatal )?error|warning", re.IGNORECASE)
