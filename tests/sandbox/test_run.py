"""A command runs as it would in the workspace, and how it ends is told as it is."""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import os
import select
import sys
from pathlib import Path

import pytest

from qwen_lsp.errors import SandboxFailed
from qwen_lsp.sandbox.bubblewrap import Bubblewrap
from qwen_lsp.sandbox.command import Cage, Command, Limits
from tests.sandbox.canaries import canaries
from tests.sandbox.hostile import KERNEL, PROTECTED, Attack
from tests.sandbox.places import REQUIRED, Place, place, sandbox


def test_there_is_a_sandbox_where_one_is_required(tmp_path: Path) -> None:
    if os.environ.get(REQUIRED) != "1":
        pytest.skip(f"{REQUIRED} is not set")
    assert sandbox(tmp_path).name == "bubblewrap"


async def test_it_runs_at_the_path_of_the_workspace_on_its_copy(place: Place) -> None:
    done = await place.run("pwd; cat main.py; echo changed > main.py; mkdir -p new/deep; echo 1 > new/deep/a")
    assert (done.ending, done.status) == ("exited", 0)
    assert done.output == f"{place.root}\nprint('hello')\n"
    assert place.in_scratch("main.py") == "changed\n"
    assert place.in_scratch("new/deep/a") == "1\n"
    assert (place.root / "main.py").read_text("utf-8") == "print('hello')\n"


async def test_it_starts_in_the_folder_that_was_asked_for(place: Place) -> None:
    assert (await place.run("pwd", folder="pkg")).output == f"{place.root}/pkg\n"
    missing = await place.run("pwd", folder="nowhere")
    assert missing.status == 2
    assert "nowhere" in missing.output
    with pytest.raises(SandboxFailed, match="not a folder of the workspace"):
        await place.run("pwd", folder="../..")


@pytest.mark.parametrize(
    ("line", "status"), [("true", 0), ("exit 7", 7), ("kill -9 $$", -9), ("no-such-program", 127)]
)
async def test_the_status_is_that_of_the_command(place: Place, line: str, status: int) -> None:
    done = await place.run(line)
    assert (done.ending, done.status) == ("exited", status)


async def test_lent_folders_are_there_and_cannot_be_written(place: Place) -> None:
    done = await place.run("cat node_modules/left/index.js .git/HEAD; echo x > node_modules/new")
    assert "module.exports = 1\nref: refs/heads/main\n" in done.output
    assert done.status == 2
    assert not (place.root / "node_modules/new").exists()


async def test_cancelling_ends_all_of_it(place: Place) -> None:
    ready = asyncio.Event()
    line = "setsid sleep 424242 & (nohup sh -c 'echo up; sleep 424242' &) ; sleep 424242"
    running = asyncio.create_task(place.run(line, on_output=lambda text: ready.set()))
    await ready.wait()
    assert _sleeping()
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert not _sleeping()


async def test_cancelling_at_any_moment_leaves_neither_process_nor_descriptor(place: Place) -> None:
    await place.run("true")
    open_before = len(list(Path("/proc/self/fd").iterdir()))  # noqa: ASYNC240 (a test waits for nobody)
    for turns in (0, 1, 2, 3, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000):
        running = asyncio.create_task(place.run("setsid sleep 424242 & sleep 424242"))
        for _ in range(turns):
            await asyncio.sleep(0)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert not _sleeping(), turns
    await place.run("true")  # which lets the loop close what has ended
    assert len(list(Path("/proc/self/fd").iterdir())) <= open_before  # noqa: ASYNC240


async def test_a_listener_that_fails_ends_the_command(place: Place) -> None:
    def fails(text: str) -> None:
        raise ValueError(text)

    with pytest.raises(ValueError, match="begun"):
        await place.run("echo begun; setsid sleep 424242 & sleep 424242", on_output=fails)
    assert not _sleeping()


async def test_commands_in_one_copy_take_turns(place: Place) -> None:
    """One beside another could put a link where a folder is about to be mounted."""
    line = "[ ! -e busy ] && touch busy && sleep 0.2 && rm busy"
    both = await asyncio.gather(place.run(line), place.run(line))
    assert [done.status for done in both] == [0, 0]


