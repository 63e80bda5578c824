"""How fast tool calls are read: MB/s of a whole reply and of one that arrives in small pieces.

    python bench/toolcalls.py [--megabytes 1] [--delta 4]

The time per megabyte must not grow with the size: that is printed as the ratio of the largest size's to
the smallest's, and is about 1 for linear work.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

from qwen_lsp.model.toolcalls import Reader, parse

TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "write_file",
            "parameters": {
                "type": "object",
                "properties": {"file_path": {"type": "string"}, "content": {"type": "string"}},
            },
        },
    }
]
CODE = "    if a < b and c[i] > 0:  # <T> of <div class='x'>\n        return compute(a, b)\n\n"
NESTED = "<tool_call>\n<function=f>\n<parameter=p>\nx\n</parameter>\n</function>\n</tool_call>\n"
TAGS = "</parameter>\n<parameter=q>\n</function>\ntext\n"
KINDS = {"code": CODE, "calls in the file": NESTED, "loose tags": TAGS, "blanks": " " * 80, "prose": ""}


def reply(kind: str, size: int) -> str:
    """A reply of about `size` characters: one call that writes a file, or text only."""
    if kind == "prose":
        return (CODE * (size // len(CODE) + 1))[:size]
    body = KINDS[kind] * (size // len(KINDS[kind]) + 1)
    return (
        "<tool_call>\n<function=write_file>\n<parameter=file_path>\na\n</parameter>\n"
        f"<parameter=content>\n{body}</parameter>\n</function>\n</tool_call>"
    )


def seconds(work: Callable[[], object]) -> float:
    """CPU seconds, best of three."""
    best = float("inf")
    for _ in range(3):
        began = time.process_time()
        work()
        best = min(best, time.process_time() - began)
    return best


def stream(text: str, delta: int) -> None:
    """Feed the text in pieces of `delta` characters."""
    reader = Reader(TOOLS)
    for at in range(0, len(text), delta):
        reader.feed(text[at : at + delta])
    reader.finish()


def rate(text: str, delta: int) -> float:
    """MB/s for the text, whole where `delta` is 0."""
    return len(text) / 1e6 / seconds(lambda: stream(text, delta) if delta else parse(text, TOOLS))


def main() -> None:
    """Print one line for each kind of reply."""
    options = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    options.add_argument("--megabytes", type=float, default=1.0)
    options.add_argument("--delta", type=int, default=4)
    chosen = options.parse_args()
    large = int(chosen.megabytes * 1_000_000)
    print(f"{'reply':18} {'whole MB/s':>11} {'growth':>7} {f'by {chosen.delta} MB/s':>11} {'growth':>7}")
    for kind in KINDS:
        figures: list[str] = []
        for delta in (0, chosen.delta):
            small, whole = (rate(reply(kind, size), delta) for size in (large // 8, large))
            figures += [f"{whole:11.1f}", f"{small / whole:7.2f}"]
        print(f"{kind:18} " + " ".join(figures))


if __name__ == "__main__":
    main()
