"""What a recipe works with: a folder, a log, and commands whose failure says which step it was."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from pathlib import Path


class StepFailed(Exception):
    """A step of a recipe did not work; the text says which one, and shows the end of its log."""


class Kitchen:
    """What one recipe works with; its folder and its log are empty at first."""

    def __init__(self, name: str, into: Path) -> None:
        self.name = name
        self.into = into
        self.folder = into / name
        self.log = into / "logs" / f"{name}.log"
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        self.log.write_text("")

    def run(self, step: str, *command: object, cwd: Path | None = None, **environment: object) -> str:
        """Run a command, its output into the log; what it printed. Raises StepFailed."""
        words = [str(word) for word in command]
        with self.log.open("a") as log:
            log.write(f"\n# {step}\n$ {shlex.join(words)}\n")
            log.flush()
            start = log.tell()
            try:
                ended = subprocess.run(
                    words, cwd=cwd or self.folder, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                    check=False, env=os.environ | {name: str(value) for name, value in environment.items()},
                )  # fmt: skip
                problem = f"it ended with status {ended.returncode}" if ended.returncode else ""
            except OSError as error:
                problem = str(error)
        printed = self.log.read_bytes()[start:].decode("utf-8", "replace")
        if problem:
            end = "\n".join("    " + line for line in printed.splitlines()[-15:])
            raise StepFailed(f"{self.name}: {step}: {problem}\n{end}\n  all of it: {self.log}")
        return printed

    @property
    def node(self) -> Path:
        """The program of the recipe `node`."""
        return self.into / "node" / "node_modules" / "node" / "bin" / "node"

    def wrapper(self, *command: Path | str, name: str = "", **environment: object) -> None:
        """Write `bin/NAME`, which starts a command with these variables set; a `$PATH` in them counts."""
        file = self.into / "bin" / (name or self.name)
        lines = [f'export {key}="{value}"\n' for key, value in environment.items()]
        file.write_text("#!/bin/sh\n" + "".join(lines) + f'exec {shlex.join(map(str, command))} "$@"\n')
        file.chmod(0o755)

    def npm(self, step: str, *arguments: str, cwd: Path | None = None, **environment: object) -> None:
        """Run npm, with the Node of the cache folder once that is there."""
        npm = shutil.which("npm")
        if npm is None:
            raise StepFailed(f"{self.name}: {step}: npm is missing; install Node.js 20 or newer, with npm")
        quiet = ("--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error")
        path = f"{self.node.parent}{os.pathsep}{os.environ['PATH']}"
        command = [self.node, Path(npm).resolve()] if self.node.exists() else [npm]
        self.run(step, *command, *arguments, *quiet, cwd=cwd, PATH=path, **environment)

    def npm_install(self, *packages: str) -> Path:
        """Install packages of npm into the folder of the recipe; its `node_modules`."""
        (self.folder / "package.json").write_text('{"private": true}\n')
        self.npm("fetch from npm", "install", *packages)
        return self.folder / "node_modules"
