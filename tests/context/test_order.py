"""The order of files by who imports whom, where files come and go."""

from __future__ import annotations

from pathlib import Path

import pytest

from qwen_lsp.context.order import dependencies_first
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import workspace


@pytest.mark.parametrize(
    ("importer", "line", "made"),
    [
        ("a.py", "from pkg import late", "pkg/late.py"),
        ("a.py", "import late", "late/__init__.py"),
        ("a.ts", "import {x} from './late';", "late.ts"),
        ("a.ts", "import {x} from './late';", "late/index.ts"),
        ("a.ts", "import {x} from 'shop';", "packages/shop/index.ts"),
        ("a.go", 'import "example.org/m/late"', "late/other.go"),
        ("a.c", '#include "late.h"', "late.h"),
        ("main.rs", "mod zebra;", "zebra.rs"),
        ("lib.rs", "use crate::late::X;", "late.rs"),
        ("src/zb.rs", "use crate::x::y::z::W;", "src/x.rs"),
    ],
)
def test_a_file_that_comes_or_goes_changes_the_place_of_who_imports_it(
    importer: str, line: str, made: str, tmp_path: Path
) -> None:
    place = workspace(
        f"""
        #- go.mod
        module example.org/m
        #- packages/shop/package.json
        {{"name": "shop", "main": "index.ts"}}
        #- {importer}
        {line}
        #- aside.py
        import nothing
        """,
        tmp_path,
    )
    first, late = RelPath(importer), RelPath(made)
    without = place.snapshot
    text = "package late\n" if made.endswith(".go") else "\n"
    created = without.edited(late, text)
    deleted = created.edited(late, None)
    for snapshot, expected in ((without, [first]), (created, [late, first]), (deleted, [first])):
        known = [path for path in sorted((first, late)) if snapshot.has(path)]
        assert dependencies_first(snapshot, known) == expected
