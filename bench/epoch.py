"""How much of each large prompt a model server has read before, over a session of edits.

    python -m bench.epoch DIR             40 edits in 6 files of a copy of DIR, at 32K, 256K and 1M tokens
    python -m bench.epoch DIR --anywhere  in files that have nothing to do with one another

After each edit the file is explained, as the product does it, with the epoch that lasts through the session;
the floor, in the same run, orders the same candidates by relevance and shows edited files in their place.
Reuse is the share of a prompt's tokens that lie in leading blocks of 16 which some earlier prompt began with.
Cost counts input tokens: 1 for one that was not reused; implicit 0.2 for one that was; explicit 0.1 up to a
mark that an earlier prompt set, 1.25 from there to its own last mark. Then the session ends, another process
opens the same workspace, and the same question is asked again, before and after a commit.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import random
import shutil
import subprocess
import sys
import tempfile
import time
from array import array
from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import mean, median
from typing import cast

from qwen_lsp.context.pack import pack
from qwen_lsp.context.prefix import Epoch
from qwen_lsp.context.rank import rank_file
from qwen_lsp.context.render import piece
from qwen_lsp.features.explain import explain
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.model.messages import ChatDone, ChatEvent, Message
from qwen_lsp.model.tokens import count, encode
from qwen_lsp.session import Session
from qwen_lsp.settings import CompletionSettings, ExplainSettings, IndexSettings, Settings
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath

BUDGETS = (32_768, 262_144, 1_000_000)
EDITS, FILES, STAYS = 40, 6, 0.8
BLOCK = 16
WINDOW = 1_048_576


class Listener:
    """An endpoint that keeps what it is asked and says nothing."""

    model = "qwen3-coder-plus"

    def __init__(self) -> None:
        self.messages: Sequence[Message] = ()

    async def window(self) -> int:
        return WINDOW

    async def chat(self, messages: Sequence[Message], *, max_tokens: int) -> AsyncGenerator[ChatEvent]:
        self.messages = messages
        yield ChatDone("ok", (), "stop")


@dataclass(frozen=True)
class Edit:
    """Lines of one file that become others."""

    path: RelPath
    first: int
    last: int
    text: str


def edits_of(session: Session, rng: random.Random, *, related: bool) -> list[Edit]:
    """A session's work: inserted, replaced and deleted lines, taken from the code itself."""
    snapshot = session.snapshot
    paths = sorted(p for p, e in snapshot.files.items() if p.endswith(".py") and 2_000 < e.size < 60_000)
    chosen = rng.sample(paths, FILES)
    if related:  # files of one task: what hangs together with the first one
        near = [c.path for c in rank_file(snapshot, chosen[0], limit=600) if c.form == "whole"]
        chosen = [*chosen[:1], *[path for path in dict.fromkeys(near) if path in paths], *chosen[1:]][:FILES]
    texts = {path: snapshot.text(path).split("\n") for path in chosen}
    current, found = chosen[0], list[Edit]()
    for _ in range(EDITS):
        if rng.random() > STAYS:
            current = rng.choice([path for path in chosen if path != current])
        lines = texts[current]
        first = rng.randrange(len(lines) - 8)
        last = first + rng.choice((0, 0, 2, 5))
        taken = lines[at : at + rng.randint(1, 4)] if (at := rng.randrange(len(lines) - 8)) else lines[:1]
        new = taken if last == first else [] if rng.random() < 0.3 else taken
        found.append(Edit(current, first, last, "".join(f"{line}\n" for line in new)))
        lines[first:last] = new
    return found


def settings(folder: Path, budget: int) -> Settings:
    return Settings(
        completion=CompletionSettings(embedded=False),
        explain=ExplainSettings(budget_tokens=budget),
        index=IndexSettings(cache_dir=str(folder)),
    )


async def asked(session: Session, path: RelPath, span: Span) -> Sequence[Message]:
    """The messages with which the product asks for an explanation."""
    listener = Listener()
    pieces = explain(
        session.snapshot, path, span, endpoint=cast("Endpoint", listener), gate=session.gate,
        settings=session.settings.explain, count=session.count, held=await session.held("explain"),
    )  # fmt: skip
    async for _ in pieces:
        pass
    return listener.messages


