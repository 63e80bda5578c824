"""How each editor is made: one function a recipe, and the table of them."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tools.editors.kitchen import Kitchen, StepFailed

SYSTEM = {
    "chromium": ("chromium", "fonts-dejavu-core"),
    "emacs": ("emacs-nox", "elpa-eglot"),
    "patchelf": ("patchelf",),
    "tmux": ("tmux",),
    "g++": ("g++", "make", "python3"),
}
"""Programs that the system provides, and the packages of Debian that bring each of them."""


def node(kitchen: Kitchen) -> None:
    kitchen.npm_install("node@24.21.0")
    kitchen.wrapper(kitchen.node)
    npm = Path(shutil.which("npm") or "npm").resolve()
    kitchen.wrapper(kitchen.node, npm, name="npm", PATH=f"{kitchen.node.parent}:$PATH")


def code_server(kitchen: Kitchen) -> None:
    """VS Code for a browser: its own install scripts would build more than is needed."""
    (kitchen.folder / "package.json").write_text('{"private": true}\n')
    kitchen.npm("fetch from npm", "install", "code-server@4.139.1", "--ignore-scripts")
    server = kitchen.folder / "node_modules" / "code-server"
    vscode = server / "lib" / "vscode"
    kitchen.npm("fetch its parts", "install", "--omit=dev", "--ignore-scripts", cwd=vscode)
    built = "@vscode/spdlog", "node-pty", "@vscode/native-watchdog", "@parcel/watcher", "@vscode/fs-copyfile"
    headers = next((kitchen.into / "node").glob("node_modules/**/include/node/node.h")).parents[2]
    kitchen.npm("build its native parts", "rebuild", *built, cwd=vscode, npm_config_nodedir=headers)
    extensions = vscode / "extensions"
    kitchen.npm("fetch its extensions' parts", "install", "--omit=dev", "--ignore-scripts", cwd=extensions)
    for link, to in (
        ("bin/remote-cli/code-server", "code-linux.sh"),
        ("bin/helpers/browser.sh", "browser-linux.sh"),
    ):
        (vscode / link).unlink(missing_ok=True)
        (vscode / link).symlink_to(to)
    # Without a gallery of its own it would look extensions up in a public one. The second program is the same
    # editor without code-server around it: that one takes tests of an extension as an argument.
    config = kitchen.folder / "config.yaml"
    scripts = {"code-server": "out/node/entry.js", "vscode-server": "lib/vscode/out/server-main.js"}
    for name, script in scripts.items():
        kitchen.wrapper(
            kitchen.node, server / script, name=name, CODE_SERVER_CONFIG=config, EXTENSIONS_GALLERY="{}"
        )


def axe(kitchen: Kitchen) -> None:
    kitchen.npm_install("axe-core@4.14.1")


def cline(kitchen: Kitchen) -> None:
    _npm_program(kitchen, "cline", "cline@3.0.65")


def qwen(kitchen: Kitchen) -> None:
    _npm_program(kitchen, "qwen", "@qwen-code/qwen-code@0.24.4")


def _npm_program(kitchen: Kitchen, program: str, package: str) -> None:
    found = kitchen.npm_install(package) / ".bin" / program
    kitchen.wrapper(found, PATH=f"{kitchen.node.parent}:$PATH")


def neovim(suite: str) -> Callable[[Kitchen], None]:
    def make(kitchen: Kitchen) -> None:
        root, libraries = _debian(kitchen, suite, "usr/bin/nvim", "neovim", "neovim-runtime")
        kitchen.wrapper(
            root / "usr/bin/nvim",
            VIMRUNTIME=root / "usr/share/nvim/runtime",
            TERMINFO_DIRS=f"/lib/terminfo:/usr/share/terminfo:{root}/usr/share/terminfo",
            LUA_PATH=f"{root}/usr/share/lua/5.1/?.lua;;",
            LUA_CPATH=f"{libraries}/lua/5.1/?.so;;",
        )

    return make


def helix(kitchen: Kitchen) -> None:
    root, _ = _debian(kitchen, "forky", "usr/lib/hx/hx", "hx")
    kitchen.wrapper(root / "usr/lib/hx/hx", HELIX_RUNTIME=root / "usr/lib/hx/runtime")


def _debian(kitchen: Kitchen, suite: str, program: str, *packages: str) -> tuple[Path, Path]:
    """Unpack packages of a newer Debian, with all they need, beside the system; the root and its libraries.

    The apt-get of the system fetches them from the mirror that the system uses, with lists of its own. The
    program itself is patched to load those libraries, since it also starts itself.
    """
    mirror = _mirror(kitchen)
    state = kitchen.folder / "apt"
    for folder in ("lists/partial", "cache/archives/partial"):
        (state / folder).mkdir(parents=True)
    keys = "/usr/share/keyrings/debian-archive-keyring.gpg"
    (state / "sources.list").write_text(f"deb [signed-by={keys}] {mirror} {suite} main\n")
    (state / "status").touch()
    options = {
        "Dir::Etc::sourcelist": state / "sources.list",
        "Dir::Etc::sourceparts": "-",
        "Dir::State": state,
        "Dir::State::status": state / "status",
        "Dir::Cache": state / "cache",
        "APT::Install-Recommends": "false",
        "Acquire::Languages": "none",
        "APT::Sandbox::User": "root",
        "Debug::NoLocking": "1",
    }
    apt = ["apt-get", "-q", *(word for name, value in options.items() for word in ("-o", f"{name}={value}"))]
    kitchen.run(f"read what Debian {suite} has", *apt, "update", "--error-on=any")
    kitchen.run(f"fetch from Debian {suite}", *apt, "install", "-y", "--download-only", *packages)
    root = kitchen.folder / "root"
    for archive in sorted((state / "cache/archives").glob("*.deb")):
        kitchen.run("unpack", "dpkg-deb", "-x", archive, root)
    loader = next(root.glob("usr/lib/*-linux-gnu*/ld-linux*.so.*"))
    kitchen.run(
        "make it use its own libraries", "patchelf", "--set-interpreter", loader,
        "--force-rpath", "--set-rpath", loader.parent, root / program,
    )  # fmt: skip
    shutil.rmtree(state)
    return root, loader.parent


def _mirror(kitchen: Kitchen) -> str:
    """Where this system gets Debian's packages from."""
    if shutil.which("apt-get") is None:
        raise StepFailed(f"{kitchen.name}: this recipe needs a Debian system (apt-get is missing)")
    described = ["-o", "APT::Get::IndexTargets::ReleaseInfo=false", "indextargets", "--format"]
    listed = kitchen.run("ask for the mirror", "apt-get", *described, "$(REPO_URI) $(RELEASE) $(COMPONENT)")
    for line in listed.splitlines():
        address, _, rest = line.partition(" ")
        if address.rstrip("/").endswith("/debian") and rest.endswith(" main"):
            return address
    raise StepFailed(f"{kitchen.name}: apt-get knows no mirror of Debian; add one to /etc/apt/sources.list.d")


