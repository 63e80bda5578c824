"""How long it takes until the first ghost text stands on the screen, and where the time goes.

    QWEN_LSP_EDITORS=.cache/editors python -m bench.editors [ROUNDS]

The real VS Code and the real Neovim, with a model on this machine that answers at once. The start is told as
it happened, once in each round; then in each round one key is pressed in a file just opened, and its ghost
text is waited for. Medians over the rounds, in milliseconds; a loop of plain Python says how fast the machine
is at the moment.
"""

from __future__ import annotations

import asyncio
import os
import re
import statistics
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from pathlib import Path

from tests.editors.neovim.desk import NEW, opened
from tests.editors.support import extension
from tests.editors.support.vscode import VSCode
from tests.support.endpoint import Recorded, Reply, ScriptedEndpoint

FILE = '"""What a shop sells."""\n\n\ndef total(items: list[float]) -> float:\n    return sum(items)\n\n\nde'
GHOST = "_average(items):"
STAMP = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d+) \[\w+\] (.*)$", re.MULTILINE)
Times = Mapping[str, float]


def answer(request: Recorded) -> Reply:
    """At once, the same for every place where a function is begun."""
    begun = request.prompt.partition("<|fim_suffix|>")[0].endswith("\ndef")
    return Reply(GHOST if begun else "")


def spin() -> float:
    """Milliseconds of CPU time that a loop of plain Python takes."""
    begun = time.process_time()
    sum(number * number for number in range(1_000_000))
    return (time.process_time() - begun) * 1_000


def steps(times: Sequence[tuple[str, float]]) -> dict[str, float]:
    """Moments in seconds as the milliseconds from each to the next, by the name of the later one."""
    between = pairwise(times)
    told = {name: (at - before) * 1_000 for (_, before), (name, at) in between}
    return told | {"all of it": (times[-1][1] - times[0][1]) * 1_000}


async def in_vscode(folder: Path) -> tuple[Times, Times]:
    """The start, and the key in a file opened after it."""
    workspace = project(folder)
    now = asyncio.get_running_loop().time
    behind = time.time() - now()
    async with ScriptedEndpoint(responder=answer) as model:
        settings = {
            "qwen.server.interpreter": sys.executable,
            "qwen.endpoint.baseUrl": model.base_url,
            "qwen.completion.warmUp": "off",
            "qwen.completion.fetchAhead": "off",
        }
        environment = {"PYTHONPATH": str(extension.ROOT), "HOME": str(folder)}
        code = VSCode(workspace, extensions=extension.installed(), settings=settings, environment=environment)
        async with code:
            await code.ready()
            ready = now()
            log = next(code.data.rglob("exthost*/qwen-lsp.qwen-lsp/qwen-lsp.log")).read_text()
            lines = [(text, stamp(at) - behind) for at, text in STAMP.findall(log)]
            found, started, runs = (at for text, at in lines[:3] if text)
            start = steps(
                [
                    ("", code.asked_at),
                    ("the window is drawn", code.drawn_at),
                    ("the extension is active and has found the server", found),
                    ("the server's process is asked for", started),
                    ("the server has answered initialize", runs),
                    ("the status bar says so", ready),
                ]
            )
            await code.open("shop.py")
            await code.shows_line("def total")
            await code.press("Control+End")
            before = len(model.requests)
            pressed = now()
            await code.types("f")
            await code.ghost_text()
            drawn = now()
        return start, key(model.requests[before], pressed, drawn)


async def in_neovim(folder: Path) -> tuple[Times, Times]:
    """The same in the terminal."""
    workspace = project(folder)
    now = asyncio.get_running_loop().time
    begun = now()
    async with opened(workspace, "shop.py") as nvim:
        nvim.model.respond_with(answer)
        await nvim.attached()
        start = steps([("", begun), ("the server is attached and has read the folder", now())])
        await nvim.terminal.keys("G", "A")
        await nvim.terminal.shows("INSERT")
        before = len(nvim.model.requests)
        pressed = now()
        await nvim.terminal.types("f")
        await nvim.terminal.shows(GHOST)
        return start, key(nvim.model.requests[before], pressed, now())


def key(request: Recorded, pressed: float, drawn: float) -> Times:
    """Where the time of one key went."""
    return steps(
        [
            ("", pressed),
            ("the model is asked", request.at),
            ("the model has answered", request.answered),
            ("the ghost text is drawn", drawn),
        ]
    )


def stamp(text: str) -> float:
    return datetime.fromisoformat(text).astimezone().timestamp()


def project(folder: Path) -> Path:
    for name in ("CACHE", "CONFIG", "STATE"):
        os.environ[f"XDG_{name}_HOME"] = str(folder / name.lower())
    workspace = folder / "project"
    workspace.mkdir()
    (workspace / "shop.py").write_text(FILE)
    return workspace


async def main(rounds: int) -> None:
    print(f"plain Python: {spin():.0f} ms; {rounds} rounds")
    for name, measure in (("VS Code", in_vscode), (f"Neovim ({NEW})", in_neovim)):
        parts: dict[str, dict[str, list[float]]] = {"start": defaultdict(list), "key": defaultdict(list)}
        for _ in range(rounds):
            with tempfile.TemporaryDirectory(prefix="bench-") as folder:
                start, pressed = await measure(Path(folder))
            for part, times in (("start", start), ("key", pressed)):
                for step, took in times.items():
                    parts[part][step].append(took)
        for part, title in (("start", "from the start"), ("key", "from a key in an open file")):
            print(f"\n{name}, {title}")
            for step, all_times in parts[part].items():
                print(f"  {statistics.median(all_times):8,.0f} ms  {step}")
    print(f"\nplain Python: {spin():.0f} ms")


if __name__ == "__main__":
    asyncio.run(main(int(sys.argv[1]) if len(sys.argv) > 1 else 3))
