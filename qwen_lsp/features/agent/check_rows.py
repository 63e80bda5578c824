"""The table of checks: for each kind of project, the command lines that somebody who knows it would type."""

from __future__ import annotations

import json
import shlex
from collections.abc import Callable, Iterator, Mapping
from typing import Any, cast

from qwen_lsp.features.agent.project import Check, Project, upwards
from qwen_lsp.settings import CheckKind
from qwen_lsp.workspace.paths import RelPath, folder_of


def _python(at: Project) -> Iterator[Check]:
    known = at.has(
        "pyproject.toml", "setup.py", "setup.cfg", "pytest.ini", "tox.ini", "requirements.txt", "noxfile.py"
    )
    if not known and (at.folder or not any(path.endswith(".py") for path in at.snapshot.paths())):
        return
    tool = cast("Mapping[str, Any]", at.toml("pyproject.toml").get("tool") or {})
    setup, tox = at.text("setup.cfg"), at.text("tox.ini")
    where = at.folder

    def module(kind: CheckKind, name: str, arguments: str) -> Check:
        return Check(
            kind, f"python -m {name} {arguments}".rstrip(), where, f"python -c 'import {name.split('.')[0]}'"
        )

    targets = at.targets(".py", ".pyi")
    asked = tuple(path for path in at.paths if _is_test(path) or not path.endswith(".py"))
    tests = Project(at.snapshot, at.folder, asked).targets(".py")
    by_pytest = "pytest" in tool or at.has("pytest.ini", "conftest.py", "tests/conftest.py")
    if by_pytest or "[tool:pytest]" in setup or "[pytest]" in tox or _tests_with(at, "pytest"):
        quiet = "" if "-q" in str(tool.get("pytest", "")) else "-q "
        options = f"{quiet}--tb=short --color=no -rfE --continue-on-collection-errors"
        yield module("test", "pytest", f"{options} {tests}".rstrip())
    elif _tests_with(at, "unittest"):
        yield module(
            "test", "unittest", "discover" if not at.has("tests/__init__.py") else "discover -t . -s tests"
        )
    elif at.has("noxfile.py"):
        yield Check("test", "nox -R", where, "command -v nox")
    elif "[testenv" in tox:
        yield Check("test", "tox -q", where, "command -v tox")
    if "ruff" in tool or at.has("ruff.toml", ".ruff.toml"):
        yield Check(
            "lint",
            f"ruff check --no-cache --output-format=concise {targets}".rstrip(),
            where,
            "command -v ruff",
        )
    if at.has(".flake8") or "[flake8]" in setup or "[flake8]" in tox:
        yield module("lint", "flake8", targets)
    if "pyright" in tool or at.has("pyrightconfig.json"):
        yield Check("type", f"pyright {targets}".rstrip(), where, "command -v pyright")
    if "mypy" in tool or at.has("mypy.ini", ".mypy.ini") or "[mypy]" in setup:
        config = str(tool.get("mypy", "")) + setup + at.text("mypy.ini") + at.text(".mypy.ini")
        whole = "" if "files" in config or "packages" in config else "."
        yield module("type", "mypy", f"--no-error-summary {at.targets('.py', '.pyi', whole=whole)}")


def _is_test(path: RelPath) -> bool:
    name = path.rpartition("/")[2]
    return name.startswith("test") or name.endswith(("_test.py", "_tests.py")) or "/tests/" in f"/{path}"


def _tests_with(at: Project, word: str) -> bool:
    """Whether one of the first test files of the folder uses a library."""
    top = f"{at.folder}/" if at.folder else ""
    tests = [p for p in at.snapshot.paths() if p.startswith(top) and p.endswith(".py") and _is_test(p)][:20]
    project = Project(at.snapshot, "", ())
    texts = [project.text(path) for path in tests]
    return any(f"import {word}" in text or f"from {word}" in text for text in texts) or (
        word == "pytest" and bool(texts) and not any("unittest" in text for text in texts)
    )


_SCRIPTS: tuple[tuple[CheckKind, tuple[str, ...]], ...] = (
    ("test", ("test", "test:unit", "tests")),
    ("lint", ("lint", "lint:check", "eslint")),
    ("type", ("typecheck", "type-check", "types", "check-types", "check:types", "tsc")),
    ("build", ("build",)),
)
_MAKE_TEST: tuple[CheckKind, tuple[str, ...]] = ("test", ("test", "tests", "check"))
_MANAGERS = (("pnpm-lock.yaml", "pnpm"), ("yarn.lock", "yarn"), ("bun.lock", "bun"), ("bun.lockb", "bun"))


def _node(at: Project) -> Iterator[Check]:
    if not at.has("package.json"):
        return
    try:
        package = cast("Mapping[str, Any]", json.loads(at.text("package.json")))
        scripts = cast("Mapping[str, Any]", package.get("scripts") or {})
    except (ValueError, AttributeError):
        return
    above = [Project(at.snapshot, folder, ()) for folder in upwards(at.folder)]
    manager = next((name for one in above for lock, name in _MANAGERS if one.has(lock)), "npm")
    quiet = "" if manager == "bun" else " --silent"
    kinds: set[str] = set()
    for kind, names in _SCRIPTS:
        name = next((name for name in names if name in scripts), None)
        if name is None or "no test specified" in str(scripts[name]):
            continue
        kinds.add(kind)
        named = (
            at.targets(".js", ".ts", ".jsx", ".tsx", ".mjs", ".cjs", ".mts", ".cts") if kind == "test" else ""
        )
        between = " " if manager in ("yarn", "bun") else " -- "
        line = f"{manager} run{quiet} {name}" + (f"{between}{named}" if named else "")
        yield Check(kind, line, at.folder, f"command -v {manager}")
    if "type" not in kinds and at.has("tsconfig.json"):
        yield Check("type", "tsc --noEmit --pretty false", at.folder, "command -v tsc")


