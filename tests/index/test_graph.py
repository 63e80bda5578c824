"""Imports lead to files of the workspace, and back."""

from __future__ import annotations

import pytest

from qwen_lsp.index.graph import dependencies, dependents
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import workspace

PYTHON = """
    #- src/pkg/__init__.py
    from . import util
    #- src/pkg/util.py
    import os
    import pkg.deep.leaf
    #- src/pkg/deep/__init__.py
    #- src/pkg/deep/leaf.py
    from ..util import helper
    from pkg import util
    #- tests/test_util.py
    from pkg.util import helper
    import helpers
    #- tests/helpers.py
    """
MONOREPO = """
    #- package.json
    {"name": "root", "workspaces": ["packages/*"]}
    #- packages/core/package.json
    {"name": "@kit/core", "exports": {".": {"import": {"types": "./dist/esm/main.d.ts"}}}}
    #- packages/core/src/main.ts
    export const core = 1;
    #- packages/core/src/sub/part.ts
    export const part = 1;
    #- packages/plain/package.json
    {"name": "plain"}
    #- packages/plain/src/index.ts
    export * from '@kit/core';
    #- packages/broken/package.json
    {"name": 3, "main": [
    #- packages/app/index.tsx
    import { core } from '@kit/core';
    import { part } from '@kit/core/sub/part';
    import plain from 'plain';
    import react from 'react';
    """
SCRIPTS = """
    #- tsconfig.json
    { // comments are allowed
      "compilerOptions": {"baseUrl": ".", "paths": {"@app/*": ["src/*"],},},
    }
    #- src/a.ts
    import { b } from './b';
    import { c } from '@app/lib/c';
    import { d } from './d.js';
    import React from 'react';
    #- src/b.ts
    export * from './lib';
    #- src/lib/index.ts
    export { c } from './c';
    #- src/lib/c.tsx
    #- src/d.ts
    """
GO = """
    #- go.mod
    module example.org/m
    #- main.go
    package main
    import (
        "fmt"
        "example.org/m/sub"
    )
    #- sub/one.go
    package sub
    #- sub/two.go
    package sub
    import "example.org/m"
    #- sub/one_test.go
    package sub
    """
RUST = """
    #- src/lib.rs
    mod a;
    mod b;
    #- src/a.rs
    use crate::b::T;
    use super::b::inner::U;
    use std::io;
    #- src/b/mod.rs
    mod inner;
    #- src/b/inner.rs
    use crate::a;
    """
JAVA = """
    #- app/src/main/java/org/x/A.java
    package org.x;
    import org.x.sub.B;
    import java.util.List;
    #- app/src/main/java/org/x/sub/B.java
    package org.x.sub;
    import static org.x.A.thing;
    """
C = """
    #- src/main.c
    #include "util.h"
    #include <lib/deep.h>
    #include <stdio.h>
    #- src/util.h
    #- include/lib/deep.h
    #include "../other.h"
    #- include/other.h
    """
RUBY = """
    #- lib/shop.rb
    require 'shop/cart'
    require_relative 'shop/item'
    require 'json'
    #- lib/shop/cart.rb
    #- lib/shop/item.rb
    """
PHP = """
    #- index.php
    <?php
    require 'inc/db.php';
    use App\\Model\\User;
    #- inc/db.php
    <?php
    #- src/Model/User.php
    <?php
    """
LUA = """
    #- main.lua
    local a = require("util.strings")
    local b = require("pkg")
    #- util/strings.lua
    #- pkg/init.lua
    """
CSHARP = """
    #- App/Program.cs
    using App.Models;
    using System.Text;
    #- App/Models/User.cs
    namespace App.Models;
    """
SHELL = """
    #- bin/run.sh
    . ../lib/util.sh
    source "$ROOT/themes/dark.theme.sh"
    source "$(dirname "$0")/near.sh"
    source ~/.bashrc
    #- bin/near.sh
    #- lib/util.sh
    #- lib/themes/dark.theme.sh
    """
KOTLIN = """
    #- src/a/Other.kt
    package a
    import a.b.Thing.Companion.make
    #- src/a/Main.kt
    import a.b.Thing
    #- src/a/b/Thing.kt
    package a.b
    """


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        (PYTHON, "src/pkg/__init__.py", ["src/pkg/util.py"]),
        (PYTHON, "src/pkg/util.py", ["src/pkg/deep/leaf.py"]),
        (PYTHON, "src/pkg/deep/leaf.py", ["src/pkg/util.py", "src/pkg/__init__.py"]),
        (PYTHON, "tests/test_util.py", ["src/pkg/util.py", "tests/helpers.py"]),
        (SCRIPTS, "src/a.ts", ["src/b.ts", "src/lib/c.tsx", "src/d.ts"]),
        (SCRIPTS, "src/b.ts", ["src/lib/index.ts"]),
        (
            MONOREPO,
            "packages/app/index.tsx",
            ["packages/core/src/main.ts", "packages/core/src/sub/part.ts", "packages/plain/src/index.ts"],
        ),
        (MONOREPO, "packages/plain/src/index.ts", ["packages/core/src/main.ts"]),
        (GO, "main.go", ["sub/one.go", "sub/two.go"]),
        (RUST, "src/lib.rs", ["src/a.rs", "src/b/mod.rs"]),
        (RUST, "src/a.rs", ["src/b/mod.rs", "src/b/inner.rs"]),
        (RUST, "src/b/inner.rs", ["src/a.rs"]),
        (JAVA, "app/src/main/java/org/x/A.java", ["app/src/main/java/org/x/sub/B.java"]),
        (JAVA, "app/src/main/java/org/x/sub/B.java", ["app/src/main/java/org/x/A.java"]),
        (C, "src/main.c", ["src/util.h", "include/lib/deep.h"]),
        (C, "include/lib/deep.h", ["include/other.h"]),
        (RUBY, "lib/shop.rb", ["lib/shop/cart.rb", "lib/shop/item.rb"]),
        (PHP, "index.php", ["inc/db.php", "src/Model/User.php"]),
        (LUA, "main.lua", ["util/strings.lua", "pkg/init.lua"]),
        (CSHARP, "App/Program.cs", ["App/Models/User.cs"]),
        (KOTLIN, "src/a/Main.kt", ["src/a/b/Thing.kt"]),
    ],
)
def test_dependencies(text: str, path: str, found: list[str]) -> None:
    snapshot = workspace(text).snapshot
    assert dependencies(snapshot, RelPath(path)) == found
    for other in found:
        assert path in dependents(snapshot, RelPath(other))


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        (KOTLIN, "src/a/Other.kt", ["src/a/b/Thing.kt"]),
        (SHELL, "bin/run.sh", ["lib/util.sh", "lib/themes/dark.theme.sh", "bin/near.sh"]),
    ],
)
def test_dependencies_that_are_not_found_backwards(text: str, path: str, found: list[str]) -> None:
    assert dependencies(workspace(text).snapshot, RelPath(path)) == found


def test_what_nobody_imports_has_no_dependents() -> None:
    assert dependents(workspace(PYTHON).snapshot, RelPath("tests/test_util.py")) == []


def test_a_new_file_of_a_fork_is_found_and_a_deleted_one_is_not() -> None:
    snapshot = workspace(PYTHON).snapshot
    path = RelPath("tests/test_util.py")
    fork = snapshot.edited(RelPath("tests/helpers.py"), None).edited(RelPath("src/helpers.py"), "")
    assert dependencies(fork, path) == ["src/pkg/util.py", "src/helpers.py"]
