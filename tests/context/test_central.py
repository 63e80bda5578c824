"""Which files a workspace hangs on."""

from __future__ import annotations

import pytest

from qwen_lsp.context.central import central
from tests.support.fixture import workspace

LANGUAGES = {
    "python": ("py", "import {}\n"),
    "typescript": ("ts", "import {{x}} from './{}';\n"),
    "c": ("c", '#include "{}.h"\n'),
}


@pytest.mark.parametrize(("suffix", "line"), LANGUAGES.values(), ids=LANGUAGES.keys())
def test_what_more_files_import_comes_first(suffix: str, line: str) -> None:
    target = "h" if suffix == "c" else suffix
    made = workspace(
        f"#- alone.{suffix}\n\n#- base.{target}\n\n#- part.{target}\n{line.format('base')}"
        f"#- one.{suffix}\n{line.format('part')}{line.format('base')}#- two.{suffix}\n{line.format('part')}"
        f"#- three.{suffix}\n{line.format('base')}"
    )
    found = central(made.snapshot)
    assert list(found)[:2] == [f"base.{target}", f"part.{target}"]
    assert [(path.partition(".")[0], at.users) for path, at in found.items() if at.users] == [
        ("base", 3), ("part", 2),
    ]  # fmt: skip


def test_tests_come_last_and_make_nothing_central() -> None:
    tests = "".join(f"#- tests/test_{number}.py\nimport tested\n" for number in range(9))
    made = workspace(
        f"#- used.py\n\n#- tested.py\n\n#- user.py\nimport used\n#- other.py\nimport used\n{tests}"
    )
    found = [str(path) for path in central(made.snapshot)]
    assert found.index("used.py") < found.index("tested.py")
    assert all("test_" in path for path in found[-9:])


def test_files_that_import_each_other_are_worth_the_same() -> None:
    made = workspace("#- a.py\nimport b\n#- b.py\nimport a\n")
    one, other = central(made.snapshot).values()
    assert one.share == pytest.approx(other.share) == pytest.approx(0.5)  # pyright: ignore[reportUnknownMemberType]


def test_what_is_no_code_has_no_part_in_it() -> None:
    made = workspace("#- README.md\n# Read\n#- notes.txt\nx\n#- a.py\nx = 1\n")
    assert list(central(made.snapshot)) == ["a.py"]
