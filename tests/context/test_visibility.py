"""Which files a file sees without naming what it takes from them."""

from __future__ import annotations

import pytest

from qwen_lsp.context.visibility import visible
from qwen_lsp.workspace.paths import rel_path
from tests.support.fixture import workspace

GO = """
    #- go.mod
    module example.org/m
    #- sub/one.go
    package sub
    import "example.org/m/other"
    #- sub/two.go
    package sub
    #- sub/two_test.go
    package sub
    #- other/a.go
    package other
    import "example.org/m/far"
    #- other/b.go
    package other
    #- far/c.go
    package far
    """
JAVA = """
    #- src/main/java/org/app/One.java
    package org.app;
    import org.lib.*;
    class One {}
    #- src/main/java/org/app/Two.java
    package org.app;
    class Two {}
    #- src/main/java/org/lib/Three.java
    package org.lib;
    class Three {}
    #- src/main/java/org/other/Four.java
    package org.other;
    class Four {}
    #- src/test/java/org/app/OneTest.java
    package org.app;
    class OneTest {}
    """
C = """
    #- src/main.c
    #include "server.h"
    #- src/server.h
    #include "list.h"
    #- src/server.c
    #include "server.h"
    #- src/list.h
    #include "base.h"
    #- src/list.c
    #include "list.h"
    #- src/base.h
    #include "far.h"
    #- src/far.h
    int far;
    """
RUST = """
    #- src/lib.rs
    mod macros;
    mod net;
    #- src/macros/mod.rs
    mod cfg;
    #- src/macros/cfg.rs
    macro_rules! cfg_io { () => {} }
    #- src/net/mod.rs
    pub mod tcp;
    pub mod udp;
    #- src/net/tcp.rs
    use crate::util::wake;
    #- src/net/udp.rs
    fn send() {}
    #- src/util/mod.rs
    pub mod wake;
    #- src/util/wake.rs
    fn wake() {}
    #- src/alone.rs
    fn alone() {}
    """
SCRIPT = """
    #- src/app.ts
    import { a } from './lib';
    #- src/lib/index.ts
    export * from './a';
    import { hidden } from './hidden';
    #- src/lib/a.ts
    export const a = 1;
    #- src/lib/hidden.ts
    export const hidden = 1;
    """


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        (GO, "sub/one.go", {"sub/two.go": 1.0, "other/a.go": 0.7, "other/b.go": 0.7}),
        (GO, "sub/two.go", {"sub/one.go": 1.0}),
        (GO, "sub/two_test.go", {"sub/one.go": 1.0, "sub/two.go": 1.0}),
        (
            JAVA,
            "src/main/java/org/app/One.java",
            {"src/main/java/org/app/Two.java": 1.0, "src/main/java/org/lib/Three.java": 0.7},
        ),
        (
            JAVA,
            "src/test/java/org/app/OneTest.java",
            {"src/main/java/org/app/One.java": 0.8, "src/main/java/org/app/Two.java": 0.8},
        ),
        (
            C,
            "src/main.c",
            {"src/server.h": 0.9, "src/server.c": 0.36, "src/list.h": 0.5, "src/base.h": 0.3},
        ),
        (
            RUST,
            "src/net/tcp.rs",
            {
                "src/util/wake.rs": 0.7,
                "src/util/mod.rs": 0.7,
                "src/net/mod.rs": 0.6,
                "src/macros/mod.rs": 0.5,
                "src/macros/cfg.rs": 0.5,
                "src/net/udp.rs": 0.4,
            },
        ),
        (SCRIPT, "src/app.ts", {"src/lib/index.ts": 0.7, "src/lib/a.ts": 0.5}),
    ],
)
def test_what_a_file_sees(text: str, path: str, expected: dict[str, float]) -> None:
    found = visible(workspace(text).snapshot, rel_path(path))
    assert {name: round(weight, 2) for name, weight in found.items()} == expected


def test_a_file_that_is_no_code_sees_nothing() -> None:
    found = workspace("#- notes.txt\nwords\n#- a.go\npackage a\n")
    assert visible(found.snapshot, rel_path("notes.txt")) == {}
    assert visible(found.snapshot, rel_path("gone.go")) == {}
