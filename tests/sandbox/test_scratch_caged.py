"""The scratch copy in the real sandbox: at the workspace's own path, with git, dependencies and checks."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

import pytest

from qwen_lsp.sandbox.command import Command, Limits
from qwen_lsp.sandbox.scratch import Ran, Scratch
from qwen_lsp.workspace.paths import RelPath
from tests.sandbox.places import sandbox
from tests.sandbox.test_scratch import Opening, put, several
from tests.support.scratch import commands

_GIT = ("git", "-c", "user.name=Ada", "-c", "user.email=ada@example.org")
SECRET = "planted-4b1e"


@pytest.fixture
def opening(own_user_folders: Path, tmp_path: Path) -> Opening:
    (own_user_folders / "notes.txt").write_text(SECRET)
    (tmp_path / "beside.txt").write_text(SECRET)
    return Opening(tmp_path)


class Caged:
    """A workspace with a repository and dependencies, and commands in the real sandbox."""

    def __init__(self, opening: Opening) -> None:
        self.opening = opening

    async def __aenter__(self) -> Caged:
        bench = await self.opening.open(
            several(
                put(".gitignore", "node_modules/\n.env\n"),
                put(".env", f"KEY={SECRET}\n"),
                put("web/node_modules/left/index.js", "module.exports = 1\n"),
                put("tracked.txt", "first\n"),
                _committed,
            )
        )
        self.root, self.snapshot = bench.root, bench.snapshot
        self.scratch = Scratch.at(
            self.root, sandbox(self.root), allowed=bench.scratch.allowed, place=self.opening.place
        )
        return self

    async def __aexit__(self, *error: object) -> None:
        await self.scratch.__aexit__(None, None, None)
        await self.opening.close()

    async def run(self, line: str, folder: str = "") -> Ran:
        return await self.scratch.run(self.snapshot, Command(line, folder), Limits(seconds=30))


def _committed(root: Path) -> None:
    for line in (("git", "init", "-q"), ("git", "add", "-A"), (*_GIT, "commit", "-qm", "first")):
        subprocess.run(line, cwd=root, check=True)


def state(root: Path) -> dict[str, bytes]:
    return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}


async def test_a_command_works_at_the_workspaces_own_path(opening: Opening) -> None:
    async with Caged(opening) as at:
        before = state(at.root)
        ran = await at.run(f"pwd; cat {at.root}/tracked.txt; echo more >> {at.root}/tracked.txt", "app")

        assert ran.exit.output.split() == [str(at.root / "app"), "first"]
        assert ran.changed == ("tracked.txt",)
        assert ran.fork.text(RelPath("tracked.txt")) == "first\nmore\n"
        assert state(at.root) == before


async def test_git_shows_the_edits_and_keeps_its_repository(opening: Opening) -> None:
    async with Caged(opening) as at:
        before = state(at.root)
        at.snapshot = at.snapshot.edited(RelPath("tracked.txt"), "second\n")
        ran = await at.run("git status --short tracked.txt; git diff tracked.txt | grep '^[-+][a-z]'")
        assert ran.exit.output.split() == ["M", "tracked.txt", "-first", "+second"]

        line = (
            "{0} commit -am x || touch .git/hooks/pre-commit || mv .git .git2 || git config a.b c || echo no"
        )
        ran = await at.run(line.format(" ".join(_GIT)))
        assert ran.exit.output.endswith("no\n")
        assert ran.changed == ()
        assert state(at.root) == before


async def test_dependencies_are_there_and_cannot_be_written(opening: Opening) -> None:
    async with Caged(opening) as at:
        ran = await at.run(
            "cat web/node_modules/left/index.js; echo 2 > web/node_modules/left/index.js || echo no"
        )

        assert ran.exit.output.startswith("module.exports = 1\n") and ran.exit.output.endswith("no\n")
        assert (ran.changed, ran.left_out) == ((), ())


async def test_no_secret_is_there(opening: Opening) -> None:
    async with Caged(opening) as at:
        ran = await at.run("cat .env ../beside.txt ~/notes.txt; grep -rs planted . ~ .. | head; env")

        assert SECRET not in ran.exit.output


async def test_editor_settings_cannot_be_made(opening: Opening) -> None:
    async with Caged(opening) as at:
        before = state(at.root)
        ran = await at.run(
            "mkdir -p .vscode app/.vscode; for d in . app; do echo {} > $d/.vscode/tasks.json; done"
        )

        assert ran.changed == ()
        assert [path for path, _ in ran.left_out] == ["app/.vscode/tasks.json"]
        assert state(at.root) == before


async def test_a_link_in_the_way_of_a_lent_folder_leads_nowhere(opening: Opening, tmp_path: Path) -> None:
    async with Caged(opening) as at:
        for target in ("/oldroot/tmp", "/oldroot" + str(tmp_path), str(tmp_path), "/newroot"):
            before = state(tmp_path)
            ran = await at.run(f"mv web moved && ln -s {target} web && ls -l web")
            assert ran.exit.status == 0, ran.exit.output
            assert "web" in dict(ran.left_out)
            at.snapshot = ran.fork
            again = await at.run("true; rm -f web; mv moved web")
            assert again.exit.status == 0, again.exit.output
            at.snapshot = again.fork
            changed = {path for path, data in state(tmp_path).items() if before.get(path) != data}
            assert not [path for path in changed if "cache/scratch" not in path]
            assert not (tmp_path / "node_modules").exists()


async def test_cancelling_ends_what_runs_in_the_sandbox(opening: Opening) -> None:
    async with Caged(opening) as at:
        begun = asyncio.Event()
        command = Command("echo torn > tracked.txt; echo begun; sleep 60")
        running = asyncio.create_task(
            at.scratch.run(at.snapshot, command, Limits(), lambda text: begun.set())
        )
        await begun.wait()
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running

        assert (await at.run("cat tracked.txt")).exit.output == "first\n"


def _environment(root: Path) -> None:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", root / ".venv"], check=True)


@pytest.mark.slow
async def test_the_projects_own_python_is_the_one_that_runs(opening: Opening) -> None:
    bench = await opening.open(_environment)
    async with Scratch.at(
        bench.root, sandbox(bench.root), allowed=bench.scratch.allowed, place=opening.place
    ) as scratch:
        line = "python -c 'import sys; print(sys.prefix)'; echo $VIRTUAL_ENV"
        ran = await scratch.run(bench.snapshot, Command(line, "app"))

        assert ran.exit.output.split() == [str(bench.root / ".venv")] * 2
    await opening.close()


SUM = """
#- calc.py
def add(a, b):
    return a + b
#- test_calc.py
import unittest

from calc import add


class Sum(unittest.TestCase):
    def test_add(self):
        self.assertEqual(add(1, 2), 3)

    def test_old(self):
        self.assertEqual(add(1, 2), 4)
"""


@pytest.mark.slow
async def test_checks_run_in_the_sandbox(own_user_folders: Path, tmp_path: Path) -> None:
    async with commands(SUM, tmp_path, sandbox=sandbox(tmp_path / "workspace")) as at:
        at.edit("calc.py", "a + b", "a - b")
        outcome = await at.call("run_checks", kinds=["test"])

        assert "1 new; failing before: 1 (not shown)." in outcome.text
        assert "test_calc.Sum.test_add" in outcome.text and "test_old" not in outcome.text
        edited = await at.shell("sed -i s/-/+/ calc.py && python -m unittest 2>&1 | tail -1")
        assert edited.text.endswith("FAILED (failures=1)")
        assert at.fork.text(RelPath("calc.py")) == "def add(a, b):\n    return a + b\n"
