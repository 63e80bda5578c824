"""Folders, settings, watching and progress over the life of a connection."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.server.host import Server
from qwen_lsp.server.table import build
from qwen_lsp.workspace.paths import RelPath
from tests.support.editor import CAPABILITIES, Json, in_process, indexed

PULLS: Json = {**CAPABILITIES, "workspace": {**CAPABILITIES["workspace"], "configuration": True}}
WATCHES: Json = {
    **CAPABILITIES,
    "workspace": {**CAPABILITIES["workspace"], "didChangeWatchedFiles": {"dynamicRegistration": True}},
}


def completion(**values: Any) -> Json:
    return {"completion": values}


# -- capabilities --------------------------------------------------------------------------------------


async def test_what_is_served_is_announced(tmp_path: Path) -> None:
    async with in_process() as editor:
        result = await editor.initialize(tmp_path)
        capabilities = result["capabilities"]
        assert result["serverInfo"]["name"] == "qwen-lsp"
        assert capabilities["positionEncoding"] == "utf-16"
        assert capabilities["textDocumentSync"] == {
            "openClose": True,
            "change": 2,
            "save": {"includeText": False},
        }
        assert capabilities["inlineCompletionProvider"] == {}
        assert capabilities["completionProvider"] == {"resolveProvider": False}
        assert capabilities["codeActionProvider"]["resolveProvider"] is True
        assert set(capabilities["codeActionProvider"]["codeActionKinds"]) >= {"quickfix", "refactor.rewrite"}
        assert capabilities["workspaceSymbolProvider"]
        assert "qwen.edit" in capabilities["executeCommandProvider"]["commands"]
        assert capabilities["workspace"]["workspaceFolders"] == {
            "supported": True,
            "changeNotifications": True,
        }


# -- folders -------------------------------------------------------------------------------------------


def roots(server: Server) -> list[Path]:
    return sorted(server.folders)


@pytest.mark.parametrize("way", ["workspaceFolders", "rootUri", "rootPath"])
async def test_the_folder_is_taken_from_whatever_names_it(way: str, tmp_path: Path) -> None:
    server = build()
    params = {
        "workspaceFolders": {"workspaceFolders": [{"uri": tmp_path.as_uri(), "name": "x"}]},
        "rootUri": {"workspaceFolders": None, "rootUri": tmp_path.as_uri()},
        "rootPath": {"workspaceFolders": None, "rootPath": str(tmp_path)},
    }[way]
    async with in_process(server) as editor:
        await editor.initialize(**params)
        assert roots(server) == [tmp_path]


async def test_folders_come_and_go_and_open_files_move_with_them(tmp_path: Path) -> None:
    outer, inner = tmp_path / "outer", tmp_path / "outer" / "inner"
    inner.mkdir(parents=True)
    uri = (inner / "a.py").as_uri()
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(outer)
        editor.open(uri, "x = 1\n")
        assert server.documents[uri].path == "inner/a.py"
        change = {"event": {"added": [{"uri": inner.as_uri(), "name": "inner"}], "removed": []}}
        editor.notify("workspace/didChangeWorkspaceFolders", change)
        assert roots(server) == [outer, inner]
        assert server.documents[uri].path == "a.py"
        change = {
            "event": {"added": [], "removed": [{"uri": f.as_uri(), "name": ""} for f in (outer, inner)]}
        }
        editor.notify("workspace/didChangeWorkspaceFolders", change)
        assert roots(server) == []
        document = server.documents[uri]
        assert document.session.snapshot.text(document.path) == "x = 1\n"


async def test_a_file_outside_every_folder_is_served_without_its_neighbours(tmp_path: Path) -> None:
    (tmp_path / "neighbour.py").write_text("def neighbour(): ...\n")
    server = build()
    async with in_process(server) as editor:
        await editor.initialize()
        uri = (tmp_path / "alone.py").as_uri()
        editor.open(uri, "def alone(): ...\n")
        snapshot = server.documents[uri].session.snapshot
        assert list(snapshot.paths()) == ["alone.py"]
        assert (await editor.command("qwen.status"))["folders"] == []


async def test_a_folder_reached_through_a_link_is_the_same_folder(tmp_path: Path) -> None:
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(real)
        session, path = server.locate((link / "a.py").as_uri())
        assert (session.root, path) == (real, "a.py")


async def test_errors_name_files_by_their_place_in_the_folder(tmp_path: Path) -> None:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(tmp_path)
        editor.open("file:///at-the-root.py", "x = 1\n")
        assert server.rpc.scrub(f"{tmp_path}/a/b.py: no such file") == "a/b.py: no such file"
        assert server.rpc.scrub(f"{Path.home()}/x or http://localhost/v1") == "~/x or http://localhost/v1"


# -- settings ------------------------------------------------------------------------------------------


def trigger(server: Server) -> str:
    return server.current_settings().completion.trigger


@pytest.mark.parametrize("options", [completion(trigger="manual"), {"qwen": completion(trigger="manual")}])
async def test_initialization_options_set_settings(options: Json) -> None:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(initializationOptions=options)
        assert trigger(server) == "manual"


async def test_the_users_file_lies_under_what_the_editor_says(own_user_folders: Path) -> None:
    file = own_user_folders / "config" / "qwen-lsp" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('log_level = "error"\n[completion]\ntrigger = "manual"\ndebounce_ms = 7\n')
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(initializationOptions=completion(debounceMs=9))
        settings = server.current_settings()
        assert (settings.completion.trigger, settings.completion.debounce_ms) == ("manual", 9)
        assert settings.log_level == "error"


async def test_configuration_is_pulled_when_the_client_can_be_asked(tmp_path: Path) -> None:
    server = build()
    async with in_process(server) as editor:
        answers = [completion(trigger="manual"), completion(trigger="auto"), {"no": 1}, None]

        def answer(params: Json) -> list[Any]:
            assert params == {"items": [{"section": "qwen"}]}
            return [answers.pop(0)]

        editor.answers["workspace/configuration"] = answer
        await editor.initialize(tmp_path, capabilities=PULLS)
        await indexed(editor)
        assert trigger(server) == "manual"
        editor.notify("workspace/didChangeConfiguration", {"settings": None})
        await editor.until(lambda m: len(answers) == 2)
        await editor.command("qwen.status")
        assert trigger(server) == "auto"


async def test_pushed_settings_are_taken_and_wrong_ones_refused(tmp_path: Path) -> None:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize()
        editor.notify(
            "workspace/didChangeConfiguration", {"settings": {"qwen": completion(trigger="manual")}}
        )
        assert trigger(server) == "manual"
        wrong = {"settings": {"qwen": completion(trigger="sometimes")}}
        editor.notify("workspace/didChangeConfiguration", wrong)
        shown = await editor.notified("window/showMessage")
        assert "completion.trigger" in shown["message"]
        assert trigger(server) == "manual"


@pytest.mark.parametrize(("announced", "left"), [({}, "manual"), ({"settings": True}, "auto")])
async def test_a_setting_taken_out_of_the_configuration_is_out_where_the_client_sends_all_of_it(
    announced: Json, left: str
) -> None:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(
            capabilities={**CAPABILITIES, "experimental": {"qwen": announced}},
            initializationOptions=completion(trigger="manual"),
        )
        assert trigger(server) == "manual"
        editor.notify("workspace/didChangeConfiguration", {"settings": {"qwen": {}}})
        assert trigger(server) == left


async def test_a_wrong_first_setting_is_named_and_the_other_sources_used(
    own_user_folders: Path,
) -> None:
    file = own_user_folders / "config" / "qwen-lsp" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text('[completion]\ntrigger = "manual"\n')
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(initializationOptions={"nonsense": True})
        assert trigger(server) == "manual"
        assert "nonsense" in (await editor.notified("window/showMessage"))["message"]


async def test_a_broken_users_file_is_named(own_user_folders: Path) -> None:
    file = own_user_folders / "config" / "qwen-lsp" / "config.toml"
    file.parent.mkdir(parents=True)
    file.write_text("= nonsense")
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(initializationOptions=completion(trigger="manual"))
        assert trigger(server) == "manual"
        shown = (await editor.notified("window/showMessage"))["message"]
        assert "config.toml" in shown
        assert str(own_user_folders) not in shown


# -- the index and its news ----------------------------------------------------------------------------


async def test_indexing_shows_progress(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("def f(): ...\n")
    async with in_process() as editor:
        await editor.initialize(tmp_path)
        status = await indexed(editor)
        assert status["folders"][0]["index"]["files"] == 1
        create = await editor.until(lambda m: m.get("method") == "window/workDoneProgress/create")
        token = create["params"]["token"]

        def over(message: Json) -> bool:
            progress = message.get("method") == "$/progress"
            return progress and message["params"]["value"]["kind"] == "end"

        await editor.until(over)
        values = [m["params"]["value"] for m in editor.messages if m.get("method") == "$/progress"]
        assert {m["params"]["token"] for m in editor.messages if m.get("method") == "$/progress"} == {token}
        assert [values[0]["kind"], values[-1]["kind"]] == ["begin", "end"]
        assert values[0]["title"].startswith("Indexing")


async def test_no_progress_for_a_client_without_it(tmp_path: Path) -> None:
    async with in_process() as editor:
        await editor.initialize(tmp_path, capabilities={})
        await indexed(editor)
        assert not [m for m in editor.messages if "progress" in str(m.get("method")).lower()]


async def test_the_clients_watching_keeps_the_index_current(tmp_path: Path) -> None:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(tmp_path, capabilities=WATCHES)
        await editor.until(lambda m: m.get("method") == "client/registerCapability")
        await indexed(editor)
        session = server.folders[tmp_path]
        new = tmp_path / "new.py"
        new.write_text("def fresh(): ...\n")
        changes = [{"uri": new.as_uri(), "type": 1}]
        editor.notify("workspace/didChangeWatchedFiles", {"changes": changes})
        await session.refresh()
        assert session.snapshot.definitions("fresh")
        new.unlink()
        changes = [{"uri": new.as_uri(), "type": 3}]
        editor.notify("workspace/didChangeWatchedFiles", {"changes": changes})
        await session.refresh()
        assert not session.snapshot.has(RelPath("new.py"))


async def test_without_the_client_the_folder_is_watched_here(tmp_path: Path) -> None:
    server = build()
    async with in_process(server) as editor:
        await editor.initialize(tmp_path)
        await indexed(editor)
        session = server.folders[tmp_path]
        found = asyncio.Event()
        session.store.subscribe(lambda s: found.set() if s.definitions("fresh") else None)
        (tmp_path / "new.py").write_text("def fresh(): ...\n")
        async with asyncio.timeout(10):
            await found.wait()
