"""What of the disk a command sees in bubblewrap, as its arguments, in the order in which they are mounted.

The system without its secrets, private temporary folders, toolchains, then the scratch copy at the
workspace's own path, and last what in it cannot be written. Whatever is not listed does not exist inside.
"""

from __future__ import annotations

import fnmatch
import functools
import os
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox.command import Cage
from qwen_lsp.workspace.paths import RelPath, protection

_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64", "/libx32")
_STORES = ("/nix/store", "/gnu/store", "/var/lib/ca-certificates")
_OURS = ("/etc", "/proc", "/dev", "/sys")
_SECRET = (
    "shadow*", "gshadow*", "passwd-", "group-", "sudoers", "sudoers.d", "doas.conf", "security/opasswd",
    "ssh/ssh_host_*", "krb5.keytab", "*.keytab", "*.key", "*.p12", "*.pfx", "*.jks", "ssl/private",
    "pki/*/private", "letsencrypt", "NetworkManager/system-connections", "wpa_supplicant", "wireguard",
    "openvpn", "ppp", "ipsec*", "swanctl", "docker", "kubernetes", "rancher", "cni", "vault*", "consul*",
    "cloud", "salt", "puppetlabs", "ansible", "fstab", "environment", "netrc", "*pip.conf", "npmrc",
    "apt/auth.conf*", "credstore*", "mysql", "postgresql*", "redis", "cups", "samba", "exim4", "postfix",
    "*-credentials*",
)  # fmt: skip
"""Names below /etc that hold keys, passwords or hashes. What not everyone may read is hidden as well."""
_MISSING = (".git", ".vscode", ".idea", ".cursor", ".claude", ".qwen-lsp")
"""Folders that are empty and read-only where the copy has none, so that writing there fails at once."""
_BELOW = (".github", ".gitea", ".forgejo", ".config")
"""Folders of which only a part is protected; they are held in place so that the part stays where it is."""


@dataclass(frozen=True, slots=True)
class Home:
    """Where a command's private folders are; all are in memory and vanish with it."""

    home: Path
    private: tuple[Path, ...]
    """Every folder that is its own temporary file system, in mounting order."""

    @classmethod
    def around(cls, root: Path, home: Path) -> Home:
        """HOME is where the user's is, so that programs find their toolchains, unless that is taken."""
        # A workspace that holds HOME, and a HOME that cannot be made, leave only /tmp for it.
        taken = home.is_relative_to(root) or not home.is_absolute() or home == Path("/")
        if taken or any(home.is_relative_to(folder) for folder in (*_SYSTEM, *_OURS)):
            home = Path("/tmp/home")  # noqa: S108 (inside, where /tmp is private)
        folders = (Path("/tmp"), home, Path("/dev/shm"))  # noqa: S108
        return cls(home, tuple(folder for folder in folders if folder != root))


def system(etc: Path = Path("/etc")) -> list[str]:
    """The system's programs and libraries, and its settings without what is secret among them."""
    arguments: list[str] = []
    for name in _SYSTEM:
        path = Path(name)
        if path.is_symlink():
            arguments += ["--symlink", str(path.readlink()), name]
        elif path.is_dir():
            arguments += ["--ro-bind", name, name]
    for name in _STORES:
        if Path(name).is_dir():
            arguments += ["--ro-bind", name, name]
    return [*arguments, "--ro-bind", str(etc), str(etc)]


@functools.lru_cache(maxsize=4)
def secrets(etc: Path = Path("/etc")) -> tuple[Path, ...]:
    """What below /etc is hidden: known places of secrets, and whatever not everyone may read."""
    found: list[Path] = []
    for folder, folders, names in os.walk(etc):
        for name in list(folders):
            path = Path(folder, name)
            if not path.is_symlink() and _hidden(path, etc, 0o005):
                found.append(path)
                folders.remove(name)
        found += [
            p for name in names if not (p := Path(folder, name)).is_symlink() and _hidden(p, etc, 0o004)
        ]
    return tuple(found)


def _hidden(path: Path, etc: Path, everyone: int) -> bool:
    name = path.relative_to(etc).as_posix()
    if any(fnmatch.fnmatchcase(name, pattern) for pattern in _SECRET):
        return True
    try:
        return path.lstat().st_mode & everyone != everyone
    except OSError:
        return False


def hide(paths: Iterable[Path]) -> list[str]:
    """Something empty in the place of each path that is there and could be read."""
    arguments: list[str] = []
    for path in paths:
        # Each mount takes time, and what this user cannot read, a command cannot either.
        if path.is_symlink() or not os.access(path, os.R_OK):
            continue
        if path.is_dir():
            arguments += ["--tmpfs", str(path), "--remount-ro", str(path)]
        else:
            arguments += ["--ro-bind", os.devnull, str(path)]
    return arguments


