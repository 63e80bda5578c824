"""The ways to install that the README has, each carried out from this tree in folders that were empty before.

What is installed comes from the package index as it is set up on this machine. The ways of the Neovim plugin
are in neovim/test_install.py.
"""

from __future__ import annotations

import asyncio
import json
import os
import re
import shlex
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path

import pytest

from qwen_lsp import __version__
from tests.editors.conftest import program
from tests.editors.support import extension
from tests.support.editor import Json, spawned

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
TIME = 120.0
"""Longest wait in seconds for an answer; the first start compiles what was installed."""
GIT = "git+https://github.com/qwen-lsp/qwen-lsp"
MCP: Json = {
    "protocolVersion": "2025-06-18",
    "capabilities": {},
    "clientInfo": {"name": "test", "version": "1"},
}
ACP: Json = {"protocolVersion": 1, "clientCapabilities": {}}


def lines_under(title: str) -> list[str]:
    """The commands of the first console block below a heading of the README, without what it says of them."""
    found = re.search(rf"^## {re.escape(title)}$.*?^```console$(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    assert found, title
    return [line[2:].split("  #")[0].strip() for line in found[1].splitlines() if line.startswith("$ ")]


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the wheel and the sdist of this tree."""
    folder = tmp_path_factory.mktemp("dist")
    builds("--outdir", folder, ROOT)
    return folder


@pytest.fixture
def elsewhere(tmp_path: Path, own_user_folders: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project far from this tree, for a person who has none of our development tools."""
    for name in ("PYTHONPATH", "VIRTUAL_ENV"):
        monkeypatch.delenv(name, raising=False)
    ours = str(Path(sys.executable).parent)
    others = [place for place in os.environ["PATH"].split(os.pathsep) if place != ours]
    monkeypatch.setenv("PATH", os.pathsep.join([str(own_user_folders / ".local" / "bin"), *others]))
    project = tmp_path / "project"
    project.mkdir()
    (project / "prices.py").write_text("def net(cents: int) -> int:\n    return cents\n")
    return project


async def test_the_wheel_in_a_fresh_environment(elsewhere: Path, built: Path, tmp_path: Path) -> None:
    wheel = built / f"qwen_lsp-{__version__}-py3-none-any.whl"
    bin = fresh(tmp_path / "venv")
    ran([bin / "python", "-m", "pip", "install", "--quiet", wheel], elsewhere)
    await works(bin / "qwen-lsp", elsewhere)
    await takes_what_it_lacks(bin / "qwen-lsp", elsewhere)


@pytest.mark.parametrize("line", lines_under("Install")[:-1])
async def test_a_line_of_the_readme_with_pipx(
    elsewhere: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, line: str
) -> None:
    assert line.startswith("pipx install "), line
    home, bin, pipx = tmp_path / "pipx", tmp_path / "bin", has_pipx(tmp_path)
    monkeypatch.setenv("PIPX_HOME", str(home))
    monkeypatch.setenv("PIPX_BIN_DIR", str(bin))
    monkeypatch.setenv("PIPX_MAN_DIR", str(home / "man"))
    monkeypatch.setenv("PATH", os.pathsep.join([str(bin), str(pipx.parent), os.environ["PATH"]]))
    served(tmp_path / "hub")
    ran(["sh", "-ec", line], ROOT if re.search(r"install '?\.", line) else elsewhere)
    assert shutil.which("qwen-lsp") == str(bin / "qwen-lsp")
    assert "ok   index" in ran(["sh", "-c", lines_under("Install")[-1]], elsewhere, status=1)
    await works(bin / "qwen-lsp", elsewhere)
    if "mcp,acp" in line:
        await speaks([bin / "qwen-lsp", "mcp"], MCP, elsewhere)
        await speaks([bin / "qwen-lsp", "acp"], ACP, elsewhere)
    else:
        await takes_what_it_lacks(bin / "qwen-lsp", elsewhere)


def test_every_page_installs_as_the_readme_does() -> None:
    (remote,) = [line for line in lines_under("Install") if GIT in line]
    pages = [*ROOT.glob("docs/*.md"), *ROOT.glob("editors/*/README.md"), *ROOT.glob("editors/*/doc/*.txt")]
    lines = [line for page in pages for line in re.findall(r"pipx? install ([^`\n]+)", page.read_text())]
    assert len(lines) > 5
    plain = remote.removeprefix("pipx install ").replace("[mcp,acp]", "[]")
    named = [re.sub(r"\[\w+\]", "[]", line.split("  #")[0].strip()) for line in lines]
    assert set(named) == {plain, GIT}


def test_the_sdist_is_the_repository_and_builds_the_same_wheel(built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    ran(["tar", "-xf", sdist], tmp_path)
    (unpacked,) = tmp_path.iterdir()
    assert unpacked.name == f"qwen_lsp-{__version__}"
    holds = {file.relative_to(unpacked).as_posix() for file in unpacked.rglob("*") if file.is_file()}
    assert holds == tracked() | {"PKG-INFO"}
    assert sum((unpacked / name).stat().st_size for name in holds) < 12_000_000
    builds("--wheel", "--outdir", tmp_path / "again", unpacked)
    (wheel,), (again,) = built.glob("*.whl"), (tmp_path / "again").iterdir()
    assert wheel.name == again.name
    assert wheel.read_bytes() == again.read_bytes()


def test_the_two_commands_of_the_readme_from_the_sdist(elsewhere: Path, built: Path, tmp_path: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    ran(["tar", "-xf", sdist], tmp_path)
    unpacked = tmp_path / f"qwen_lsp-{__version__}"
    _, of_yours = lines_under("Two commands")
    said = ran(["sh", "-ec", of_yours.replace("~/src/project", shlex.quote(str(elsewhere)))], unpacked)
    assert "prices.py" in said
    assert (elsewhere / "prices.py").read_text().startswith("def net")


def test_the_vsix_holds_what_runs_and_nothing_it_was_made_from() -> None:
    with zipfile.ZipFile(extension.vsix()) as archive:
        names = {
            name.removeprefix("extension/") for name in archive.namelist() if name.startswith("extension/")
        }
        (wheel,) = [name for name in names if name.endswith(".whl")]
        size = sum(info.file_size for info in archive.infolist())
    assert wheel == f"bundled/qwen_lsp-{__version__}-py3-none-any.whl"
    # vsce writes these names so.
    assert {"package.json", "readme.md", "changelog.md", "LICENSE.txt", "images/icon.png"} <= names
    assert {"dist/extension.js", "walkthrough/server.md"} <= names
    kinds = re.compile(
        r"package\.json|readme\.md|changelog\.md|LICENSE\.txt|images/icon\.png|bundled/[^/]+\.whl|dist/[^/]+\.js"
        r"|media/[^/]+\.(css|svg)|walkthrough/[^/]+\.(md|svg|png)"
    )
    assert [name for name in names if not kinds.fullmatch(name)] == []
    assert size < 5_000_000


async def test_the_server_in_the_vsix_is_installed_as_the_extension_does_it(
    elsewhere: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(extension.vsix()) as archive:
        archive.extractall(tmp_path / "vsix")
    script = tmp_path / "install.mjs"
    script.write_text(AS_THE_EXTENSION.replace("SOURCES", (extension.SOURCE / "src").as_uri()))
    storage, bundled = tmp_path / "My Storage" / "server", tmp_path / "vsix" / "extension" / "bundled"
    said = ran(
        [program("node"), "--disable-warning=MODULE_TYPELESS_PACKAGE_JSON", script, storage, bundled],
        elsewhere,
    )
    python = Path(said.splitlines()[-1])
    assert python.is_relative_to(storage)
    await works(python.with_name("qwen-lsp"), elsewhere)


AS_THE_EXTENSION = """
const { environmentOf, findPython, install, installed, steps, wheelIn } = await import('SOURCES/venv.ts');
const { thisMachine } = await import('SOURCES/machine.ts');
const [storage, bundled] = process.argv.slice(2);
const machine = thisMachine(async () => undefined);
const wheel = wheelIn(bundled);
const { python, problem } = await findPython(machine, []);
if (problem) throw new Error(problem);
const environment = environmentOf(storage, wheel);
const commands = steps(python, environment, wheel, machine.platform);
const failure = await install(commands, environment, console.log, new AbortController().signal);
if (failure) throw new Error(failure);
console.log(installed(storage, wheel, machine.platform).python);
"""
"""The calls of editors/vscode/src/install.ts, without the questions to a person."""


# --- hands


def ran(command: Sequence[str | Path], folder: Path, *, status: int = 0) -> str:
    """Run a program to its end, which must be this one; what it said."""
    done = subprocess.run(
        [str(word) for word in command], cwd=folder, check=False, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    assert done.returncode == status, f"{command}:\n{done.stdout[-6_000:]}"
    return done.stdout


def builds(*words: str | Path) -> None:
    """Build without isolation: what builds is one of the development tools."""
    ran([sys.executable, "-m", "build", "--no-isolation", *words], ROOT)


def fresh(folder: Path) -> Path:
    """The programs of a new environment."""
    ran([sys.executable, "-m", "venv", folder], ROOT)
    return folder / "bin"


def has_pipx(folder: Path) -> Path:
    """pipx, that of this machine or one of our own; without either, the test is skipped."""
    if found := shutil.which("pipx"):
        return Path(found)
    bin = fresh(folder / "pipx")
    try:
        ran([bin / "python", "-m", "pip", "install", "--quiet", "pipx"], folder)
    except AssertionError as error:
        pytest.skip(f"pipx cannot be had: {error}")
    return bin / "pipx"


def served(hub: Path) -> None:
    """Have git find this tree, as it is now, at the address of the repository."""
    copy, bare = hub / "tree", hub / "qwen-lsp.git"
    for name in tracked():
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(ROOT / name, copy / name)
    named = ("-c", "user.name=Nobody", "-c", "user.email=nobody@example.org")
    ran(["git", "init", "--quiet", "--initial-branch=main"], copy)
    ran(["git", "add", "--all"], copy)
    ran(["git", *named, "commit", "--quiet", "--message=The tree"], copy)
    ran(["git", "clone", "--quiet", "--bare", copy, bare], hub)
    ran(["git", "config", "--global", f"url.file://{hub}/.insteadOf", "https://github.com/qwen-lsp/"], hub)


def tracked() -> set[str]:
    """The files of the repository, as they are now."""
    listed = ran(["git", "ls-files", "--cached", "--others", "--exclude-standard"], ROOT).splitlines()
    return {name for name in listed if (ROOT / name).is_file() and not name.startswith(".ci/")}


# --- eyes


async def works(script: Path, project: Path) -> None:
    """The version, the doctor, and a language server that knows a project and ends when it is told to."""
    assert ran([script, "--version"], project) == f"qwen-lsp {__version__}\n"
    found = json.loads(ran([script, "doctor", "--json"], project, status=1))
    findings = {finding["name"]: finding for finding in found["findings"]}
    assert findings["index"]["found"].startswith("1 file, 1 definition")
    assert findings["endpoint"]["found"].startswith("none is configured")
    async with spawned([str(script), "serve"]) as editor:
        result = await editor.initialize(project)
        assert result["serverInfo"] == {"name": "qwen-lsp", "version": __version__}
        await editor.leave()
        assert editor.process is not None
        async with asyncio.timeout(TIME):
            assert await editor.process.wait() == 0


async def takes_what_it_lacks(script: Path, project: Path) -> None:
    """Without an extra, a sentence has the command that installs it; after that command the server speaks."""
    for name, hello in (("mcp", MCP), ("acp", ACP)):
        said = ran([script, name], project, status=1)
        asked = re.fullmatch(rf"qwen-lsp: `qwen-lsp {name}` needs the package that [^:]+: (.+)\n", said)
        assert asked, said
        ran(["sh", "-ec", asked[1]], project)
        await speaks([script, name], hello, project)
    said = ran([script, "doctor"], project, status=1)
    asked = re.search(r"For Dockerfile[^:]*: (.+)\n", said)
    assert asked, said
    ran(["sh", "-ec", asked[1]], project)
    assert re.search(r"grammars: (\d+) of \1 languages", ran([script, "doctor"], project, status=1))


async def speaks(command: Sequence[str | Path], hello: Json, project: Path) -> None:
    """A server of JSON lines answers the first request, and ends when its input does."""
    process = await asyncio.create_subprocess_exec(
        *command, cwd=project, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert process.stdin is not None and process.stdout is not None
    message = {"jsonrpc": "2.0", "id": 1, "method": "initialize", "params": hello}
    process.stdin.write(json.dumps(message).encode() + b"\n")
    async with asyncio.timeout(TIME):
        answer = json.loads(await process.stdout.readline())
        assert answer["id"] == 1
        assert answer["result"]["protocolVersion"] == hello["protocolVersion"]
        process.stdin.close()
        assert await process.wait() == 0
