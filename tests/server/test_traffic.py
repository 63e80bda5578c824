"""Random traffic, well and badly formed: no exit, and every request answered exactly once."""

from __future__ import annotations

import asyncio
import json
import os
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qwen_lsp.server.table import FEATURES
from tests.server.test_wire import DAMAGED
from tests.support.editor import TIME, Editor, frame, in_process

CODE = "import os\n\ndef f(x):\n    return '😀' + x\n"
FILES = ["file:///nowhere/a.py", "file:///nowhere/b.rs", "untitled:Untitled-1"]
URIS = [*FILES, "file:///", "", "http://x/y", "..", "\ud800"]
EXAMPLES = int(os.environ.get("QWEN_LSP_TRAFFIC", "80"))
"""Scripts to try; thousands for a long run."""
CAPABILITIES = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
SAFE = sorted(set(FEATURES) - {"initialize", "initialized", "shutdown", "exit"})

uris = st.sampled_from(URIS)
numbers = st.integers(0, 12) | st.sampled_from([-1, 2**31 - 1, 2**31, 2**53, 10**20])
positions = st.fixed_dictionaries({"line": numbers, "character": numbers})
ranges = st.fixed_dictionaries({"start": positions, "end": positions})
texts = st.text(max_size=8) | st.sampled_from(["\r\n", "def g():\n", "😀", "\u0000"])
documents = st.fixed_dictionaries({"uri": uris})
versions = st.integers(-1, 50)
floats = st.floats(allow_nan=False, allow_infinity=False)
scalars = st.none() | st.booleans() | st.integers(-5, 5) | floats | texts
junk = st.recursive(
    scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)

opens = st.builds(
    lambda uri, version, text: (
        "textDocument/didOpen",
        {"textDocument": {"uri": uri, "languageId": "python", "version": version, "text": text}},
    ),
    uris,
    versions,
    st.just(CODE) | texts,
)
changes = st.builds(
    lambda uri, version, edits: (
        "textDocument/didChange",
        {"textDocument": {"uri": uri, "version": version}, "contentChanges": edits},
    ),
    uris,
    versions,
    st.lists(
        st.fixed_dictionaries({"range": ranges, "text": texts}) | st.fixed_dictionaries({"text": texts}),
        max_size=3,
    ),
)
notices = (
    opens
    | changes
    | st.tuples(
        st.sampled_from(["textDocument/didClose", "textDocument/didSave"]),
        st.fixed_dictionaries({"textDocument": documents}),
    )
    | st.tuples(st.just("$/cancelRequest"), st.fixed_dictionaries({"id": st.integers(0, 60) | junk}))
    | st.tuples(st.sampled_from([*SAFE, "initialized", "$/x", "x", ""]), junk)
)
arguments = {"uri": uris, "position": positions, "range": ranges, "task": texts}
commands = st.fixed_dictionaries(
    {
        "command": st.sampled_from(["qwen.explainFile", "qwen.showContext", "qwen.status", "qwen.edit", "x"]),
        "arguments": st.lists(
            st.fixed_dictionaries(
                {}, optional={"uri": uris, "position": positions, "range": ranges, "task": texts}
            )
            | junk,
            max_size=2,
        ),
    }
)
requests = (
    st.tuples(
        st.just("textDocument/inlineCompletion"),
        st.fixed_dictionaries(
            {
                "textDocument": documents,
                "position": positions,
                "context": st.fixed_dictionaries({"triggerKind": st.integers(0, 3)}),
            }
        ),
    )
    | st.tuples(
        st.just("textDocument/completion"),
        st.fixed_dictionaries({"textDocument": documents, "position": positions}),
    )
    | st.tuples(
        st.just("textDocument/codeAction"),
        st.fixed_dictionaries(
            {"textDocument": documents, "range": ranges, "context": st.just({"diagnostics": []}) | junk}
        ),
    )
    | st.tuples(st.just("workspace/symbol"), st.fixed_dictionaries({"query": texts}))
    | st.tuples(st.just("workspace/executeCommand"), commands)
    | st.tuples(st.sampled_from([*SAFE, "initialize", "initialized", "exit", "$/x", "x", ""]), junk)
)
steps = st.lists(
    st.one_of(
        st.tuples(st.just("ask"), requests),
        st.tuples(st.just("tell"), notices),
        st.tuples(st.just("send"), junk),
        st.tuples(
            st.just("raw"), st.sampled_from(sorted(set(DAMAGED) - {"deep JSON", "length beyond all bounds"}))
        ),
    ),
    max_size=25,
)


async def drive(editor: Editor, script: list[tuple[str, Any]]) -> None:
    """Send a script, then see that each request in it has one answer and that the server still answers."""
    asked: Counter[str] = Counter()
    for number, (kind, what) in enumerate(script):
        match kind:
            case "ask":
                method, params = what
                msg_id = f"{number}" if number % 2 else 1000 + number
                editor.post({"jsonrpc": "2.0", "id": msg_id, "method": method, "params": params})
                asked[json.dumps(msg_id)] += 1
            case "tell":
                method, params = what
                editor.post({"jsonrpc": "2.0", "method": method, "params": params})
            case "send":
                editor.post(what)
            case _:
                editor.raw(DAMAGED[what])
                # What is cut off at its end swallows at most the start of the next frame's header.
                editor.raw(frame({"jsonrpc": "2.0", "method": "$/after"}))
    async with asyncio.timeout(TIME):
        await editor.command("qwen.status")
        while any(not editor.replies(json.loads(msg_id)) for msg_id in asked):
            editor.arrived.clear()
            await editor.arrived.wait()
    for msg_id, count in asked.items():
        assert len(editor.replies(json.loads(msg_id))) == count, msg_id
    for message in editor.messages:
        if "error" in message:
            assert set(message["error"]) == {"code", "message"}
            assert "Traceback" not in message["error"]["message"]


@settings(
    deadline=None,
    max_examples=EXAMPLES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(script=steps)
def test_any_traffic_is_survived_and_answered(script: list[tuple[str, Any]], tmp_path: Path) -> None:
    async def run() -> None:
        async with in_process() as editor:
            await editor.initialize(tmp_path, capabilities=CAPABILITIES)
            await drive(editor, script)

    asyncio.run(run())
