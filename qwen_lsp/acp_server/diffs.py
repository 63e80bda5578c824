"""Edits as a client shows them: old and new text of a file, or of the places of it that change."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from acp import schema

from qwen_lsp.acp_server.line import shown
from qwen_lsp.context.visible import seen_name
from qwen_lsp.features.markdown import code_span
from qwen_lsp.runs.diffs import lines, sizes
from qwen_lsp.text.edits import FileEdit, unified

_LARGE = 400_000
"""Characters of a file from which on only the changed places are sent."""

Content = schema.ContentToolCallContent | schema.FileEditToolCallContent | schema.TerminalToolCallContent


@dataclass(slots=True)
class Place:
    """One changed place of a file, with the lines around it."""

    path: str
    line: int
    """Where it begins in the new text, from 1."""
    old: list[str] = field(default_factory=list[str])
    new: list[str] = field(default_factory=list[str])
    created: bool = False


def places(diff: str) -> Iterator[Place]:
    """The changed places that a unified diff of several files tells of."""
    path, created, place = "", False, None
    for kind, line in lines(diff):
        if kind == "head":
            if place is not None:
                yield place
                place = None
            if line.startswith("--- "):
                path, created = _name(line[4:]), line.startswith("--- /dev/null")
            elif line.startswith("+++ ") and not line.startswith("+++ /dev/null"):
                path = _name(line[4:])
        elif kind == "hunk":
            if place is not None:
                yield place
            first = line.split("+", 1)[1].split(" ", 1)[0].split(",")[0]
            place = Place(path, max(1, int(first)), created=created)
        elif place is not None and kind != "note":
            if kind in ("same", "remove"):
                place.old.append(line[1:])
            if kind in ("same", "add"):
                place.new.append(line[1:])
    if place is not None:
        yield place


def _name(text: str) -> str:
    """The path behind `a/` or `b/`; a quoted one stays as git writes it."""
    plain = text.split("\t", 1)[0]
    return plain[2:] if plain[:2] in ("a/", "b/") else plain


def of_diff(root: Path, diff: str) -> tuple[list[Content], list[schema.ToolCallLocation]]:
    """What one call changed."""
    content: list[Content] = []
    locations: list[schema.ToolCallLocation] = []
    for place in places(diff):
        path = str(root / place.path)
        old = None if place.created else "".join(f"{line}\n" for line in place.old)
        content.append(_edit(path, old, "".join(f"{line}\n" for line in place.new)))
        locations.append(schema.ToolCallLocation(path=path, line=place.line))
    return content, locations


def of_edits(root: Path, edits: Sequence[FileEdit]) -> list[Content]:
    """A whole change: each file as it is and as it would be, behind a list where there are several.

    A client may show the first piece alone, so that one of many diffs must not look like all of it.
    """
    content: list[Content] = []
    if len(edits) > 1:
        listed = (f"- {code_span(seen_name(edit.path))} {_size(edit)}" for edit in edits)
        content.append(shown("\n".join(listed)))
    for edit in edits:
        if said := _beside(edit):
            content.append(shown(said))
        if edit.before == edit.after:
            continue
        if len(edit.before or "") + len(edit.after or "") > _LARGE:
            content += of_diff(root, unified(edit))[0]
        else:
            content.append(_edit(str(root / edit.path), edit.before, edit.after or ""))
    return content


def _size(edit: FileEdit) -> str:
    added, removed = sizes(unified(edit))
    return " ".join(filter(None, (f"+{added}" if added else "", f"-{removed}" if removed else "")))


def _beside(edit: FileEdit) -> str:
    """What of an edit two texts do not tell."""
    name = code_span(seen_name(edit.path))
    said: list[str] = []
    if edit.moved_from:
        said.append(f"{code_span(seen_name(edit.moved_from))} is moved to {name}.")
    if edit.after is None:
        said.append(f"{name} is deleted.")
    elif edit.executable is not None:
        said.append(f"{name} may {'' if edit.executable else 'no longer '}be run.")
    return " ".join(said)


def _edit(path: str, old: str | None, new: str) -> schema.FileEditToolCallContent:
    return schema.FileEditToolCallContent(type="diff", path=path, old_text=old, new_text=new)
