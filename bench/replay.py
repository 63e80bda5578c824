"""Real files typed again into the real server: how many keystrokes need no request, and what is shown.

    python -m bench.replay FOLDER [--files N] [--characters N] [--first-wrong P] [--wrong P]

Of each file a part in its middle is taken out and typed again: a character at a time, in bursts of three to
eight that nobody waits in, with a wrong character and its correction every now and then, line breaks with
the indentation that an editor adds. The model is played by the file itself: it says what really stands there
and goes on beyond it, but with probability `--first-wrong` it begins with something else, and with
`--wrong` for each word it goes astray there. So it is a model as good as those numbers, and the share of
keystrokes without a request is the server's doing at that quality.

What is shown is checked by its own rules: no line that stands right below is shown again, and no bracket is
closed that nothing has opened.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import random
import re
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bench.server import cpu
from bench.typist import CAPABILITIES
from tests.support.editor import SERVE, Editor, Json, indexed, replace, spawned
from tests.support.endpoint import Recorded, Reply, ScriptedEndpoint

SUFFIXES = (".py", ".ts", ".go", ".rs", ".java", ".c", ".rb", ".js")
_WORD = re.compile(r"\w+|\s+|.", re.DOTALL)
_SAYS = 400  # characters that the model says at once
_PAIRS = {")": "(", "]": "[", "}": "{"}


@dataclass(slots=True)
class Model:
    """Says what stands in the file, as well as it was told to."""

    first_wrong: float
    wrong: float
    truth: str = ""

    def __call__(self, request: Recorded) -> Reply:
        before = request.prompt.rpartition("<|fim_prefix|>")[2].partition("<|fim_suffix|>")[0]
        seen = before[-200:]
        at = self.truth.rfind(seen)
        if at < 0:  # a wrong character stands there
            return Reply("")
        rest = self.truth[at + len(seen) :][:_SAYS]
        chance = random.Random(hashlib.blake2b(before.encode(), digest_size=8).digest())
        if chance.random() < self.first_wrong:
            return Reply(self._astray(chance, rest, 0))
        position = 0
        for word in _WORD.findall(rest):
            if word.strip() and chance.random() < self.wrong:
                return Reply(self._astray(chance, rest, position))
            position += len(word)
        return Reply(rest)

    def _astray(self, chance: random.Random, rest: str, position: int) -> str:
        """From here on something of the same file that is not what stands there."""
        words = re.findall(r"[A-Za-z_]\w{3,}", self.truth)
        line = chance.choice(self.truth.splitlines()).strip()
        return rest[:position] + (f"{chance.choice(words)}({chance.choice(words)})" if position else line)


@dataclass(slots=True)
class Tally:
    """What happened while a file was typed."""

    keys: int = 0
    free: int = 0
    """Keystrokes less requests, those included that were made ahead."""
    shown: int = 0
    duplicates: list[str] = field(default_factory=list[str])
    broken: list[str] = field(default_factory=list[str])

    def __iadd__(self, other: Tally) -> Tally:
        self.keys += other.keys
        self.free += other.free
        self.shown += other.shown
        self.duplicates += other.duplicates
        self.broken += other.broken
        return self


class Typing:
    """One file being typed."""

    def __init__(self, editor: Editor, uri: str, before: str, after: str, truth: str) -> None:
        self.editor, self.uri, self.truth = editor, uri, truth
        self.before, self.after = before, after
        self.version = 1

    @property
    def position(self) -> tuple[int, int]:
        line = self.before.count("\n")
        return line, len(self.before) - self.before.rfind("\n") - 1

    def type(self, text: str) -> None:
        here = self.position
        self._change(replace(here, here, text))
        self.before += text

    def back(self) -> None:
        here = self.position
        self.before = self.before[:-1]
        self._change(replace(self.position, here, ""))

    def _change(self, change: Json) -> None:
        self.version += 1
        self.editor.change(self.uri, self.version, change)

    async def ask(self) -> str:
        line, character = self.position
        params = {
            "textDocument": {"uri": self.uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 2},
        }
        found = await self.editor.request("textDocument/inlineCompletion", params)
        return found["items"][0]["insertText"] if found["items"] else ""


def strokes(text: str, chance: random.Random) -> list[tuple[str, bool]]:
    """What is typed at once, and whether anybody waits for an answer before going on."""
    made: list[tuple[str, bool]] = []
    at = burst = 0
    while at < len(text):
        if text[at] == "\n":
            indent = re.match(r"\n[ \t]*", text[at:])
            assert indent is not None
            made.append((indent[0], True))
            at += len(indent[0])
            continue
        if burst == 0 and chance.random() < 0.1:
            burst = chance.randint(3, 8)
        if chance.random() < 0.02:
            made += [("~", True), ("\b", True)]
        made.append((text[at], burst <= 1))
        burst = max(0, burst - 1)
        at += 1
    return made


def judged(tally: Tally, text: str, typing: Typing) -> None:
    """Check what was shown. What really stands there, and was not there yet, is right by definition."""
    tally.shown += 1
    written = typing.before + text
    if typing.truth.startswith(written) and len(written) <= len(typing.truth) - len(typing.after):
        return
    lines = [line.strip() for line in text.split("\n")]
    below = [line.strip() for line in typing.after.split("\n")[1:] if line.strip()][:1]
    where = f"{typing.uri.rpartition('/')[2]}:{typing.position[0] + 1}: {text!r}"
    whole_lines = len(lines) > 1 or not _line(typing).strip()
    if below and len(below[0]) > 3 and lines[-1] == below[0] and whole_lines:
        tally.duplicates.append(where)
    rest = typing.after.split("\n", 1)[0].strip()
    if rest and len(rest) > 1 and lines[-1].endswith(rest):
        tally.duplicates.append(where)
    near = typing.before[-4_000:]
    # Quotes above may stand in pairs that are none; a text that closes only what it opens is whole.
    if _closes_nothing(text) and _closes_nothing(near + text) > _closes_nothing(near):
        tally.broken.append(where)


def _line(typing: Typing) -> str:
    return typing.before[typing.before.rfind("\n") + 1 :]


def _closes_nothing(code: str) -> int:
    """Closing brackets that nothing opened, strings and comments aside as far as one line tells."""
    code = re.sub(r"\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'|(?://|#).*", "", code)
    depth: dict[str, int] = {}
    worst = 0
    for sign in code:
        if sign in "([{":
            depth[sign] = depth.get(sign, 0) + 1
        elif sign in _PAIRS:
            opener = _PAIRS[sign]
            if depth.get(opener, 0):
                depth[opener] -= 1
            else:
                worst += 1
    return worst


async def typed(
    editor: Editor, server: ScriptedEndpoint, model: Model, path: Path, text: str, characters: int
) -> Tally:
    """Type the middle of one file."""
    middle = text.rfind("\n", 0, len(text) // 3) + 1
    end = text.find("\n", middle + characters)
    part, after = text[middle:end], text[end:]
    model.truth = text
    typing = Typing(editor, path.as_uri(), text[:middle], after, text)
    editor.open(path.as_uri(), text[:middle] + after)
    chance, tally = random.Random(path.name), Tally()
    pending: list[asyncio.Future[Json]] = []
    for stroke, waits in strokes(part, chance):
        typing.back() if stroke == "\b" else typing.type(stroke)
        tally.keys += 1
        if not waits:
            line, character = typing.position
            params = {"textDocument": {"uri": typing.uri}, "context": {"triggerKind": 2}}
            params["position"] = {"line": line, "character": character}
            pending.append(editor.ask("textDocument/inlineCompletion", params)[1])
            await asyncio.sleep(0)
        elif shown := await typing.ask():
            judged(tally, shown, typing)
    await asyncio.gather(*pending)
    tally.free = tally.keys - len(server.requests)
    editor.notify("textDocument/didClose", {"textDocument": {"uri": typing.uri}})
    editor.messages.clear()
    server.requests.clear()
    return tally


def chosen(folder: Path, number: int) -> Sequence[Path]:
    """Files of some size, the same ones each time."""
    files = [
        p for p in sorted(folder.rglob("*")) if p.suffix in SUFFIXES and 4_000 < p.stat().st_size < 60_000
    ]
    random.Random(1).shuffle(files)
    return files[:number]


async def main(args: argparse.Namespace) -> None:
    """Type the files and print what happened."""
    os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp()
    model, whole = Model(args.first_wrong, args.wrong), Tally()
    async with ScriptedEndpoint(kind="vllm", responder=model) as server:
        environ = {"OPENAI_BASE_URL": server.base_url, "OPENAI_MODEL": server.model, "OPENAI_API_KEY": ""}
        async with spawned((sys.executable, "-c", SERVE), environ) as editor:
            await editor.initialize(args.folder.resolve(), capabilities=CAPABILITIES)
            await indexed(editor)
            assert editor.process is not None
            before = cpu(editor.process.pid)
            for path in chosen(args.folder.resolve(), args.files):
                tally = await typed(editor, server, model, path, path.read_text("utf-8"), args.characters)
                whole += tally
                share = tally.free / max(1, tally.keys)
                print(f"{path.name:<40} {tally.keys:>6} keys, {share:6.1%} without a request", flush=True)
            each = (cpu(editor.process.pid) - before) / max(1, whole.keys)
    print(f"CPU of the server for one key, choosing context included: {each * 1e3:.2f} ms")
    print(f"{'all':<40} {whole.keys:>6} keys, {whole.free / max(1, whole.keys):6.1%} without a request")
    print(f"shown {whole.shown}, duplicates {len(whole.duplicates)}, broken brackets {len(whole.broken)}")
    for problem in (*whole.duplicates, *whole.broken):
        print("   ", problem)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--files", type=int, default=20)
    parser.add_argument("--characters", type=int, default=1_200)
    parser.add_argument("--first-wrong", type=float, default=0.3)
    parser.add_argument("--wrong", type=float, default=0.04)
    asyncio.run(main(parser.parse_args()))
