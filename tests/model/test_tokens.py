"""Token counts are those of the published Qwen3 tokenizer, for every text and however it is cut."""

from __future__ import annotations

import json
import subprocess
import sys
import unicodedata
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypedDict

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.model import tokens

ROOT = Path(__file__).resolve().parents[2]
TEXTS = st.text(alphabet=" \n\r\tabcé中1'.,(){}_\u0301\u00a0\x1c🙂", max_size=200)


class Truth(TypedDict):
    text: str
    ids: list[int]


def truths() -> list[Truth]:
    """Texts with the ids that the published tokenizer.json gives them."""
    return json.loads((Path(__file__).parent / "data" / "tokens.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("truth", truths(), ids=lambda truth: ascii(truth["text"][:24]))
def test_ids_are_those_of_the_published_tokenizer(truth: Truth) -> None:
    assert tokens.encode(truth["text"], allow_special=True) == truth["ids"]
    assert tokens.decode(truth["ids"]) == unicodedata.normalize("NFC", truth["text"])


def test_markers_are_single_tokens_only_when_allowed() -> None:
    assert len(tokens.SPECIAL) == 26
    assert tokens.SPECIAL["<|fim_prefix|>"] == 151_659
    assert tokens.SPECIAL["</think>"] == 151_668
    for name, token in tokens.SPECIAL.items():
        assert tokens.encode(name, allow_special=True) == [token]
        assert tokens.count(name, allow_special=True) == 1
        assert token not in tokens.encode(name)
        assert tokens.count(name) > 1


@given(TEXTS)
@settings(max_examples=300, deadline=None)
def test_cutting_a_text_changes_no_token(text: str) -> None:
    whole = tokens.encode(text)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "CHUNK", 1)
        assert tokens.encode(text) == whole


@pytest.mark.parametrize("before", ["", "x", "}", "\n", "é "])
@pytest.mark.parametrize("after", ["", "y", "\n", "\ny", " y", ".", "1"])
@pytest.mark.parametrize("blanks", range(127, 133))
def test_a_cut_in_a_long_run_of_spaces_costs_at_most_one_token(
    before: str, blanks: int, after: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = before + " " * blanks + after
    whole = tokens.count(text)
    monkeypatch.setattr(tokens, "LONGEST_BLANK", 128)
    monkeypatch.setattr(tokens, "_BLANKS", tokens.blanks(128))
    assert abs(tokens.count(text) - whole) <= 1


@pytest.mark.parametrize("text", [" " * 1_000_000 + "x", "\n" * 1_000_000, "{}" * 500_000, " \n" * 500_000])
def test_no_text_overflows_the_tokenizer(text: str) -> None:
    assert 0 < tokens.count(text) <= len(text)


def test_lone_surrogates_are_counted() -> None:
    assert tokens.count("a\ud800b") > 0
    assert tokens.truncate_head("\ud800" * 10, 3)


@given(TEXTS, st.integers(min_value=0, max_value=60))
@settings(max_examples=300, deadline=None)
def test_truncation_keeps_an_end_of_the_text_within_the_limit(text: str, n: int) -> None:
    head, tail = tokens.truncate_head(text, n), tokens.truncate_tail(text, n)
    assert text.startswith(head)
    assert text.endswith(tail)
    assert tokens.count(head) <= n
    assert tokens.count(tail) <= n
    if tokens.count(text) <= n:
        assert head == tail == text


def test_truncation_keeps_as_much_as_fits() -> None:
    text = "".join(f"line {i} of the file\n" for i in range(5_000))
    assert tokens.count(tokens.truncate_head(text, 1_000)) >= 998
    assert tokens.count(tokens.truncate_tail(text, 1_000)) >= 998


def test_many_threads_load_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tokens, "_loaded", None)
    with ThreadPoolExecutor(4) as pool:
        for started in [pool.submit(tokens.preload) for _ in range(8)]:
            started.result()
        assert list(pool.map(tokens.count, ["def f():"] * 8)) == [3] * 8


@pytest.mark.slow
def test_importing_the_module_loads_nothing() -> None:
    code = "import sys, qwen_lsp.model.tokens; sys.exit('tiktoken' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.slow
def test_the_packed_ranks_are_the_verified_ones() -> None:
    script = ROOT / "tools" / "make_tokenizer_data.py"
    done = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
