"""The shape of the house: sizes, docstrings, invariants, and docs that are made from the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
PACKAGE = ROOT / "qwen_lsp"
MODULES = sorted(PACKAGE.rglob("*.py"))
LONGEST = 300


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@pytest.mark.parametrize("path", MODULES, ids=name_of)
def test_a_module_is_short_and_says_what_it_is(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= LONGEST, f"{name_of(path)} wants a seam"
    assert ast.get_docstring(ast.parse(text)), f"{name_of(path)} has no docstring"


@pytest.mark.parametrize(
    "path", [p for p in MODULES if p.name == "__init__.py" and p.parent != PACKAGE], ids=name_of
)
def test_a_package_names_its_invariant(path: Path) -> None:
    said = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    assert "**Invariant:**" in said, f"{name_of(path)} names no invariant"


@pytest.mark.slow
def test_generated_docs_are_current() -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "docs.py", "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr


# Who opens files besides `workspace`, and what they are: never a file of the user's project, except the
# scratch copy that the tour makes of listed files.
_OPENS = {
    "acp_server/app.py": "standard output, kept for the protocol",
    "cli/__init__.py": "the null device",
    "cli/client.py": "a log the user names",
    "cli/pack_command.py": "a page the user names",
    "cli/scratch_run.py": "a copy of listed files, thrown away again",
    "cli/tour.py": "a picture the user names",
    "features/prompting.py": "prompts of the package",
    "index/codec.py": "sources of the package",
    "index/turns.py": "the lock beside the index",
    "mcp_client/pinned.py": "what was allowed of programs that lend tools, in the state folder",
    "mcp_server/lines.py": "the standard streams",
    "model/tokens.py": "data of the package",
    "runs/landed.py": "what has landed, in the records of runs",
    "cli/agent_commit.py": "a commit message, for the user's own editor",
    "cli/setup/clients.py": "texts of the package",
    "cli/setup/files.py": "other programs' configuration, on request",
    "cli/setup/record.py": "what setup wrote, in the state folder",
    "cli/agent_page.py": "a page where the user wants it",
    "runs/record.py": "records of runs in the state folder",
    "runs/stored.py": "records of runs in the state folder",
    "sandbox/bubblewrap.py": "options in memory, for bwrap to read",
    "sandbox/caged.py": "what a program in the sandbox says",
    "sandbox/copying.py": "the workspace's files, to copy them",
    "sandbox/find.py": "switches of the kernel",
    "sandbox/fitting.py": "a scratch copy",
    "sandbox/looking.py": "a scratch copy",
    "sandbox/groups.py": "control groups of the system",
    "sandbox/lending.py": "pointer files, through workspace.beneath",
    "sandbox/mounts.py": "the table of sockets, and a scratch copy",
    "sandbox/place.py": "the lock beside a scratch copy",
    "sandbox/readback.py": "a scratch copy, through workspace.beneath",
    "sandbox/watching.py": "what processes use, and a scratch copy",
    "server/app.py": "the standard streams",
    "server/showing.py": "an explanation in the state folder",
    "session/epochs.py": "epochs in the cache folder",
    "session/pages.py": "pages in the cache folder",
    "stdio.py": "the null device",
    "syntax/grammar.py": "queries of the package",
}
_OPENING = frozenset({"read_text", "read_bytes", "write_text", "write_bytes", "copyfile", "fdopen"})


def opens_files(tree: ast.AST) -> bool:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            called = node.func
            if isinstance(called, ast.Name) and called.id == "open":
                return True
            if isinstance(called, ast.Attribute) and (
                called.attr in _OPENING
                or (
                    called.attr == "open"
                    and isinstance(called.value, ast.Name)
                    and called.value.id in ("os", "log")
                )
            ):
                return True
    return False


def test_only_workspace_opens_files_of_the_user() -> None:
    found = {
        path.relative_to(PACKAGE).as_posix()
        for path in MODULES
        if opens_files(ast.parse(path.read_text(encoding="utf-8")))
    }
    outside = {name for name in found if not name.startswith("workspace/")}
    assert outside == set(_OPENS)


def test_tests_named_in_the_docs_exist() -> None:
    pages = [*MODULES, *(ROOT / "docs").glob("*.md"), ROOT / "CONTRIBUTING.md", ROOT / "README.md"]
    named = {
        name
        for page in pages
        if page.name != "screens.md"  # shows the tests of another project
        for name in re.findall(r"tests/[a-z_/]+\.py", page.read_text(encoding="utf-8"))
    }
    assert [name for name in sorted(named) if not (ROOT / name).exists()] == []
