"""What a person writes while a run goes on and lands in the same files: how much of it is lost.

    python -m bench.bystander --disk 1000      runs that are written to disk, with saves while they land too
    python -m bench.bystander --editor 1000    runs that land through editors of six kinds, with typing while
                                               the preview stands open

In each case a run works with the agent's own tools and a person edits, moves, deletes, saves and types at
random, step by step; then the run lands, the person goes on or does not, and the landing is taken back.
`lost` counts what the person had before their eyes last and is nowhere any more, but for what the model had
read before it changed or deleted it. While a preview stands open the person leaves the files alone that it
deletes or moves: the protocol has no versions for those.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Generator
from pathlib import Path
from random import Random

from qwen_lsp.errors import QwenLspError
from qwen_lsp.index.build import refresh
from qwen_lsp.runs.landing import land, undo_last
from qwen_lsp.runs.record import new_name
from qwen_lsp.server.agent_keeping import landed_and_kept
from qwen_lsp.server.agent_undo import taken_back
from qwen_lsp.server.host import Server
from qwen_lsp.server.table import build
from qwen_lsp.session import Session
from qwen_lsp.settings import Settings
from qwen_lsp.workspace import journal, landing
from qwen_lsp.workspace.journal import Change
from tests.support.bystander import Agent, Person
from tests.support.desk import BARE, EGLOT, HELIX, NEOVIM, THIN, VSCODE, Desk
from tests.support.editor import Json, in_process, indexed

CLIENTS: dict[str, Json] = {
    "vscode": VSCODE, "neovim": NEOVIM, "helix": HELIX, "eglot": EGLOT, "bare": BARE, "thin": THIN,
}  # fmt: skip


async def worked(random: Random, person: Person, session: Session) -> Agent:
    """A person and a run have worked side by side for a while."""
    paths = person.lay()
    await refresh(session.store, set(paths))
    if person.desk is not None:
        for _ in range(random.randint(0, 3)):
            person.act()
        await asyncio.sleep(0)
        await refresh(session.store, set(paths))
    person.tokens.clear()  # what was there before the run is as any other text
    person.live.clear()
    agent = Agent(random, session.snapshot, person.folder)
    for _ in range(random.randint(3, 12)):
        await agent.act()
        if random.random() < 0.4:
            person.act()
    return agent


# -- on disk ---------------------------------------------------------------------------------------


@contextlib.contextmanager
def saving(random: Random, person: Person) -> Generator[list[int]]:
    """The person does something in the middle of the next landing, at times; the list is not empty then."""
    saved: list[int] = []
    put, move = landing.land, journal.move
    at, steps = (random.randint(0, 5) if random.random() < 0.4 else -1), 0

    def step() -> None:
        nonlocal steps
        if steps == at:
            person.act()
            saved.append(at)
        steps += 1

    def put_one(folder: int, change: Change) -> None:
        step()
        put(folder, change)

    def moved(folder: Path, name: str, old: journal.State, new: journal.State) -> None:
        step()
        move(folder, name, old, new)

    landing.land, journal.move = put_one, moved
    try:
        yield saved
    finally:
        landing.land, journal.move = put, move


async def on_disk(cases: int, root: Path, counts: Counter[str], first: int = 0) -> None:
    session = Session(root, Settings())
    await session.start()
    try:
        for seed in range(first, first + cases):
            random = Random(seed)
            person = Person(random, root, f"c{seed}", f"user{seed}x")
            agent = await worked(random, person, session)
            counts["calls"] += agent.calls
            counts["calls refused"] += agent.refused
            before = person.view()
            with saving(random, person) as saved:
                try:
                    written = (await land(session, agent.edits)).edits if agent.edits else ()
                except QwenLspError:
                    counts["conflicts"] += 1
                    if not saved and person.view() != before:
                        counts["changed by a refused landing"] += 1
                    written = ()
            _count(counts, person, agent.read)
            if written:
                counts["landed"] += 1
                await _undone(random, person, session, counts, agent.read)
    finally:
        await session.aclose()


async def _undone(random: Random, person: Person, session: Session, counts: Counter[str], read: str) -> None:
    if random.random() < 0.5:
        person.act()
    try:
        await undo_last(session)
        counts["undone"] += 1
    except QwenLspError:
        counts["undo refused"] += 1
    _count(counts, person, read)


def _count(counts: Counter[str], person: Person, read: str) -> None:
    counts["tokens"] += len(person.live)
    if lost := person.lost(read):
        counts["lost"] += len(lost)
        logging.error("%s: lost %s", person.folder, sorted(lost))
        person.live -= lost


# -- in an editor ----------------------------------------------------------------------------------


async def in_editor(kind: str, cases: int, root: Path, counts: Counter[str], first: int = 0) -> None:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(root, capabilities=CLIENTS[kind])
        await indexed(editor)
        editor.answers["window/showMessageRequest"] = lambda params: {"title": "Apply"}
        editor.answers["qwen/approve"] = lambda params: {"answer": "once"}
        desk = Desk(editor, root, skips_old=kind == "neovim")
        (session,) = server.sessions()
        for seed in range(first, first + cases):
            await _one(server, session, desk, seed, counts)
            desk.meanwhile = lambda: None
            for uri in list(desk.texts):
                desk.close(Path(uri.removeprefix("file://")).relative_to(root).as_posix())


async def _one(server: Server, session: Session, desk: Desk, seed: int, counts: Counter[str]) -> None:
    random = Random(seed)
    person = Person(random, desk.root, f"c{seed}", f"user{seed}x", desk)
    agent = await worked(random, person, session)
    counts["calls"] += agent.calls
    counts["calls refused"] += agent.refused
    if random.random() < 0.4:
        going = {path for e in agent.edits for path in (e.moved_from, e.path if e.after is None else None)}
        desk.meanwhile = lambda: person.act(frozenset(filter(None, going)))
    desk.unticked = {"d1"} if random.random() < 0.1 else set()
    await asyncio.sleep(0)
    run = new_name()
    if edits := agent.edits:
        made = await landed_and_kept(server, session, run, edits, title="Qwen", reason="a task", unasked=True)
        counts[
            "landed"
            if made.applied
            else "in part"
            if any(f.state == "applied" for f in made.files)
            else "conflicts"
        ] += 1
        _count(counts, person, agent.read)
        if not any(file.state == "applied" for file in made.files):
            return
        desk.meanwhile = lambda: None
        if random.random() < 0.4:
            person.act()
            await asyncio.sleep(0)
        try:
            undone = (await taken_back(server, session, run)).applied
        except QwenLspError:
            undone = False
        counts["undone" if undone else "undo refused"] += 1
    _count(counts, person, agent.read)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--disk", type=int, default=0)
    parser.add_argument("--editor", type=int, default=0)
    parser.add_argument("--first", type=int, default=0, help="the first case's number")
    args = parser.parse_args()
    logging.disable(logging.WARNING)
    with tempfile.TemporaryDirectory() as place:
        for variable in ("XDG_STATE_HOME", "XDG_CACHE_HOME", "XDG_CONFIG_HOME"):
            os.environ[variable] = f"{place}/{variable}"
        if args.disk:
            counts = Counter(cases=args.disk, lost=0)
            root = Path(place, "disk")
            root.mkdir()
            asyncio.run(on_disk(args.disk, root, counts, args.first))
            print(json.dumps({"disk": counts}, indent=2))
        share = -(-args.editor // len(CLIENTS))
        for number, kind in enumerate(CLIENTS if args.editor else ()):
            counts = Counter(cases=share, lost=0)
            root = Path(place, kind)
            root.mkdir()
            asyncio.run(in_editor(kind, share, root, counts, args.first + number * share))
            print(json.dumps({kind: counts}, indent=2))


if __name__ == "__main__":
    main()
