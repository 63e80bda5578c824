"""Hostile calls of the tools that edit, with every question answered yes: nothing that is protected changes.

Each call goes the whole way: mode, leave, tool, and the write of whatever the fork became to a real disk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import QwenLspError
from qwen_lsp.features.agent.approval import Answer, Approval, Ask
from qwen_lsp.features.agent.toolbox import Desk, call
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.workspace.guard import guarded
from qwen_lsp.workspace.secrets import Gate
from qwen_lsp.workspace.transaction import commit
from tests.support.fixture import indexed_workspace

FILES = {
    ".git": "gitdir: ./store\n",
    "store/config": "[core]\n\tbare = false\n\thooksPath = tools/hooks\n",
    "store/HEAD": "ref: refs/heads/main\n",
    "store/objects/info/packs": "\n",
    "store/refs/heads/none": "\n",
    "store/hooks/pre-commit": "#!/bin/sh\n",
    "tools/hooks/pre-push": "#!/bin/sh\n",
    ".vscode/settings.json": "{}\n",
    ".mcp.json": "{}\n",
    ".github/workflows/ci.yml": "on: push\n",
    ".gitlab-ci.yml": "stages: []\n",
    ".husky/pre-commit": "#!/bin/sh\n",
    ".envrc": "export A=1\n",
    ".npmrc": "registry=x\n",
    ".gitattributes": "* text\n",
    ".qwen-lsp/config.toml": "[agent]\n",
    "Jenkinsfile": "node {}\n",
    "x.code-workspace": "{}\n",
}
OPEN = {"a.py": "x = 1\n", "sub/b.py": "y = 2\n", "package.json": "{}\n"}


def write(path: str) -> tuple[str, dict[str, Any]]:
    return "write_file", {"file_path": path, "content": "owned\n"}


def create(path: str) -> tuple[str, dict[str, Any]]:
    return "edit", {"file_path": path, "old_string": "", "new_string": "owned\n"}


def change(path: str) -> tuple[str, dict[str, Any]]:
    return "edit", {"file_path": path, "old_string": FILES.get(path, "x"), "new_string": "owned\n"}


def delete(path: str) -> tuple[str, dict[str, Any]]:
    return "delete_file", {"file_path": path}


def move(source: str, target: str) -> tuple[str, dict[str, Any]]:
    return "move_file", {"source_path": source, "target_path": target}


def many(*paths: str) -> tuple[str, dict[str, Any]]:
    return "edit_files", {
        "edits": [{"file_path": p, "old_string": "", "new_string": "owned\n"} for p in paths]
    }


CALLS: list[tuple[str, dict[str, Any]]] = [
    *(change(path) for path in FILES), *(write(path) for path in FILES), *(delete(path) for path in FILES),
    *(move(path, "taken.txt") for path in FILES), *(move("a.py", path) for path in FILES),
    # case, form and invisible characters
    write(".GIT/config"), create(".Git/hooks/pre-commit"), create(".VSCODE/tasks.json"),
    create(".VsCode/launch.json"),
    create(".ｇｉｔ/config"), create(".g\u200cit/config"), create(".git\u200b/hooks/x"),
    create("\ufeff.git/config"),
    create(".gıt/config"), create(".GITHUB/Workflows/x.yml"), create("JENKINSFILE"), create(".Mcp.json"),
    # what a file system cuts off or takes for something else
    create(".git./config"), create(".git /config"), create(".git::$INDEX_ALLOCATION/config"),
    create(".vscode::$DATA"),
    create("GIT~1/config"), create("VSCODE~1/tasks.json"), create(".mcp.json."), create(".npmrc:stream"),
    # ways around by the path
    create("sub/../.git/config"), create("./.git/config"), create(".git//config"),
    create("sub\\..\\.git\\config"),
    create(".\\.git\\config"), create("/{root}/.git/config"), create("{root}/.vscode/tasks.json"),
    create("{root}/../workspace/.git/config"), create("{root}/sub/../.git/x"), create("%2egit/config"),
    create(".git%2fhooks%2fx"), create(".vscode%5csettings.json"), create("file://{root}/.git/config"),
    # outside
    create("../outside/x"), create("/etc/owned"), create("{root}_evil/x"), create("{root}/../outside/x"),
    create("..\\outside\\x"), create("C:\\owned"), create("\\\\host\\share\\owned"),
    create("~/../../etc/owned"),
    create("a\0.py"), create("sub/../../outside/x"), move("../outside/secret.txt", "taken.txt"),
    move("a.py", "../outside/a.py"), delete("../outside/secret.txt"),
    # links: to a protected folder, a protected file, out of the workspace
    create("link/config"), create("link/hooks/new"), write("linked.txt"), delete("linked.txt"),
    create("out/new.txt"),
    write("out/secret.txt"), move("a.py", "out/a.py"), move("a.py", "link/a.py"), move("linked.txt", "b.txt"),
    create("proc/self/cwd/x"),
    # what this workspace's own git says
    create("store/hooks/post-checkout"), create("STORE/config.worktree"), create("tools/hooks/pre-commit"),
    create("tools/Hooks/post-merge"),
    # whole folders
    move(".git", "old"), move("sub", ".git"), delete(".git"), delete(".vscode"), write(".git"),
    write(".vscode"),
    write(".github/workflows"), create("store"),
    # among others
    many("fine.py", ".git/config"), many(".vscode/tasks.json", "fine.py"), many("a/b.py", "a/../.envrc"),
]  # fmt: skip


async def yes(ask: Ask, /) -> Answer:
    return "request"


def tree(folder: Path) -> dict[str, bytes | str]:
    """Every name below a folder, with what it holds or points at, and whether anything is at the far one."""
    found: dict[str, bytes | str] = {"/etc/owned": str(Path("/etc/owned").exists())}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            found[name] = f"-> {path.readlink()}"
        else:
            found[name] = path.read_bytes() if path.is_file() else "folder"
    return found


@pytest.fixture
async def base(tmp_path: Path) -> Snapshot:
    root = tmp_path / "workspace"
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "secret.txt").write_text("kept\n", encoding="utf-8")
    text = "".join(f"#- {path}\n{content}" for path, content in {**FILES, **OPEN}.items())
    made = await indexed_workspace(text, root)
    (root / "link").symlink_to("store")
    (root / "linked.txt").symlink_to("store/config")
    (root / "out").symlink_to(tmp_path / "outside")
    (root / "proc").symlink_to("/proc")
    return made.snapshot


async def carried_out(base: Snapshot, tool: str, arguments: dict[str, Any], journal: Path) -> None:
    """One call with every question answered yes, and whatever it came to written to disk."""
    approval = Approval("ask", yes, guarded=guarded(base.root))
    gate = Gate(base.root)
    approval.admits(TOOLS[tool])
    desk = Desk(base, gate)
    await approval.edit_leave(desk, TOOLS[tool], arguments)
    fork = (await call(TOOLS, desk, ToolCall(tool, arguments))).snapshot
    edits = tuple(fork.changes_since(base))
    await asyncio.to_thread(commit, base.root, edits, journal)


def filled(value: Any, root: Path) -> Any:
    """The arguments with `{root}` replaced wherever it stands."""
    return json.loads(json.dumps(value).replace("{root}", str(root)))


async def test_no_hostile_call_changes_a_protected_byte(base: Snapshot, tmp_path: Path) -> None:
    assert len(CALLS) >= 120
    before, journal = tree(tmp_path), tmp_path.with_name(f"{tmp_path.name}-journal")
    through: list[str] = []
    for tool, arguments in CALLS:
        with contextlib.suppress(QwenLspError):
            await carried_out(base, tool, filled(arguments, base.root), journal)
        if tree(tmp_path) != before:
            through.append(f"{tool} {arguments}")
            break
    assert through == []


async def test_the_same_way_carries_out_what_is_no_harm(base: Snapshot, tmp_path: Path) -> None:
    """The test above would hold for tools that do nothing."""
    journal = tmp_path.with_name(f"{tmp_path.name}-journal")
    await carried_out(base, *write("sub/new.py"), journal)
    await carried_out(base, *change("a.py"), journal)
    await carried_out(base, *create("uv.lock"), journal)
    assert (base.root / "sub" / "new.py").read_text(encoding="utf-8") == "owned\n"
    assert (base.root / "a.py").read_text(encoding="utf-8").startswith("owned")
    assert (base.root / "uv.lock").exists(), "touchy, and allowed"


async def test_a_hard_link_to_a_protected_file_is_parted_from_it(base: Snapshot, tmp_path: Path) -> None:
    config, twin = base.root / "store" / "config", base.root / "sub" / "twin.txt"
    os.link(config, twin)
    made = await indexed_workspace("#- a.py\nx = 1\n", base.root)
    journal = tmp_path.with_name(f"{tmp_path.name}-journal")
    await carried_out(made.snapshot, *write("sub/twin.txt"), journal)
    assert twin.read_text(encoding="utf-8") == "owned\n"
    assert config.read_text(encoding="utf-8") == FILES["store/config"]
