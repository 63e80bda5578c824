"""Nothing that is typed is lost or changes places, however fast it is typed and whatever is shown."""

from __future__ import annotations

from tests.editors.vscode.conftest import Window
from tests.support.endpoint import Recorded, Reply, ScriptedEndpoint

RATE = 60.0
"""Keys a second: four times what a fast typist does."""
PLAIN = {
    "editor.autoClosingBrackets": "never",
    "editor.autoClosingQuotes": "never",
    "editor.autoIndent": "none",
    "editor.acceptSuggestionOnEnter": "off",
    "editor.acceptSuggestionOnCommitCharacter": False,
}
"""What VS Code itself adds to typed text is off, so that the text is to be exactly what was typed."""

TYPED = "".join(
    f'def part_{n}(items, other={n}):\n    found = [item * {n} for item in items if item != "{n}"]\n'
    f"    return sum(found) + other  # part {n}, as the one before\n\n\n"
    for n in range(8)
)


def more(request: Recorded) -> Reply:
    """Ghost text after every pause, of two lines."""
    return Reply(" is_offered(here)\n    and_below_it()")


async def test_sixty_keys_a_second_with_ghost_text_on(window: Window, model: ScriptedEndpoint) -> None:
    model.respond_with(more)
    async with window(PLAIN) as code:
        (code.workspace / "typed.py").write_text("")
        await code.open("typed.py")
        await code.ready()
        rate = await code.types_at(RATE, TYPED)
        await code.press("Escape")
        await code.save()
        written = (code.workspace / "typed.py").read_text()
    print(f"{len(TYPED)} keys at {rate:.0f} a second; the model was asked {len(model.requests)} times")
    assert written == TYPED
    assert model.requests, "ghost text was on"
