"""The agent view as the tests drive it, and the rules of accessibility."""

from __future__ import annotations

import functools
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from playwright.async_api import Frame, Locator, expect

from tests.editors.conftest import CACHE
from tests.editors.support.code_server import WAIT
from tests.editors.support.vscode import VSCode
from tests.support.agent import CALLS
from tests.support.endpoint import ScriptedEndpoint

expect.set_options(timeout=WAIT * 1_000)

SERIOUS = ("serious", "critical")


@functools.cache
def _axe() -> str:
    """The script that knows the rules."""
    return next(Path(os.environ[CACHE]).glob("*/node_modules/axe-core/axe.min.js")).read_text()


def script_rename(model: ScriptedEndpoint, **last: Any) -> None:
    """The model renames a function in four files, one new and one gone, and says so."""
    model.reply("I will rename it.", tool_calls=CALLS)
    model.reply("Renamed net to before_tax.", **last)


@dataclass
class AgentView:
    """The page of the agent view; what a person does there."""

    code: VSCode
    frame: Frame

    @classmethod
    async def opened(cls, code: VSCode) -> AgentView:
        await code.command("Qwen: Give the Agent a Task")
        return cls(code, await code.webview("#task"))

    async def start(self, task: str = "Rename net.") -> None:
        box = self.frame.locator("#task")
        await box.fill(task)
        await box.press("Control+Enter")

    def button(self, name: str) -> Locator:
        return self.frame.get_by_role("button", name=name, exact=True)

    def change(self, file: str) -> Locator:
        """The line of a changed file, which folds its diff out."""
        return self.frame.locator(".changes button.fold", has_text=file)

    def says(self, text: str) -> Locator:
        """The line at the top that tells what was done."""
        return self.frame.locator(".saying", has_text=text)

    async def tab_to(self, target: Locator) -> None:
        """Press Tab until the focus is there; a person without a mouse has no other way."""
        for _ in range(40):
            if await target.evaluate("element => element === document.activeElement"):
                return
            await self.code.press("Tab")
        raise AssertionError(f"{target} is not reached by Tab")


async def findings(frame: Frame) -> list[str]:
    """What axe finds in a page that is serious or worse: the rule, and the elements."""
    await frame.evaluate(_axe())
    told = cast("list[dict[str, Any]]", await frame.evaluate("axe.run().then(told => told.violations)"))
    return [
        f"{rule['id']}: {rule['help']}: {[node['html'][:120] for node in rule['nodes']][:5]}"
        for rule in told
        if rule["impact"] in SERIOUS
    ]
