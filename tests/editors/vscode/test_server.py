"""The server behind VS Code: found, missing, killed, without its endpoint, and in a folder nobody trusts."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from pathlib import Path

from tests.editors.support.code_server import until
from tests.editors.support.vscode import VSCode
from tests.editors.vscode.conftest import Window, completes
from tests.support.endpoint import ScriptedEndpoint

KEY = "sk-of-this-test-a8f3c1"


async def begun(code: VSCode, text: str = "def ave") -> None:
    """A person opens the file and begins a function at its end."""
    await code.open("shop.py")
    await code.cursor_to(8)
    await code.types(text)


async def test_it_starts_by_itself_and_says_whom_it_asks(window: Window, model: ScriptedEndpoint) -> None:
    async with window() as code:
        said = await code.ready()
        await code.picture("vscode-start")
        assert f"127.0.0.1:{model.port}" in said
        assert len(code.server.servers()) == 1
        assert await code.notifications() == []


async def test_without_a_server_one_message_says_what_to_do(window: Window) -> None:
    nothing = {"qwen.server.interpreter": ""}
    async with window(nothing, environment={"PATH": "/usr/bin:/bin"}) as code:
        message = code.notification("The qwen-lsp server is not installed")
        await message.wait_for()
        await code.picture("vscode-no-server")
        assert re.search(r"run: pipx install \S+\.whl", await message.inner_text())
        assert len(await code.notifications()) == 1
        assert code.server.servers() == []
        code.server.write_settings(qwen__server__interpreter=sys.executable)
        await code.ready()


async def test_a_killed_server_comes_back_and_completes(window: Window, model: ScriptedEndpoint) -> None:
    async with window() as code:
        await code.open("shop.py")
        await code.ready()
        (before,) = code.server.servers()
        os.kill(before, signal.SIGKILL)
        await until(lambda: code.server.servers() not in ([], [before]), "another server")
        await code.ready()
        completes(model, {"def ave": "rage():"})
        await begun(code)
        assert await code.ghost_text() == "rage():"
        assert await code.notifications() == []


async def test_while_the_endpoint_is_away_the_embedded_default_completes_and_that_is_shown(
    window: Window, model: ScriptedEndpoint
) -> None:
    async with window() as code:
        await code.open("shop.py")
        await code.ready()
        completes(model, {"\nde": "f total_of", "return su(pr": "ice(items)"})
        await begun(code, "de")
        await code.ghost_text()
        await model.stop()
        await code.press("Tab")
        await code.types("(items: list[float]) -> float:\nreturn su")
        await code.our_status.locator(".codicon-warning").wait_for()
        assert await code.ghost_text() == "m(items)"
        await code.picture("vscode-endpoint-away")
        said = await code.our_status.get_attribute("aria-label") or ""
        assert "The embedded default completes meanwhile" in said
        await model.start()
        await code.types("(pr")
        assert await code.ghost_text() == "ice(items)"
        await code.ready()


async def test_an_api_key_reaches_the_endpoint_and_no_file(
    window: Window, model: ScriptedEndpoint, own_user_folders: Path
) -> None:
    async with window() as code:
        await code.open("shop.py")
        await code.ready()
        (before,) = code.server.servers()
        await code.command("Qwen: Set API Key")
        await code.answer(KEY)
        await until(lambda: code.server.servers() not in ([], [before]), "a server that has the key")
        await code.ready()
        completes(model, {"def ave": "rage():"})
        await begun(code)
        await code.ghost_text()
        assert model.requests[-1].headers["authorization"] == f"Bearer {KEY}"
        for folder in (code.folder, code.workspace, own_user_folders):
            assert holding(KEY, folder) == []
        (with_key,) = code.server.servers()
        await code.command("Qwen: Clear API Key")
        await until(lambda: code.server.servers() not in ([], [with_key]), "a server without the key")
        await code.ready()
        completes(model, {"x = to": "tal"})
        await code.press("Escape")
        await code.types("\nx = to")
        assert await code.ghost_text() == "tal"
        assert KEY not in model.requests[-1].headers.get("authorization", "")


def holding(text: str, folder: Path) -> list[Path]:
    """The files below a folder that have a text in them."""
    files = [file for file in folder.rglob("*") if file.is_file()]
    return [file for file in files if text.encode() in file.read_bytes()]


async def test_an_endpoint_is_named_in_the_first_minute(window: Window, model: ScriptedEndpoint) -> None:
    async with window({"qwen.endpoint.baseUrl": ""}) as code:
        await code.says("No model")
        await code.command("Qwen: Set Endpoint…")
        await code.page.locator(".quick-input-list .monaco-list-row", has_text="Another Address…").click()
        await code.quick_input.type(model.base_url)
        await code.press("Enter")
        await code.page.locator(".quick-input-title", has_text="Model").wait_for()
        await code.answer("")
        await code.says(f"at 127.0.0.1:{model.port}")
        completes(model, {"def ave": "rage():"})
        await begun(code)
        assert await code.ghost_text() == "rage():"


async def test_a_folder_nobody_trusts_starts_no_program_of_its_own(
    window: Window, workspace: Path, model: ScriptedEndpoint
) -> None:
    touched = workspace / "touched"
    evil = workspace / "evil"
    evil.write_text(f"#!/bin/sh\ntouch {touched}\nexec {sys.executable} -P -m qwen_lsp serve\n")
    evil.chmod(0o755)
    (workspace / ".vscode").mkdir()
    own = {"qwen.server.path": str(evil), "qwen.endpoint.baseUrl": "http://127.0.0.1:9/v1"}
    (workspace / ".vscode" / "settings.json").write_text(json.dumps(own))
    trust = {
        "security.workspace.trust.enabled": True,
        "security.workspace.trust.startupPrompt": "never",
        "security.workspace.trust.banner": "never",
    }
    async with window(trust) as code:
        await code.status("Restricted Mode").wait_for()
        await code.says(f"at 127.0.0.1:{model.port}")
        assert not touched.exists()
        completes(model, {"def ave": "rage():"})
        await begun(code)
        assert await code.ghost_text() == "rage():"
        await code.picture("vscode-not-trusted")
        # Trusted, the folder's own program is started: what kept it from starting was the missing trust.
        await code.command("Workspaces: Manage Workspace Trust")
        await code.page.get_by_role("button", name="Trust", exact=True).click()
        await until(touched.exists, "the program of the folder is started once it is trusted")
