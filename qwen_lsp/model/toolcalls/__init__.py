"""Qwen3-Coder's tool calls, read from text: whole or streamed, and never run when in doubt.

`parse(text, tools)` and `Reader(tools)` are the two ways in; the second is the first, fed by pieces.
May import: model.messages. **Invariant:** the result does not depend on where the text was split, and
the text shown while it streamed is the reply's content
(tests/model/test_toolcalls.py::test_every_split_reads_the_same).
"""

from __future__ import annotations

from qwen_lsp.model.toolcalls.reader import Reader, parse
from qwen_lsp.model.toolcalls.reply import Event, Reply

__all__ = ["Event", "Reader", "Reply", "parse"]
