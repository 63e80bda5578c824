"""What an attack would leave behind, looked for after it."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

from tests.sandbox.hostile import IN, Attack
from tests.sandbox.places import SECRET, Place


@dataclass(frozen=True, slots=True)
class Canaries:
    """Listeners, a process and a folder that nobody may reach."""

    place: Place
    marker: str
    victim: subprocess.Popen[bytes]
    streams: tuple[socket.socket, ...]
    datagrams: socket.socket
    spare: int
    """A descriptor that whoever inherits it may write to."""

    def fill_in(self, attack: Attack) -> str:
        """The command line of an attack, with what it is to reach."""
        tcp, unix, lent, abstract = self.streams
        words = {
            "root": self.place.root, "outside": self.place.outside, "home": self.place.home,
            "tcp": tcp.getsockname()[1], "udp": self.datagrams.getsockname()[1], "unix": unix.getsockname(),
            "lent": lent.getsockname(),
            "abstract": abstract.getsockname()[1:].decode(), "address": _address(),
            "victim": self.victim.pid, "marker": self.marker,
        }  # fmt: skip
        line = attack.line
        for name, word in words.items():
            line = line.replace(f"{{{name}}}", str(word))
        return line.replace("{{", "{").replace("}}", "}")

    def effects(self, before: str, output: str) -> list[str]:
        """What has got out; empty is what is wanted. `before` is `place.untouched()` of then."""
        found: list[str] = []
        if self.place.untouched() != before:
            found.append("the disk changed outside the copy")
        if IN in output:
            found.append("it says that it got in")
        if SECRET in output:
            found.append("a secret was read")
        if self.victim.poll() is not None:
            found.append("a process outside was ended")
        found += [f"{which.family.name} was connected to" for which in self.streams if _accepted(which)]
        with contextlib.suppress(BlockingIOError):
            self.datagrams.recv(512)
            found.append("a datagram came")
        if survivors(self.marker):
            found.append("a process is left")
        return found


def survivors(marker: str) -> list[int]:
    """Processes that have the marker in their command line, but for the victim."""
    found: list[int] = []
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            words = (process / "cmdline").read_bytes().split(b"\0")
            if words[:2] == [b"sleep", marker.encode()]:
                found.append(int(process.name))
    return found


@contextlib.contextmanager
def canaries(place: Place) -> Generator[Canaries]:
    """Set them up below `place`, and end whatever an attack has left."""
    marker = f"42{os.getpid():07d}"
    with contextlib.ExitStack() as stack:
        # The marker stands in its command line in another place than in that of a survivor.
        words = ["sh", "-c", "sleep 1000 & echo $!; wait", marker]
        victim = stack.enter_context(
            subprocess.Popen(words, stdout=subprocess.DEVNULL, env={"TOKEN": SECRET, "PATH": os.defpath})
        )
        stack.callback(victim.kill)
        tcp = stack.enter_context(socket.create_server(("0.0.0.0", 0)))  # noqa: S104 (of this machine alone)
        unix = stack.enter_context(socket.socket(socket.AF_UNIX))
        unix.bind(str(place.outside / "s"))
        lent = stack.enter_context(socket.socket(socket.AF_UNIX))
        lent.bind(str(place.root / "node_modules/s"))
        abstract = stack.enter_context(socket.socket(socket.AF_UNIX))
        abstract.bind(f"\0qwen-lsp-{marker}")
        for each in (unix, lent, abstract):
            each.listen()
        datagrams = stack.enter_context(socket.socket(socket.AF_INET, socket.SOCK_DGRAM))
        datagrams.bind(("0.0.0.0", 0))  # noqa: S104
        for each in (tcp, unix, lent, abstract, datagrams):
            each.setblocking(False)
        spare = os.open(place.outside / "spare", os.O_RDWR | os.O_CREAT)
        os.set_inheritable(spare, True)
        stack.callback(os.close, spare)
        yield Canaries(place, marker, victim, (tcp, unix, lent, abstract), datagrams, spare)
    for process in survivors(marker):
        os.kill(process, signal.SIGKILL)


def bare(place: Place, line: str, spare: int) -> str:
    """Run a command line without any sandbox, in the workspace itself. What it printed."""
    done = subprocess.run(
        ["/bin/sh", "-c", line], cwd=place.root, pass_fds=(spare,), stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, check=False, timeout=30,
        env={"HOME": str(place.home), "PATH": path(), "TOKEN": SECRET},
    )  # fmt: skip
    return done.stdout.decode("utf-8", "replace")


def path() -> str:
    """PATH with the interpreter of these tests first: a shim would cost more than the attack."""
    return f"{Path(sys.executable).resolve().parent}:{os.environ['PATH']}"


def missing(attack: Attack) -> str:
    """The program that an attack needs and this machine lacks; empty when it has it."""
    words = shlex.split(attack.line.replace("&&", " "), posix=True)[:1]
    return next((word for word in words if word.isalpha() and shutil.which(word) is None), "")


def _accepted(listener: socket.socket) -> bool:
    try:
        listener.accept()[0].close()
    except BlockingIOError:
        return False
    return True


def _address() -> str:
    """The address of this machine on its network; loopback where it has none."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return probe.getsockname()[0]
