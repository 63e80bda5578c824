"""Exact Qwen token counts: tiktoken with the Qwen ranks, loaded on first use.

Loading takes about a quarter of a second of CPU; `preload` does it in a worker thread. Counting releases the
GIL. Counts equal those of the published Qwen3 tokenizer, with one exception: a run of more than
`LONGEST_BLANK` blank characters is cut, because tiktoken overflows on it, and may count one more per cut.
"""

from __future__ import annotations

import binascii
import lzma
import re
import threading
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from importlib import resources
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import tiktoken

SPECIAL: Mapping[str, int] = {
    name: 151_643 + i
    for i, name in enumerate(
        (
            "<|endoftext|>",
            "<|im_start|>",
            "<|im_end|>",
            "<|object_ref_start|>",
            "<|object_ref_end|>",
            "<|box_start|>",
            "<|box_end|>",
            "<|quad_start|>",
            "<|quad_end|>",
            "<|vision_start|>",
            "<|vision_end|>",
            "<|vision_pad|>",
            "<|image_pad|>",
            "<|video_pad|>",
            "<tool_call>",
            "</tool_call>",
            "<|fim_prefix|>",
            "<|fim_middle|>",
            "<|fim_suffix|>",
            "<|fim_pad|>",
            "<|repo_name|>",
            "<|file_sep|>",
            "<tool_response>",
            "</tool_response>",
            "<think>",
            "</think>",
        )
    )
}
"""Tokens that no merge produces; a server reads them out of any text it is sent as a raw prompt."""

PATTERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}"
    r"| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
)
"""Where the vocabulary splits text before merging."""

CHUNK = 65_536
"""Texts are encoded in pieces of about this many characters."""
LONGEST_BLANK = 262_144
"""tiktoken's regex engine runs out of stack at about a million blanks in a row."""

_SPECIAL_RE = re.compile("(" + "|".join(re.escape(name) for name in SPECIAL) + ")")
# The pattern always splits between a line break and a character that is no blank: nothing in it matches
# across, and the half before ends in what `\s*[\r\n]+` or `[\r\n]*` took whole.
_SAFE_CUT = re.compile(r"[\r\n](?=\S)")


def blanks(length: int) -> re.Pattern[str]:
    """Blanks that may be cut off; two must remain, since the last of a run belongs to the word after it."""
    return re.compile(rf"[^\S\r\n]{{{length}}}(?=[^\S\r\n]{{2}})")


_BLANKS = blanks(LONGEST_BLANK)

_TOKEN = re.compile(rb"^\S+", re.MULTILINE)

_lock = threading.Lock()
_loaded: tiktoken.Encoding | None = None


def preload() -> None:
    """Load the ranks now; meant for a worker thread."""
    _encoding()


def count(text: str, *, allow_special: bool = False) -> int:
    """How many tokens the text is; with `allow_special` its markers count one each, as in a raw prompt."""
    if allow_special:
        return len(encode(text, allow_special=True))
    encoding = _encoding()
    return sum(len(encoding.encode_ordinary(piece)) for piece in _pieces(text))


def estimate(text: str) -> int:
    """About how many tokens the text is, at once: exact when the ranks are loaded and the text is short."""
    if _loaded is not None and len(text) <= CHUNK:
        return count(text)
    return (len(text) + 3) // 4


def encode(text: str, allow_special: bool = False) -> list[int]:
    """The token ids of the text. Markers such as `<|fim_prefix|>` are plain text unless allowed."""
    if not allow_special:
        encoding = _encoding()
        return [token for piece in _pieces(text) for token in encoding.encode_ordinary(piece)]
    ids: list[int] = []
    for part in _SPECIAL_RE.split(text):
        if part in SPECIAL:
            ids.append(SPECIAL[part])
        elif part:
            ids.extend(encode(part))
    return ids


def decode(ids: Sequence[int]) -> str:
    """The text of token ids, markers included; bytes that are no UTF-8 become U+FFFD."""
    return _encoding().decode_bytes(list(ids)).decode("utf-8", "replace")


def truncate_head(text: str, n: int) -> str:
    """The head of the text, as `head` gives it: its beginning, at most `n` tokens long."""
    return _truncate(text, n, from_start=True)


def truncate_tail(text: str, n: int) -> str:
    """The tail of the text, as `tail` gives it: its end, at most `n` tokens long."""
    return _truncate(text, n, from_start=False)


def _truncate(text: str, n: int, *, from_start: bool) -> str:
    if n <= 0:
        return ""
    if len(text) <= n and len(text.encode("utf-8", "replace")) <= n:
        return text
    # A few characters a token is usual: look at that much, and at more only when it was too little.
    reach = 8 * n + 64
    while True:
        part = text[:reach] if from_start else text[-reach:]
        ids = encode(part)
        if len(ids) > n + 8 or len(part) == len(text):
            break
        reach *= 4
    if len(ids) <= n:
        return text
    kept = ids[:n] if from_start else ids[-n:]
    # A cut inside a character leaves bytes that are dropped; normalisation can make lengths differ, so
    # that what remains is counted again and shortened until it fits.
    size = len(_encoding().decode_bytes(kept).decode("utf-8", "ignore"))
    while size > 0:
        cut = text[:size] if from_start else text[len(text) - size :]
        over = count(cut) - n
        if over <= 0:
            return cut
        size -= over
    return ""


def _pieces(text: str) -> Iterator[str]:
    """The normalised text in pieces whose token counts add up to that of the whole."""
    text = unicodedata.normalize("NFC", text)
    start = 0
    while len(text) - start > CHUNK:
        cut = _SAFE_CUT.search(text, start + CHUNK)
        if cut is None:
            break
        yield from _without_long_blanks(text[start : cut.end()])
        start = cut.end()
    yield from _without_long_blanks(text[start:])


def _without_long_blanks(text: str) -> Iterator[str]:
    start = 0
    if len(text) > LONGEST_BLANK:
        for run in _BLANKS.finditer(text):
            if run.start() > start:
                yield text[start : run.start()]
            yield run[0]
            start = run.end()
    yield text[start:]


def _encoding() -> tiktoken.Encoding:
    global _loaded
    if _loaded is None:
        with _lock:
            if _loaded is None:
                _loaded = _load()
    return _loaded


def _load() -> tiktoken.Encoding:
    import tiktoken

    packed = resources.files("qwen_lsp.model").joinpath("data/qwen.tiktoken.xz").read_bytes()
    # Each line is a token in base64, a space and its rank, which is the line's number.
    encoded = _TOKEN.findall(lzma.decompress(packed))
    ranks = dict(zip(map(binascii.a2b_base64, encoded), range(len(encoded)), strict=True))
    return tiktoken.Encoding("qwen", pat_str=PATTERN, mergeable_ranks=ranks, special_tokens=dict(SPECIAL))
