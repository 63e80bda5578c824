"""A run and a person at work in the same files at the same time, step by step and at random.

Everything the person writes is a token that is nowhere else, so that nothing of it can go unnoticed. The run
goes through the agent's own tools, and writes from what it has read, which may be old by then.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from typing import Any

from qwen_lsp.errors import EditRejected, ToolRefused
from qwen_lsp.features.agent.toolbox import Desk as Tools
from qwen_lsp.features.agent.toolbox import call, digest
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.desk import Desk
from tests.support.meanwhile import edited, text_of

_ENCODINGS = ("utf-8", "utf-8", "utf-8", "utf-8-sig", "cp1252")


@dataclass
class Person:
    """Somebody who works on the files of a folder: on the disk, and in an editor if there is one."""

    random: Random
    root: Path
    folder: str
    mark: str
    desk: Desk | None = None
    encodings: dict[str, str] = field(default_factory=dict[str, str])
    tokens: list[str] = field(default_factory=list[str])
    leave: frozenset[str] = frozenset()
    written: int = 0
    live: set[str] = field(default_factory=set[str])
    """Tokens that the person had before their eyes when they last did something."""

    def lay(self) -> list[RelPath]:
        """Make the files that are there before anybody works."""
        for number in range(self.random.randint(1, 4)):
            path = f"{self.folder}/d{number % 2}/f{number}.py"
            self.encodings[path] = self.random.choice(_ENCODINGS)
            self._write(path, f"# é {number}\n{text_of(self.random, number)}")
        return [RelPath(path) for path in self.paths()]

    def token(self) -> str:
        self.written += 1
        self.tokens.append(f"<{self.mark}é{self.written}>")
        return self.tokens[-1]

    def paths(self) -> list[str]:
        found = (self.root / self.folder).rglob("*")
        return sorted(p.relative_to(self.root).as_posix() for p in found if p.is_file())

    def open_paths(self) -> list[str]:
        if self.desk is None:
            return []
        return sorted(
            Path(uri.removeprefix("file://")).relative_to(self.root).as_posix() for uri in self.desk.texts
        )

    def view(self) -> dict[str, str | bytes]:
        """Every file as the person has it: an open text, or the bytes on disk."""
        held: dict[str, str | bytes] = {path: (self.root / path).read_bytes() for path in self.paths()}
        if self.desk is not None:
            held |= {path: self.desk.texts[self.desk.uri(path)] for path in self.open_paths()}
        return held

    def there(self) -> set[str]:
        """The tokens that are anywhere in what the person has."""
        whole = b"\0".join(h.encode() if isinstance(h, str) else h for h in self.view().values())
        return {t for t in self.tokens if t.encode() in whole or t.encode("cp1252") in whole}

    def lost(self, read: str = "") -> set[str]:
        """Tokens that are nowhere any more and not in what the model has read, of which it may dispose."""
        return {token for token in self.live - self.there() if token not in read}

    def act(self, leave: frozenset[str] = frozenset()) -> None:
        """Do something, though not to the files to leave alone."""
        self.leave = leave
        if self.desk is not None and self.random.random() < 0.6:
            self._at_the_desk(self.desk)
        else:
            self._on_disk()
        self.live = self.there()

    def _on_disk(self) -> None:
        closed = [path for path in self.paths() if path not in {*self.open_paths(), *self.leave}]
        what = self.random.random()
        if not closed or what < 0.12:
            self._write(f"{self.folder}/d0/mine{self.written}.py", f"{self.token()}\n")
            return
        path = self.random.choice(closed)
        if what < 0.75:
            self._write(path, edited(self.random, self._read(path), self.token))
        elif what < 0.85:
            (self.root / path).unlink()
        else:
            target = f"{self.folder}/moved{self.written}/{Path(path).name}"
            (self.root / target).parent.mkdir(parents=True, exist_ok=True)
            (self.root / path).rename(self.root / target)
            self.encodings[target] = self._encoding(path)

    def _at_the_desk(self, desk: Desk) -> None:
        opened = [path for path in self.open_paths() if path not in self.leave]
        what = self.random.random()
        if not opened or what < 0.2:
            # Who opens a file in another encoding than UTF-8 has told the editor, which none here can be.
            there = [p for p in self.paths() if p not in self.open_paths() and p not in self.leave]
            closed = [p for p in there if self._encoding(p) != "cp1252"]
            if closed:
                desk.open(self.random.choice(closed))
            return
        path = self.random.choice(opened)
        if what < 0.75:
            desk.write(path, edited(self.random, desk.texts[desk.uri(path)], self.token))
        elif what < 0.9 and (self.root / path).exists():
            desk.save(path)
        else:
            desk.close(path)

    def _encoding(self, path: str) -> str:
        return self.encodings.get(path, "utf-8")

    def _read(self, path: str) -> str:
        return (self.root / path).read_bytes().decode(self._encoding(path), errors="surrogateescape")

    def _write(self, path: str, text: str) -> None:
        """In place, or beside it and then over it, as editors do."""
        file = self.root / path
        file.parent.mkdir(parents=True, exist_ok=True)
        data = text.encode(self._encoding(path), errors="surrogateescape")
        if self.random.random() < 0.5:
            file.write_bytes(data)
        else:
            beside = file.with_name(f"{file.name}.tmp")
            beside.write_bytes(data)
            beside.replace(file)


@dataclass
class Agent:
    """A run that works on its fork with the agent's tools."""

    random: Random
    base: Snapshot
    folder: str
    fork: Snapshot = field(init=False)
    seen: dict[RelPath, str] = field(default_factory=dict[RelPath, str])
    known: dict[RelPath, str] = field(default_factory=dict[RelPath, str])
    """Texts as the model has read them."""
    read: str = ""
    """All that it was ever shown."""
    calls: int = 0
    refused: int = 0

    def __post_init__(self) -> None:
        self.fork = self.base

    @property
    def edits(self) -> list[FileEdit]:
        return self.fork.changes_since(self.base)

    async def act(self) -> None:
        """Make one call."""
        paths = [path for path in self.fork.paths() if path.startswith(f"{self.folder}/")]
        self.calls += 1
        if not paths:
            return
        path = self.random.choice(paths)
        tool, arguments = self._call(path)
        try:
            outcome = await call(TOOLS, Tools(self.fork, Gate(None), self.seen), ToolCall(tool, arguments))
        except (ToolRefused, EditRejected):
            self.refused += 1
            return
        if tool == "read_file":
            self.known[path] = self.fork.text(path)
            self.read += self.known[path]
        if TOOLS[tool].kind == "edit":
            self.fork = outcome.snapshot
        self.seen |= {path: digest(outcome.snapshot.text(path)) for path in outcome.shown}

    def _call(self, path: RelPath) -> tuple[str, dict[str, Any]]:
        what, known = self.random.random(), self.known.get(path)
        if what < 0.25:
            return "read_file", {"file_path": path}
        if what < 0.55 and known and (lines := [line for line in known.splitlines() if line.strip()]):
            line = self.random.choice(lines)
            return "edit", {"file_path": path, "old_string": line, "new_string": f"{line}  # {self._word()}"}
        if what < 0.75:
            content = edited(self.random, known or "x = 1\n", self._word)
            return "write_file", {"file_path": path, "content": content}
        if what < 0.82:
            return "write_file", {"file_path": f"{self.folder}/d0/{self._word()}.py", "content": "new = 1\n"}
        if what < 0.91:
            return "delete_file", {"file_path": path}
        target = f"{self.folder}/new/{path.rpartition('/')[2]}"
        return "move_file", {"source_path": path, "target_path": target}

    def _word(self) -> str:
        return f"agent{self.random.randrange(1_000_000)}"
