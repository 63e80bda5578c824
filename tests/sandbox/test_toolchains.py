"""Of the user's home, the programs that PATH leads to are shown, and nothing that lies beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.sandbox.command import Cage, Command, Limits
from qwen_lsp.sandbox.toolchains import STANDARD, toolchains
from tests.sandbox.places import SECRET, lay, sandbox


@pytest.fixture
def home(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    lay(home, {
        ".cargo/bin/cargo": "1", ".cargo/registry/x": "1", ".cargo/credentials.toml": SECRET,
        ".cargo/config.toml": SECRET,
        ".rustup/toolchains/stable/bin/rustc": "1", ".rustup/settings.toml": "1",
        ".pyenv/shims/python": "1", ".pyenv/versions/3.12/bin/python": "1", ".pyenv/secret": SECRET,
        ".nvm/versions/node/v22/bin/node": "1", ".nvm/.npmrc": SECRET,
        ".local/bin/tool": "1", ".local/share/uv/tools/t/bin/t": "1", ".local/share/keyrings/login": SECRET,
        "go/bin/gopls": "1", "go/pkg/mod/m": "1", "go/src/mine.go": SECRET,
        "bin/mine": "1", "sdk/go/bin/go": "1", "sdk/go/VERSION": "1", "sdk/go/pkg/x": "1",
        "sdk/other": SECRET,
        "jdk/bin/java": "1", "jdk/lib/modules": "1", "jdk/keys": SECRET,
        ".ssh/id": SECRET, ".ssh/bin/x": SECRET,
    })  # fmt: skip
    return home


def shown(home: Path, *path: str, **variables: str) -> list[str]:
    found = toolchains({"PATH": ":".join(path), **variables}, home, home / "work/project")
    return [folder.relative_to(home).as_posix() for folder in found.folders]


@pytest.mark.parametrize(
    ("entry", "folders"),
    [
        (".cargo/bin", [".cargo/bin", ".cargo/registry", ".rustup/settings.toml", ".rustup/toolchains"]),
        (".pyenv/shims", [".pyenv/shims", ".pyenv/versions"]),
        (".nvm/versions/node/v22/bin", [".nvm/versions"]),
        (".local/bin", [".local/bin", ".local/share/uv/tools"]),
        ("go/bin", ["go/bin", "go/pkg/mod"]),
        ("bin", ["bin"]),
        ("sdk/go/bin", ["sdk/go"]),
        ("jdk/bin", ["jdk/bin", "jdk/lib"]),
        (".", []),
        ("..", []),
        ("work", []),
        (".ssh/bin", []),
        ("missing/bin", []),
    ],
)
def test_each_manager_shows_its_programs_alone(home: Path, entry: str, folders: list[str]) -> None:
    (home / "work/project").mkdir(parents=True)
    assert shown(home, str(home / entry)) == folders


def test_what_path_does_not_lead_to_is_not_shown(home: Path) -> None:
    assert shown(home, "/usr/bin") == []


def test_a_folder_of_keys_is_not_shown_under_another_name(home: Path) -> None:
    (home / "programs").symlink_to(home / ".ssh")
    (home / "all").symlink_to(home)
    assert shown(home, str(home / "programs"), str(home / "all")) == []


def test_a_manager_elsewhere_is_found_by_its_variable_which_is_kept(home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "rust"
    lay(elsewhere, {"bin/cargo": "1", "credentials.toml": SECRET})
    found = toolchains(
        {"PATH": f"{elsewhere}/bin", "CARGO_HOME": str(elsewhere), "TOKEN": "1"}, home, home / "w"
    )
    assert found.folders == (
        home / ".rustup/settings.toml",
        home / ".rustup/toolchains",
        elsewhere / "bin",
    )
    assert found.variables == {"CARGO_HOME": str(elsewhere)}


def test_a_variable_does_not_make_the_home_a_toolchain(home: Path) -> None:
    assert shown(home, str(home / "bin"), CARGO_HOME=str(home)) == ["bin"]


def test_path_keeps_its_order_and_always_has_the_system(home: Path) -> None:
    root = home / "work/project"
    entries = [
        f"{root}/.venv/bin",
        "relative",
        "",
        str(home / "bin"),
        "/usr/bin",
        str(home / "bin"),
        str(home),
    ]
    found = toolchains({"PATH": ":".join(entries)}, home, root)
    assert found.path[:3] == (f"{root}/.venv/bin", str(home / "bin"), "/usr/bin")
    assert set(STANDARD).issuperset(found.path[3:])
    assert "/bin" in found.path


async def test_a_program_of_the_home_runs_and_its_secrets_are_not_there(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program = home / ".cargo/bin/cargo"
    program.write_text("#!/bin/sh\ncat ~/.cargo/credentials.toml ~/.cargo/config.toml; echo built\n", "utf-8")
    program.chmod(0o755)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    lay(tmp_path, {"ws/a": "1"})
    box = sandbox(tmp_path / "ws")
    cage = Cage(tmp_path / "ws", tmp_path / "ws")
    done = await box.run(cage, Command("cargo; echo x > ~/.cargo/bin/new"), Limits(seconds=20))
    assert "built\n" in done.output
    assert SECRET not in done.output
    assert not (home / ".cargo/bin/new").exists()
