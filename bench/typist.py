"""Somebody who types in the middle of a file and asks after each key; bare servers to compare with."""

from __future__ import annotations

import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

from bench.server import cpu
from bench.stub import TEXT
from tests.support.editor import Editor, Json, indexed, replace, spawned

BARE = """
import asyncio, sys
from lsprotocol import types as lsp
from pygls.lsp.server import LanguageServer

PORT = {port}
server = LanguageServer("bare", "1")
kept = []

@server.command("qwen.status")
async def status(*arguments: object) -> dict[str, object]:
    return {{"folders": [{{"index": {{"complete": True}}}}]}}

async def ask(text: str, offset: int) -> str:
    import json
    if not kept:
        kept.append(await asyncio.open_connection("127.0.0.1", PORT))
    reader, writer = kept[0]
    prompt = "<|fim_prefix|>" + text[max(0, offset - 4000):offset]
    prompt += "<|fim_suffix|>" + text[offset:offset + 600]
    body = json.dumps({{"model": "m", "prompt": prompt, "max_tokens": 64, "stream": True}}).encode()
    head = b"POST /v1/completions HTTP/1.1\\r\\nHost: m\\r\\nContent-Length: %d\\r\\n\\r\\n" % len(body)
    writer.write(head + body)
    said = ""
    await reader.readuntil(b"\\r\\n\\r\\n")
    while size := int(await reader.readuntil(b"\\r\\n"), 16):
        line = (await reader.readexactly(size + 2)).strip()
        if line.startswith(b"data: {{"):
            said += json.loads(line[6:])["choices"][0]["text"]
    await reader.readexactly(2)
    return said

@server.feature("textDocument/inlineCompletion", lsp.InlineCompletionOptions())
async def complete(ls, params: lsp.InlineCompletionParams) -> lsp.InlineCompletionList:
    document = server.workspace.get_text_document(params.text_document.uri)
    where = lsp.Range(params.position, params.position)
    text = {answer}
    return lsp.InlineCompletionList([lsp.InlineCompletionItem(insert_text=text, range=where)])

server.start_io()
"""
ECHO = BARE.format(port=0, answer='"value_of(item, 1)"')
FUNCTION = '''def function_{n}(first: int, second: str) -> str:
    """Say something about {n}."""
    total = first * {n}
    if total > 100:
        return second.upper()
    for i in range(total):
        second += str(i)
    return second + str(total)


'''
CHARACTERS = "abcdefghijklmnopqrstuwxyz"  # the answer begins with none of them
SHORT, LONG = 400, 10_000
CAPABILITIES: Json = {"textDocument": {"inlineCompletion": {}}}


def direct(port: int) -> str:
    """The bare server that asks the stub."""
    return BARE.format(
        port=port, answer="await ask(document.source, document.offset_at_position(params.position))"
    )


def text_of(lines: int) -> str:
    return "".join(FUNCTION.format(n=n) for n in range(lines // 10))


class Typist:
    """Types in the middle of a file, on a line of its own, and asks after each key."""

    def __init__(self, editor: Editor, uri: str, text: str) -> None:
        self.editor, self.uri = editor, uri
        self.line = text.count("\n") // 2 // 10 * 10 + 3
        self.version, self.column = 1, 0
        editor.open(uri, text)
        self.change((self.line, 0), (self.line, 0), "    \n")
        self.column = 4

    def change(self, start: tuple[int, int], end: tuple[int, int], text: str) -> None:
        self.version += 1
        self.editor.change(self.uri, self.version, replace(start, end, text))

    def key(self, character: str) -> None:
        here = (self.line, self.column)
        self.change(here, here, character)
        self.column += len(character)

    def back(self) -> None:
        self.change((self.line, self.column - 1), (self.line, self.column), "")
        self.column -= 1

    def next_place(self) -> None:
        """Go on in the next function, on a new line."""
        self.line += 11
        self.change((self.line, 0), (self.line, 0), "    \n")
        self.column = 4

    def clear(self) -> None:
        self.change((self.line, 4), (self.line, self.column), "")
        self.column = 4

    def params(self, kind: int = 2) -> Json:
        return {
            "textDocument": {"uri": self.uri},
            "position": {"line": self.line, "character": self.column},
            "context": {"triggerKind": kind},
        }

    async def ask(self, kind: int = 2) -> list[str]:
        found = await self.editor.request("textDocument/inlineCompletion", self.params(kind))
        return [item["insertText"] for item in found["items"]]


@asynccontextmanager
async def opened(
    program: str, root: Path, lines: int, environ: Mapping[str, str] | None = None
) -> AsyncGenerator[Typist]:
    """A server with one file of so many lines open, warmed up."""
    async with spawned((sys.executable, "-c", program), environ) as editor:
        await editor.initialize(root, capabilities=CAPABILITIES)
        await indexed(editor)
        typist = Typist(editor, (root / f"typed_{lines}.py").as_uri(), text_of(lines))
        yield typist


async def typed(typist: Typist, requests: int) -> tuple[list[float], float]:
    """Seconds of each request, and CPU seconds of the server for one."""
    editor = typist.editor
    assert editor.process is not None
    times: list[float] = []
    before = cpu(editor.process.pid)
    for n in range(requests):
        if typist.column > 60:
            typist.clear()
        began = time.perf_counter()
        typist.key(CHARACTERS[n * 7 % 25])
        found = await typist.ask()
        assert found == [TEXT], found
        times.append(time.perf_counter() - began)
    return times, (cpu(editor.process.pid) - before) / requests


def environ(port: int) -> dict[str, str]:
    return {
        "OPENAI_BASE_URL": f"http://127.0.0.1:{port}/v1",
        "OPENAI_MODEL": "qwen3-coder",
        "OPENAI_API_KEY": "",
        "XDG_CACHE_HOME": tempfile.mkdtemp(),
    }