def system(program: str) -> Callable[[Kitchen], None]:
    def make(kitchen: Kitchen) -> None:
        kitchen.wrapper(shutil.which(program) or program)

    return make


@dataclass(frozen=True, slots=True)
class Recipe:
    """How one editor is made."""

    make: Callable[[Kitchen], None]
    version: str
    """Changes whenever the recipe does, so that what was made by an older one is made again."""
    after: tuple[str, ...] = ()
    """Recipes that have to be done first."""
    system: tuple[str, ...] = ()
    """Programs of the system that it needs."""
    shows: tuple[str, ...] = ("--version",)
    """Arguments that make the program say its version; none: there is no program to ask."""


RECIPES = {
    "node": Recipe(node, "24.21.0-1"),
    "nvim-0.12": Recipe(neovim("forky"), "1", system=("patchelf",)),
    "code-server": Recipe(code_server, "4.139.1-1", after=("node",), system=("g++",)),
    "nvim-0.10": Recipe(neovim("trixie"), "1", system=("patchelf",)),
    "hx": Recipe(helix, "1", system=("patchelf",)),
    "axe": Recipe(axe, "4.14.1-1", after=("node",), shows=()),
    "cline": Recipe(cline, "3.0.65-1", after=("node",)),
    "qwen": Recipe(qwen, "0.24.4-1", after=("node",)),
    "chromium": Recipe(system("chromium"), "1", system=("chromium",)),
    "emacs": Recipe(system("emacs"), "1", system=("emacs",)),
    "tmux": Recipe(system("tmux"), "1", system=("tmux",), shows=("-V",)),
}
