"""What a file is to become and what it was, worked out before anything is written."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from qwen_lsp.cli.setup import files
from qwen_lsp.cli.setup.clients import SERVER, Target, snippet
from qwen_lsp.cli.setup.jsonc import NotJson, parse
from qwen_lsp.cli.setup.record import Record, Step, cleared, digest, load
from qwen_lsp.cli.setup.splice import Done, Put, Unfit, put, removed, taken_back, value_at
from qwen_lsp.errors import UserError

_MARK = b"\xef\xbb\xbf"
_ENTRY = ("mcpServers", SERVER)


@dataclass(slots=True)
class Change:
    """A file before and after; None: there is no file. Without a difference there is nothing to write."""

    path: Path
    before: bytes | None
    after: bytes | None
    record: Record
    done: list[Done] = field(default_factory=list[Done])
    notes: list[str] = field(default_factory=list[str])
    """What a person should know of it."""
    folders: list[str] = field(default_factory=list[str])
    """Folders that go when they are empty."""
    used: list[Path] = field(default_factory=list[Path])
    """Backups whose content is in the file again."""

    @property
    def ours(self) -> list[Put]:
        return [done.put for done in self.done]


def planned(target: Target) -> Change:
    """What setting up makes of a file. Raises UserError, with what to add by hand, where it must not."""
    record = load(target.path)
    before = files.read(target.path)
    if target.text is not None:
        return _whole(target, before, record)
    mark, text = _decoded(target, before)
    change = Change(target.path, before, before, record)
    try:
        wanted = target.puts(parse(text))
        for one in wanted:
            text, done = put(text, one)
            if done is not None:
                change.done.append(done)
        root = parse(text)
    except NotJson as error:
        raise _by_hand(target, f"{target.path} is no JSON ({error})") from None
    except Unfit as error:
        raise _by_hand(target, f"{target.path}: {error}") from None
    if change.done:
        change.after = mark + text.encode()
    found = value_at(root, _ENTRY)
    if found is not None and found.plain.get("disabled") is True:
        change.notes.append(f"{target.reader} has “{SERVER}” switched off, and it stays off.")
    if not target.reads_comments and not _is_strict(text):
        change.notes.append(
            f"{target.reader} reads no comments and no trailing commas: as it is, it ignores the whole file."
        )
    return change


def written(change: Change) -> None:
    """Write what was planned, after keeping what was there. Raises UserError, and then nothing is changed."""
    assert change.after is not None  # noqa: S101 - setting up deletes nothing
    backup = None if change.before is None else change.record.keep(change.before)
    made = tuple(map(str, files.missing_folders(change.path)))
    change.record.steps.append(Step(digest(change.after), backup, tuple(change.done), made))
    try:
        change.record.save()
        files.write(change.path, change.before, change.after, 0o600 if change.done else 0o644)
    except UserError:
        change.record.steps.pop()
        change.record.save()
        raise


def undone(path: Path) -> Change:
    """What taking everything back makes of a file. Raises UserError where it cannot be read."""
    record = load(path)
    before = files.read(path)
    change = Change(path, before, before, record)
    if not record.steps:
        return change
    if before is None:
        change.notes.append("The file is gone already.")
        record.steps.clear()
        return change
    while record.steps and change.after is not None:
        step = record.steps[-1]
        backup = record.backup(step)
        if digest(change.after) == step.after and (backup is None or backup.exists()):
            change.after = record.held(step)
            if backup:
                change.used.append(backup)
        elif step.done:
            change.after = _without(change, step.done)
        else:
            change.notes.append("It was changed since it was written, so it is yours now and stays.")
        change.done.extend(step.done)
        change.folders.extend(reversed(step.folders))
        record.steps.pop()
    return change


def took_back(change: Change) -> None:
    """Write what was worked out by `undone`. Raises UserError, and then nothing is changed."""
    if change.before != change.after:
        files.write(change.path, change.before, change.after)
    change.record.save()
    cleared(change.used)
    if change.after is None:
        for folder in map(Path, change.folders):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()


def _whole(target: Target, before: bytes | None, record: Record) -> Change:
    assert target.text is not None  # noqa: S101 - asked of whole files only
    after = target.text.encode()
    is_ours = bool(record.steps) and before is not None and digest(before) == record.steps[-1].after
    if before is not None and before != after and not is_ours:
        raise UserError(
            f"{target.path} is there and was not written by setup, or was changed since, so it stays. "
            "`--print` shows what would be in it."
        )
    return Change(target.path, before, after, record)


def _without(change: Change, dones: Sequence[Done]) -> bytes | None:
    """The file without what one writing has put in, as far as it is still there."""
    assert change.after is not None  # noqa: S101 - the caller looks
    mark = _MARK if change.after.startswith(_MARK) else b""
    try:
        text = change.after.removeprefix(_MARK).decode()
        for done in reversed(dones):
            text = _without_one(text, done, change)
    except (NotJson, UnicodeDecodeError):
        raise UserError(
            f"{change.path} was changed since and is no JSON now, so nothing was taken out of it. "
            f"Mend it and run this again, or delete “{SERVER}” from it by hand."
        ) from None
    return mark + text.encode() if text.strip() or change.record.steps[0].before else None


def _without_one(text: str, done: Done, change: Change) -> str:
    less = taken_back(text, done)
    if less is not None:
        return less
    path = done.put.path
    found = value_at(parse(text), path)
    if path == _ENTRY and found is not None and found.is_object:
        wrote: dict[str, Any] = done.put.value
        if (found.plain.get("command"), found.plain.get("args")) == (wrote["command"], wrote["args"]):
            other = sorted(
                name for name in {*wrote, *found.plain} if wrote.get(name) != found.plain.get(name)
            )
            change.notes.append(f"“{SERVER}” was changed since ({', '.join(other)}) and went with the rest.")
            return removed(text, path, done.made)
    where = ".".join(path)
    if done.put.item:
        change.notes.append(f"“{done.put.value}” was not in “{where}” any more.")
    elif found is None:
        change.notes.append(f"“{where}” was not there any more.")
    else:
        change.notes.append(f"“{where}” was changed since, so it stays.")
    return text


def _decoded(target: Target, content: bytes | None) -> tuple[bytes, str]:
    content = content or b""
    mark = _MARK if content.startswith(_MARK) else b""
    try:
        return mark, content.removeprefix(_MARK).decode()
    except UnicodeDecodeError:
        raise _by_hand(target, f"{target.path} is not UTF-8") from None


def _is_strict(text: str) -> bool:
    try:
        json.loads(text)
    except ValueError:
        return False
    return True


def _by_hand(target: Target, why: str) -> UserError:
    wanted = json.dumps(snippet(target), indent=2, ensure_ascii=False)
    return UserError(f"{why}, so it was left as it is. Mend it and run this again, or add by hand:\n{wanted}")
