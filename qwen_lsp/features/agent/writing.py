"""The tools that change the fork: edit, edit many files, write, move, delete."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace as with_
from typing import Any, cast

from qwen_lsp.errors import EditRejected, ToolRefused, WorkspaceError
from qwen_lsp.features.agent import edits, soundness
from qwen_lsp.features.agent.toolbox import Arguments, Desk, Outcome, Run, digest, text_of
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath, folder_of, protection

_PROSE = (".md", ".markdown", ".rst", ".txt", ".adoc")
_LONGEST_REFUSAL = 3_000
_NEIGHBOURS = 5
_HOW: Mapping[edits.Rung, str] = {
    "exact": "",
    "form": " old_string differed in punctuation or blanks at line ends; the file's were kept.",
    "indentation": " old_string was indented in another way; new_string was indented as the file is.",
    "elision": " What `...` stands for was kept.",
}


def edit(desk: Desk, arguments: Arguments) -> Outcome:
    path = _writable(desk, text_of(arguments, "file_path"))
    old, new = text_of(arguments, "old_string"), text_of(arguments, "new_string")
    if not old and not _exists(desk, path):
        return _created(desk, path, new)
    before = desk.text(path)
    if not old and not before.strip():
        return _changed(desk, path, before, new, f"Wrote {path}.")
    every = bool(arguments.get("replace_all", False))
    try:
        found = edits.find(before, old, new, replace_all=every, prose=_is_prose(path))
    except EditRejected as refusal:
        raise EditRejected(_explained(desk, path, before, refusal, old, new, every)) from None
    lines = [before.count("\n", 0, change.start) + 1 for change in found.changes[:_NEIGHBOURS]]
    where = f"line {lines[0]}" if len(found.changes) == 1 else f"{len(found.changes)} places"
    # A reader never sees how lines end, so there is nothing to say where only that differed.
    how = "" if found.rung == "form" and edits.unify(old) in edits.unify(before) else _HOW[found.rung]
    return _changed(desk, path, before, edits.apply(before, found), f"Edited {path} ({where}).{how}")


def edit_files(desk: Desk, arguments: Arguments) -> Outcome:
    """All edits or none: every one that fails is reported, and then the fork stays as it was."""
    listed = cast("Sequence[Mapping[str, Any]]", arguments["edits"])
    if not listed:
        raise ToolRefused("edit_files: edits is empty.")
    return in_one(desk, [(edit, one) for one in listed])


def in_one(desk: Desk, steps: Sequence[tuple[Run, Arguments]]) -> Outcome:
    """Calls of editing tools as one: all of them or, with every failure told, none. Raises EditRejected."""
    said: list[str] = []
    shown: tuple[RelPath, ...] = ()
    failed: list[str] = []
    room = _LONGEST_REFUSAL
    for number, (run, one) in enumerate(steps, 1):
        try:
            outcome = run(desk, one)
        except (EditRejected, ToolRefused) as error:
            text, named = str(error), one.get("file_path") or one.get("source_path")
            failed.append(f"Edit {number} of {len(steps)} ({named}) failed: {text[: max(room, 300)]}")
            room -= len(text)
            continue
        # Each edit sees what those before it did. Where it did nothing the file needs no second look.
        desk = with_(desk, snapshot=outcome.snapshot, seen=_seen(desk, outcome))
        said.append(outcome.text)
        shown += outcome.shown
    if failed:
        raise EditRejected("\n".join(["No edit was made. " + failed[0], *failed[1:]]))
    return Outcome(desk.snapshot, "\n".join(said), tuple(dict.fromkeys(shown)))


def write_file(desk: Desk, arguments: Arguments) -> Outcome:
    path = _writable(desk, text_of(arguments, "file_path"))
    content = text_of(arguments, "content").removeprefix("\ufeff")
    if not _exists(desk, path):
        return _created(desk, path, content)
    before = desk.text(path)
    if desk.gate.admit(path, before).withheld:
        # The model saw a redacted copy: writing it back would destroy the user's secret.
        raise ToolRefused(f"{path} holds secrets you were not shown; change it with edit instead.")
    _known(desk, path, before)
    _complete(path, content, before)
    if before.endswith("\n") and content and not content.endswith("\n"):
        content += "\n"
    was, now = before.count("\n"), content.count("\n")
    lost = f" It had {was} lines and has {now}." if now < was * 0.7 and was > _NEIGHBOURS else ""
    return _changed(desk, path, before, edits.lay_over_file(before, content), f"Wrote {path}.{lost}")


def move_file(desk: Desk, arguments: Arguments) -> Outcome:
    source = _writable(desk, text_of(arguments, "source_path"))
    named = text_of(arguments, "target_path")
    target = _writable(desk, named)
    inside = _below(desk, source)
    if named.endswith("/") or (_below(desk, target) and not inside):
        target = _writable(desk, f"{target}/{source.rpartition('/')[2]}")
    if source == target or target.startswith(f"{source}/"):
        raise ToolRefused(f"{source} cannot be moved to {target}.")
    moves = {path: _writable(desk, target + path[len(source) :]) for path in inside or (source,)}
    snapshot, shown = desk.snapshot, list[RelPath]()
    for path, to in moves.items():
        _writable(desk, path)
        text = desk.text(path)
        if _exists(desk, to):
            raise ToolRefused(f"{to} exists already; delete it first or choose another name.")
        _reachable(desk, to)
        _known(desk, path, text)
        snapshot = snapshot.edited(path, None, was=text).edited(to, text)
        if desk.seen.get(path) == digest(text):
            shown.append(to)
    left = [path for path in desk.snapshot.skipped if path.startswith(f"{source}/")] if inside else []
    more = f" with {len(moves)} files" if inside else ""
    stays = f" {len(left)} files that are not text or not source stay where they are." if left else ""
    return Outcome(snapshot, f"Moved {source} to {target}{more}.{stays}", tuple(shown))


def delete_file(desk: Desk, arguments: Arguments) -> Outcome:
    path = _writable(desk, text_of(arguments, "file_path"))
    if inside := _below(desk, path):
        raise ToolRefused(f"{path} is a folder with {len(inside)} files; delete its files one by one.")
    before = desk.text(path)
    _known(desk, path, before)
    return Outcome(desk.snapshot.edited(path, None, was=before), f"Deleted {path}.")


def _changed(desk: Desk, path: RelPath, before: str | None, after: str, said: str) -> Outcome:
    """The fork with this text, and a warning where it is no longer well-formed."""
    _storable(desk, path, after)
    fork = desk.snapshot.edited(path, after, was=before)
    found = soundness.fault(desk.snapshot, fork, path)
    # An edit of what the model has not seen as it is shows no more of it.
    shown = () if before is not None and desk.news(path, before) else (path,)
    return Outcome(fork, said + soundness.sentence(found, desk.gate.admit(path, after).text or ""), shown)


def _known(desk: Desk, path: RelPath, before: str) -> None:
    """Raises ToolRefused where all of a file would go and the model cannot know what it holds by now."""
    if news := desk.news(path, before):
        raise ToolRefused(f"{path} {news}: the user may be at work in it. Read it, then decide again.")


def _storable(desk: Desk, path: RelPath, after: str) -> None:
    """Raises ToolRefused where the file's encoding lacks a character; otherwise nothing could land."""
    if after.isascii():
        return
    try:
        like = disk.read(desk.snapshot.root, path)
    except WorkspaceError:
        like = None
    try:
        disk.encode(after, like)
    except WorkspaceError as error:
        why = str(error).partition(";")[0]
        raise ToolRefused(f"{path} cannot hold this text: {why}. Use what it has, or escapes.") from None


