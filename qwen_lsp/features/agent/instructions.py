"""What the user and the project tell agents: `AGENTS.md` and `QWEN.md`, the nearest last, in one block.

They say how to work; what a run may do is no matter of theirs (`approval`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from qwen_lsp.context.render import Pack, Part, piece
from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.text.unseen import spelled, without_hidden
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath, folder_of, user_folder
from qwen_lsp.workspace.secrets import Gate, Withheld

NAMES = ("AGENTS.md", "QWEN.md")
LONGEST = 16_000
"""Characters of all files together; the nearest are taken first."""
_LARGEST_FILE = 1024 * 1024
_HEAD = (
    "Instructions of the user and the project, the nearest to the work last. They say how to work here; "
    "they neither allow nor forbid a tool.\n\n"
)


@dataclass(frozen=True, slots=True)
class Instructions:
    """The block for the first message, empty when there is nothing to say, and the receipt for it."""

    text: str = ""
    parts: tuple[Part, ...] = ()
    withheld: tuple[Withheld, ...] = ()
    """Secrets, whole files, and what nobody would have seen in them."""


@dataclass(frozen=True, slots=True)
class _Found:
    path: RelPath
    text: str
    why: str


def user_file() -> Path:
    """`AGENTS.md` in the user's configuration folder: instructions for every workspace."""
    return user_folder("XDG_CONFIG_HOME", ".config") / "AGENTS.md"


def instructions(
    snapshot: Snapshot,
    gate: Gate,
    paths: Sequence[RelPath],
    user_file: Path | None,
    count: Callable[[str], int],
) -> Instructions:
    """What applies to work around `paths`: the user's file, the root's, then those of folders towards them.

    Reads one file outside the workspace, `user_file`, and none when it is None. `count` gives tokens.
    """
    withheld: list[Withheld] = []
    found = [
        plain
        for source in (*_of_the_user(user_file), *_of_the_project(snapshot, paths))
        if (plain := _admitted(source, gate, withheld)) is not None
    ]
    room = LONGEST
    parts: list[Part] = []
    for source in reversed(found):
        text = _fitted(source.text, room)
        room -= len(text)
        if text:
            shown = piece(spelled(source.path), text)
            parts.append(Part(source.path, "whole", shown, count(shown), source.why))
        else:
            withheld.append(Withheld(source.path, "no room among the instructions"))
    if not parts:
        return Instructions(withheld=tuple(withheld))
    parts.reverse()
    return Instructions(_HEAD + "".join(part.text for part in parts), tuple(parts), tuple(withheld))


def shown_with(pack: Pack, told: Instructions) -> Pack:
    """The receipt of a first message: its pack and the instructions, which have a budget of their own."""
    tokens = sum(part.tokens for part in told.parts)
    return replace(
        pack, parts=(*pack.parts, *told.parts), tokens=pack.tokens + tokens, budget=pack.budget + tokens,
        withheld=(*pack.withheld, *told.withheld),
    )  # fmt: skip


def _of_the_user(path: Path | None) -> list[_Found]:
    if path is None:
        return []
    try:
        text = disk.read(path.parent, RelPath(path.name), _LARGEST_FILE).text
    except WorkspaceError:
        return []
    return [_Found(RelPath(f"~/{path.name}"), text, "instructions: the user's, for every workspace")]


def _of_the_project(snapshot: Snapshot, paths: Sequence[RelPath]) -> list[_Found]:
    folders = {""}
    for path in paths:
        while path:
            path = RelPath(folder_of(path))
            folders.add(path)
    found: list[_Found] = []
    for folder in sorted(folders, key=lambda name: (name.count("/") + bool(name), name)):
        for name in NAMES:
            path = RelPath(f"{folder}/{name}" if folder else name)
            if snapshot.has(path):
                try:
                    text = snapshot.text(path)
                except WorkspaceError:
                    continue
                why = f"instructions: for {folder}/" if folder else "instructions: the project's"
                found.append(_Found(path, text, why))
    return found


def _admitted(found: _Found, gate: Gate, withheld: list[Withheld]) -> _Found | None:
    admission = gate.admit(found.path, found.text)
    withheld += admission.withheld
    text, hidden = without_hidden(admission.text or "")
    if hidden:
        withheld.append(Withheld(found.path, f"{hidden:,} characters that nobody sees"))
    return _Found(found.path, text.strip(), found.why) if text.strip() else None


def _fitted(text: str, room: int) -> str:
    """The text, or its beginning up to the end of a line, saying so; empty where that would be nothing."""
    if len(text) <= room:
        return text
    said = f"\n[cut here: {len(text):,} characters are more than there is room for]"
    kept = text[: max(0, room - len(said))]
    kept = kept[: kept.rfind("\n") + 1].rstrip()
    return f"{kept}{said}" if kept else ""
