"""Modules: imported out of the garbage collector's way, and how to have those that are not installed."""

from __future__ import annotations

import gc
import importlib
import shlex
import sys
from pathlib import Path
from types import ModuleType

from qwen_lsp.errors import UserError


def load(name: str) -> ModuleType:
    """The module of that name, imported where it is not yet. Nothing that is imported is ever garbage."""
    if name in sys.modules or not gc.isenabled():
        return importlib.import_module(name)
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        gc.freeze()
        gc.enable()


def needed(module: str, extra: str, what: str) -> None:
    """Raises UserError, with the command that helps, where a module of an extra is missing."""
    if remedy := missing(module, extra):
        raise UserError(f"{what} needs the package that speaks the protocol: {remedy}")


def missing(module: str, extra: str) -> str | None:
    """The command that installs a module of an extra of ours; None where it is installed."""
    from importlib.util import find_spec

    return installing(extra) if find_spec(module) is None else None


def installing(extra: str) -> str:
    """The command line that adds an extra of ours to this very installation, however it came about."""
    from importlib import metadata  # slow, and only wanted when something is missing

    whole = shlex.quote(f"qwen-lsp[{extra}]")
    prefix = Path(sys.prefix)
    if (prefix / "pipx_metadata.json").exists():
        wanted = [line.split(";") for line in metadata.requires("qwen-lsp") or () if ";" in line]
        names = [name.strip() for name, on in wanted if extra in on.replace("'", '"').split('"')]
        return f"pipx inject {prefix.name} {shlex.join(names) or whole}"
    python = shlex.quote(sys.executable)
    try:
        metadata.version("pip")
    except metadata.PackageNotFoundError:  # environments that uv makes have none
        return f"uv pip install --python {python} {whole}"
    return f"{python} -m pip install {whole}"
