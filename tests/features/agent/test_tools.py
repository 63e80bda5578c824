"""The agent's tools: what the model sees for a call, and what the fork is afterwards."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.errors import EditRejected, ToolRefused
from qwen_lsp.features.agent.toolbox import Desk, Tool
from qwen_lsp.features.agent.toolbox import call as call_tool
from qwen_lsp.features.agent.tools import TOOLS
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace

FILES = '''
#- pkg/shapes.py
"""Shapes."""


class Circle:
    def __init__(self, radius: float) -> None:
        self.radius = radius

    def area(self) -> float:
        return 3 * self.radius**2
#- pkg/use.py
from pkg.shapes import Circle


def total(circles: list[Circle]) -> float:
    return sum(circle.area() for circle in circles)
#- README.md
# Shapes
#- .env
TOKEN=private
'''


@pytest.fixture
def desk() -> Desk:
    made = workspace(FILES)
    return Desk(made.snapshot, Gate(None))


def call(tools: Mapping[str, Tool], desk: Desk, asked: ToolCall) -> tuple[Snapshot, str]:
    outcome = asyncio.run(call_tool(tools, desk, asked))
    return outcome.snapshot, outcome.text


def asked(desk: Desk, tool: str, **arguments: Any) -> str:
    return call(TOOLS, desk, ToolCall(tool, arguments))[1]


def test_list_directory_puts_folders_first(desk: Desk) -> None:
    assert asked(desk, "list_directory", path=".").splitlines() == ["pkg/", ".env", "README.md"]
    assert asked(desk, "list_directory", path="pkg").splitlines() == ["shapes.py", "use.py"]


def test_paths_may_be_absolute_inside_the_root(desk: Desk) -> None:
    inside = str(desk.snapshot.root / "README.md")
    assert asked(desk, "read_file", file_path=inside) == "# Shapes\n"


@pytest.mark.parametrize("path", ["../x", "/etc/passwd", "pkg/../../x", "", "a\0b"])
def test_paths_outside_are_refused(desk: Desk, path: str) -> None:
    with pytest.raises(ToolRefused):
        asked(desk, "read_file", file_path=path)


def test_read_file_says_what_it_left_out(desk: Desk) -> None:
    said = asked(desk, "read_file", file_path="pkg/shapes.py", offset=3, limit=2)
    assert said.splitlines() == [
        "[lines 4 to 5 of 9; go on with offset=5]",
        "class Circle:",
        "    def __init__(self, radius: float) -> None:",
    ]


def test_secret_files_are_neither_read_nor_written(desk: Desk) -> None:
    for tool, more in (("read_file", {}), ("write_file", {"content": "x"}), ("delete_file", {})):
        with pytest.raises(ToolRefused):
            asked(desk, tool, file_path=".env", **more)


def test_search_and_symbols(desk: Desk) -> None:
    assert asked(desk, "glob", pattern="**/*.py").splitlines() == ["pkg/shapes.py", "pkg/use.py"]
    assert "pkg/use.py:5: return sum(circle.area() for circle in circles)" in asked(
        desk, "grep_search", pattern=r"\.area\("
    )
    assert asked(desk, "find_symbol", name="area").startswith("pkg/shapes.py:8-9 (method)")
    assert "pkg/use.py:5" in asked(desk, "find_references", name="area")
    assert "def area" in asked(desk, "outline", file_path="pkg/shapes.py")


def test_a_bad_pattern_is_explained(desk: Desk) -> None:
    with pytest.raises(ToolRefused, match="not a regular expression"):
        asked(desk, "grep_search", pattern="(")


def test_edit_changes_the_fork_alone(desk: Desk) -> None:
    fork, said = call(
        TOOLS,
        desk,
        ToolCall("edit", {"file_path": "README.md", "old_string": "Shapes", "new_string": "Forms"}),
    )
    assert said == "Edited README.md (line 1)."
    assert fork.text(RelPath("README.md")) == "# Forms\n"
    assert desk.snapshot.text(RelPath("README.md")) == "# Shapes\n"
    assert [(e.path, e.before, e.after) for e in fork.changes_since(desk.snapshot)] == [
        ("README.md", "# Shapes\n", "# Forms\n")
    ]


def test_a_new_syntax_error_is_reported_at_once(desk: Desk) -> None:
    said = asked(
        desk, "edit", file_path="pkg/use.py", old_string="-> float:", new_string="-> float",
    )  # fmt: skip
    assert "WARNING: this adds a syntax error near line 4" in said


def test_edit_files_is_all_or_nothing(desk: Desk) -> None:
    good = {"file_path": "README.md", "old_string": "Shapes", "new_string": "Forms"}
    bad = {"file_path": "pkg/use.py", "old_string": "nowhere to be found", "new_string": "x"}
    fork, _ = call(TOOLS, desk, ToolCall("edit_files", {"edits": [good]}))
    assert fork.text(RelPath("README.md")) == "# Forms\n"
    with pytest.raises(EditRejected, match=r"No edit was made. Edit 2 of 2 \(pkg/use.py\) failed"):
        call(TOOLS, desk, ToolCall("edit_files", {"edits": [good, bad]}))


def test_write_move_and_delete(desk: Desk) -> None:
    fork, _ = call(TOOLS, desk, ToolCall("write_file", {"file_path": "new.py", "content": "x = 1\n"}))
    fork, _ = call(
        TOOLS, Desk(fork, desk.gate),
        ToolCall("move_file", {"source_path": "pkg/use.py", "target_path": "pkg/usage.py"}),
    )  # fmt: skip
    fork, _ = call(TOOLS, Desk(fork, desk.gate), ToolCall("delete_file", {"file_path": "README.md"}))
    changed = {e.path: (e.before is None, e.after is None) for e in fork.changes_since(desk.snapshot)}
    assert changed["new.py"] == (True, False)
    assert changed["README.md"] == (False, True)
    assert changed["pkg/usage.py"][1] is False
    assert not fork.has(RelPath("pkg/use.py"))


@pytest.mark.parametrize(
    "path", [".git/hooks/pre-commit", ".vscode/settings.json", ".GIT/config", ".mcp.json"]
)
def test_what_governs_programs_is_protected(desk: Desk, path: str) -> None:
    with pytest.raises(ToolRefused, match="may not be changed"):
        asked(desk, "write_file", file_path=path, content="x")


@pytest.mark.parametrize(
    ("tool", "arguments", "said"),
    [
        ("edit", {"file_path": "README.md"}, "needs old_string, new_string"),
        ("edit", {"file_path": ["a"], "old_string": "a", "new_string": "b"}, "must be of type string"),
        ("read_file", {"file_path": "README.md", "colour": "red"}, "has no colour"),
        ("read_file", {"file_path": "README.md", "limit": True}, "must be of type integer"),
        ("open_file", {}, "There is no tool 'open_file'"),
        ("read_file", {"file_path": "missing.py"}, "cannot be read"),
    ],
)
def test_a_wrong_call_is_answered_with_what_was_wrong(
    desk: Desk, tool: str, arguments: dict[str, Any], said: str
) -> None:
    with pytest.raises(ToolRefused, match=said):
        call(TOOLS, desk, ToolCall(tool, arguments))


def test_a_file_with_hidden_secrets_is_not_written_whole() -> None:
    key = "AKIA" + "Q3EGRIWDF5TJ7XYZ"
    made = workspace(f'#- a.py\nKEY = "{key}"\n')
    desk = Desk(made.snapshot, Gate(None))
    assert key not in asked(desk, "read_file", file_path="a.py")
    with pytest.raises(ToolRefused, match="secrets you were not shown"):
        asked(desk, "write_file", file_path="a.py", content="KEY = ''\n")


def test_a_tool_never_writes_a_file(tmp_path: Path) -> None:
    made = workspace(FILES, tmp_path)
    before = {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()}
    desk = Desk(made.snapshot, Gate(tmp_path))
    for tool, arguments in (
        ("write_file", {"file_path": "new.py", "content": "x"}),
        ("edit", {"file_path": "README.md", "old_string": "Shapes", "new_string": "Forms"}),
        ("delete_file", {"file_path": "pkg/use.py"}),
    ):
        fork, _ = call(TOOLS, desk, ToolCall(tool, arguments))
        desk = Desk(fork, desk.gate)
    assert {p: p.read_bytes() for p in tmp_path.rglob("*") if p.is_file()} == before


KEY = """KEY = '''-----BEGIN RSA PRIVATE KEY-----
MIIEpAIBAAKCAQEA7bq0m0Jq3Yx8Zk2d1cTQm5uV9wXyZaBcDeFgHiJkLmNoPqRs
tUvWxYz0123456789abcdefGHIJKLMNOPqrstuvwxyzABCDEFghijklmnopQRST12
-----END RSA PRIVATE KEY-----'''


