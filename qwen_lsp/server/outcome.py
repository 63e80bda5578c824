"""What came of a command, in a sentence: `text` of its result, the same for every client."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from qwen_lsp.text.words import number


def sentence(command: str, told: Mapping[str, Any]) -> str:
    """What a person is told of a result: why it came to nothing, else what is different now.

    Empty for commands whose result is there to be shown.
    """
    problem = str(told.get("problem") or "")
    match command:
        case "qwen.commitEdit" if told["commit"]:
            return f"Committed: {told['commit']['subject']}" + (f"; {problem}" if problem else "")
        case "qwen.edit" | "qwen.act" | "qwen.landEdit" | "qwen.undoEdit" | "qwen.commitEdit" if problem:
            return problem
        case "qwen.edit":
            return changed(told) or _offered(told)
        case "qwen.act" | "qwen.landEdit":
            return changed(told) or "Nothing was left to change"
        case "qwen.undoEdit":
            files = len(told["files"])
            return f"{number(files, 'file')} as before" if files else "All was as before already"
        case "qwen.stopEdit":
            stopped = cast("Sequence[str]", told["stopped"])
            return f"Stopped: {number(len(stopped), 'run')}" if stopped else "Nothing is running"
        case _:
            return ""


def changed(told: Mapping[str, Any]) -> str:
    """`3 files changed (save the 2 that are open)`; empty for none."""
    files = cast("Sequence[Mapping[str, Any]]", told.get("files", ()))
    made = [file for file in files if file["state"] != "unchanged"]
    unsaved = sum(file["way"] == "editor" for file in made)
    which = "the one that is open" if unsaved == 1 else f"the {unsaved} that are open"
    open_texts = f" (save {which})" if unsaved else ""
    return f"{number(len(made), 'file')} changed{open_texts}" if made else ""


def _offered(told: Mapping[str, Any]) -> str:
    """What a run has to show that has not landed."""
    changes = cast("Sequence[object]", told["changes"])
    return f"{number(len(changes), 'file')} to look at" if changes else "Nothing is to be changed"
