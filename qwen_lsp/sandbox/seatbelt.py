"""Commands under macOS's own sandbox (Seatbelt, `sandbox-exec`): a profile instead of namespaces.

Nothing can be mounted there, so a command runs where the copy is, lent folders are links that lead to the
real ones, and paths in what it prints are put back. The profile denies all but what is listed in it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import tempfile
from collections.abc import Callable, Generator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox.command import Cage, Command, Ending, Exit, Limits
from qwen_lsp.sandbox.running import carry_out, start_in
from qwen_lsp.sandbox.toolchains import toolchains
from qwen_lsp.sandbox.watching import Growth
from qwen_lsp.workspace.paths import RelPath, protection

_SYSTEM = (
    "/bin", "/sbin", "/usr", "/System", "/Library/Developer", "/Library/Frameworks", "/Library/Apple",
    "/Library/Java", "/Applications/Xcode.app", "/opt/homebrew", "/opt/local", "/private/etc/ssl",
    "/private/var/db/timezone", "/private/var/select", "/dev",
)  # fmt: skip
_FILES = ("/private/etc/hosts", "/private/etc/resolv.conf", "/private/etc/passwd", "/private/etc/services")
_WRITABLE_DEVICES = ("/dev/null", "/dev/zero", "/dev/tty", "/dev/dtracehelper")
_SERVICES = (
    "com.apple.system.opendirectoryd.libinfo", "com.apple.system.notification_center",
    "com.apple.system.logger", "com.apple.trustd.agent",
)  # fmt: skip
_PS = ("/bin/ps", "-axo", "pid=,ppid=,rss=,lstart=")


@dataclass(frozen=True, slots=True)
class Seatbelt:
    """Programs under `sandbox-exec` (the `Sandbox` protocol)."""

    program: Path
    home: Path
    environ: Mapping[str, str] = field(repr=False)
    read_only: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        return "seatbelt"

    async def run(
        self,
        cage: Cage,
        command: Command,
        limits: Limits,
        on_output: Callable[[str], None] = lambda text: None,
    ) -> Exit:
        """Run one command to its end. Raises SandboxFailed where the cage itself cannot be made."""
        scratch = cage.scratch.resolve()
        if '"' in str(scratch):
            raise SandboxFailed(f"{scratch} has a quotation mark in its name, which a rule cannot have")
        start = start_in(scratch, command)
        with contextlib.ExitStack() as stack:
            private = stack.enter_context(private_folder())
            stack.enter_context(lent(cage))
            words, variables = self.prepared(cage, command, private)
            try:
                process = await asyncio.create_subprocess_exec(
                    *words, *start,
                    cwd="/", env=variables, start_new_session=True, stdin=asyncio.subprocess.DEVNULL,
                    stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
                )  # fmt: skip
            except (OSError, ValueError) as error:
                raise SandboxFailed(f"{self.program} cannot be started: {error}") from error
            group = Group(process, limits, (Growth(scratch), Growth(private)))
            here, there = str(scratch), str(cage.root)
            done = await carry_out(group, limits, lambda text: on_output(text.replace(here, there)))
        return Exit(done.ending, done.status, done.output.replace(here, there), done.seconds)

    def prepared(self, cage: Cage, command: Command, private: Path) -> tuple[list[str], dict[str, str]]:
        """The beginning of the command line, and the whole environment; `private` is its temporary folder."""
        found = toolchains(self.environ, self.home, cage.root)
        shown = [p.resolve() for p in (*found.folders, *self.read_only, *cage.read_only) if p.exists()]
        shown = [p for p in shown if not (self.home.is_relative_to(p) or cage.root.is_relative_to(p))]
        text = profile(cage.scratch.resolve(), private, shown, network=cage.network)
        variables = {**found.environment(private), "TMPDIR": str(private), **command.environment}
        return [str(self.program), "-p", text], variables


def profile(scratch: Path, private: Path, shown: Sequence[Path], *, network: bool) -> str:
    """The rules, in the language of Seatbelt; of two that match a thing, the later one counts."""
    readable = [*map(Path, _SYSTEM), *shown]
    rules = [
        "(version 1)",
        "(deny default)",
        '(import "system.sb")',  # what every program needs to start, as this version of macOS has it
        "(allow process-fork process-exec)",
        "(allow signal process-info* (target same-sandbox))",
        "(allow sysctl-read)",
        "(allow ipc-posix-sem)",
        "(allow file-read-metadata)",
        _allow(
            "file-read* file-map-executable",
            [f'(literal "/") {_all("literal", _FILES)}', _all("subpath", readable)],
        ),
        _allow("file-read* file-write*", [_all("subpath", [scratch, private])]),
        _allow("file-write-data file-ioctl", [_all("literal", _WRITABLE_DEVICES)]),
        _allow("mach-lookup", [_all("global-name", _SERVICES)]),
    ]
    guarded = _guarded(scratch)
    if guarded:
        rules.append(f"(deny file-write* {_all('subpath', guarded)})")
    # Whatever the name is written like: the disk is one that does not tell case.
    rules.append(f'(deny file-write* (regex #"^{re.escape(str(scratch))}/(.*/)?\\.[gG][iI][tT](/|$)"))')
    if network:
        rules.append('(allow network-outbound (remote ip) (literal "/private/var/run/mDNSResponder"))')
        rules.append("(allow network-inbound (local ip))")
        rules.append("(allow system-socket)")
        rules.append('(allow mach-lookup (global-name "com.apple.SystemConfiguration.configd"))')
    return "\n".join(rules) + "\n"


@contextlib.contextmanager
def private_folder() -> Generator[Path]:
    """HOME and temporary folder of one command, under the name that the rules are checked against."""
    with tempfile.TemporaryDirectory(prefix="qwen-lsp-", ignore_cleanup_errors=True) as folder:
        yield Path(folder).resolve()


@contextlib.contextmanager
def lent(cage: Cage) -> Generator[None]:
    """Links in the copy to what is lent of the workspace, for as long as a command runs."""
    made: list[Path] = []
    try:
        for path in cage.read_only:
            if path.is_relative_to(cage.root) and path != cage.root and path.exists():
                link = cage.scratch / path.relative_to(cage.root)
                if not os.path.lexists(link) and link.parent.resolve().is_relative_to(cage.scratch.resolve()):
                    link.parent.mkdir(parents=True, exist_ok=True)
                    link.symlink_to(path)
                    made.append(link)
        yield
    finally:
        for link in made:
            if link.is_symlink():
                link.unlink()


@dataclass(slots=True)
class Group:
    """A command and what descends from it, as far as it was seen (the `Running` protocol)."""

    process: asyncio.subprocess.Process
    limits: Limits
    folders: tuple[Growth, ...]
    _seen: set[tuple[int, str]] = field(default_factory=set[tuple[int, str]])
    """Numbers are given again; with the time of its start, one is a process for good."""

    def kill(self) -> None:
        self._look()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)
        for process, _ in self._seen:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)

    async def gone(self) -> None:
        """Those that were seen have been sent the signal that nothing survives."""

    def exceeded(self) -> Ending | None:
        sizes = self._look()
        if len(sizes) > self.limits.processes:
            return "processes"
        if sum(sizes.values()) > self.limits.memory_bytes:
            return "memory"
        most = self.limits.disk_bytes
        if sum(folder.since(most // 2) for folder in self.folders) > most:
            return "disk"
        return None

    async def status(self) -> int | None:
        code = self.process.returncode
        return None if code is None else code if code >= 0 else 128 - code

    def _look(self) -> dict[int, int]:
        """Bytes of memory of each process that descends from the command or has done so before."""
        listed = subprocess.run(_PS, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, check=False).stdout
        rows = [line.decode("ascii", "replace").split(None, 3) for line in listed.splitlines()]
        known = {self.process.pid} | {int(row[0]) for row in rows if (int(row[0]), row[3]) in self._seen}
        while grown := {int(row[0]) for row in rows if int(row[1]) in known} - known:
            known |= grown
        mine = [row for row in rows if int(row[0]) in known]
        self._seen = {(int(row[0]), row[3]) for row in mine if int(row[0]) != self.process.pid}
        return {int(row[0]): int(row[2]) * 1_024 for row in mine}


def _guarded(scratch: Path) -> list[Path]:
    names = sorted(path.name for path in scratch.iterdir())
    found = [scratch / name for name in names if protection(RelPath(name))]
    return [*found, scratch / ".github/workflows", scratch / ".github/actions"]


def _allow(operations: str, filters: Sequence[str]) -> str:
    return f"(allow {operations} {' '.join(filters)})"


def _all(kind: str, values: Sequence[str | Path]) -> str:
    return " ".join(f'({kind} "{_quoted(str(value))}")' for value in values)


def _quoted(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"')
