"""git with the user's own configuration, for what a person has agreed to: a commit, a push.

Identity, signing and credential helpers are those of the user's global configuration. What the repository
says is looked through first (`git_config`), its hooks do not run, and nothing asks on a terminal.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.errors import UserError
from qwen_lsp.workspace import git, git_config
from qwen_lsp.workspace.git_config import Repository

_SWITCHES = (
    "--no-pager", "--literal-pathspecs",
    "-c", f"core.hooksPath={os.devnull}",
    "-c", "core.fsmonitor=false",
    "-c", "core.editor=:",
    "-c", "sequence.editor=:",
    "-c", "protocol.ext.allow=never",
    "-c", "safe.bareRepository=explicit",
    "-c", "submodule.recurse=false",
    "-c", "log.showSignature=false",
    "-c", "gc.auto=0",
    "-c", "maintenance.auto=false",
)  # fmt: skip
_KEPT = frozenset(
    {
        "HOME", "USER", "LOGNAME", "USERNAME", "USERPROFILE", "APPDATA", "LOCALAPPDATA", "SYSTEMROOT",
        "COMSPEC", "PROGRAMDATA", "PROGRAMFILES", "TMPDIR", "TMP", "TEMP", "XDG_CONFIG_HOME",
        "XDG_RUNTIME_DIR",
        "XDG_CACHE_HOME", "XDG_DATA_HOME", "SSH_AUTH_SOCK", "SSH_AGENT_PID", "SSH_ASKPASS", "GNUPGHOME",
        "DBUS_SESSION_BUS_ADDRESS", "DISPLAY", "WAYLAND_DISPLAY", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY",
        "NO_PROXY", "http_proxy", "https_proxy", "all_proxy", "no_proxy", "SSL_CERT_FILE", "SSL_CERT_DIR",
        "GIT_SSH", "GIT_SSH_COMMAND", "GIT_SSH_VARIANT", "GIT_ASKPASS", "GIT_CONFIG_GLOBAL",
        "GIT_CONFIG_SYSTEM",
        "GIT_CONFIG_NOSYSTEM", "GIT_SSL_CAINFO", "GIT_SSL_CAPATH", "GIT_AUTHOR_NAME", "GIT_AUTHOR_EMAIL",
        "GIT_COMMITTER_NAME", "GIT_COMMITTER_EMAIL", "EMAIL",
    }
)  # fmt: skip
"""What of the user's environment git and its helpers get: none of what points git at another repository."""

_TOLD = 600
_CREDENTIALS = re.compile(r"(?<=://)[^/@\s]+@")


@dataclass(frozen=True, slots=True)
class Done:
    """How a call of git ended."""

    status: int
    out: bytes
    said: str
    """What it said on standard error, fit for a person: no hints, no control characters, no passwords."""

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "replace").strip()


async def repository(root: Path) -> Repository:
    """The repository around `root`, its configuration looked through, and surely the one that git uses there.

    Raises UserError for none, for keys that are not accepted, and where git would use another one: a folder
    that looks like a bare repository brings a configuration that nobody has looked at.
    """
    found = await asyncio.to_thread(git_config.repository, root)
    used = os.fsdecode((await run(root, ["rev-parse", "--absolute-git-dir"])).out.removesuffix(b"\n"))
    if await asyncio.to_thread(Path(used).resolve) != await asyncio.to_thread(found.git_dir.resolve):
        raise UserError(f"In {root}, git would use {printable(used)} instead of the repository around it.")
    return found


async def run(
    top: Path, args: Sequence[str], *, stdin: bytes = b"", seconds: float = 60.0, fine: Sequence[int] = (0,)
) -> Done:
    """Run git in `top`. Raises UserError with what git says where it ends with another code than `fine`.

    Cancelling ends it and whatever it has started.
    """
    program = git.executable()
    if program is None or program.is_relative_to(top):
        raise UserError("git is not installed")
    process = await asyncio.create_subprocess_exec(
        str(program), *_SWITCHES, *args, cwd=top, env=_environment(top), stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
        start_new_session=True,  # no terminal: neither git nor ssh can ask there
    )  # fmt: skip
    try:
        async with asyncio.timeout(seconds):
            out, err = await process.communicate(stdin)
    except TimeoutError:
        raise UserError(f"git {args[0]} took longer than {seconds:.0f} s and was ended") from None
    finally:
        if process.returncode is None:
            _end(process.pid)
            await process.wait()
    done = Done(process.returncode or 0, out, plain(err))
    if done.status not in fine:
        raise UserError(f"git {args[0]} failed: {done.said or f'status {done.status}'}")
    return done


def plain(data: bytes) -> str:
    """What git prints, as a person may be shown it."""
    lines = data.decode("utf-8", "replace").replace("\r", "\n").split("\n")
    lines = [line for line in lines if line.strip() and not line.startswith("hint:")]
    text = "\n".join(printable(line) for line in lines)
    return without_password(text.removeprefix("fatal: ").removeprefix("error: "))[-_TOLD:].strip()


def printable(line: str) -> str:
    """A line without anything that a terminal would obey."""
    return "".join(c for c in line if c.isprintable())


def without_password(url: str) -> str:
    """A URL, or a text with some, without who signs in."""
    return _CREDENTIALS.sub("", url)


def _end(group: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        if hasattr(os, "killpg"):
            os.killpg(group, signal.SIGKILL)
        else:
            os.kill(group, signal.SIGTERM)


def _environment(top: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if name in _KEPT}
    # A program that lies in the repository is part of what is not trusted.
    whole = (git.repository(top) or top).resolve()
    folders = [Path(folder) for folder in os.environ.get("PATH", "").split(os.pathsep) if folder]
    outside = [str(f) for f in folders if f.is_absolute() and not f.resolve().is_relative_to(whole)]
    return {
        **kept,
        "PATH": os.pathsep.join(outside),
        "LC_ALL": "C.UTF-8",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ALLOW_PROTOCOL": "https:http:ssh:file",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }
