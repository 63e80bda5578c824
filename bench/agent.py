"""What an agent run costs beside the model: the real command against a scripted model server.

    python -m bench.agent [DIR] [--runs N]

A copy of DIR (default: this repository) is indexed, then `qwen-lsp agent` carries out six scripted turns in
it: 5 reads, 2 + 4 + 3 edits, a look around, the final reply. Told are, as medians of N runs: CPU from the
start of the process to its first request; the gap between a reply's last byte and the next request; the
process's highest resident memory. The floor, in the same run, sends the same bodies from a process that does
nothing else. Then the share of the earlier prompt that the later one begins with: turn to turn, after a kill
and a resume, and, for system prompt and tools, in a new run after a commit.
"""

from __future__ import annotations

import argparse
import asyncio
import itertools
import json
import os
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.endpoint import Recorded, Reply, ScriptedEndpoint
from tests.support.prefix import as_prompt, kept

REPOSITORY = Path(__file__).resolve().parent.parent
TASK = "Note in the first functions of these modules that they were looked at."
_WHO = ("-c", "user.name=bench", "-c", "user.email=bench@example.org", "-c", "commit.gpgsign=false")


@dataclass
class Run:
    """One run of the command, as the model server saw it."""

    cpu: float = 0.0
    """Seconds from the start to the first request."""
    requests: list[Recorded] = field(default_factory=list[Recorded])
    peak: float = 0.0
    """Megabytes."""
    status: int = 0

    @property
    def prompts(self) -> list[str]:
        return [as_prompt(request.json) for request in self.requests]

    @property
    def gaps(self) -> list[float]:
        """Milliseconds between a reply and the request after it."""
        pairs = itertools.pairwise(self.requests)
        return [(later.at - earlier.answered) * 1e3 for earlier, later in pairs]


def turns(root: Path, run: int) -> list[Reply]:
    """Six turns over nine files: reads, edits of a line that stands once, a last word."""
    files = [path for path in sorted(root.rglob("*.py")) if _edit(root, path, "") is not None]
    files = files[:: max(1, len(files) // 9)][:9]
    names = [str(path.relative_to(root)) for path in files]
    edits = [_edit(root, path, f"{run}.{number}") for number, path in enumerate(files)]
    calls = [("edit", edit) for edit in edits if edit is not None]
    return [
        Reply("I read.", tool_calls=[("read_file", {"file_path": name}) for name in names[:5]]),
        Reply("I edit.", tool_calls=calls[:2]),
        Reply("I go on.", tool_calls=calls[2:6]),
        Reply("I finish.", tool_calls=calls[6:9]),
        Reply("I look.", tool_calls=[("grep_search", {"pattern": "looked at: "})]),
        Reply("Each of the files has its note now."),
    ]


def _edit(root: Path, path: Path, number: str) -> dict[str, str] | None:
    text = path.read_text(encoding="utf-8")
    line = next((line for line in text.splitlines() if line.startswith(("def ", "class "))), "")
    if not line or text.count(line) != 1 or len(text) > 60_000:
        return None
    name = str(path.relative_to(root))
    return {"file_path": name, "old_string": line, "new_string": f"# looked at: {number}\n{line}"}


async def run(root: Path, script: Sequence[Reply], *, resume: str = "", kill_at: int = 0) -> Run:
    """Start the command and answer its requests in order; kill it at the arrival of request `kill_at`."""
    seen = Run()
    left = list(script)
    process: subprocess.Popen[bytes] | None = None

    def answered(request: Recorded) -> Reply:
        assert process is not None
        if not seen.requests:
            seen.cpu = _cpu(process.pid)
        seen.requests.append(request)
        if kill_at and len(seen.requests) == kill_at:
            process.send_signal(signal.SIGKILL)
        return left.pop(0)

    async with ScriptedEndpoint(responder=answered) as server:
        environment = {**os.environ, "OPENAI_BASE_URL": server.base_url, "OPENAI_MODEL": server.model}
        what = ["--resume", resume] if resume else ["-p", TASK]
        process = subprocess.Popen(  # noqa: ASYNC220 - waited for with its resources, below
            [sys.executable, "-m", "qwen_lsp", "agent", str(root), *what, "--yes", "--json"],
            env=environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
        )  # fmt: skip
        _, status, used = await asyncio.to_thread(os.wait4, process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        seen.status, seen.peak = process.returncode, used.ru_maxrss / 1024
        assert process.stderr is not None
        said = process.stderr.read().decode("utf-8", "replace")
        process.stderr.close()
        if seen.status != (-signal.SIGKILL if kill_at else 0):
            raise SystemExit(f"the command ended with {seen.status}: {said}")
    return seen


def _cpu(pid: int) -> float:
    """CPU seconds of a process and of its children that have ended."""
    fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
    return sum(map(int, fields[11:15])) / os.sysconf("SC_CLK_TCK")


_FLOOR = """
import http.client, json, sys
port, bodies = int(sys.argv[1]), json.load(sys.stdin)
link = http.client.HTTPConnection("127.0.0.1", port)
for body in bodies:
    link.request("POST", "/v1/chat/completions", body.encode(), {"Content-Type": "application/json"})
    link.getresponse().read()
"""


async def floor(bodies: Sequence[bytes], script: Sequence[Reply]) -> list[float]:
    """The gaps of a process that only sends these bodies, one when the reply before it has ended."""
    async with ScriptedEndpoint() as server:
        server.script(script)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", _FLOOR, str(server.port), stdin=asyncio.subprocess.PIPE
        )
        await process.communicate(json.dumps([body.decode() for body in bodies]).encode())
        return Run(requests=server.requests).gaps


def copied(source: Path, folder: Path) -> Path:
    """A repository of its own with the files that git tracks in `source`, committed."""
    root = folder / source.name
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=source, capture_output=True, check=True).stdout
    for name in filter(None, listed.decode().split("\0")):
        if (source / name).is_file():
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source / name, root / name)
    for command in (("init", "-q"), ("add", "-f", "."), (*_WHO, "commit", "-qm", "Begin")):
        subprocess.run(("git", *command), cwd=root, check=True)
    return root


