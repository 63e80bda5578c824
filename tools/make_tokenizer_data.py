"""Make `qwen_lsp/model/data/qwen.tiktoken.xz` from a rank file, or verify the one that is there.

    pip download --no-deps dashscope==2.0.2
    unzip -p dashscope-*.whl dashscope/resources/qwen.tiktoken > ranks
    python tools/make_tokenizer_data.py ranks
    python tools/make_tokenizer_data.py --check

The rank file is accepted only when it is, byte for byte, the one that the Qwen3 vocabulary was compared
with; `tests/model/data/tokens.json` holds texts and ids made from that vocabulary itself.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import lzma
import sys
from collections.abc import Sequence
from pathlib import Path

TARGET = Path(__file__).resolve().parents[1] / "qwen_lsp" / "model" / "data" / "qwen.tiktoken.xz"
SHA256 = "b2b1b8dfb5cc5f024bafc373121c6aba3f66f9a5a0269e243470a1de16a33186"
RANKS = 151_643


def verify(data: bytes) -> str | None:
    """What is wrong with an unpacked rank file, None when it is the right one."""
    found = hashlib.sha256(data).hexdigest()
    if found != SHA256:
        return f"sha256 is {found}, expected {SHA256}"
    lines = data.splitlines()
    if len(lines) != RANKS:
        return f"{len(lines)} ranks, expected {RANKS}"
    tokens = {base64.b64decode(line.split()[0]) for line in lines}
    if len(tokens) != RANKS or [int(line.split()[1]) for line in lines] != list(range(RANKS)):
        return "ranks are not 0, 1, 2, … of distinct tokens"
    missing = [byte for byte in range(256) if bytes([byte]) not in tokens]
    return f"bytes without a token: {missing}" if missing else None


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check the packed file; 1 when it is not the right one."""
    parser = argparse.ArgumentParser(description="Pack or verify the Qwen rank file.")
    parser.add_argument("source", nargs="?", type=Path, help="an unpacked rank file")
    parser.add_argument("--check", action="store_true", help="only verify what is packed")
    args = parser.parse_args(argv)
    if not args.check:
        if args.source is None:
            parser.error("give a rank file, or --check")
        data: bytes = args.source.read_bytes()
        if wrong := verify(data):
            sys.stderr.write(f"{args.source}: {wrong}\n")
            return 1
        TARGET.write_bytes(lzma.compress(data, preset=9 | lzma.PRESET_EXTREME))
    if wrong := verify(lzma.decompress(TARGET.read_bytes())):
        sys.stderr.write(f"{TARGET}: {wrong}\n")
        return 1
    sys.stdout.write(f"{TARGET.name}: {TARGET.stat().st_size} bytes, {RANKS} ranks, verified\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
