"""Random cases of a user who edits, moves and deletes files while a run edits, moves and deletes them too.

Everything the user writes is a token that is nowhere else, so that nothing of it can go unnoticed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random

from qwen_lsp.text.edits import FileEdit
from qwen_lsp.text.moves import with_moves

Token = Callable[[], str]

_PHRASES = ("", "}", "    return value", "x = 1", "    pass", "# the same in many places")


@dataclass(frozen=True, slots=True)
class Case:
    """What three sides hold, by path, and what the run made of it."""

    base: Mapping[str, str]
    fork: Mapping[str, str]
    current: Mapping[str, str]
    tokens: frozenset[str]
    """What the user has written."""
    edits: tuple[FileEdit, ...] = field(repr=False)

    def lost(self, now: Mapping[str, str]) -> set[str]:
        """The user's tokens that are nowhere any more."""
        everything = "\0".join(now.values())
        return {token for token in self.tokens if token not in everything}


def case(seed: int) -> Case:
    """One case, always the same for a seed."""
    random = Random(seed)  # noqa: S311
    base = {f"d{n % 2}/f{n}.py": text_of(random, n) for n in range(random.randint(1, 4))}
    fork, _ = _worked(random, base, f"agent{seed}x")
    current, tokens = _worked(random, base, f"user{seed}x")
    edits = [
        FileEdit(path, base.get(path), fork.get(path))
        for path in sorted({*base, *fork})
        if base.get(path) != fork.get(path)
    ]
    return Case(base, fork, current, tokens, tuple(with_moves(edits)))


def text_of(random: Random, number: int) -> str:
    """A text of some lines, of which many are elsewhere too."""
    lines = [
        random.choice(_PHRASES) if random.random() < 0.5 else f"line {number}.{n}"
        for n in range(random.randint(0, 30))
    ]
    ending = random.choice(["\n", "\n", "\r\n"])
    return ending.join(lines) + (ending if random.random() < 0.8 else "")


def _worked(random: Random, base: Mapping[str, str], mark: str) -> tuple[dict[str, str], frozenset[str]]:
    """The files after somebody has worked on them, and what they wrote."""
    files = dict(base)
    tokens: list[str] = []

    def token() -> str:
        tokens.append(f"<{mark}{len(tokens)}>")
        return tokens[-1]

    for path in list(files):
        what = random.random()
        if what < 0.6:
            files[path] = edited(random, files[path], token)
        elif what < 0.68:
            del files[path]
        elif what < 0.76:
            files[f"moved/{path}"] = edited(random, files.pop(path), token)
    if random.random() < 0.15:
        files["d0/new.py"] = f"{token()}\n" if random.random() < 0.8 else "the same\n"
    written = "\0".join(files.values())
    return files, frozenset(t for t in tokens if t in written)


def edited(random: Random, text: str, token: Token) -> str:
    """The text after a few edits of somebody who writes tokens."""
    ending = "\r\n" if "\r\n" in text else "\n"
    lines = text.split(ending)
    for _ in range(random.randint(0, 4)):
        at = random.randrange(len(lines) + 1)
        what = random.random()
        if what < 0.4 or at == len(lines):
            lines.insert(at, token())
        elif what < 0.6:
            lines[at] += f" {token()}"
        elif what < 0.75:
            del lines[at : at + random.randint(1, 3)]
        elif what < 0.85:
            lines[at] = f"  {lines[at]}"
        else:  # a block that moves
            block = lines[at : at + 3]
            del lines[at : at + 3]
            to = random.randrange(len(lines) + 1)
            lines[to:to] = block
    if random.random() < 0.1:
        ending = random.choice(["\n", "\r\n"])
    whole = ending.join(lines)
    if random.random() < 0.1:
        whole = whole.rstrip("\r\n") if whole.endswith("\n") else whole + ending
    return whole