def _go(at: Project) -> Iterator[Check]:
    if at.has("go.mod"):
        packages = sorted({f"./{folder_of(p)}".rstrip("/") for p in at.targets(".go").split()})
        named = shlex.join(packages) if packages and not at.folder else "./..."
        yield Check("test", f"go test {named}", at.folder, "command -v go")
        yield Check("lint", f"go vet {named}", at.folder, "command -v go")
        yield Check("build", f"go build {named}", at.folder, "command -v go")


def _cargo(at: Project) -> Iterator[Check]:
    if at.has("Cargo.toml"):
        options, needs = "--offline --color never", "command -v cargo"
        yield Check("test", f"cargo test {options} --no-fail-fast", at.folder, needs)
        lint = f"cargo clippy {options} --all-targets --message-format short"
        yield Check("lint", lint, at.folder, "command -v cargo && cargo clippy --version")
        yield Check("type", f"cargo check {options} --all-targets --message-format short", at.folder, needs)
        yield Check("build", f"cargo build {options}", at.folder, needs)


def _java(at: Project) -> Iterator[Check]:
    if at.has("pom.xml"):
        program = "./mvnw" if at.has("mvnw") else "mvn"
        yield Check("test", f"{program} -o -q -B test", at.folder, f"command -v {program}")
        yield Check("build", f"{program} -o -q -B compile", at.folder, f"command -v {program}")
    elif at.has("build.gradle", "build.gradle.kts"):
        program = "./gradlew" if at.has("gradlew") else "gradle"
        yield Check("test", f"{program} --offline --console=plain test", at.folder, f"command -v {program}")
        yield Check(
            "build", f"{program} --offline --console=plain classes", at.folder, f"command -v {program}"
        )


def _cmake(at: Project) -> Iterator[Check]:
    if at.has("CMakeLists.txt") and at.has("build/CMakeCache.txt"):
        yield Check("build", "cmake --build build", at.folder, "command -v cmake")
        yield Check(
            "test",
            "cmake --build build && ctest --test-dir build --output-on-failure",
            at.folder,
            "command -v ctest",
        )


def _php(at: Project) -> Iterator[Check]:
    if at.has("composer.json"):
        if at.has("phpunit.xml", "phpunit.xml.dist"):
            yield Check("test", "vendor/bin/phpunit --colors=never", at.folder, "test -x vendor/bin/phpunit")
        if at.has("phpstan.neon", "phpstan.neon.dist"):
            line = "vendor/bin/phpstan analyse --no-progress --error-format=raw"
            yield Check("type", line, at.folder, "test -x vendor/bin/phpstan")


def _ruby(at: Project) -> Iterator[Check]:
    if at.has("Gemfile"):
        if at.has(".rspec", "spec"):
            yield Check("test", "bundle exec rspec --no-color", at.folder, "bundle exec rspec --version")
        elif at.has("Rakefile") and at.has("test"):
            yield Check("test", "bundle exec rake test", at.folder, "bundle exec rake --version")
        if at.has(".rubocop.yml"):
            yield Check(
                "lint", "bundle exec rubocop --format emacs", at.folder, "bundle exec rubocop --version"
            )


def _elixir(at: Project) -> Iterator[Check]:
    if at.has("mix.exs"):
        yield Check("test", "mix test --no-color", at.folder, "command -v mix")


def _dotnet(at: Project) -> Iterator[Check]:
    top = f"{at.folder}/" if at.folder else ""
    if any(
        p.endswith((".csproj", ".sln"))
        for p in at.snapshot.paths()
        if p.startswith(top) and "/" not in p[len(top) :]
    ):
        yield Check("test", "dotnet test --no-restore --nologo", at.folder, "command -v dotnet")


def named_targets(at: Project) -> Iterator[Check]:
    """Targets of a Makefile or a justfile that say by their name what they are."""
    for program, files in (
        ("make", ("GNUmakefile", "makefile", "Makefile")),
        ("just", ("justfile", "Justfile")),
    ):
        lines = next((text for name in files if (text := at.text(name))), "").splitlines()
        targets = {
            line.partition(":")[0].split(" ")[0] for line in lines if ":" in line and line[:1].isalpha()
        }
        for kind, names in (_MAKE_TEST, *_SCRIPTS[1:]):
            name = next((name for name in names if name in targets), None)
            if name is not None:
                yield Check(kind, f"{program} {name}", at.folder, f"command -v {program}")


def _row(checks: Callable[[Project], Iterator[Check]]) -> Callable[[Project], tuple[Check, ...]]:
    return lambda at: tuple(checks(at))


ROWS = tuple(
    _row(checks) for checks in (_python, _node, _go, _cargo, _java, _cmake, _php, _ruby, _elixir, _dotnet)
)
"""Each gives the checks of a folder; none where it is not of its kind."""
MANIFESTS = frozenset(
    {
        "pyproject.toml", "setup.py", "setup.cfg", "package.json", "go.mod", "Cargo.toml", "pom.xml",
        "build.gradle", "build.gradle.kts", "CMakeLists.txt", "composer.json", "Gemfile", "mix.exs",
    }
)  # fmt: skip
"""Files by which a project is known."""
