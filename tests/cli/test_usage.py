"""Wrong usage, wrong places, wrong settings: each told in one line; and what help does not import."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from qwen_lsp import __version__
from tests.cli.conftest import Run

COMMANDS = [
    "serve", "tour", "index", "pack", "complete", "explain", "action", "agent", "doctor", "agent undo",
    "agent apply", "agent runs", "agent show", "agent page",
]  # fmt: skip
HEAVY = {"rich", "pydantic", "openai", "httpx2", "tree_sitter", "tiktoken", "pygls", "lsprotocol", "watchdog"}
HELP = """
import sys
from qwen_lsp.cli import main
try:
    main(["serve", "--help"])
except SystemExit:
    pass
print("\\n".join(sys.modules), file=sys.stderr)
"""


@pytest.mark.parametrize("command", COMMANDS)
async def test_each_command_explains_itself(run: Run, command: str) -> None:
    ran = await run(*command.split(), "--help")
    assert ran.code == 0
    assert ran.out.startswith(f"usage: qwen-lsp {command}")
    assert ran.err == ""


async def test_the_help_names_every_command(run: Run) -> None:
    ran = await run("--help")
    assert ran.code == 0
    assert all(f"\n    {command}" in ran.out for command in COMMANDS)


async def test_the_version_is_the_packages(run: Run) -> None:
    ran = await run("--version")
    assert (ran.code, ran.out) == (0, f"qwen-lsp {__version__}\n")


@pytest.mark.slow
def test_help_imports_nothing_heavy() -> None:
    done = subprocess.run([sys.executable, "-c", HELP], capture_output=True, text=True, check=True)
    assert not HEAVY & {name.partition(".")[0] for name in done.stderr.split()}


@pytest.mark.parametrize(
    "argv",
    [
        (),
        ("dance",),
        ("serve", "--stdio", "--tcp", "127.0.0.1:1"),
        ("pack", "."),
        ("pack", ".", "--at", "a.py:1", "--requests"),
        ("pack", ".", "--at", "a.py:1", "--budget", "many"),
        ("complete",),
        ("explain", "a.py", "b.py"),
    ],
    ids=" ".join,
)
async def test_wrong_usage_is_status_2(run: Run, argv: tuple[str, ...]) -> None:
    ran = await run(*argv)
    assert ran.code == 2
    assert ran.err.startswith("usage:")
    assert ran.out == ""


@pytest.mark.parametrize(
    ("argv", "said"),
    [
        (("index", "no-such-folder"), "no such folder"),
        (("tour", "no-such-folder"), "no such folder"),
        (("doctor", "no-such-folder"), "no such folder"),
        (("serve", "--tcp", "7777"), "HOST:PORT"),
        (("serve", "--tcp", "127.0.0.1:99999"), "HOST:PORT"),
        (("complete", "no-such-file.py:3"), "no such file"),
        (("complete", "{file}"), "which line"),
        (("complete", "{file}:0"), "from 1"),
        (("explain", "no-such-file.py"), "no such file"),
        (("action", "{file}"), "which lines"),
        (("action", "{file}:5", "--do", "dance:0"), "no action 'dance:0'"),
        (("pack", "{root}", "--at", "calc/money.py:3", "--budget", "0"), "--budget"),
        (("pack", "{root}", "--at", "../elsewhere.py:3"), "elsewhere.py"),
        (("pack", "{root}", "--at", "calc/money.py:3", "--html", "{root}"), "is a folder"),
        (("pack", "{root}", "--at", "calc/money.py:3", "--html", "{root}/no/p.html"), "no folder"),
        (("pack", "{root}", "--at", "calc/money.py:3", "--html", "-", "--json"), "--json and --html -"),
        (("pack", "{root}", "--requests", "--html", "p.html"), "--at"),
        (("agent", "{root}"), "-p"),
        (("agent", "{root}", "-p", "Do it."), "OPENAI_BASE_URL"),
        (("agent", "{root}", "--undo"), "undo"),
    ],
    ids=lambda value: value if isinstance(value, str) else " ".join(value),
)
async def test_an_error_is_one_line_and_status_1(
    run: Run, repo: Path, argv: tuple[str, ...], said: str
) -> None:
    ran = await run(*(arg.format(file=repo / "calc/money.py", root=repo) for arg in argv))
    assert ran.code == 1
    assert ran.out == ""
    assert ran.err.startswith("qwen-lsp: ")
    assert ran.err.count("\n") == 1
    assert said in ran.err


async def test_a_wrong_setting_is_named(run: Run, repo: Path, own_user_folders: Path) -> None:
    file = own_user_folders / "config" / "qwen-lsp" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("[completion]\nbudget_tokens = 'many'\n")
    ran = await run("index", repo)
    assert ran.code == 1
    assert "completion.budget_tokens" in ran.err


@pytest.mark.slow
def test_a_reader_that_leaves_early_sees_no_traceback(repo: Path) -> None:
    command = f"{sys.executable} -m qwen_lsp explain {repo / 'calc/money.py'} | head -c 5"
    done = subprocess.run(["sh", "-c", command], capture_output=True, text=True, check=True)
    assert len(done.stdout) == 5
    assert done.stderr == ""
