"""Which sandbox this system has, proved by a run; or why there is none, and what would change that."""

from __future__ import annotations

import contextlib
import functools
import os
import platform as machines
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox.command import Cage, Command, NoSandbox, Sandbox
from qwen_lsp.sandbox.running import start_in

_INSTALL = "Install bubblewrap: `apt install bubblewrap`, `dnf install bubblewrap` or `pacman -S bubblewrap`."
_OPTIONAL = ("--disable-userns", "--size")
_PROBE_SECONDS = 10.0
_PROBE = 'while read -r line; do echo "$line"; done < /proc/self/status'
_PROVED = {"CapEff": "0000000000000000", "NoNewPrivs": "1", "Seccomp": "2"}
_SYSCTLS = Path("/proc/sys")
_SWITCHES = (
    ("user.max_user_namespaces", "0", "Run `sudo sysctl user.max_user_namespaces=15000`."),
    ("kernel.unprivileged_userns_clone", "0", "Run `sudo sysctl kernel.unprivileged_userns_clone=1`."),
    (
        "kernel.apparmor_restrict_unprivileged_userns", "1",
        "Give bwrap an AppArmor profile with `userns`, as the package apparmor-profiles has one.",
    ),
)  # fmt: skip
"""What switches user namespaces off, the value that does, and what to do."""


def find(
    forbidden_below: Path,
    *,
    read_only: Sequence[Path] = (),
    which: Callable[[str], str | None] = shutil.which,
    platform: str = sys.platform,
) -> Sandbox | NoSandbox:
    """The sandbox for a workspace. Its program is never taken from below `forbidden_below`, the workspace.

    `read_only` are more absolute paths that every command may look at. The probe is made once per program.
    """
    if platform.startswith("linux"):
        return _linux(forbidden_below, tuple(read_only), which)
    if platform == "darwin":
        return _macos(forbidden_below, tuple(read_only), which)
    return NoSandbox(
        "Windows has no sandbox that commands can be run in here",
        "Open the folder in WSL 2, a container or a remote Linux machine, where commands run in bubblewrap.",
    )


def _linux(
    forbidden_below: Path, read_only: tuple[Path, ...], which: Callable[[str], str | None]
) -> Sandbox | NoSandbox:
    from qwen_lsp.sandbox.bubblewrap import Bubblewrap
    from qwen_lsp.sandbox.seccomp import MACHINES

    if machines.machine() not in MACHINES:
        return NoSandbox(
            f"There is no filter of system calls for {machines.machine()} machines",
            f"Use one of these: {', '.join(MACHINES)}.",
        )
    if reason := _unheld():
        return NoSandbox(reason, "Commands can be run on Linux 5.3 or newer.")
    named = which("bwrap")
    if named is None:
        return NoSandbox("bubblewrap is not installed: there is no bwrap on PATH", _INSTALL)
    program = Path(named)
    if reason := _distrusted(program, forbidden_below):
        return NoSandbox(f"{program} is not used, because {reason}", _INSTALL)
    program = program.resolve()
    options = _options(program, program.stat().st_mtime_ns)
    found = Bubblewrap(program, options, _home(), dict(os.environ), read_only)
    told = _probe(program, program.stat().st_mtime_ns, options, _home())
    return found if not told else why(told)


def _unheld() -> str:
    """Why no process can be held by a descriptor, which is how nothing of it is left; empty when one can."""
    try:
        os.close(os.pidfd_open(os.getpid()))
    except (AttributeError, OSError) as error:
        return f"This kernel does not let a process be held ({error})"
    return ""


def _home() -> Path:
    try:
        return Path.home()
    except RuntimeError:  # a user that nobody knows, as in some containers
        return Path("/nonexistent")


def _distrusted(program: Path, forbidden_below: Path) -> str:
    """Why a program is not trusted to hold others; empty when it is."""
    if not program.is_absolute():
        return "PATH finds it in the current folder"
    real = program.resolve()
    for place in (program, real):
        if place.is_relative_to(forbidden_below) or place.is_relative_to(forbidden_below.resolve()):
            return "it lies in the workspace"
    for part in (real, *real.parents):
        try:
            found = part.stat()
        except OSError:
            return f"{part} cannot be looked at"
        if found.st_uid != 0:
            return f"{part} does not belong to root"
        if found.st_mode & 0o022 and not found.st_mode & 0o1000:
            return f"others than root can write {part}"
    return ""


