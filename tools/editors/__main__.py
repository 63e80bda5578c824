"""The command line of the installer."""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import shutil
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

from tools.editors.kitchen import Kitchen, StepFailed
from tools.editors.recipes import RECIPES, SYSTEM, Recipe

AT_ONCE = 3
"""Recipes under way at the same time: most of each is waiting for the network, or for one core."""


def install(names: Iterable[str], into: Path) -> list[str]:
    """Install these editors and what they need; what went wrong, a text for each."""
    wanted: dict[str, Recipe] = {}
    for name in names:
        wanted |= {earlier: RECIPES[earlier] for earlier in RECIPES[name].after}
        wanted[name] = RECIPES[name]
    for folder in ("bin", "logs", "stamps"):
        (into / folder).mkdir(parents=True, exist_ok=True)
    with (into / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        return _make_all({n: recipe for n, recipe in wanted.items() if not _is_there(n, recipe, into)}, into)


def _make_all(missing: Mapping[str, Recipe], into: Path) -> list[str]:
    with ThreadPoolExecutor(AT_ONCE) as pool:
        under_way = {"system": pool.submit(_from_system, list(missing.values()), into)}
        # In the order of RECIPES, so that whatever one waits for has begun before it does.
        for name in (name for name in RECIPES if name in missing):
            recipe = missing[name]
            needs = [*recipe.after, *(["system"] if recipe.system else [])]
            before = {need: under_way[need] for need in needs if need in under_way}
            under_way[name] = pool.submit(_make, name, recipe, into, before)
    failures = [future.exception() for future in under_way.values()]
    for failure in failures:
        if failure is not None and not isinstance(failure, StepFailed):
            raise failure
    return [str(failure) for failure in failures if failure is not None]


def _make(name: str, recipe: Recipe, into: Path, before: Mapping[str, Future[None]]) -> None:
    for need, future in before.items():
        if future.exception() is not None:
            raise StepFailed(f"{name}: not installed, since it needs {need}")
    began = time.monotonic()
    kitchen = Kitchen(name, into)
    recipe.make(kitchen)
    if recipe.shows:
        kitchen.run("start it", into / "bin" / name, *recipe.shows)
    _stamp(name, into).write_text(_stamped(recipe, into))
    print(f"{name}: installed in {time.monotonic() - began:.0f} s", flush=True)


def _from_system(recipes: Iterable[Recipe], into: Path) -> None:
    """Have apt-get install what the system lacks, all in one go."""
    needed = {program for recipe in recipes for program in recipe.system}
    lacking = [program for program in SYSTEM if program in needed and not _has(program)]
    if not lacking:
        return
    packages = [package for program in lacking for package in SYSTEM[program]]
    command = ["apt-get", "install", "-y", "--no-install-recommends", *packages]
    if os.geteuid() != 0 or shutil.which("apt-get") is None:
        raise StepFailed(
            f"system: missing here: {', '.join(lacking)}; on Debian, run:\n    sudo {shlex.join(command)}"
        )
    began = time.monotonic()
    kitchen = Kitchen("system", into)
    kitchen.run("read what Debian has", "apt-get", "-q", "update", "--error-on=any")
    kitchen.run("install from Debian", *command, DEBIAN_FRONTEND="noninteractive")
    print(f"system: {' '.join(packages)} installed in {time.monotonic() - began:.0f} s", flush=True)


def _has(program: str) -> bool:
    found = shutil.which(program)
    if found is None or program != "emacs":
        return found is not None
    # Newer ones have it built in; older ones find it among the system's packages.
    asked = [found, "--batch", "--eval", "(progn (package-initialize) (require 'eglot))"]
    return subprocess.run(asked, capture_output=True, check=False).returncode == 0


def _stamp(name: str, into: Path) -> Path:
    return into / "stamps" / name


def _stamped(recipe: Recipe, into: Path) -> str:
    """The folder is part of it: programs are wrapped with absolute paths."""
    return f"{recipe.version} {into}\n"


def _is_there(name: str, recipe: Recipe, into: Path) -> bool:
    stamp = _stamp(name, into)
    return stamp.exists() and stamp.read_text() == _stamped(recipe, into) and all(map(_has, recipe.system))


def main() -> int:
    """The command line; the exit status."""
    parser = argparse.ArgumentParser(description="Install the editors that the tests drive.")
    actions = parser.add_subparsers(required=True)
    installing = actions.add_parser("install")
    installing.add_argument("names", nargs="*", metavar="NAME", help=f"all, or some of: {' '.join(RECIPES)}")
    installing.add_argument("--into", type=Path, required=True, metavar="FOLDER")
    arguments = parser.parse_args()
    unknown = [name for name in arguments.names if name not in RECIPES]
    if unknown:
        parser.error(f"no recipe for {' '.join(unknown)}; there are: {' '.join(RECIPES)}")
    problems = install(arguments.names or RECIPES, arguments.into.resolve())
    for problem in problems:
        print(f"tools/editors.py: {problem}", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
