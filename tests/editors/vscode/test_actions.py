"""The light bulb of VS Code, and its preview of a change in several files."""

from __future__ import annotations

import contextlib
from pathlib import Path

from playwright.async_api import TimeoutError as TookTooLong
from playwright.async_api import expect

from tests.editors.support.code_server import WAIT, until
from tests.editors.support.vscode import PATIENCE, VSCode
from tests.editors.vscode.conftest import SHOP, Window
from tests.editors.vscode.views import script_rename
from tests.support.agent import AFTER, FILES, NEW_CART, NEW_PRICES, NOTES
from tests.support.endpoint import ScriptedEndpoint

expect.set_options(timeout=WAIT * 1_000)

DOCUMENTED = '''\
```python
def total(items: list[float]) -> float:
    """What all of them cost together."""
```
'''
TESTS = """\
```python
from shop import total


def test_total() -> None:
    assert total([1, 2]) == 3
```
"""
EDIT_KEY = {"key": "ctrl+alt+e", "command": "qwen.edit", "args": {"task": "Rename net."}}
"""A key of the person's own for a command of the server, which then lands by VS Code's own preview."""


async def bulb(code: VSCode, title: str, picture: str = "") -> None:
    """Choose from the light bulb's menu at the cursor, after a picture of it.

    Whatever the editor draws meanwhile may close the menu: then it is opened again.
    """
    row = code.page.locator(".action-widget .monaco-list-row", has_text=title)
    for _ in range(int(WAIT / PATIENCE)):
        await code.press("Control+Period")
        with contextlib.suppress(TookTooLong):
            await row.wait_for(timeout=PATIENCE * 1_000)
            if picture:
                await code.picture(picture)
            await row.click(timeout=PATIENCE * 1_000, force=True)  # its own hint may lie on it
            return
    raise AssertionError(f"{title} could not be chosen from the light bulb's menu")


async def test_the_light_bulb_documents_and_tests_a_function(window: Window, model: ScriptedEndpoint) -> None:
    model.reply(DOCUMENTED, match="documentation")
    model.reply(TESTS, match="test_shop.py")
    async with window() as code:
        await code.open("shop.py")
        await code.ready()
        await code.cursor_to(4, 5)
        await bulb(code, "Document `total`", "vscode-light-bulb")
        await code.shows_line('"""What all of them cost together."""')
        await code.save()
        written = (code.workspace / "shop.py").read_text()
        await code.cursor_to(4, 5)
        await bulb(code, "Write tests for `total`")
        made = code.workspace / "tests" / "test_shop.py"
        await until(made.exists, "the new file")
        await code.open("test_shop.py")
        await code.shows_line("assert total([1, 2]) == 3")
        await code.picture("vscode-new-tests")
        await code.save()
        tests = made.read_text()
    assert (
        written
        == SHOP.rstrip("\n").replace("    return", '    """What all of them cost together."""\n    return')
        + SHOP[len(SHOP.rstrip("\n")) :]
    )
    assert tests.rstrip() == TESTS.removeprefix("```python\n").removesuffix("```\n").rstrip()


async def test_a_change_of_several_files_is_looked_at_before_it_lands(
    shop: Path, window: Window, model: ScriptedEndpoint
) -> None:
    script_rename(model)
    async with window(keys=[EDIT_KEY]) as code:
        await code.open("cart.py")
        await code.ready()
        await code.press("Control+Alt+e")
        preview = code.page.locator(".bulk-edit-panel")
        await expect(preview.locator(".monaco-list-row", has_text="prices.py")).to_be_visible()
        assert {path: (shop / path).read_text() for path in FILES} == FILES
        boxes = preview.locator('.monaco-list-row[aria-level="1"] [role=checkbox]')
        for number in range(len(AFTER)):
            await boxes.nth(number).click()
        await code.picture("vscode-refactor-preview")
        await code.page.get_by_role("button", name="Apply").click()
        await until((shop / "docs" / "notes.md").exists, "the new file")
        await until(lambda: not (shop / "gone.py").exists(), "the file that is deleted")
        await code.page.locator(".tab.dirty", has_text="prices.py").wait_for()
        await code.command("File: Save All Files")
        await until(lambda: (shop / "prices.py").read_text() == NEW_PRICES, "the change of prices.py")
        await until(lambda: (shop / "cart.py").read_text() == NEW_CART, "the change of cart.py")
        await until(lambda: (shop / "docs" / "notes.md").read_text() == NOTES, "the text of the new file")
        assert await code.notifications() == []
