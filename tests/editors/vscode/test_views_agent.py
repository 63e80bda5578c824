"""The agent view of VS Code: a task, its run, what is asked, what is accepted, and the way back."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from playwright.async_api import expect

from tests.editors.vscode.conftest import Window
from tests.editors.vscode.views import AgentView, script_rename
from tests.support.agent import CALLS, FILES, NEW_CART, NEW_PRICES, NOTES
from tests.support.endpoint import ScriptedEndpoint

pytestmark = pytest.mark.usefixtures("shop")

ASKS: tuple[str, dict[str, str]] = ("run_shell_command", {"command": "echo hello from the sandbox"})


async def test_some_files_of_a_run_are_accepted_and_taken_back(
    window: Window, model: ScriptedEndpoint, workspace: Path
) -> None:
    over = asyncio.Event()
    script_rename(model, hold=over)
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        view = await AgentView.opened(code)
        await code.picture("vscode-agent-empty")
        await view.start()
        await expect(view.frame.locator(".log")).to_contain_text("delete file gone.py")
        await expect(view.button("Stop")).to_be_visible()
        await code.picture("vscode-agent-running")
        over.set()
        await expect(view.button("Accept all 4")).to_be_enabled()
        await view.change("cart.py").click()
        drawn = await view.frame.locator(".diff .line").all_inner_texts()
        assert "1+from prices import before_tax" in drawn
        assert "1−from prices import net" in drawn
        await code.picture("vscode-agent-changes")

        await view.frame.get_by_role("checkbox", name="Accept gone.py").uncheck()
        await view.frame.get_by_role("checkbox", name="Accept docs/notes.md").uncheck()
        await view.button("Accept 2 selected").click()
        await expect(view.says("2 files changed")).to_be_visible()
        assert "from prices import before_tax" in await code.lines()
        assert not (workspace / "docs").exists()
        await expect(view.button("Accept the rest")).to_be_visible()
        await code.picture("vscode-agent-accepted")

        await view.button("Undo").click()
        await expect(view.says("2 files as before")).to_be_visible()
        assert "from prices import net" in await code.lines()
        await expect(view.button("Accept all 4")).to_be_visible()


async def test_a_change_is_compared_in_the_editor(window: Window, model: ScriptedEndpoint) -> None:
    steps = "Rename net in prices.py", "Use its new name in cart.py", "Say so in the docs"
    plans = [[{"content": step, "status": status} for step in steps] for status in ("pending", "completed")]
    before, after = [("todo_write", {"todos": plan}) for plan in plans]
    model.reply("I will rename it, and whoever uses it.", tool_calls=[before, *CALLS, after])
    model.reply("net is called before_tax now, in the code and in the docs.")
    async with window() as code:
        await code.open("prices.py")
        await code.ready()
        view = await AgentView.opened(code)
        await view.start("Rename net to before_tax everywhere, and mention it in the docs.")
        await view.change("cart.py").click()
        await view.button("Compare in the editor: cart.py").click()
        sides = [code.page.locator(f".editor-instance .editor.{side}") for side in ("original", "modified")]
        await code.press("Control+B")  # room for both sides
        await expect(sides[0]).to_contain_text("from prices import net")
        await expect(sides[1]).to_contain_text("from prices import before_tax")
        await code.picture("vscode-agent")
        assert code.workspace.joinpath("cart.py").read_text() == FILES["cart.py"]


async def test_all_of_an_earlier_run_is_accepted_from_the_list(
    window: Window, model: ScriptedEndpoint, workspace: Path
) -> None:
    script_rename(model)
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        view = await AgentView.opened(code)
        await view.start()
        await view.button("Discard").click()
        await expect(view.frame.locator(".runs")).to_contain_text("Done · 4 files")
        assert {path: (workspace / path).read_text() for path in FILES} == FILES
        await view.frame.locator("button.run").click()
        await view.button("Accept all 4").click()
        await expect(view.says("4 files changed")).to_be_visible()
        await expect(code.page.locator(".tab.dirty")).to_have_count(3)  # the editor opens them by and by
        await view.button("Save all").click()
        await expect(code.page.locator(".tab.dirty")).to_have_count(0)
        await view.button("All runs").click()
        await expect(view.frame.locator(".runs")).to_contain_text("applied")
    read = {path: (workspace / path).read_text() for path in ("prices.py", "cart.py", "docs/notes.md")}
    assert read == {"prices.py": NEW_PRICES, "cart.py": NEW_CART, "docs/notes.md": NOTES}
    assert not (workspace / "gone.py").exists()


async def test_a_question_is_answered_with_the_keyboard_alone(
    window: Window, model: ScriptedEndpoint
) -> None:
    model.reply(tool_calls=[ASKS])
    model.reply("It said hello.")
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        view = await AgentView.opened(code)
        await view.start("Say hello.")
        card = view.frame.locator(".ask")
        await expect(card).to_contain_text("echo hello from the sandbox")
        await code.picture("vscode-agent-question")
        await view.tab_to(view.button("Refuse"))
        await code.press("Shift+Tab", "Shift+Tab", "Enter")  # past "Allow for this run" to "Allow once"
        await expect(view.frame.locator(".badge")).to_have_text("Done")
        await expect(view.frame.locator(".log")).to_contain_text("allowed once")
        await expect(card).to_have_count(0)
    told = [message for message in model.requests[-1].messages if message["role"] == "tool"]
    assert "hello from the sandbox" in str(told)


async def test_a_question_finds_the_person_while_the_view_is_hidden(
    window: Window, model: ScriptedEndpoint
) -> None:
    asked = asyncio.Event()
    model.reply(tool_calls=[ASKS], hold=asked)
    model.reply("As you like.")
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        view = await AgentView.opened(code)
        await view.start("Say hello.")
        await expect(view.button("Stop")).to_be_visible()
        await code.command("View: Toggle Secondary Side Bar Visibility")
        asked.set()
        await code.notification("Qwen waits for you").get_by_role("button", name="Show").click()
        view = AgentView(code, await code.webview(".ask"))
        await expect(view.frame.locator(".ask h3")).to_be_focused()
        await view.tab_to(view.button("Refuse"))
        await code.press("Enter")
        await expect(view.frame.locator(".log")).to_contain_text("refused")
        await expect(view.frame.locator(".badge")).to_have_text("Done")


async def test_a_run_that_a_reload_of_the_window_cuts_off_goes_on(
    window: Window, model: ScriptedEndpoint
) -> None:
    never = asyncio.Event()
    script_rename(model, hold=never)
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        view = await AgentView.opened(code)
        await view.start()
        await expect(view.frame.locator(".log")).to_contain_text("delete file gone.py")
        await code.page.reload()
        await model.wait_early_closes(1)
        await code.ready()
        view = await AgentView.opened(code)
        await view.frame.locator("button.run", has_text="Stopped").click()
        await expect(view.button("Go on")).to_be_enabled()
        await code.picture("vscode-agent-cut-off")
        model.reply("Renamed it after all.")
        await view.button("Go on").click()
        await view.button("Accept all 4").click()
        await expect(view.says("4 files changed")).to_be_visible()
        assert "from prices import before_tax" in await code.lines()