def private(home: Home, size: int | None) -> list[str]:
    """Devices, processes and temporary folders of its own, each at most `size` bytes if that can be set."""
    limit = [] if size is None else ["--size", str(size)]
    arguments = ["--proc", "/proc", "--dev", "/dev"]
    for folder in home.private:
        arguments += [*limit, "--tmpfs", str(folder)]
    if home.private and home.private[0] == Path("/tmp"):  # noqa: S108
        arguments += ["--symlink", "/tmp", "/var/tmp"]  # noqa: S108
    return arguments


def network() -> list[str]:
    """What names are looked up with, where the settings only point to it."""
    real = Path("/etc/resolv.conf").resolve()
    shown = real.is_relative_to("/etc") or not real.is_file()
    return [] if shown else ["--ro-bind", str(real), str(real)]


def workspace(cage: Cage, read_only: Sequence[Path], home: Path) -> list[str]:
    """The scratch copy at the workspace's path, what lies in it read-only, and what may not be written.

    Raises SandboxFailed where the copy has a link in place of something that is to be mounted: following it
    would mount, or make a folder, elsewhere.
    """
    root, scratch = cage.root, cage.scratch
    if any(Path(folder).is_relative_to(root) for folder in (*_SYSTEM, *_OURS)):
        raise SandboxFailed(f"{root} holds the system itself; open a folder below it")
    outside = {path for path in read_only if not path.is_relative_to(root)}
    # Never the whole of what holds the workspace or the home: there are the user's keys as well.
    outside = {p for p in outside if not (root.is_relative_to(p) or home.is_relative_to(p))}
    lent = {path for path in read_only if _is_lent(root, path)}
    arguments: list[str] = []
    for path in sorted(outside):
        arguments += ["--ro-bind-try", str(path), str(path)]
    arguments += ["--bind", str(scratch), str(root)]
    for path in sorted(lent):
        _check(scratch, path.relative_to(root))
        arguments += ["--ro-bind", str(path), str(path)]
    for path in sorted(sockets([*outside, *lent], root)):
        arguments += ["--ro-bind-try", os.devnull, str(path)]
    return arguments + _pinned(cage, {path.relative_to(root).as_posix() for path in lent})


def sockets(shown: Sequence[Path], root: Path, table: Path = Path("/proc/net/unix")) -> set[Path]:
    """Sockets in folders that are shown, of programs outside: one can be written to though its folder cannot.

    `table` is where the kernel lists them under the names they were given, relative ones included.
    """
    try:
        lines = os.fsdecode(table.read_bytes()).splitlines()[1:]
    except OSError:
        return set()
    names = [Path(words[7]) for line in lines if len(words := line.split(None, 7)) == 8]
    names += [Path("fsmonitor--daemon.ipc")] if any(path.name == ".git" for path in shown) else []
    found: set[Path] = set()
    for folder in shown:
        real = folder.resolve()
        for name in names:
            for base in (root, folder):
                at = base / name  # an absolute name stays what it is
                inside = next((at.relative_to(f) for f in (folder, real) if at.is_relative_to(f)), None)
                if inside is not None and (folder / inside).is_socket():
                    found.add(folder / inside)
    return found


def _is_lent(root: Path, path: Path) -> bool:
    """Whether this is shown in its place of the workspace, which a link of the workspace never is."""
    if not path.is_relative_to(root) or path == root:
        return False
    above = [folder for folder in (path, *path.parents) if folder.is_relative_to(root) and folder != root]
    return path.exists() and not any(folder.is_symlink() for folder in above)


def _check(scratch: Path, relative: Path) -> None:
    for part in (relative, *relative.parents):
        if (scratch / part).is_symlink():
            raise SandboxFailed(f"{part} is a link in the scratch copy, so nothing can be shown in its place")


def _pinned(cage: Cage, lent: set[str]) -> list[str]:
    """Protected names at the top, each mounted onto itself: a mount point cannot be renamed or replaced."""
    arguments: list[str] = []
    names = sorted(path.name for path in cage.scratch.iterdir())
    for name in names:
        if protection(RelPath(name)) and name not in lent:
            arguments += _fixed(cage, name)
        elif name in _BELOW and _is_dir(cage.scratch / name):
            arguments += ["--bind", str(cage.scratch / name), str(cage.root / name)]
            for inner in sorted((cage.scratch / name).iterdir()):
                path = f"{name}/{inner.name}"
                if protection(RelPath(path)) and path not in lent:
                    arguments += _fixed(cage, path)
    present = {name.casefold() for name in (*names, *lent)}
    for name in _MISSING:
        if name not in present:
            arguments += ["--tmpfs", str(cage.root / name), "--remount-ro", str(cage.root / name)]
    return arguments


def _fixed(cage: Cage, path: str) -> list[str]:
    mode = os.lstat(cage.scratch / path).st_mode
    if not (stat.S_ISDIR(mode) or stat.S_ISREG(mode)):
        return []  # a link is not followed, and of what it leads to nothing can be written anyway
    return ["--ro-bind", str(cage.scratch / path), str(cage.root / path)]


def _is_dir(path: Path) -> bool:
    return path.is_dir() and not path.is_symlink()
