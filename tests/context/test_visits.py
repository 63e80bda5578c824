"""Where somebody worked a moment ago comes into the prompt of where they work now."""

from __future__ import annotations

from qwen_lsp.context.pack import pack
from qwen_lsp.context.rank import rank
from qwen_lsp.context.visits import Visit
from qwen_lsp.model.tokens import count
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import workspace

LONG = "".join(f"FILLER_{n} = {n}\n" for n in range(400))
PLACE = workspace(
    f"""
    #- prices.py
    {LONG.replace(chr(10), chr(10) + "    ")}
    def discount(price, rate):
        reduced = price * (1 - rate)
        return round(reduced, 2)
    {LONG.replace(chr(10), chr(10) + "    ")}
    #- notes.py
    first = 1
    #- main.py
    def main():
        <CURSOR>
    """
)
PRICES = RelPath("prices.py")


def shown(*visits: Visit, budget: int = 300) -> dict[str, str]:
    candidates = rank(PLACE.snapshot, PLACE.path, PLACE.offset, visits=visits)
    packed = pack(PLACE.snapshot, candidates, budget=budget, count=count, gate=Gate(None))
    return {str(part.path): part.text for part in packed.parts}


def test_the_definition_that_was_edited_is_shown_with_its_body() -> None:
    line = PLACE.snapshot.text(PRICES).split("\n").index("def discount(price, rate):")
    found = shown(Visit(PRICES, line + 1))[PRICES]
    assert (
        "def discount(price, rate):\n    reduced = price * (1 - rate)\n    return round(reduced, 2)" in found
    )
    assert "FILLER_7 " not in found


def test_a_line_in_no_definition_is_shown_with_its_neighbours() -> None:
    found = shown(Visit(PRICES, 100))[PRICES]
    assert "FILLER_95 = 95\n" in found
    assert "FILLER_105 = 105" in found
    assert "FILLER_94 " not in found


def test_a_file_that_was_only_opened_comes_whole_or_not_at_all() -> None:
    assert shown(Visit(RelPath("notes.py"))) == {"notes.py": "first = 1\n"}
    assert "return round" not in shown(Visit(PRICES)).get(PRICES, "")


def test_lines_beyond_the_end_and_files_that_are_gone_are_no_harm() -> None:
    assert "first = 1" in shown(Visit(RelPath("notes.py"), 99), Visit(RelPath("gone.py"), 3))["notes.py"]
