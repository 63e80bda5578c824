"""Where no sandbox works there is none, and it says why and what to do: nothing is ever run without."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from qwen_lsp.sandbox import find as finding
from qwen_lsp.sandbox.command import NoSandbox
from qwen_lsp.sandbox.find import find, why


def program(folder: Path, script: str) -> Path:
    """A bwrap of our own."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "bwrap"
    path.write_text(f"#!/bin/sh\n{script}\n", "utf-8")
    path.chmod(0o755)
    return path


def trusted(program: Path, below: Path) -> str:
    """As if a program of ours belonged to root: what then happens is looked at."""
    return ""


def absent(found: object) -> NoSandbox:
    assert isinstance(found, NoSandbox)
    assert found.reason
    assert found.advice
    return found


def test_it_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    found = absent(find(tmp_path))
    assert found.reason == "bubblewrap is not installed: there is no bwrap on PATH"
    assert "apt install bubblewrap" in found.advice


def test_one_in_the_workspace_is_never_started(tmp_path: Path) -> None:
    marker = tmp_path / "started"
    planted = program(tmp_path / "ws/bin", f"touch {marker}")
    assert "it lies in the workspace" in absent(find(tmp_path / "ws", which=lambda name: str(planted))).reason
    link = tmp_path / "bin"
    link.symlink_to(planted.parent)
    assert (
        "it lies in the workspace"
        in absent(find(tmp_path / "ws", which=lambda name: str(link / "bwrap"))).reason
    )
    assert not marker.exists()


def test_one_that_a_link_puts_into_the_workspace_is_never_started(tmp_path: Path) -> None:
    (tmp_path / "ws").mkdir()
    link = tmp_path / "ws/bwrap"
    link.symlink_to("/usr/bin/bwrap")
    assert "it lies in the workspace" in absent(find(tmp_path / "ws", which=lambda name: str(link))).reason


def test_one_that_others_can_write_is_never_started(tmp_path: Path) -> None:
    marker = tmp_path / "started"
    planted = program(tmp_path / "bin", f"touch {marker}")
    planted.chmod(0o777)
    found = absent(find(tmp_path / "ws", which=lambda name: str(planted)))
    assert "can write" in found.reason or "does not belong to root" in found.reason
    assert not marker.exists()


def test_one_in_the_current_folder_is_never_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    program(tmp_path, "exit 0")
    found = absent(find(tmp_path / "ws", which=lambda name: "./bwrap"))
    assert "current folder" in found.reason


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'bwrap: No permissions to create new namespace' >&2; exit 1", "No permissions to create"),
        ("exit 0", "a program in it still had rights"),
        (
            'shift 4; while [ "$1" != -- ]; do shift; done; shift; exec "$@"',
            "a program in it still had rights",
        ),
        ("kill -9 $$", "status -9"),
    ],
    ids=["refuses", "does nothing", "runs without a sandbox", "dies"],
)
def test_one_that_does_not_work_is_found_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, told: str
) -> None:
    """`runs without a sandbox` is what a wrapper of that name could do."""
    monkeypatch.setattr(finding, "_distrusted", trusted)
    monkeypatch.setattr(finding, "_SYSCTLS", tmp_path)
    fake = program(tmp_path / "bin", script)
    found = absent(find(tmp_path / "ws", which=lambda name: str(fake)))
    assert told in found.reason
    assert "In a container" in found.advice


@pytest.mark.parametrize(
    ("name", "value", "advice"),
    [
        ("user/max_user_namespaces", "0", "sysctl user.max_user_namespaces=15000"),
        ("kernel/unprivileged_userns_clone", "0", "sysctl kernel.unprivileged_userns_clone=1"),
        ("kernel/apparmor_restrict_unprivileged_userns", "1", "AppArmor"),
    ],
)
def test_the_switch_that_is_off_is_named(tmp_path: Path, name: str, value: str, advice: str) -> None:
    switch = tmp_path / name
    switch.parent.mkdir(parents=True)
    switch.write_text(f"{value}\n", "ascii")
    found = why("bwrap: setting up uid map: Permission denied", tmp_path)
    assert f"{name.replace('/', '.')} is {value}" in found.reason
    assert advice in found.advice


def test_another_system_says_what_it_has_instead(tmp_path: Path) -> None:
    windows = absent(find(tmp_path, platform="win32"))
    assert "WSL" in windows.advice


def test_a_machine_without_a_filter_has_none(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("platform.machine", lambda: "riscv64")
    assert "riscv64" in absent(find(tmp_path)).reason


def test_a_kernel_that_cannot_hold_a_process_has_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refused(process: int) -> int:
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr("os.pidfd_open", refused)
    assert "Function not implemented" in absent(find(tmp_path)).reason


def test_the_trial_is_made_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(finding, "_distrusted", trusted)
    counted = tmp_path / "counted"
    fake = program(tmp_path / "bin", f"echo x >> {counted}; exit 1")
    for _ in range(3):
        absent(find(tmp_path / "ws", which=lambda name: str(fake)))
    assert counted.read_text("utf-8").count("x") == 2  # its options and its trial
    os.utime(fake, ns=(1, 1))
    absent(find(tmp_path / "ws", which=lambda name: str(fake)))
    assert counted.read_text("utf-8").count("x") == 4
