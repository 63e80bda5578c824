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
from tests.support.editor import TIME, Editor, Json, frame, in_process

CODE = "import os\n\ndef f(x):\n    return '😀' + x\n"
FILES = ["file:///nowhere/a.py", "file:///nowhere/b.rs", "untitled:Untitled-1"]
URIS = [*FILES, "file:///", "", "http://x/y", "..", "\ud800"]
EXAMPLES = int(os.environ.get("QWEN_LSP_TRAFFIC", "80"))
"""Scripts to try; thousands for a long run."""
CAPABILITIES = {"workspace": {"didChangeWatchedFiles": {"dynamicRegistration": True}}}
SAFE = sorted(set(FEATURES) - {"initialize", "initialized", "shutdown", "exit"})

Strategy = st.SearchStrategy[Any]


def record(**fields: Strategy) -> Strategy:
    """A JSON object with these fields."""
    return st.fixed_dictionaries(fields)


def call(methods: str | list[str], params: Strategy) -> Strategy:
    """A method and its parameters."""
    return st.tuples(st.sampled_from([methods] if isinstance(methods, str) else methods), params)


uris: Strategy = st.sampled_from(URIS)
numbers: Strategy = st.integers(0, 12) | st.sampled_from([-1, 2**31 - 1, 2**31, 2**53, 10**20])
texts: Strategy = st.text(max_size=8) | st.sampled_from(["\r\n", "def g():\n", "😀", "\0"])
floats = st.floats(allow_nan=False, allow_infinity=False)
scalars: Strategy = st.none() | st.booleans() | st.integers(-5, 5) | floats | texts
keys = st.text(max_size=5)
junk: Strategy = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3)
)
positions = record(line=numbers, character=numbers)
ranges = record(start=positions, end=positions)
documents = record(uri=uris)
versioned = record(uri=uris, version=st.integers(-1, 50))
opened = record(
    uri=uris, languageId=st.just("python"), version=st.integers(-1, 50), text=st.just(CODE) | texts
)
changes = st.lists(record(range=ranges, text=texts) | record(text=texts), max_size=3)
nothing: Json = {"diagnostics": []}
arguments: dict[str, Strategy] = {"uri": uris, "position": positions, "range": ranges, "task": texts}
commands = record(
    command=st.sampled_from(["qwen.explainFile", "qwen.showContext", "qwen.status", "qwen.edit", "x"]),
    arguments=st.lists(st.fixed_dictionaries({}, optional=arguments) | junk, max_size=2),
)
notices = st.one_of(
    call("textDocument/didOpen", record(textDocument=opened)),
    call("textDocument/didChange", record(textDocument=versioned, contentChanges=changes)),
    call(["textDocument/didClose", "textDocument/didSave"], record(textDocument=documents)),
    call("$/cancelRequest", record(id=st.integers(1000, 1030) | junk)),
    call([*SAFE, "initialized", "$/x", "x", ""], junk),
)
triggers = record(triggerKind=st.integers(0, 3))
requests = st.one_of(
    call(
        "textDocument/inlineCompletion", record(textDocument=documents, position=positions, context=triggers)
    ),
    call("textDocument/completion", record(textDocument=documents, position=positions)),
    call(
        "textDocument/codeAction",
        record(textDocument=documents, range=ranges, context=st.just(nothing) | junk),
    ),
    call("workspace/symbol", record(query=texts)),
    call("workspace/executeCommand", commands),
    call([*SAFE, "initialize", "initialized", "exit", "$/x", "x", ""], junk),
)
step = st.one_of(
    call("ask", requests),
    call("tell", notices),
    call("send", junk),
    call("raw", st.sampled_from(sorted(DAMAGED))),
)
steps = st.lists(step, max_size=25)


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
