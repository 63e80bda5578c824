"""Circles are found, steady work is left alone: one table of each."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from qwen_lsp.features.agent.ending import End
from qwen_lsp.features.agent.repeats import Done, Repeats
from qwen_lsp.model.messages import ToolCall

Turn = Sequence[Done]


def did(
    name: str, text: str = "ok", *, ok: bool = True, edits: str = "", left: str = "", **arguments: str
) -> Done:
    """A call and what came of it; `edits` the file it tried to change, `left` the text it left there."""
    return Done(ToolCall(name, dict(arguments)), text, ok, {edits: left} if left else {}, edits)


def read(path: str, text: str = "x = 1") -> Done:
    return did("read_file", text, file_path=path)


def edit(path: str, old: str, *, ok: bool = True, left: str = "") -> Done:
    told = "Edited." if ok else f"old_string was not found in {path}."
    return did("edit", told, ok=ok, edits=path, left=left, file_path=path, old_string=old)


def checks(text: str) -> Done:
    return did("run_checks", text, ok=False)


CIRCLES: dict[str, tuple[list[Turn], int, int]] = {
    # name: turns, the first turn (from 1) that is warned of, the turn that ends the run
    "the same read": ([[read("a.py")]] * 6, 3, 5),
    "the same two reads in one turn": ([[read("a.py"), read("b.py")]] * 6, 3, 5),
    "two reads in turn": ([[read("a.py")], [read("b.py")]] * 6, 6, 10),
    "three calls in turn": ([[read("a.py")], [read("b.py")], [did("glob", "a.py")]] * 6, 9, 15),
    "a change and back again": (
        [[edit("a.py", "1", left="2")], [edit("a.py", "2", left="1")]] * 6, 6, 10,
    ),
    "a change, its checks, back again, its checks": (
        [[edit("a.py", "1", left="2")], [checks("1 failed in 0.11s")],
         [edit("a.py", "2", left="1")], [checks("2 failed in 0.12s")]] * 6, 12, 20,
    ),
    "the same failing edit": ([[edit("a.py", "no", ok=False)]] * 6, 3, 5),
    "guesses at one place": ([[edit("a.py", f"guess {n}", ok=False)] for n in range(9)], 3, 6),
    "guesses with reads between": (
        [[edit("a.py", str(n), ok=False)] if n % 2 else [read("a.py", str(n))] for n in range(20)], 6, 12,
    ),
    "a command whose time alone changes": (
        [[did("run_shell_command", f"failed in 0.{n}s", ok=False, command="pytest")] for n in range(9)], 3, 5,
    ),
}  # fmt: skip

STEADY: dict[str, list[Turn]] = {
    "reading many files": [[read(f"{n}.py")] for n in range(40)],
    "reading one file in pieces": [
        [did("read_file", f"lines {n}", file_path="a.py", offset=str(n))] for n in range(40)
    ],
    "polling what changes": [
        [did("run_shell_command", f"{n} of 30 done", command="cat progress")] for n in range(30)
    ],
    "the same checks after other edits": [
        turn for n in range(20) for turn in ([edit("a.py", str(n), left=str(n))], [checks("1 failed in 1s")])
    ],
    "reading again after each edit": [
        turn for n in range(20) for turn in ([edit("a.py", str(n), left=str(n))], [read("a.py", str(n))])
    ],
    "the same edit, each time further down": [[edit("a.py", "TODO", left=f"{n} left")] for n in range(20)],
    "failed edits that succeed in the end": [
        turn
        for n in range(10)
        for turn in (
            [edit("a.py", f"{n}", ok=False)], [edit("a.py", f"{n}!", ok=False)],
            [edit("a.py", f"{n}!!", left=str(n))],
        )
    ],
    "failed edits of many files": [[edit(f"{n}.py", "no", ok=False)] for n in range(20)],
    "twice the same": [[read("a.py")], [read("a.py")], [read("b.py")], [read("b.py")]],
    "the same call five times in one reply": [[read("a.py")] * 5],
}  # fmt: skip


def ran(turns: Sequence[Turn]) -> tuple[int, int]:
    """The first turn that was warned of and the turn that ended it, from 1; 0 for none."""
    repeats = Repeats()
    warned = 0
    for number, turn in enumerate(turns, 1):
        try:
            told = repeats.note(turn)
        except End as end:
            assert end.ended == "loop"
            return warned, number
        warned = warned or (number if told else 0)
    return warned, 0


@pytest.mark.parametrize("name", CIRCLES)
def test_a_circle_is_told_and_then_ended(name: str) -> None:
    turns, warns, ends = CIRCLES[name]
    assert ran(turns) == (warns, ends)


@pytest.mark.parametrize("name", STEADY)
def test_steady_work_is_left_alone(name: str) -> None:
    assert ran(STEADY[name]) == (0, 0)
