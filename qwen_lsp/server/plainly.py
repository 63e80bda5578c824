"""What came of a command, told in a message: an editor without a client of ours throws results away.

Helix does so with errors too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

from lsprotocol import types as lsp

from qwen_lsp.server.agent_asking import can_approve
from qwen_lsp.server.host import Server
from qwen_lsp.server.outcome import changed

_BACK = "qwen.undoEdit takes it back"
_MOST = 200  # characters of what the model says, which in Helix has one line


def refused(ls: Server, error: Exception) -> None:
    """Tell why a command failed, where nobody else does: a person does not see the reply."""
    if not can_approve(ls):
        ls.say(str(error), lsp.MessageType.Error)


def done(ls: Server, command: str, result: object) -> None:
    """Tell what a command did, where nobody else does and it cannot be seen by itself."""
    if can_approve(ls) or not isinstance(result, Mapping):
        return
    told = cast("Mapping[str, Any]", result)
    match command:
        case "qwen.edit":
            _say(ls, told, _said(told), _BACK)
        case "qwen.act":
            if told.get("problem"):
                _say(ls, told, "", "")
            elif unseen := [file["path"] for file in told["files"] if file["way"] == "disk"]:
                ls.say(f"Wrote {', '.join(unseen)}.", lsp.MessageType.Info)
        case "qwen.landEdit":
            _say(ls, told, "", _BACK)
        case "qwen.undoEdit":
            _say(ls, told, "Taken back.", "")
        case "qwen.commitEdit":
            commit = told["commit"]
            _say(ls, told, f"Committed: {commit['subject']}" if commit else "Nothing was committed.", "")
        case "qwen.stopEdit":
            ls.say(told["text"], lsp.MessageType.Info)
        case _:
            pass


def _say(ls: Server, told: Mapping[str, Any], said: str, back: str) -> None:
    files = cast("Sequence[Mapping[str, Any]]", told.get("files", ()))
    if problem := told.get("problem"):
        sentence = f"{said} Not applied: {problem}" if files or told.get("diff") else f"{said} {problem}"
        return ls.say(sentence.strip(), lsp.MessageType.Warning)
    if made := changed(told):
        said += f" {made}; {back}." if back else f" {made}."
    return ls.say(said.strip(), lsp.MessageType.Info)


def _said(told: Mapping[str, Any]) -> str:
    """The first line of what the model says in the end; for a run that stopped early, why."""
    ended, summary = str(told["ended"]), str(told["summary"] or "")
    line = next((line.strip() for line in summary.splitlines() if line.strip()), "")
    if ended != "done" or not line:
        line = str(told["reason"])
    return line if len(line) <= _MOST else line[: _MOST - 1] + "…"
