"""A command that takes too much is ended with all it has started, and how it ended says what it was."""

from __future__ import annotations

import asyncio
import os
import shlex

import pytest

from qwen_lsp.sandbox import groups
from qwen_lsp.sandbox.command import Ending, Limits
from tests.sandbox.canaries import survivors
from tests.sandbox.places import Place

MIB = 1024 * 1024


def _python(code: str) -> str:
    return f"python3 -c {shlex.quote(code)}"


TOO_MUCH: dict[str, tuple[str, Ending, Limits]] = {
    "a fork bomb": (
        _python("import os\nwhile True:\n  try: os.fork()\n  except OSError: pass"),
        "processes", Limits(processes=48),
    ),
    "a fork bomb in sessions of its own": (
        _python("import os\nwhile True:\n  try:\n    if os.fork() == 0: os.setsid()\n  except OSError: pass"),
        "processes", Limits(processes=48),
    ),
    "many that wait": (
        "for i in $(seq 100); do setsid sleep 515151 & done; wait", "processes", Limits(processes=48),
    ),
    "memory": (
        _python("x = bytearray(400 << 20)\nwhile True: pass"), "memory", Limits(memory_bytes=200 * MIB),
    ),
    "memory of many": (
        _python("import os\nfor i in range(4): os.fork()\nx = bytearray(40 << 20)\nwhile True: pass"),
        "memory", Limits(memory_bytes=300 * MIB),
    ),
    "memory without a name": (
        _python(
            "import os\nfd = os.memfd_create('m')\n"
            "for _ in range(400): os.write(fd, bytes(1 << 20))\nwhile True: pass"
        ),
        "memory", Limits(memory_bytes=200 * MIB),
    ),
    "the copy": (
        "head -c 300000000 /dev/zero > a; head -c 300000000 /dev/zero > b; sleep 515151",
        "disk", Limits(disk_bytes=350 * MIB),
    ),
    "files of the copy that were deleted": (
        "for fd in 3 4; do eval exec $fd'> a'; rm a; head -c 300000000 /dev/zero >&$fd; done; sleep 515151",
        "disk", Limits(disk_bytes=350 * MIB),
    ),
    "the temporary folder": (
        "head -c 60000000 /dev/zero > /tmp/a; sleep 515151", "disk", Limits(disk_bytes=50 * MIB),
    ),
    "home and the temporary folder together": (
        "head -c 30000000 /dev/zero > /tmp/a; head -c 30000000 /dev/zero > ~/b; sleep 515151",
        "disk", Limits(disk_bytes=50 * MIB),
    ),
    "shared memory": (
        "head -c 60000000 /dev/zero > /dev/shm/a; sleep 515151", "disk", Limits(disk_bytes=50 * MIB),
    ),
    "empty files": (
        _python("i = 0\nwhile True:\n  open(f'/tmp/{i}', 'w').close()\n  i += 1"), "disk",
        Limits(disk_bytes=4 * MIB),
    ),
    "a folder deeper than a path can say": (
        _python(
            "import os, time\nfor _ in range(30):\n  os.mkdir('d' * 200); os.chdir('d' * 200)\n"
            "for name in 'ab':\n  open(name, 'wb').write(bytes(40 << 20))\ntime.sleep(515151)"
        ),
        "disk", Limits(disk_bytes=50 * MIB),
    ),
    "output": ("yes", "output", Limits(output_bytes=10_000)),
    "output of a program left behind": ("yes & sleep 515151", "output", Limits(output_bytes=10_000)),
    "time": ("sleep 515151", "time", Limits(seconds=0.3)),
    "time, with signals ignored": (
        "trap '' TERM INT HUP; while :; do sleep 515151; done", "time", Limits(seconds=0.3),
    ),
}  # fmt: skip


@pytest.mark.parametrize("case", TOO_MUCH)
async def test_it_is_ended(place: Place, case: str) -> None:
    line, ending, limits = TOO_MUCH[case]
    async with asyncio.timeout(240):
        done = await place.run(line, limits=limits)
    assert done.ending == ending, done
    assert done.status == -9
    assert survivors("515151") == []


async def test_a_fork_bomb_of_the_shell_ends_by_one_or_the_other(place: Place) -> None:
    """It gives up where the kernel refuses, which may be before anybody looks."""
    async with asyncio.timeout(240):
        done = await place.run(
            "b() { b | b & }; b; wait; sleep 515151", limits=Limits(processes=48, seconds=20)
        )
    assert done.ending in ("processes", "exited", "time")
    assert survivors("515151") == []


async def test_a_file_cannot_grow_beyond_the_limit_however_fast(place: Place) -> None:
    done = await place.run("head -c 80000000 /dev/zero > a; stat -c %s a", limits=Limits(disk_bytes=50 * MIB))
    assert str(50 * MIB) in done.output


async def test_within_its_limits_nothing_happens(place: Place) -> None:
    line = "head -c 20000000 /dev/zero > /tmp/a; head -c 20000000 /dev/zero > a;" + _python(
        "x = bytearray(60 << 20); import time; time.sleep(0.3)"
    )
    limits = Limits(disk_bytes=60 * MIB, memory_bytes=200 * MIB, processes=8)
    done = await place.run(line, limits=limits)
    assert (done.ending, done.status) == ("exited", 0)


async def test_the_kernel_refuses_what_a_look_would_be_too_late_for(place: Place) -> None:
    """Tasks are limited, and threads are tasks that are no processes: nothing is ended, and no more come."""
    if os.geteuid() == 0:
        group = groups.make()
        if group is None:
            pytest.skip("root is limited only by a control group, and none can be made here")
        group.remove()
    code = (
        "import _thread, time\ncount = 0\n"
        "try:\n  while count < 900:\n    _thread.start_new_thread(time.sleep, (9,))\n    count += 1\n"
        "except RuntimeError: pass\nprint(count)"
    )
    done = await place.run(_python(code), limits=Limits(processes=64))
    assert done.ending == "exited"
    assert 64 < int(done.output) <= 64 * 8


async def test_memory_that_is_shared_counts_once(place: Place) -> None:
    line = _python(
        "import os, time\nx = bytearray(100 << 20)\n"
        "for _ in range(6):\n  if os.fork() == 0: break\ntime.sleep(0.5)"
    )
    done = await place.run(line, limits=Limits(memory_bytes=300 * MIB))
    assert (done.ending, done.status) == ("exited", 0)


async def test_one_segment_of_shared_memory_is_small(place: Place) -> None:
    line = _python(
        "import ctypes\nlibc = ctypes.CDLL(None)\n"
        "print([libc.shmget(0, ctypes.c_size_t(size), 0o1600) >= 0 for size in (4096, 1 << 30, 1 << 33)])"
    )
    assert (await place.run(line)).output == "[True, False, False]\n"


async def test_a_crash_is_told_to_nobody(place: Place) -> None:
    """A limit of one byte is the one that a handler of the host's is not started for."""
    done = await place.run(_python("import resource\nprint(resource.getrlimit(resource.RLIMIT_CORE))"))
    assert done.output == "(1, 1)\n"


async def test_of_long_output_the_beginning_and_the_end_are_kept(place: Place) -> None:
    done = await place.run("seq 1 10000", limits=Limits(output_bytes=10_000))
    assert done.output.startswith("1\n2\n3\n")
    assert done.output.endswith("\n9999\n10000\n")
    assert "bytes left out …]" in done.output
    assert len(done.output.encode()) < 10_100
    assert done.ending == "exited"