def _macos(
    forbidden_below: Path, read_only: tuple[Path, ...], which: Callable[[str], str | None]
) -> Sandbox | NoSandbox:
    from qwen_lsp.sandbox.seatbelt import Seatbelt

    advice = "It comes with macOS as /usr/bin/sandbox-exec; without it, open the folder in a Linux container."
    named = which("sandbox-exec")
    if named is None:
        return NoSandbox("There is no sandbox-exec on PATH", advice)
    program = Path(named)
    if reason := _distrusted(program, forbidden_below):
        return NoSandbox(f"{program} is not used, because {reason}", advice)
    if told := _probe_seatbelt(program, program.stat().st_mtime_ns):
        return NoSandbox(f"sandbox-exec does not work here: {told}", advice)
    return Seatbelt(program, _home(), dict(os.environ), read_only)


@functools.lru_cache(maxsize=8)
def _probe_seatbelt(program: Path, _changed: int) -> str:
    """Run a program that writes inside and outside; empty when only the first has worked."""
    from qwen_lsp.sandbox.seatbelt import Seatbelt

    with tempfile.TemporaryDirectory(prefix="qwen-lsp-") as base:
        scratch, private = Path(base, "scratch").resolve(), Path(base, "private").resolve()
        scratch.mkdir()
        private.mkdir()
        command = Command(": > inside; : > ../outside")
        try:
            trial = Seatbelt(program, _home(), {})
            words, variables = trial.prepared(Cage(scratch, scratch), command, private)
            done = subprocess.run(
                [*words, *start_in(scratch, command)], env=variables, cwd="/", stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_PROBE_SECONDS, check=False,
            )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired, SandboxFailed) as error:
            return str(error)
        if Path(base, "outside").exists():
            return "a program in it could write outside"
        if not (scratch / "inside").exists():
            return done.stdout.decode("utf-8", "replace").strip()[-300:] or "a program in it did not run"
    return ""


@functools.lru_cache(maxsize=8)
def _options(program: Path, _changed: int) -> frozenset[str]:
    """Which of the options that came later this version has."""
    try:
        done = subprocess.run(
            [program, "--help"], env={}, cwd="/", stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, timeout=_PROBE_SECONDS, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return frozenset()
    words = done.stdout.decode("utf-8", "replace").split()
    return frozenset(option for option in _OPTIONAL if option in words)


@functools.lru_cache(maxsize=8)
def _probe(program: Path, _changed: int, options: frozenset[str], home: Path) -> str:
    """Run a program in the sandbox and see that it has no rights left; empty when so, else what was said."""
    from qwen_lsp.sandbox.bubblewrap import Bubblewrap

    trial = Bubblewrap(program, options, home, {})
    with tempfile.TemporaryDirectory(prefix="qwen-lsp-") as folder:
        cage = Cage(root=Path(folder), scratch=Path(folder))
        try:
            with trial.prepared(cage, Command(_PROBE), 0) as (words, descriptors):
                done = subprocess.run(
                    words, env={}, cwd="/", pass_fds=descriptors, stdin=subprocess.DEVNULL,
                    stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=_PROBE_SECONDS, check=False,
                )  # fmt: skip
        except (OSError, subprocess.TimeoutExpired, SandboxFailed) as error:
            return str(error)
    told = done.stdout.decode("utf-8", "replace").strip()
    if done.returncode != 0:
        return told or f"bwrap ended with status {done.returncode}"
    shown = dict(line.split(":", 1) for line in told.splitlines() if ":" in line)
    for name, wanted in _PROVED.items():
        if shown.get(name, "").strip() != wanted:
            return f"a program in it still had rights ({name} was {shown.get(name, 'missing').strip()})"
    return ""


def why(told: str, sysctls: Path = _SYSCTLS) -> NoSandbox:
    """What to do about a bubblewrap that does not work. `told` is what it said."""
    for name, off, advice in _SWITCHES:
        with contextlib.suppress(OSError):
            if (sysctls / name.replace(".", "/")).read_text("ascii").strip() == off:
                return NoSandbox(f"User namespaces are switched off ({name} is {off})", advice)
    container = "In a container, it needs leave to make user namespaces and to mount /proc, such as by "
    return NoSandbox(
        f"bubblewrap does not work here: {told.splitlines()[-1][:300] if told else 'it said nothing'}",
        container + "`docker run --security-opt seccomp=unconfined --security-opt systempaths=unconfined`.",
    )