def floor(session: Session, path: RelPath, messages: Sequence[Message]) -> list[Message]:
    """The same question with a context in order of relevance, edited files in their place."""
    snapshot, budget = session.snapshot, session.settings.explain.budget_tokens
    text = messages[1].content
    question = text[text.rindex("The file to explain is") :]
    room = budget - count(messages[0].content) - count(question) - 64
    ranked = rank_file(snapshot, path, limit=max(2_000, budget // 8))
    packed = pack(snapshot, ranked, budget=room, count=count, gate=session.gate)
    place = {c.path: -number for number, c in reversed(list(enumerate(ranked)))}
    parts = sorted(packed.parts, key=lambda part: -place[part.path])
    context = "".join(piece(part.path, part.text) for part in parts)
    return [messages[0], Message("user", context + question)]


def rendered(messages: Sequence[Message]) -> str:
    return "".join(f"<|im_start|>{m.role}\n{m.content}<|im_end|>\n" for m in messages)


def marks(messages: Sequence[Message]) -> list[int]:
    """Tokens of the prompt up to each cache mark."""
    found: list[int] = []
    before = 0
    for message in messages:
        start = f"<|im_start|>{message.role}\n"
        ends = [*message.marks, *([len(message.content)] if message.cache else [])]
        at, known = 0, before + len(encode(start, allow_special=True))
        for end in sorted(set(ends)):
            known += count(message.content[at:end])
            at = end
            found.append(known)
        before += len(encode(f"{start}{message.content}<|im_end|>\n", allow_special=True))
    return found


@dataclass
class Server:
    """What a server with a prefix cache remembers, and what it would charge."""

    reuse: list[float] = field(default_factory=list[float])
    tokens: list[int] = field(default_factory=list[int])
    plain: float = 0.0
    implicit: float = 0.0
    explicit: float = 0.0
    _prompts: list[bytes] = field(default_factory=list[bytes])
    _marked: set[tuple[int, bytes]] = field(default_factory=set[tuple[int, bytes]])

    def read(self, messages: Sequence[Message]) -> float:
        """Take a prompt; the share of it that was read before."""
        ids = array("I", encode(rendered(messages), allow_special=True)).tobytes()
        size = len(ids) // 4
        common = max((_common(ids, other) for other in self._prompts), default=0) // BLOCK * BLOCK
        if self._prompts:
            self.reuse.append(common / size)
        ends = [end for end in marks(messages) if end >= 1_024]
        hit = max((end for end, name in self._marked if _name(ids, end) == name), default=0)
        self.plain += size
        self.implicit += size - 0.8 * common
        last = max(ends, default=0)
        self.explicit += 0.1 * hit + 1.25 * max(0, last - hit) + (size - max(last, hit))
        self._marked |= {(end, _name(ids, end)) for end in ends}
        self._prompts.append(ids)
        self.tokens.append(size)
        return common / size


def _name(ids: bytes, end: int) -> bytes:
    return hashlib.blake2b(ids[: 4 * end], digest_size=16).digest()


def _common(one: bytes, other: bytes) -> int:
    """How many ids two prompts begin with in common."""
    low, high = 0, min(len(one), len(other)) // 4
    while low < high:
        middle = (low + high + 1) // 2
        if one[4 * low : 4 * middle] == other[4 * low : 4 * middle]:
            low = middle
        else:
            high = middle - 1
    return low


async def worked(root: Path, folder: Path, budget: int, seed: int, *, related: bool) -> tuple[Edit, int, str]:
    """One session. Returns its last edit, the offset it was asked about, and the last stable prefix."""
    session = Session(root, settings(folder, budget))
    await session.start()
    ours, theirs = Server(), Server()
    spent: list[float] = []
    epochs: list[Epoch] = []
    edits = edits_of(session, random.Random(seed), related=related)
    messages: Sequence[Message] = ()
    offset = 0
    for edit in edits:
        if edit.path not in session.snapshot.buffers:
            session.open(edit.path, session.snapshot.text(edit.path))
        lines = session.snapshot.lines(edit.path)
        span = Span(lines.start_of(edit.first), lines.start_of(edit.last))
        session.change(edit.path, (TextEdit(span, edit.text),))
        offset = span.start
        began = time.process_time()
        messages = await asked(session, edit.path, Span(offset, offset))
        spent.append(1_000 * (time.process_time() - began))
        held = await session.held("explain")
        assert held is not None
        assert held.epoch is not None
        if not epochs or epochs[-1].frozen is not held.epoch.frozen:
            epochs.append(held.epoch)
        ours.read(messages)
        theirs.read(floor(session, edit.path, messages))
        assert count(messages[0].content) + count(messages[1].content) <= budget
    print(f"{budget:>9,} tokens: {len(epochs)} epochs ({'; '.join(epoch.cut for epoch in epochs)})")
    for name, server in (("epoch", ours), ("floor: by relevance", theirs)):
        print(
            f"  {name:<20} reuse mean {mean(server.reuse):.3f} min {min(server.reuse):.3f}   input cost "
            f"implicit {server.implicit / server.plain:.2f} explicit {server.explicit / server.plain:.2f}   "
            f"tokens {mean(server.tokens):,.0f}"
        )
    warm = spent[len(spent) // 2 :]
    print(
        f"  CPU per prompt: first {spent[0]:.0f} ms, warm median {median(warm):.1f}, max {max(warm):.1f} ms"
    )
    for edit in {e.path: e for e in edits}.values():  # saved, as an editor would
        (root / edit.path).write_text(session.snapshot.text(edit.path), encoding="utf-8", newline="")
        session.close(edit.path)
    await session.refresh()
    messages = await asked(session, edits[-1].path, Span(offset, offset))
    await session.aclose()
    return edits[-1], offset, stable(messages)


def stable(messages: Sequence[Message]) -> str:
    """The prompt up to its last cache mark."""
    return messages[0].content + messages[1].content[: max(messages[1].marks, default=0)]


async def again(root: Path, folder: Path, budget: int, path: RelPath, offset: int) -> str:
    session = Session(root, settings(folder, budget))
    await session.start()
    try:
        return stable(await asked(session, path, Span(offset, offset)))
    finally:
        await session.aclose()


def in_another_process(root: Path, folder: Path, budget: int, path: str, offset: int) -> str:
    place = json.dumps([str(root), str(folder), budget, path, offset])
    command = [sys.executable, "-m", "bench.epoch", "--again", place]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()


def git(root: Path, *args: str) -> None:
    identity = ["-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *identity, *args], cwd=root, check=True, capture_output=True)


def digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("root", type=Path, nargs="?")
    parser.add_argument("--budgets", type=int, nargs="*", default=list(BUDGETS))
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--anywhere", action="store_true", help="files from all over the workspace")
    parser.add_argument("--again", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.again:
        root, folder, budget, path, offset = json.loads(arguments.again)
        print(digest(asyncio.run(again(Path(root), Path(folder), budget, RelPath(path), offset))))
        return 0
    for budget in arguments.budgets:
        with tempfile.TemporaryDirectory() as temporary:
            root, folder = Path(temporary) / "work", Path(temporary) / "cache"
            shutil.copytree(
                arguments.root.resolve(), root, symlinks=True, ignore=shutil.ignore_patterns(".git")
            )
            git(root, "init", "-q", "-b", "main")
            git(root, "add", "-A")
            git(root, "commit", "-qm", "begin")
            edit, offset, last = asyncio.run(
                worked(root, folder, budget, arguments.seed, related=not arguments.anywhere)
            )
            same = [in_another_process(root, folder, budget, edit.path, offset) == digest(last)]
            git(root, "commit", "-qam", "work")
            same.append(in_another_process(root, folder, budget, edit.path, offset) == digest(last))
            print(f"  the same prefix after a restart: {same[0]}, after a commit: {same[1]}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
