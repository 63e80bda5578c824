"""The next edit, as an editor meets it: off unless wanted, a code action anywhere, inline on its own line."""

from __future__ import annotations

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from qwen_lsp.features.next_edit import offer, places
from tests.support.editor import Editor, EditorError, in_process, indexed, replace, span

TEXT = """def total(prices):
    return sum(prices)


def report(prices):
    print(total(prices))
    return total(prices)
"""
WANTED = {"completion": {"nextEdit": True}}


async def opened(editor: Editor, root: Path, options: dict[str, Any]) -> str:
    path = root / "shop.py"
    path.write_text(TEXT)
    await editor.initialize(root, initializationOptions=options)
    await indexed(editor)
    editor.open(path.as_uri(), TEXT)
    return path.as_uri()


def rename(editor: Editor, uri: str) -> None:
    """Somebody renames the function, a key at a time."""
    for n, key in enumerate("_sum", 2):
        editor.change(uri, n, replace((0, 7 + n), (0, 7 + n), key))


async def actions(editor: Editor, uri: str, line: int, *only: str) -> list[Any]:
    context = {"diagnostics": [], **({"only": list(only)} if only else {})}
    found = await editor.request(
        "textDocument/codeAction",
        {"textDocument": {"uri": uri}, "range": span((line, 0), (line, 0)), "context": context},
    )
    return [action for action in found if action["title"].startswith("Next edit")]


async def inline(editor: Editor, uri: str, line: int, character: int) -> list[Any]:
    found = await editor.request(
        "textDocument/inlineCompletion",
        {
            "textDocument": {"uri": uri},
            "position": {"line": line, "character": character},
            "context": {"triggerKind": 1},
        },
    )
    return found["items"]


async def test_a_renamed_function_leads_to_its_next_call(tmp_path: Path) -> None:
    async with in_process() as editor:
        uri = await opened(editor, tmp_path, WANTED)
        rename(editor, uri)
        (action,) = await actions(editor, uri, 0)
        assert action["title"].startswith("Next edit, line 6: ")
        resolved = await editor.request("codeAction/resolve", action)
        ((change,),) = [edit["edits"] for edit in resolved["edit"]["documentChanges"]]
        assert change["range"]["start"]["line"] == change["range"]["end"]["line"] == 5
        assert change["newText"] == "total_sum"


async def test_on_the_line_itself_it_is_an_inline_completion(tmp_path: Path) -> None:
    async with in_process() as editor:
        uri = await opened(editor, tmp_path, WANTED)
        rename(editor, uri)
        (item,) = await inline(editor, uri, 5, 10)
        assert item["range"]["start"]["line"] == item["range"]["end"]["line"] == 5
        assert "total_sum" in item["insertText"]
        assert await inline(editor, uri, 1, 4) == []


async def test_it_is_looked_for_only_when_such_actions_are_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked: list[object] = []

    def places_seen(*of: Any, **how: Any) -> Any:
        looked.append(of)
        return next_places(*of, **how)

    next_places = places.next_places
    monkeypatch.setattr(places, "next_places", places_seen)
    async with in_process() as editor:
        uri = await opened(editor, tmp_path, WANTED)
        rename(editor, uri)
        assert await actions(editor, uri, 0, "source.organizeImports") == []
        assert not looked
        (action,) = await actions(editor, uri, 0, "refactor")
        assert action["kind"] == "refactor.rewrite"


async def test_an_edit_for_a_text_that_has_changed_meanwhile_is_not_suggested(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, changed = threading.Event(), threading.Event()

    async def slow(*of: Any, **how: Any) -> Any:
        found = await next_edit(*of, **how)
        asked.set()
        await asyncio.to_thread(changed.wait, 10)
        return found

    next_edit = offer.next_edit
    monkeypatch.setattr(offer, "next_edit", slow)
    async with in_process() as editor:
        uri = await opened(editor, tmp_path, WANTED)
        rename(editor, uri)
        suggested = asyncio.create_task(inline(editor, uri, 5, 10))
        assert await asyncio.to_thread(asked.wait, 10)
        editor.change(uri, 9, replace((0, 0), (0, 0), "import os\n"))
        await actions(editor, uri, 0)  # it is answered after the change was taken in
        changed.set()
        assert await suggested == []


async def test_it_is_off_unless_wanted(tmp_path: Path) -> None:
    async with in_process() as editor:
        uri = await opened(editor, tmp_path, {})
        rename(editor, uri)
        assert await actions(editor, uri, 0) == []


async def test_an_edit_that_calls_for_nothing(tmp_path: Path) -> None:
    async with in_process() as editor:
        uri = await opened(editor, tmp_path, WANTED)
        editor.change(uri, 2, replace((1, 22), (1, 22), "  # all of them"))
        assert await actions(editor, uri, 1) == []


async def test_when_the_place_has_changed_meanwhile_the_action_says_so(tmp_path: Path) -> None:
    async with in_process() as editor:
        uri = await opened(editor, tmp_path, WANTED)
        rename(editor, uri)
        (action,) = await actions(editor, uri, 0)
        editor.change(uri, 9, {"text": "x = 1\n"})
        with pytest.raises(EditorError, match="no next edit"):
            await editor.request("codeAction/resolve", action)


async def test_a_closed_document_is_forgotten(tmp_path: Path) -> None:
    async with in_process() as editor:
        uri = await opened(editor, tmp_path, WANTED)
        rename(editor, uri)
        editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})
        editor.open(uri, TEXT)
        assert await actions(editor, uri, 0) == []
