"""Arguments as models write them: what is understood, and what is refused with what was wrong."""

from __future__ import annotations

from typing import Any

import pytest

from qwen_lsp.errors import ToolRefused
from qwen_lsp.features.agent.tools import TOOLS

EDIT = {"file_path": "a.py", "old_string": "a", "new_string": "b"}


@pytest.mark.parametrize(
    ("tool", "given", "taken"),
    [
        ("read_file", {"path": "a.py"}, {"file_path": "a.py"}),
        ("read_file", {"filePath": "a.py", "limit": "20"}, {"file_path": "a.py", "limit": 20}),
        ("read_file", {"absolute_path": "/w/a.py", "offset": 3.0}, {"file_path": "/w/a.py", "offset": 3}),
        ("edit", {"file": "a.py", "old_str": "a", "new_str": "b"}, EDIT),
        ("edit", {"filePath": "a.py", "oldString": "a", "newString": "b", "replaceAll": "true"},
         {**EDIT, "replace_all": True}),
        ("write_file", {"path": "a.py", "contents": "x"}, {"file_path": "a.py", "content": "x"}),
        ("list_directory", {"dir_path": "src"}, {"path": "src"}),
        ("grep_search", {"query": "x", "include": "*.py"}, {"pattern": "x", "glob": "*.py"}),
        ("grep_search", {"pattern": 404}, {"pattern": "404"}),
        ("find_symbol", {"symbol": "run"}, {"name": "run"}),
        ("move_file", {"source": "a", "destination": "b"}, {"source_path": "a", "target_path": "b"}),
        ("read_many_files", {"paths": '["a.py", "b.py"]'}, {"paths": ["a.py", "b.py"]}),
        ("read_many_files", {"file_paths": "a.py"}, {"paths": ["a.py"]}),
        ("edit_files", {"edits": EDIT}, {"edits": [EDIT]}),
        ("edit_files", {"edits": [{"path": "a.py", "old_str": "a", "new_str": "b"}]}, {"edits": [EDIT]}),
        ("edit_files", {"edits": '[{"file_path": "a.py", "old_string": "a", "new_string": "b"}]'},
         {"edits": [EDIT]}),
        ("edit_files", {"edits": [{**EDIT, "replace_all": None}]}, {"edits": [EDIT]}),
    ],
)  # fmt: skip
def test_what_can_be_read_in_one_way_is_understood(
    tool: str, given: dict[str, Any], taken: dict[str, Any]
) -> None:
    assert TOOLS[tool].check(given) == taken


@pytest.mark.parametrize(
    ("tool", "given", "said"),
    [
        ("read_file", {}, r"read_file needs file_path; got nothing\."),
        ("read_file", {"path": "a", "file": "b"}, r"read_file needs file_path; got path, file\."),
        ("read_file", {"file_path": "a", "path": "b"}, r"read_file has no path; it takes file_path, offset"),
        (
            "read_file",
            {"file_path": "a", "limit": "many"},
            r'limit must be of type integer, not text \("many"\)',
        ),
        ("read_file", {"file_path": "a", "limit": True}, "limit must be of type integer, not bool"),
        ("read_file", {"file_path": "a", "limit": 1.5}, "limit must be of type integer, not float"),
        ("read_file", {"file_path": ["a", "b"]}, "file_path must be of type string, not list"),
        (
            "write_file",
            {"file_path": "a.json", "content": {"a": 1}},
            "content must be of type string, not dict",
        ),
        ("edit", {**EDIT, "replace_all": "yes"}, "replace_all must be of type boolean"),
        ("edit_files", {"edits": [EDIT, {"file_path": "b"}]}, r"edits\[2\] needs old_string, new_string"),
        ("edit_files", {"edits": ["a"]}, r"edits\[1\] must be of type object"),
        ("edit_files", {"edits": '[{"file_path"'}, "edits must be of type array"),
        ("edit_files", {"edits": [{**EDIT, "line": 3}]}, r"edits\[1\] has no line"),
    ],
)
def test_anything_else_is_refused_with_what_was_wrong(tool: str, given: dict[str, Any], said: str) -> None:
    with pytest.raises(ToolRefused, match=said):
        TOOLS[tool].check(given)