def use(key: str) -> str:
    return key
"""


def test_a_line_of_a_private_key_is_shown_by_no_tool() -> None:
    snapshot = workspace("").snapshot.edited(RelPath("key.py"), KEY)
    desk = Desk(snapshot, Gate(None))
    assert "MIIE" not in asked(desk, "grep_search", pattern="MIIE|tUvW").replace("'MIIE|tUvW'", "")
    with pytest.raises(EditRejected) as caught:
        asked(desk, "edit", file_path="key.py", old_string="MIIEpAIBAAKCAQEA\ndef use(", new_string="x")
    assert "7bq0m0" not in str(caught.value)


def test_a_secret_inside_an_edit_is_named_as_what_is_in_the_way() -> None:
    snapshot = workspace("").snapshot.edited(RelPath("key.py"), KEY)
    desk = Desk(snapshot, Gate(None))
    shown = asked(desk, "read_file", file_path="key.py")
    with pytest.raises(EditRejected, match="secret that you were not shown"):
        asked(desk, "edit", file_path="key.py", old_string=shown.split("\n\n")[0], new_string="KEY = ''")


def test_lines_are_counted_as_the_index_counts_them() -> None:
    text = "# one\x0c\n# two\u2028\ndef found() -> None: ...\n\n\nfound()\n"
    desk = Desk(workspace("").snapshot.edited(RelPath("a.py"), text), Gate(None))
    assert "def found()" in asked(desk, "find_symbol", name="found")
    said = asked(desk, "find_references", name="found")
    assert said.splitlines() == ["a.py:3: def found() -> None: ...", "a.py:6: found()"]
    assert asked(desk, "read_file", file_path="a.py", offset=2, limit=1).endswith(
        "def found() -> None: ...\n"
    )


def test_a_name_that_the_system_refuses_is_an_observation(tmp_path: Path) -> None:
    desk = Desk(replace(workspace("").snapshot, root=tmp_path), Gate(None))
    with pytest.raises(ToolRefused):
        asked(desk, "write_file", file_path="n" * 400 + ".py", content="x = 1\n")
