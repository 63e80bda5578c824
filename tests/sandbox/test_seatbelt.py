"""What is sent to macOS's sandbox, and all around it that is ours. Its rules themselves are macOS's to keep.

A `sandbox-exec` of our own, which has no rules, stands in for it; `find` refuses such a one by its trial.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox import find as finding
from qwen_lsp.sandbox.command import Cage, Command, Limits, NoSandbox
from qwen_lsp.sandbox.find import find
from qwen_lsp.sandbox.seatbelt import Seatbelt, profile
from tests.sandbox.canaries import survivors
from tests.sandbox.places import SECRET, lay

MARKER = "616161"


def stand_in(folder: Path, script: str = 'shift 2; exec "$@"') -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "sandbox-exec"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


@pytest.fixture
def cage(tmp_path: Path) -> Cage:
    lay(tmp_path / "my work", {"main.py": "1\n", "node_modules/x.js": "1\n"})
    lay(tmp_path / "copy", {"main.py": "1\n", ".vscode/settings.json": "{}\n"})
    return Cage(tmp_path / "my work", tmp_path / "copy", (tmp_path / "my work/node_modules",))


@pytest.fixture
def box(tmp_path: Path) -> Seatbelt:
    return Seatbelt(stand_in(tmp_path / "bin"), tmp_path / "home", {"PATH": "/usr/bin:/bin", "TOKEN": SECRET})


async def test_it_runs_in_the_copy_and_speaks_of_the_workspace(box: Seatbelt, cage: Cage) -> None:
    told: list[str] = []
    done = await box.run(cage, Command("pwd; echo 2 > main.py; exit 3"), Limits(), told.append)
    assert (done.ending, done.status) == ("exited", 3)
    assert done.output == f"{cage.root}\n" == "".join(told)
    assert (cage.scratch / "main.py").read_text("utf-8") == "2\n"
    assert (cage.root / "main.py").read_text("utf-8") == "1\n"


async def test_lent_folders_are_links_for_as_long_as_it_runs(box: Seatbelt, cage: Cage) -> None:
    done = await box.run(cage, Command("cat node_modules/x.js"), Limits())
    assert done.output == "1\n"
    assert not (cage.scratch / "node_modules").is_symlink()
    assert (cage.root / "node_modules/x.js").exists()


async def test_the_environment_is_its_own_and_its_home_vanishes(box: Seatbelt, cage: Cage) -> None:
    done = await box.run(
        cage, Command('env; echo 1 > "$HOME/x"; [ "$HOME" = "$TMPDIR" ] && echo same'), Limits()
    )
    assert SECRET not in done.output
    assert "same\n" in done.output
    home = next(line for line in done.output.splitlines() if line.startswith("HOME="))
    assert not exists(home.removeprefix("HOME="))


@pytest.mark.parametrize(
    "line", ["sleep {m} & sleep {m}", "setsid sleep {m} & nohup setsid sleep {m} & wait"]
)
async def test_nothing_is_left_when_its_time_is_over(box: Seatbelt, cage: Cage, line: str) -> None:
    done = await box.run(cage, Command(line.format(m=MARKER)), Limits(seconds=0.5))
    assert done.ending == "time"
    assert survivors(MARKER) == []


async def test_what_it_leaves_in_the_background_is_ended(box: Seatbelt, cage: Cage) -> None:
    done = await box.run(cage, Command(f"sleep {MARKER} & echo started"), Limits(seconds=30))
    assert (done.ending, done.output) == ("exited", "started\n")
    assert survivors(MARKER) == []


async def test_it_is_held_to_its_limits(box: Seatbelt, cage: Cage) -> None:
    many = "for i in 1 2 3 4 5 6 7 8; do sleep 616161 & done; wait"
    assert (await box.run(cage, Command(many), Limits(processes=4))).ending == "processes"
    assert survivors(MARKER) == []
    flood = await box.run(cage, Command("yes"), Limits(output_bytes=1_000))
    assert flood.ending == "output"


async def test_a_folder_outside_is_refused(box: Seatbelt, cage: Cage) -> None:
    for folder in ("..", "/tmp", "a/../../b"):
        with pytest.raises(SandboxFailed, match="not a folder of the workspace"):
            await box.run(cage, Command("true", folder), Limits())


def test_all_is_denied_that_is_not_allowed(cage: Cage) -> None:
    rules = profile(cage.scratch, Path("/private/tmp/own"), [Path('/opt/a "b"')], network=False).splitlines()
    assert rules[:2] == ["(version 1)", "(deny default)"]
    assert [rule for rule in rules if "network" in rule] == []
    written = [rule for rule in rules if rule.startswith("(allow") and "file-write*" in rule]
    assert written == [
        f'(allow file-read* file-write* (subpath "{cage.scratch}") (subpath "/private/tmp/own"))'
    ]
    assert any(r'(subpath "/opt/a \"b\"")' in rule for rule in rules if "file-read*" in rule)


def test_what_is_protected_is_denied_after_it_was_allowed(cage: Cage) -> None:
    text = profile(cage.scratch, Path("/private/tmp/own"), [], network=False)
    denied = text.index("(deny file-write*")
    assert denied > text.index("(allow file-read* file-write*")
    assert f'(subpath "{cage.scratch}/.vscode")' in text[denied:]
    assert "[gG][iI][tT]" in text[denied:]


def test_the_network_is_allowed_only_with_leave(cage: Cage) -> None:
    text = profile(cage.scratch, Path("/private/tmp/own"), [], network=True)
    assert "(allow network-outbound (remote ip)" in text
    assert "network-outbound (remote unix" not in text


def test_the_home_is_never_shown_as_a_whole(box: Seatbelt, cage: Cage) -> None:
    box.home.mkdir()
    whole = Cage(cage.root, cage.scratch, (box.home, box.home.parent))
    words, _ = box.prepared(whole, Command("true"), Path("/private/tmp/own"))
    assert f'(subpath "{box.home}")' not in words[2]
    assert f'(subpath "{box.home.parent}")' not in words[2]


@pytest.mark.parametrize(
    ("script", "told"),
    [('shift 2; exec "$@"', "could write outside"), ("echo 'no profile' >&2; exit 1", "no profile")],
    ids=["holds nobody", "does not work"],
)
def test_one_that_does_not_hold_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    monkeypatch.setattr(finding, "_distrusted", trusted)
    fake = stand_in(tmp_path / "fake", script)
    found = find(tmp_path / "ws", which=lambda name: str(fake), platform="darwin")
    assert isinstance(found, NoSandbox)
    assert told in found.reason


def test_one_that_holds_is_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_distrusted", trusted)
    fake = stand_in(tmp_path / "fake", 'shift 2; for last; do :; done; cd "$5" && : > inside')
    found = find(tmp_path / "ws", which=lambda name: str(fake), platform="darwin")
    assert isinstance(found, Seatbelt)


def test_there_is_none_without_the_program(tmp_path: Path) -> None:
    found = find(tmp_path, which=lambda name: None, platform="darwin")
    assert isinstance(found, NoSandbox)
    assert found.reason == "There is no sandbox-exec on PATH"


def exists(path: str) -> bool:
    return Path(path).exists()


def trusted(program: Path, below: Path) -> str:
    """As if the stand-in belonged to root."""
    return ""
