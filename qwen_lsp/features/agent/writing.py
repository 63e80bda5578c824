"""The tools that change the fork: edit, edit many files, write, move, delete."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace as with_
from typing import Any, cast

from qwen_lsp.errors import EditRejected, ToolRefused
from qwen_lsp.features.agent.edits import replace
from qwen_lsp.features.agent.toolbox import Arguments, Desk, Outcome, text_of
from qwen_lsp.syntax.languages import language_for
from qwen_lsp.syntax.parse import errors, parse
from qwen_lsp.text.positions import LineIndex
from qwen_lsp.workspace.paths import RelPath, protection


def edit(desk: Desk, arguments: Arguments) -> Outcome:
    path = _writable(desk, text_of(arguments, "file_path"))
    old, new = text_of(arguments, "old_string"), text_of(arguments, "new_string")
    if not old and not desk.snapshot.has(path):
        return _created(desk, path, new)
    before = desk.text(path)
    every = bool(arguments.get("replace_all", False))
    try:
        after = replace(before, old, new, replace_all=every)
    except EditRejected:
        if (shown := desk.shown(path)) != before:
            # A refusal quotes the file, so it has to be the one about the text that the model may see.
            replace(shown, old, new, replace_all=every)
            raise EditRejected(
                "old_string takes in a secret that you were not shown (`<redacted: ...>`); leave it out."
            ) from None
        raise
    return Outcome(
        desk.snapshot.edited(path, after), f"Edited {path}.{_new_errors(desk, path, before, after)}", (path,)
    )


def edit_files(desk: Desk, arguments: Arguments) -> Outcome:
    """All edits or none: the first that fails is reported and the fork stays as it was."""
    listed = cast("list[Any]", arguments["edits"])
    if not listed:
        raise ToolRefused("edit_files: edits is empty.")
    said: list[str] = []
    shown: tuple[RelPath, ...] = ()
    for number, item in enumerate(listed, 1):
        if not isinstance(item, Mapping):
            raise ToolRefused(
                f"edit_files: edit {number} must be an object with file_path, old_string, new_string."
            )
        one = cast("Mapping[str, Any]", item)
        for name in ("file_path", "old_string", "new_string"):
            if not isinstance(one.get(name), str):
                raise ToolRefused(f"edit_files: edit {number} needs {name} as a string. No file was changed.")
        try:
            outcome = edit(desk, one)
        except (EditRejected, ToolRefused) as error:
            raise EditRejected(
                f"Edit {number} of {len(listed)} ({one['file_path']}) failed, so none was made: {error}"
            ) from None
        desk = with_(desk, snapshot=outcome.snapshot)
        said.append(outcome.text)
        shown += outcome.shown
    return Outcome(desk.snapshot, "\n".join(said), shown)


def write_file(desk: Desk, arguments: Arguments) -> Outcome:
    path = _writable(desk, text_of(arguments, "file_path"))
    content = text_of(arguments, "content")
    if not desk.snapshot.has(path):
        return _created(desk, path, content)
    before = desk.text(path)
    if desk.gate.admit(path, before).withheld:
        # The model saw a redacted copy: writing it back would destroy the user's secret.
        raise ToolRefused(f"{path} holds secrets you were not shown; change it with edit instead.")
    crlf = "\r\n" in before and "\r\n" not in content
    after = content.replace("\n", "\r\n") if crlf else content
    return Outcome(
        desk.snapshot.edited(path, after), f"Wrote {path}.{_new_errors(desk, path, before, after)}", (path,)
    )


def move_file(desk: Desk, arguments: Arguments) -> Outcome:
    source = _writable(desk, text_of(arguments, "source_path"))
    target = _writable(desk, text_of(arguments, "target_path"))
    text = desk.text(source)
    if desk.snapshot.has(target):
        raise ToolRefused(f"{target} exists already; delete it first or choose another name.")
    return Outcome(desk.snapshot.edited(source, None).edited(target, text), f"Moved {source} to {target}.")


def delete_file(desk: Desk, arguments: Arguments) -> Outcome:
    path = _writable(desk, text_of(arguments, "file_path"))
    desk.text(path)
    return Outcome(desk.snapshot.edited(path, None), f"Deleted {path}.")


def _created(desk: Desk, path: RelPath, content: str) -> Outcome:
    try:
        exists = (desk.snapshot.root / path).exists()
    except OSError as error:
        raise ToolRefused(f"{path} cannot be created: {error.strerror}.") from None
    if exists:
        raise ToolRefused(f"{path} exists but is not a text file that counts as source; leave it alone.")
    return Outcome(
        desk.snapshot.edited(path, content), f"Created {path}.{_new_errors(desk, path, '', content)}", (path,)
    )


def _writable(desk: Desk, text: str) -> RelPath:
    path = desk.path(text)
    if reason := protection(path):
        raise ToolRefused(f"{path} may not be changed by tools: {reason}.")
    if reason := desk.gate.admits_path(path):
        raise ToolRefused(f"{path} may not be changed: {reason}.")
    return path


def _new_errors(desk: Desk, path: RelPath, before: str, after: str) -> str:
    """A sentence when the change brought syntax errors that were not there, quoting the first."""
    language = language_for(path)
    if language is None or not language.is_code:
        return ""
    found = errors(parse(after, language))
    if not found or len(found) <= len(errors(parse(before, language))):
        return ""
    line = LineIndex(after).line_at(found[0].start)
    quoted = LineIndex(desk.gate.admit(path, after).text or "").line_text(line).strip()
    return f" WARNING: this adds a syntax error near line {line + 1}: {quoted!r}. Fix it."
