"""Ghost text in VS Code, as the person sees it and takes it."""

from __future__ import annotations

from tests.editors.support.code_server import until
from tests.editors.vscode.conftest import SHOP, Window, completes
from tests.support.endpoint import ScriptedEndpoint

AVERAGE = "rage(items: list[float]) -> float:\n    return total(items) / len(items)"


async def test_ghost_text_of_the_model_is_taken_with_tab(window: Window, model: ScriptedEndpoint) -> None:
    completes(model, {"def ave": AVERAGE})
    async with window() as code:
        await code.open("shop.py")
        await code.ready()
        await code.cursor_to(8)
        await code.types("def ave")
        ghost = await code.ghost_text()
        await code.picture("vscode-ghost-text")
        await code.press("Tab")
        await code.save()
        written = (code.workspace / "shop.py").read_text()
    assert ghost == AVERAGE
    assert written == SHOP + "def ave" + AVERAGE


async def test_a_key_asks_for_a_suggestion_where_none_comes_by_itself(
    window: Window, model: ScriptedEndpoint
) -> None:
    completes(model, {"def ave": AVERAGE})
    async with window({"qwen.completion.trigger": "manual", "qwen.trace.server": "messages"}) as code:
        await code.open("shop.py")
        await code.ready()
        await code.cursor_to(8)
        await code.types("def ave")
        await until(lambda: "textDocument/inlineCompletion" in code.traced(), "that the editor asks")
        assert model.requests == []
        await code.press("Alt+Backslash")
        await code.ghosts.first.wait_for()
        assert len(model.requests) == 1


async def test_typing_along_a_suggestion_asks_nobody_again(window: Window, model: ScriptedEndpoint) -> None:
    completes(model, {"def ave": AVERAGE})
    async with window() as code:
        await code.open("shop.py")
        await code.ready()
        await code.cursor_to(8)
        await code.types("def ave")
        await code.ghost_text()
        asked = len(model.requests)
        for typed in "rage(":
            await code.types(typed)
            await code.shows_line(f"def ave{AVERAGE.splitlines()[0]}")
        await code.press("Tab")
        await code.save()
        written = (code.workspace / "shop.py").read_text()
        assert [r for r in model.requests[asked:] if "ave" in r.prompt and AVERAGE not in r.prompt] == []
    assert written == SHOP + "def ave" + AVERAGE


async def test_one_language_is_turned_off_and_on(window: Window, model: ScriptedEndpoint) -> None:
    async with window({"qwen.trace.server": "messages"}) as code:
        await code.open("shop.py")
        await code.ready()
        await code.command("Qwen: Turn Completions On or Off in This Language")
        await code.status("completions in python are off").wait_for()
        await code.cursor_to(8)
        await code.types("def ave")
        await until(lambda: "textDocument/inlineCompletion" in code.traced(), "that the editor asks")
        await code.command("Qwen: Why This Suggestion, or None")
        page = await code.webview("text=completion.triggerByLanguage.python")
        assert "Nothing was shown at shop.py:8" in await page.locator("body").inner_text()
        await code.picture("vscode-why-none")
        assert model.requests == []
        await code.command("View: Close Editor")
        await code.cursor_to(8, 8)
        await code.command("Qwen: Turn Completions On or Off in This Language")
        await code.status("completions in python are on").wait_for()
        completes(model, {"def avera": "ge"})
        await code.types("ra")
        assert await code.ghost_text() == "ge"