async def test_nothing_outlives_the_program_that_started_it(place: Place) -> None:
    """Not even when that program is ended so that it can do nothing about it."""
    code = (
        "import asyncio, sys; from pathlib import Path; from qwen_lsp.sandbox.find import find\n"
        "from qwen_lsp.sandbox.command import Cage, Command, Limits\n"
        "root, copy = map(Path, sys.argv[1:])\n"
        "line = Command('setsid sleep 424242 & echo up; sleep 424242')\n"
        "said = lambda text: print(text, flush=True)\n"
        "asyncio.run(find(root).run(Cage(root, copy), line, Limits(), said))"
    )
    words = (sys.executable, "-c", code, str(place.root), str(place.scratch))
    program = await asyncio.create_subprocess_exec(*words, stdout=asyncio.subprocess.PIPE)
    assert program.stdout is not None
    assert await program.stdout.readline() == b"up\n"
    held = [os.pidfd_open(process) for process, line in _sleeping().items() if b"asyncio" not in line]
    assert len(held) >= 2
    program.kill()
    await program.wait()
    for descriptor in held:
        ended, _, _ = await asyncio.to_thread(select.select, [descriptor], [], [], 30)
        os.close(descriptor)
        assert ended


async def test_it_is_ended_when_its_time_is_over(place: Place) -> None:
    line = "echo begun; setsid sleep 424242 & sleep 424242"
    done = await place.run(line, limits=Limits(seconds=0.5))
    assert done.ending == "time"
    assert done.output == "begun\n"
    assert not _sleeping()


async def test_a_cage_that_cannot_be_made_runs_nothing(place: Place, tmp_path: Path) -> None:
    gone = Cage(root=place.root, scratch=tmp_path / "gone")
    with pytest.raises(SandboxFailed, match="cannot be shown"):
        await place.box.run(gone, Command("echo x > y"), Limits())
    system = Cage(root=Path("/"), scratch=place.scratch)
    with pytest.raises(SandboxFailed, match="holds the system"):
        await place.box.run(system, Command("true"), Limits())


@pytest.mark.parametrize(
    ("script", "told"),
    [
        ("echo 'bwrap: Unknown option --block-fd' >&2; exit 1", "bwrap: Unknown option --block-fd"),
        ("exit 0", "did not say which process is the first"),
        ("echo '{\"child-pid\": 4194304}' >&$2; exit 1", "cannot be held"),
        ("echo '{\"child-pid\": '$$'}' >&$2; echo 'bwrap: Cannot mount' >&2; exit 1", "bwrap: Cannot mount"),
        ("read -r nothing < /nowhere; exec /nowhere/at-all", "at-all"),
    ],
    ids=["refuses", "says nothing", "names a process that is none", "fails later", "fails to start"],
)
async def test_a_bubblewrap_that_fails_is_told_in_its_own_words(
    place: Place, tmp_path: Path, script: str, told: str
) -> None:
    assert isinstance(place.box, Bubblewrap)
    fake = tmp_path / "bwrap"
    fake.write_text(f"#!/bin/bash\n{script}\n", "utf-8")
    fake.chmod(0o755)
    failing = dataclasses.replace(place, box=dataclasses.replace(place.box, program=fake))
    with pytest.raises(SandboxFailed, match=told):
        await failing.run("echo never > ran")
    assert place.in_scratch("ran") is None


@pytest.mark.parametrize("root", ["project", "home", "home/user/deep/project"])
async def test_the_workspace_may_be_home_or_below_it(
    tmp_path: Path, root: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    monkeypatch.setenv("HOME", str(home))
    laid = place(tmp_path, home, root=root)
    done = await laid.run('cat main.py; touch "$HOME/x" && ls "$HOME"; echo 1 > made')
    assert "print('hello')\n" in done.output
    assert "\nx\n" in done.output
    assert laid.in_scratch("made") == "1\n"
    assert not (home / "x").exists()


def _sleeping() -> dict[int, bytes]:
    """The processes that these tests start, as far as they are there, with their command lines."""
    found: dict[int, bytes] = {}
    for process in Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError):
            found[int(process.name)] = (process / "cmdline").read_bytes()
    return {process: line for process, line in found.items() if b"424242" in line}


@pytest.mark.parametrize("attack", [*KERNEL, *PROTECTED[:8]], ids=lambda attack: attack.name)
async def test_an_older_bubblewrap_holds_as_well(place: Place, attack: Attack) -> None:
    """Without the options that came later, the filter and the watching do what they would have done."""
    assert isinstance(place.box, Bubblewrap)
    older = dataclasses.replace(place, box=dataclasses.replace(place.box, has=frozenset()))
    with canaries(older) as about:
        before = older.untouched()
        done = await older.run(about.fill_in(attack))
        assert about.effects(before, done.output) == [], done.output
