"""The agent view for everybody: the rules of axe in every theme, and a narrow side bar with a long run."""

from __future__ import annotations

import asyncio

import pytest
from playwright.async_api import expect

from tests.editors.vscode.conftest import Window
from tests.editors.vscode.views import AgentView, findings
from tests.support.agent import CALLS
from tests.support.endpoint import ScriptedEndpoint

pytestmark = pytest.mark.usefixtures("shop")

THEMES = {
    "dark": "Default Dark Modern",
    "light": "Default Light Modern",
    "contrast": "Default High Contrast",
    "contrast-light": "Default High Contrast Light",
}
LONG = "src/a/rather/long/way/down/into/the/tree/of/folders/with_a_name_that_is_long_too.py"
STEPS = [
    {"content": "Rename net in prices.py", "status": "completed"},
    {"content": "Use it in cart.py", "status": "in_progress"},
    {"content": "Say so in the docs", "status": "pending"},
]


@pytest.mark.parametrize("theme", THEMES)
async def test_axe_finds_nothing_serious(window: Window, model: ScriptedEndpoint, theme: str) -> None:
    hold = asyncio.Event()
    model.reply(
        "First a plan.",
        tool_calls=[("todo_write", {"todos": STEPS}), ("run_shell_command", {"command": "echo hello"})],
    )
    model.reply(tool_calls=[*CALLS, ("read_file", {"file_path": "missing.py"})])
    model.reply("Done.", hold=hold)
    async with window({"workbench.colorTheme": THEMES[theme]}) as code:
        await code.open("cart.py")
        await code.ready()
        view = await AgentView.opened(code)
        found = {"empty": await findings(view.frame)}
        await view.start()
        await view.frame.locator(".ask").wait_for()
        found["asked"] = await findings(view.frame)
        await code.picture(f"vscode-agent-{theme}-asked")
        await view.button("Allow once").click()
        await expect(view.frame.locator(".log")).to_contain_text("missing.py")
        found["running"] = await findings(view.frame)
        hold.set()
        await view.change("cart.py").click()
        found["over"] = await findings(view.frame)
        await code.picture(f"vscode-agent-{theme}-changes")
        await view.button("Accept all 4").click()
        await view.says("changed").wait_for()
        found["accepted"] = await findings(view.frame)
        await view.button("All runs").click()
        await view.frame.locator(".runs li").wait_for()
        found["list"] = await findings(view.frame)
        await code.picture(f"vscode-agent-{theme}-list")
    told = [f"{when}: {finding}" for when, some in found.items() for finding in some]
    assert not told, "\n".join(told)


async def test_a_hundred_events_and_a_long_path_fit_into_a_narrow_bar(
    window: Window, model: ScriptedEndpoint
) -> None:
    write = ("write_file", {"file_path": LONG, "content": "".join(f"line_{n} = {n}\n" for n in range(900))})
    for number in range(12):
        looks = [("grep_search", {"pattern": f"word_{number}_{n}"}) for n in range(8)]
        model.reply(f"Round {number}.", tool_calls=looks)
    model.reply(tool_calls=[write])
    model.reply("Done.")
    async with window() as code:
        await code.open("cart.py")
        await code.ready()
        view = await AgentView.opened(code)
        await view.start("Look for many words, one after the other, and write down what you have found. " * 4)
        await expect(view.button("Accept all 1")).to_be_visible()
        await expect(view.frame.locator(".log > li")).to_have_count(12 * 9 + 2)
        await code.picture("vscode-agent-long")
        sizes = await view.frame.evaluate("[main.scrollWidth, main.clientWidth, innerWidth]")
        assert sizes[0] == sizes[1]  # nothing sticks out
        assert sizes[2] <= 320
        more = view.button("Show all 901 lines")
        await more.focus()
        await code.press("Enter")
        await expect(view.frame.locator(".changes .line")).to_have_count(901)
        # Whoever pressed it has not lost the place.
        assert await view.frame.evaluate("document.activeElement !== document.body")
