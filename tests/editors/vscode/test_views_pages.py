"""Explanations and pages in VS Code: a text that grows as the model writes it, and what is sent and why."""

from __future__ import annotations

import pytest
from playwright.async_api import expect

from tests.editors.vscode.conftest import Window
from tests.support.endpoint import ScriptedEndpoint

pytestmark = pytest.mark.usefixtures("shop")


async def test_an_explanation_is_shown_while_it_is_written_and_ends_when_it_is_closed(
    window: Window, model: ScriptedEndpoint
) -> None:
    model.reply(chunks=["# The cart\n\nIt adds up.\n\n", *(["And on. "] * 50_000), "The end."], pace=0.05)
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        await code.command("Qwen: Explain This File")
        page = await code.webview(".markdown-body")
        await expect(page.locator("h1")).to_have_text("The cart")
        await expect(page.locator(".markdown-body")).to_contain_text("And on. And on.")
        await code.picture("vscode-explain-streaming")
        await code.page.locator(".tab", has_text="explained").click(button="middle")
        await model.wait_early_closes(1)


async def test_an_explanation_of_the_selection_is_asked_for_with_those_lines(
    window: Window, model: ScriptedEndpoint
) -> None:
    model.reply("# total\n\nAdds up the lines.")
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        await code.cursor_to(4)
        await code.press("Shift+ArrowDown", "Shift+End")
        await code.command("Qwen: Explain the Selection")
        page = await code.webview(".markdown-body")
        await expect(page.locator(".markdown-body")).to_contain_text("Adds up the lines.")
        await expect(code.page.locator(".tab", has_text="lines 4-5")).to_be_visible()
        # The file is not in front any more, but there can be no doubt which one is meant.
        await page.locator(".markdown-body").click()
        await code.command("Qwen: Show What Is Sent, and Why")
        page = await code.webview("dl.facts")
        await expect(page.locator("h1")).to_contain_text("cart.py:")


async def test_the_context_page_is_shown_and_works_in_a_tab(window: Window) -> None:
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        await code.command("Qwen: Show What Is Sent, and Why")
        page = await code.webview("dl.facts")
        await expect(page.locator("h1")).to_contain_text("cart.py:1")
        dark = await page.evaluate("getComputedStyle(document.documentElement).colorScheme")
        assert dark == "dark"  # as the editor is, whatever the system says
        await page.locator("#map a").first.click()
        await expect(page.locator("#list details[open] pre")).to_contain_text("def net(price)")
        await page.locator("#filter").fill("no such file")
        await expect(page.locator("#count")).to_have_text("0 of 1")
        await code.picture("vscode-context-page")


async def test_the_selection_is_changed_by_what_is_typed_and_reviewed_first(
    window: Window, model: ScriptedEndpoint
) -> None:
    model.reply("```python\ndef total(lines):\n    return round(sum(net(line) for line in lines), 2)\n```")
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        await code.cursor_to(4)
        await code.press("Shift+ArrowDown", "Shift+End")
        await code.command("Qwen: Change the Selection by Instruction")
        asked = code.page.locator(".quick-input-widget input:visible").first
        await asked.fill("Round it to cents.")
        await code.press("Enter")
        preview = code.page.locator(".bulk-edit-panel .monaco-list-row")
        await expect(preview.first).to_be_visible()
        await code.picture("vscode-edit-selection")
        await code.page.locator(".bulk-edit-panel .monaco-list-row [role=checkbox]").first.click()
        await code.page.locator(".monaco-button", has_text="Apply").first.click()
        await expect(code.editor.locator(".view-lines")).to_contain_text("round(sum(net(line)")
