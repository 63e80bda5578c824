"""The prompt of a completion holds the text of the file before all else, within its budget, and no secret."""

from __future__ import annotations

import pytest

from qwen_lsp.features.complete.frame import Frame, Shown
from qwen_lsp.features.complete.place import Place
from qwen_lsp.features.complete.window import Window, Windows
from qwen_lsp.model import tokens
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate

SHORT = "def area(width, height):\n    ret"
DEEP = "src/main/java/com/company/product/module/service/impl/area_service_impl.py"


def full(room: int) -> Frame:
    """Other files that fill a budget to the brim."""
    files: list[Shown] = []
    while room > 20:
        text = f"value_{len(files)} = 1\n" * 8
        weight = min(room, tokens.count(text) + 8)
        files.append(Shown(RelPath(f"b{len(files)}.py"), text, weight, "", ""))
        room -= weight
    return Frame(tuple(files))


def window(windows: Windows, place: Place, frame: Frame, budget: int, note: str = "") -> Window:
    found = windows.window(
        place, frame, repo="r", budget=budget, max_tokens=64, count=tokens.count, gate=Gate(None),
        note=("a.py.diagnostics", note) if note else None,
    )  # fmt: skip
    assert found is not None
    return found


@pytest.mark.parametrize("budget", [256, 2_048])
@pytest.mark.parametrize("path", ["a.py", DEEP, "folder/" * 500 + "a.py"], ids=["short", "deep", "endless"])
@pytest.mark.parametrize("note", ["", "line 1: this is wrong, and that\n" * 12], ids=["", "note"])
def test_a_short_file_is_in_its_prompt_however_much_there_is_to_say(
    budget: int, path: str, note: str
) -> None:
    place = Place(RelPath(path), SHORT, len(SHORT))
    made = window(Windows(), place, full(budget - len(SHORT) // 3 - 32), budget, note)
    assert made.request.prefix == SHORT
    assert made.tokens <= budget
    assert made.request.path.endswith("a.py" if "impl" not in path else "area_service_impl.py")


def test_a_complaint_comes_in_before_the_least_of_other_files() -> None:
    place, frame = Place(RelPath("a.py"), SHORT, len(SHORT)), full(230)
    made = window(Windows(), place, frame, 256, "line 1: this is wrong\n")
    assert made.request.context[-1] == ("a.py.diagnostics", "line 1: this is wrong\n")
    others = [path for path, _ in made.request.context[:-1]]
    assert others == [file.path for file in frame.files][-len(others) :]
    assert len(others) < len(frame.files)
    assert [file.path for file in made.frame.files] == others
