"""A model that writes what really stood there: all of the block is shown, and nothing of what follows.

The blocks of `blocks.txt` stand between « and ». The cursor is at the first, and the answer is the text
from there on, as far behind the second as you like.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from qwen_lsp.features.complete.place import Place
from qwen_lsp.syntax.languages import available, language_for
from qwen_lsp.syntax.parse import errors, parse
from qwen_lsp.workspace.paths import RelPath
from tests.features.complete.test_cases import shown

_FILE = re.compile(r"^=== (\S+)\n", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Block:
    """A block that was taken out of a file: what stands before it, the block, what stands behind it."""

    path: str
    before: str
    block: str
    behind: str

    def __str__(self) -> str:
        return f"{self.path}:{self.before.count(chr(10)) + 1}"


def files() -> list[tuple[str, str]]:
    """The files that are whole, with the blocks marked: path and text."""
    _, *parts = _FILE.split((Path(__file__).parent / "blocks.txt").read_text(encoding="utf-8"))
    pairs = zip(parts[::2], parts[1::2], strict=True)
    return [pair for pair in pairs if (language := language_for(pair[0])) is None or available(language)]


def _blocks_of(path: str, text: str) -> list[Block]:
    found: list[Block] = []
    open_at: list[int] = []
    for at, sign in enumerate(text):
        if sign == "«":
            open_at.append(at)
        elif sign == "»":
            start = open_at.pop()
            found.append(Block(path, *(map(_plain, (text[:start], text[start:at], text[at:])))))
    assert not open_at
    return sorted(found, key=lambda block: len(block.before))


def _plain(text: str) -> str:
    return text.replace("«", "").replace("»", "")


FILES = files()
BLOCKS = [block for path, text in FILES for block in _blocks_of(path, text)]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_written_to_its_end(block: Block) -> None:
    """The user has begun it, and what comes behind it stands there; the model writes all the rest again."""
    at = Place(RelPath(block.path), block.before + block.behind, len(block.before), language_for(block.path))
    for step in (1, 7, len(block.block + block.behind)):
        end, cleaned = shown(block.block + block.behind, at, step)
        assert cleaned.text == block.block, end


@given(st.sampled_from(BLOCKS), st.integers(0, 200), st.integers(1, 40), st.booleans())
@settings(deadline=None, max_examples=250)
def test_however_far_the_model_goes_on(block: Block, more: int, step: int, nothing_behind: bool) -> None:
    """It stops by itself somewhere behind the block, in pieces of any size, at the end of a file or not."""
    behind = "\n" if nothing_behind else block.behind
    language = language_for(block.path)
    at = Place(RelPath(block.path), block.before + behind, len(block.before), language)
    said = block.block + block.behind[:more]
    _, cleaned = shown(said, at, step)
    assert cleaned.text == block.block


@given(st.sampled_from(BLOCKS), st.integers(1, 400), st.integers(1, 40))
@settings(deadline=None, max_examples=200)
def test_a_piece_of_the_truth_breaks_nothing(block: Block, size: int, step: int) -> None:
    """The model stops behind any line of it: all of that is shown."""
    at = Place(RelPath(block.path), block.before + block.behind, len(block.before), language_for(block.path))
    said = block.block[: block.block.find("\n", size)] if "\n" in block.block[size:] else block.block
    _, cleaned = shown(said, at, step)
    assert cleaned.text == said.rstrip()


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_the_blocks_are_what_they_are_called(block: Block) -> None:
    """The files parse, so that the blocks in them are blocks."""
    language = language_for(block.path)
    assert language is not None
    assert not errors(parse(block.before + block.block + block.behind, language))


@given(st.sampled_from(FILES), st.integers(0, 2_000), st.integers(0, 200), st.integers(1, 40))
@settings(deadline=None, max_examples=500)
def test_the_rest_of_any_line_is_shown(file: tuple[str, str], offset: int, more: int, step: int) -> None:
    """Wherever the rest of a line is gone, and however far the model goes on: the truth, and only that."""
    path, text = file[0], _plain(file[1])
    offset %= len(text)
    end = text.find("\n", offset)
    assume(end >= 0 and text[offset:end].strip())
    at = Place(RelPath(path), text[:offset] + text[end:], offset, language_for(path))
    assume(not at.in_word)
    _, cleaned = shown(text[offset : end + more], at, step)
    kept = "".join(cleaned.text.split())
    assert kept.startswith("".join(text[offset:end].split()))
    assert "".join(text[offset:].split()).startswith(kept)
