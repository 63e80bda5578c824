"""The package as it is installed: a wheel built here, in an environment that knows nothing of this folder."""

from __future__ import annotations

import asyncio
import subprocess
import sys
import sysconfig
import venv
import zipfile
from pathlib import Path

import pytest

from qwen_lsp import __version__
from qwen_lsp.syntax.languages import LANGUAGES
from tests.support.editor import spawned

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[1]
INSTALLED = """
from pathlib import Path
import qwen_lsp
from qwen_lsp.model import tokens
from qwen_lsp.syntax.languages import language_for
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract

print(Path(qwen_lsp.__file__).parent)
print(tokens.count("def main():\\n    pass\\n"))
print([d.name for d in extract(parse("func Add(a int) int { return a }", language_for("a.go"))).definitions])
"""


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("dist")
    # Without isolation, so that nothing is fetched: the build backend is one of the development tools.
    command = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(out), str(ROOT)]
    subprocess.run(command, check=True, capture_output=True)
    (built,) = out.iterdir()
    return built


@pytest.fixture(scope="module")
def python(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel in it, and its dependencies in sight."""
    folder = tmp_path_factory.mktemp("fresh") / "venv"
    venv.create(folder, with_pip=False, symlinks=True)
    interpreter = folder / "bin" / "python"
    command = [sys.executable, "-m", "pip", "--python", str(interpreter), "--disable-pip-version-check"]
    subprocess.run(
        [*command, "install", "--no-index", "--no-deps", str(wheel)], check=True, capture_output=True
    )
    places = [sysconfig.get_path(name) for name in ("purelib", "platlib")]
    (site,) = (folder / "lib").glob("python*/site-packages")
    # The .pth files of those folders are not read: this checkout, installed for editing, stays out of sight.
    (site / "dependencies.pth").write_text("\n".join(dict.fromkeys(places)) + "\n")
    return interpreter


def test_the_wheel_holds_what_the_code_reads(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        (metadata,) = [archive.read(name).decode() for name in names if name.endswith(".dist-info/METADATA")]
    assert f"\nVersion: {__version__}\n" in metadata
    assert {f"qwen_lsp/syntax/queries/{language.query}" for language in LANGUAGES} <= names
    files = [*(ROOT / "qwen_lsp").rglob("*.md"), *(ROOT / "qwen_lsp" / "model" / "data").iterdir()]
    expected = {file.relative_to(ROOT).as_posix() for file in files if file.is_file()}
    assert "qwen_lsp/model/data/NOTICE" in expected
    assert expected <= names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert any(name.endswith("licenses/qwen_lsp/model/data/NOTICE") for name in names)
    assert not [name for name in names if not name.startswith(("qwen_lsp/", "qwen_lsp-"))]
    assert not [name for name in names if "__pycache__" in name]


def test_the_command_is_installed(python: Path, tmp_path: Path) -> None:
    command = [str(python.parent / "qwen-lsp"), "--version"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == f"qwen-lsp {__version__}\n"


def test_data_is_found_where_it_was_installed(python: Path, tmp_path: Path) -> None:
    command = [str(python), "-c", INSTALLED]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    place, count, names = done.stdout.splitlines()
    assert Path(place).is_relative_to(python.parents[1])
    assert (count, names) == ("6", "['Add']")


async def test_the_server_starts(python: Path, tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def alpha() -> None: ...\n")
    async with spawned([str(python.parent / "qwen-lsp"), "serve"]) as editor:
        result = await editor.initialize(tmp_path)
        assert result["serverInfo"] == {"name": "qwen-lsp", "version": __version__}
        await editor.leave()
        assert editor.process is not None
        async with asyncio.timeout(20):
            assert await editor.process.wait() == 0
