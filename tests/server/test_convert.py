"""Wire types and back: encodings and symbol kinds."""

from __future__ import annotations

import pytest
from lsprotocol import types as lsp

from qwen_lsp.server.convert import (
    SYMBOL_KINDS,
    choose_encoding,
    position_at,
    range_of,
    span,
)
from qwen_lsp.syntax.facts import KINDS
from qwen_lsp.text.positions import LineIndex, PositionEncoding, Span


def test_every_kind_of_definition_has_a_symbol_kind() -> None:
    assert set(SYMBOL_KINDS) == set(KINDS)


@pytest.mark.parametrize(
    ("offered", "chosen"),
    [
        (None, "utf-16"),
        ([], "utf-16"),
        (["utf-8", "utf-16"], "utf-8"),
        (["utf-32"], "utf-32"),
        (["utf-7", "utf-8"], "utf-8"),
        (["utf-7"], "utf-16"),
    ],
)
def test_the_clients_first_encoding_that_we_speak_is_chosen(offered: list[str] | None, chosen: str) -> None:
    general = lsp.GeneralClientCapabilities(position_encodings=offered)
    assert choose_encoding(lsp.ClientCapabilities(general=general)) == chosen
    assert choose_encoding(lsp.ClientCapabilities()) == "utf-16"


@pytest.mark.parametrize(("encoding", "character"), [("utf-8", 5), ("utf-16", 3), ("utf-32", 2)])
def test_positions_count_in_the_units_agreed_on(encoding: PositionEncoding, character: int) -> None:
    lines = LineIndex("a\nx😀y\n")
    assert position_at(lines, 4, encoding) == lsp.Position(1, character)
    where = range_of(lines, Span(2, 4), encoding)
    assert span(lines, where, encoding) == Span(2, 4)
