"""The user's own interpreters and compilers: which of their folders a command may look into.

A toolchain manager keeps programs in HOME, beside tokens of the user's. Each is one row that names the parts
which hold programs; nothing else of HOME is shown, and nothing at all that PATH does not lead to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

STANDARD = ("/usr/local/bin", "/usr/bin", "/bin", "/usr/local/sbin", "/usr/sbin", "/sbin")
_SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib64", "/nix/store", "/gnu/store")
_NEVER = frozenset(
    {
        ".ssh", ".gnupg", ".aws", ".azure", ".kube", ".docker", ".password-store", ".mozilla", ".thunderbird",
        ".pki",
    }
)  # fmt: skip
_BESIDE = ("lib", "lib64", "libexec", "include", "conf", "jmods")
"""What a program in a folder `bin` may need of the folder above."""


@dataclass(frozen=True, slots=True)
class Manager:
    """Where a toolchain manager keeps things; `parts` are what may be seen, empty for all of it."""

    folder: str
    """Below HOME, unless `variable` is set."""
    parts: tuple[str, ...] = ()
    variable: str = ""
    with_others: tuple[str, ...] = ()
    """Folders below HOME that it needs as well."""


_ENV = ("bin", "libexec", "shims", "versions", "plugins", "version")
_MANAGERS = (
    Manager(".pyenv", (*_ENV, "pyenv.d", "completions"), "PYENV_ROOT"),
    Manager(".rbenv", (*_ENV, "rbenv.d"), "RBENV_ROOT"),
    Manager(".nodenv", (*_ENV, "nodenv.d"), "NODENV_ROOT"),
    Manager(".nvm", ("versions", "alias"), "NVM_DIR"),
    Manager(".volta", ("bin", "tools"), "VOLTA_HOME"),
    Manager(".local/share/fnm", ("node-versions", "aliases"), "FNM_DIR"),
    Manager(".bun", ("bin",), "BUN_INSTALL"),
    Manager(".deno", ("bin",), "DENO_INSTALL"),
    # Not .cargo itself: credentials.toml and config.toml hold tokens of registries.
    Manager(".cargo", ("bin", "registry", "git"), "CARGO_HOME", (".rustup",)),
    Manager(".rustup", ("toolchains", "settings.toml"), "RUSTUP_HOME"),
    Manager("go", ("bin", "pkg/mod"), "GOPATH"),
    Manager(".asdf", ("bin", "lib", "shims", "installs", "plugins", "asdf.sh"), "ASDF_DATA_DIR"),
    Manager(".local/share/mise", ("shims", "installs", "plugins"), "MISE_DATA_DIR"),
    Manager(".sdkman", ("candidates",), "SDKMAN_DIR"),
    Manager(".dotnet", ("dotnet", "host", "sdk", "shared", "packs", "tools"), "DOTNET_ROOT"),
    Manager(".ghcup", ("bin", "ghc", "cache"), ""),
    Manager(".juliaup", ("bin", "juliaup.json"), ""),
    Manager(
        ".local", ("bin", "lib", "share/uv/python", "share/uv/tools", "share/pipx/venvs", "pipx/venvs"), ""
    ),
    Manager(".local/share/pypoetry"),
    *(Manager(name) for name in ("miniconda3", "anaconda3", "miniforge3", "mambaforge")),
)  # fmt: skip

VARIABLES = frozenset(manager.variable for manager in _MANAGERS) - {""}
"""Of the user's environment: where toolchains are; set inside only where that is not their usual place."""


@dataclass(frozen=True, slots=True)
class Toolchains:
    """What is shown read-only beside the system, and how commands find it."""

    folders: tuple[Path, ...]
    path: tuple[str, ...]
    variables: Mapping[str, str]

    def environment(self, home: Path) -> dict[str, str]:
        """The whole environment of a command whose HOME is there; nothing of it is the user's but PATH."""
        return {
            "PATH": ":".join(self.path),
            "HOME": str(home),
            "LANG": "C.UTF-8",
            "TERM": "dumb",
            "USER": "user",
            "GIT_OPTIONAL_LOCKS": "0",  # the repository cannot be written, not even its index
            "GIT_TERMINAL_PROMPT": "0",
            "LSAN_OPTIONS": "detect_leaks=0",  # leaks are looked for through ptrace, which is refused
            **self.variables,
        }