def head(prompt: str, request: Recorded) -> str:
    """The system prompt and the tools."""
    return prompt[: len(as_prompt({**request.json, "messages": request.messages[:1]}))]


async def measured(root: Path, runs: int) -> dict[str, Any]:
    found: list[Run] = []
    gaps: list[float] = []
    for number in range(runs):
        script = turns(root, number)
        found.append(await run(root, script))
        gaps += await floor([request.body for request in found[-1].requests], script)
        done = ("git", *_WHO, "commit", "-qam", f"Run {number}")
        await asyncio.to_thread(subprocess.run, done, cwd=root, check=True)
    first = found[0].prompts
    killed = await run(root, turns(root, runs), kill_at=4)
    again = await run(root, turns(root, runs)[3:], resume=_latest())
    extended = [kept(a, b) for one in found for a, b in itertools.pairwise(one.prompts)]
    return {
        "runs": runs,
        "cpu_to_first_request_s": round(statistics.median(one.cpu for one in found), 2),
        "gap_p50_ms": round(statistics.median(gap for one in found for gap in one.gaps), 1),
        "gap_worst_ms": round(max(gap for one in found for gap in one.gaps), 1),
        "floor_gap_p50_ms": round(statistics.median(gaps), 1),
        "peak_rss_mb": round(statistics.median(one.peak for one in found)),
        "first_prompt_chars": len(first[0]),
        "system_and_tools_chars": len(head(first[0], found[0].requests[0])),
        "prefix_turn_to_turn": min(extended),
        "prefix_on_resume": kept(killed.prompts[-1], again.prompts[0]),
        "prefix_after_commit_system_and_tools": kept(
            head(first[0], found[0].requests[0]), found[-1].prompts[0]
        ),
        "prefix_after_commit_all": round(kept(first[0], found[-1].prompts[0]), 3),
    }


def _latest() -> str:
    from qwen_lsp.runs.stored import infos

    return infos()[0].run


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("workspace", nargs="?", type=Path, default=REPOSITORY)
    parser.add_argument("--runs", type=int, default=5)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="qwen-lsp-bench-") as folder:
        for variable in ("XDG_CACHE_HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"):
            os.environ[variable] = str(Path(folder) / variable)
        # As an installed package has it: modules are not compiled anew at every start.
        os.environ["PYTHONPYCACHEPREFIX"] = str(Path(folder) / "compiled")
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        root = copied(args.workspace.resolve(), Path(folder))
        index = [sys.executable, "-m", "qwen_lsp", "index", str(root)]
        subprocess.run(index, check=True, stdout=subprocess.DEVNULL)
        begun = time.perf_counter()
        for name, value in asyncio.run(measured(root, args.runs)).items():
            print(f"{name:40} {value}")
        print(f"{'seconds':40} {time.perf_counter() - begun:.0f}")


if __name__ == "__main__":
    main()