def _reachable(desk: Desk, path: RelPath) -> None:
    """Raises ToolRefused where a part of the path is a file or a link, below which nothing can be made."""
    folder = folder_of(path)
    while folder:
        place, buffer = desk.snapshot.root / folder, desk.snapshot.buffers.get(RelPath(folder))
        gone = buffer is not None and buffer.text is None
        if desk.snapshot.has(RelPath(folder)) or (not gone and place.is_file()):
            raise ToolRefused(f"{path} cannot be created: {folder} is a file.")
        if place.is_symlink():
            raise ToolRefused(f"{path} cannot be created: {folder} is a link. Use the folder it leads to.")
        folder = folder_of(folder)


def _created(desk: Desk, path: RelPath, content: str) -> Outcome:
    try:
        _reachable(desk, path)
        exists = (desk.snapshot.root / path).exists() and path not in desk.snapshot.buffers
    except OSError as error:
        raise ToolRefused(f"{path} cannot be created: {error.strerror}.") from None
    if _below(desk, path):
        raise ToolRefused(f"{path} is a folder. Name the file to write in it.")
    if exists:
        raise ToolRefused(f"{path} exists and is not a text file; leave it alone.")
    _complete(path, content, "")
    if "\r" not in content and _neighbours_end_in_crlf(desk, path):
        content = content.replace("\n", "\r\n")
    return _changed(desk, path, None, content, f"Created {path}.")