def toolchains(environ: Mapping[str, str], home: Path, root: Path) -> Toolchains:
    """What PATH leads to, for a workspace at `root`. Names no folder that is not there."""
    folders: list[Path] = []
    path: list[str] = []
    variables: dict[str, str] = {}
    for entry in environ.get("PATH", "").split(":"):
        folder = Path(entry)
        if not folder.is_absolute() or ".." in folder.parts or entry in path:
            continue
        if folder.is_relative_to(root) or _is_below(folder, _SYSTEM):
            path.append(entry)
            continue
        if not folder.is_dir() or not _may_be_seen(folder, home, root):
            continue
        path.append(entry)
        manager = _manager_of(folder, home, environ)
        shown = _around(folder) if manager is None else _parts(manager, home, environ)
        folders += [part for part in shown if part.exists()]
        if manager is not None:
            variables |= _moved(manager, home, environ)
    path += [name for name in STANDARD if name not in path and Path(name).is_dir()]
    return Toolchains(_outermost(folders), tuple(path), variables)


def _may_be_seen(folder: Path, home: Path, root: Path) -> bool:
    """Not HOME itself or what holds it, nor what holds the workspace, nor a folder of keys."""
    real = folder.resolve()
    for place in (folder, real):
        if place in (Path("/"), home, root) or home.is_relative_to(place) or root.is_relative_to(place):
            return False
        if _NEVER & set(place.parts):
            return False
    return True


def _manager_of(folder: Path, home: Path, environ: Mapping[str, str]) -> Manager | None:
    return next((m for m in _MANAGERS if folder.is_relative_to(_base(m, home, environ))), None)


def _base(manager: Manager, home: Path, environ: Mapping[str, str]) -> Path:
    set_to = Path(environ.get(manager.variable, "")) if manager.variable else Path()
    return set_to if set_to.is_absolute() and set_to not in (home, *home.parents) else home / manager.folder


def _parts(manager: Manager, home: Path, environ: Mapping[str, str]) -> Iterator[Path]:
    for each in (manager, *(m for m in _MANAGERS if m.folder in manager.with_others)):
        base = _base(each, home, environ)
        yield from (base / part for part in each.parts) if each.parts else (base,)


def _moved(manager: Manager, home: Path, environ: Mapping[str, str]) -> dict[str, str]:
    """The variable that says where a manager is, if that is not where it looks by itself."""
    moved: dict[str, str] = {}
    for each in (manager, *(m for m in _MANAGERS if m.folder in manager.with_others)):
        base = _base(each, home, environ)
        if each.variable and base != home / each.folder:
            moved[each.variable] = str(base)
    return moved


def _around(folder: Path) -> Iterator[Path]:
    """A folder of programs that no manager is known for, with the libraries beside it."""
    if folder.is_relative_to("/opt") and len(folder.parts) > 3:
        yield Path(*folder.parts[:3])
    elif (folder.parent / "VERSION").is_file() and (folder.parent / "pkg").is_dir():  # an SDK of Go
        yield folder.parent
    else:
        yield folder
        if folder.name in ("bin", "sbin"):
            yield from (folder.parent / name for name in _BESIDE)


def _outermost(folders: Sequence[Path]) -> tuple[Path, ...]:
    kept: list[Path] = []
    for folder in sorted(set(folders)):
        if not any(folder.is_relative_to(other) for other in kept):
            kept.append(folder)
    return tuple(kept)


def _is_below(folder: Path, places: Sequence[str]) -> bool:
    return any(folder.is_relative_to(place) for place in places)
