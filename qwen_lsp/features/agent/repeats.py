"""Repeats: calls that go round in circles, told from steady work. Pure.

A call counts as said again only when it has the same arguments, shows the same and leaves the same behind:
reading many files, polling what changes, or the same checks after other edits never repeat in this sense.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from qwen_lsp.features.agent.ending import End
from qwen_lsp.features.agent.toolbox import digest
from qwen_lsp.model.messages import ToolCall

WARNS, ENDS = 3, 5
"""Rounds of the same calls with the same results: from the first the model is told, the second ends it."""
FAILS_WARN, FAILS_END = 3, 6
"""Failed edits of one file with none between them that succeeded."""
_LONGEST_ROUND = 4
_LASTED = re.compile(r"\b\d+(?:\.\d+)? ?(?:ms|s|sec|secs|seconds)\b")


@dataclass(frozen=True, slots=True)
class Done:
    """A call that was answered: by what text, and which files it left how."""

    call: ToolCall
    text: str
    ok: bool
    left: Mapping[str, str] = field(default_factory=dict[str, str])
    """Digests of the files it changed."""
    edits: str = ""
    """The file whose change it tried; empty for a tool that changes none."""


class Repeats:
    """What was called so far, as far as it tells a circle from progress."""

    def __init__(self) -> None:
        self._keys: list[str] = []
        self._failed: dict[str, int] = {}

    def note(self, done: Sequence[Done]) -> str:
        """The answered calls of one turn; what to tell the model about them, mostly nothing. Raises End."""
        told: list[str] = []
        seen: set[str] = set()
        for one in done:
            key = _key(one)
            if key in seen:  # Said twice in one breath: a slip, not a circle.
                continue
            seen.add(key)
            self._keys.append(key)
            told.append(self._rounds(one.call.name))
            told.append(self._failures(one))
        del self._keys[: -ENDS * _LONGEST_ROUND]
        return next((text for text in told if text), "")

    def _rounds(self, name: str) -> str:
        rounds, length = max(
            (_rounds(self._keys, length), -length) for length in range(1, _LONGEST_ROUND + 1)
        )
        what = f"the same {name} call" if length == -1 else f"the same {-length} calls in turn"
        if rounds >= ENDS:
            raise End("loop", f"The model repeated {what} {rounds} times, with the same results.")
        if rounds >= WARNS:
            return f"[You have made {what} {rounds} times, with the same results. Do something else.]"
        return ""

    def _failures(self, done: Done) -> str:
        if not done.edits:
            return ""
        if done.ok:
            self._failed.pop(done.edits, None)
            return ""
        times = self._failed[done.edits] = self._failed.get(done.edits, 0) + 1
        if times >= FAILS_END:
            raise End("loop", f"{times} edits of {done.edits} failed in a row.")
        if times >= FAILS_WARN:
            return (
                f"[{times} edits of {done.edits} failed in a row. Read the lines you mean to change as they "
                "are now, and copy old_string from there.]"
            )
        return ""


def _rounds(keys: Sequence[str], length: int) -> int:
    """How often the last `length` keys stand at the end, one after the other."""
    last = keys[-length:]
    if len(last) < length or (length > 1 and len(set(last)) == 1):
        return 0
    rounds = 1
    while keys[-length * (rounds + 1) : -length * rounds] == last:
        rounds += 1
    return rounds


def _key(done: Done) -> str:
    arguments = json.dumps(done.call.arguments, sort_keys=True, default=str)
    text = _LASTED.sub("", done.text)
    return digest("\0".join((done.call.name, arguments, text, *sorted(done.left.values()))))