def _complete(path: RelPath, content: str, before: str) -> None:
    """Raises EditRejected where a whole file has lines that stand for code; prose may speak of such lines."""
    prose = _is_prose(path) and len(content) >= len(before)
    if not prose and (left_out := edits.placeholder(content, before)):
        raise EditRejected(
            f"content has the line `{left_out[:200]}`, which stands for code that was left out. It would be "
            "written into the file as it is. Write the file in full, or change parts of it with edit."
        )


def _is_prose(path: RelPath) -> bool:
    return path.lower().endswith(_PROSE)


def _neighbours_end_in_crlf(desk: Desk, path: RelPath) -> bool:
    """Whether the files of the same kind beside a new one all have CRLF."""
    suffix = path.rpartition(".")[2]
    beside = [p for p in desk.snapshot.in_folder(folder_of(path)) if p.endswith(f".{suffix}")][:_NEIGHBOURS]
    texts: list[str] = []
    for neighbour in beside:
        try:
            texts.append(desk.text(neighbour))
        except ToolRefused:
            continue
    return bool(texts) and all("\r\n" in text for text in texts)


def _explained(
    desk: Desk, path: RelPath, before: str, refusal: EditRejected, old: str, new: str, every: bool
) -> str:
    """The refusal as the model may see it, and whether its view of the file is an old one."""
    said = str(refusal)
    if (shown := desk.shown(path)) != before:
        # A refusal quotes the file, so it has to be the one about the text that the model may see.
        try:
            edits.find(shown, old, new, replace_all=every, prose=_is_prose(path))
        except EditRejected as about_shown:
            said = str(about_shown)
        else:
            return "old_string takes in a secret that you were not shown (`<redacted: ...>`); leave it out."
    seen = desk.seen.get(path)
    if seen is not None and seen != digest(before):
        return f"{path} changed since you read it; read it again. {said}"
    return said


def _seen(desk: Desk, outcome: Outcome) -> Mapping[RelPath, str]:
    return {**desk.seen, **{path: digest(outcome.snapshot.text(path)) for path in outcome.shown}}


def _exists(desk: Desk, path: RelPath) -> bool:
    """Whether there is a text to change: a file of the workspace, or one that it ignores."""
    if desk.snapshot.has(path):
        return True
    buffer = desk.snapshot.buffers.get(path)
    if buffer is not None and buffer.text is None:
        return False
    try:
        desk.text(path)
    except ToolRefused:
        return False
    return True


def _below(desk: Desk, path: RelPath) -> list[RelPath]:
    """The files of a folder; none when the path is that of a file, or of nothing."""
    return [] if desk.snapshot.has(path) else [p for p in desk.snapshot.paths() if p.startswith(f"{path}/")]


def _writable(desk: Desk, text: str) -> RelPath:
    path = desk.path(text)
    if reason := protection(path):
        raise ToolRefused(f"{path} may not be changed by tools: {reason}.")
    if reason := desk.gate.admits_path(path):
        raise ToolRefused(f"{path} may not be changed: {reason}.")
    return path
