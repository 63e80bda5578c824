"""The manners of completion as an editor sees them: lists, reasons, counts; against a scripted model."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.support.editor import Editor, EditorError, Json, in_process, indexed, place, replace, span
from tests.support.endpoint import ScriptedEndpoint

CODE = "def area(width: float, height: float) -> float:\n    return width * height\n"
SECRET = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"


class Person:
    """Somebody who writes at the end of a file, and asks as editors do."""

    def __init__(self, editor: Editor, uri: str, text: str) -> None:
        self.editor, self.uri, self.text, self.version = editor, uri, text, 1
        editor.open(uri, text)

    @property
    def at(self) -> tuple[int, int]:
        lines = self.text.split("\n")
        return len(lines) - 1, len(lines[-1])

    def insert(self, text: str) -> None:
        """In one change."""
        self.version += 1
        self.editor.change(self.uri, self.version, replace(self.at, self.at, text))
        self.text += text

    async def inline(self, *, automatic: bool = False) -> list[str]:
        context = {"triggerKind": 2 if automatic else 1}
        params = {"textDocument": {"uri": self.uri}, "position": place(*self.at), "context": context}
        found = await self.editor.request("textDocument/inlineCompletion", params)
        return [item["insertText"] for item in found["items"]]

    async def listed(self, kind: int = 1) -> Json:
        context = {"triggerKind": kind}
        params = {"textDocument": {"uri": self.uri}, "position": place(*self.at), "context": context}
        return await self.editor.request("textDocument/completion", params)

    async def why(self, **argument: Any) -> Json:
        return await self.editor.command("qwen.whySuggestion", {"uri": self.uri, **argument})

    async def completion(self) -> Json:
        return (await self.editor.command("qwen.status"))["completion"]


async def begin(
    editor: Editor, root: Path, model: ScriptedEndpoint | None = None, text: str = CODE, **completion: Any
) -> Person:
    options: Json = {"completion": {"debounceMs": 0, **completion}}
    if model is not None:
        options["endpoint"] = {"baseUrl": model.base_url, "model": model.model, "kind": "vllm"}
    (root / "shapes.py").write_text(text)
    await editor.initialize(root, initializationOptions=options)
    await indexed(editor)
    return Person(editor, (root / "shapes.py").as_uri(), text)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path


# -- lists ---------------------------------------------------------------------------------------------


async def test_an_item_says_what_it_is_and_stands_below_the_others(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        person.insert("\n\ndef half(x: float) -> float:\n    ret")
        model.reply("urn x / 2")

        found = await person.listed()

        (item,) = found["items"]
        assert found["isIncomplete"] is True
        assert item["label"] == "return x / 2"
        assert item["detail"] == "Qwen"
        assert item["preselect"] is False
        assert item["filterText"] == "return x / 2"
        assert item["textEdit"] == {"range": span((5, 4), (5, 7)), "newText": "return x / 2"}
        assert "data" not in item
        assert all(item["sortText"] > other for other in ("zzzz", "~", "ﬀ", "11.9999.return"))


async def test_an_item_of_several_lines_shows_that_there_is_more(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        person.insert("\n\ndef half(x: float) -> float:")
        model.reply("\n    y = x / 2\n    return y\n\n\n")
        (item,) = (await person.listed())["items"]
        assert item["label"] == "y = x / 2 …"
        assert item["textEdit"]["newText"] == "\n    y = x / 2\n    return y"


async def test_an_item_of_the_embedded_default_says_that_there_is_no_model(root: Path) -> None:
    text = "".join(f"def f{n}(self, request):\n    return self.render(request)\n\n\n" for n in range(30))
    async with in_process() as editor:
        person = await begin(editor, root, text=text)
        while (await editor.command("qwen.status"))["folders"][0]["learning"]:
            pass
        person.insert("def g(self, request):\n    return self.ren")
        (item,) = (await person.listed())["items"]
        assert item["detail"] == "qwen-lsp, no model"
        assert (await person.completion())["last"] == {"source": "embedded", "problem": "", "nothing": None}


async def test_the_first_letter_of_a_word_is_not_worth_a_request(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        model.reply("x")
        await person.listed()  # from here on its typing is followed
        person.insert("\n\ndef half(x: float) -> float:\n    r")
        asked = len(model.requests)

        assert (await person.listed())["items"] == []
        assert len(model.requests) == asked
        assert "one letter of a word" in (await person.why())["nothing"]

        model.reply("eturn x / 2")
        assert len((await person.listed())["items"]) == 1  # the same place again: somebody asks
        person.insert("e")
        assert [item["label"] for item in (await person.listed())["items"]] == ["return x / 2"]
        assert len(model.requests) == asked + 1


async def test_a_list_opened_by_typing_is_not_one_that_was_asked_for(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model, trigger="manual")
        model.reply("x")
        await person.listed()
        person.insert("\nprint(area")
        assert (await person.listed())["items"] == []
        assert (await person.listed(kind=3))["items"] == []
        assert "`completion.trigger`" in (await person.why())["nothing"]
        model.reply("(1, 2))")
        assert [item["label"] for item in (await person.listed())["items"]] == ["area(1, 2))"]


# -- why -----------------------------------------------------------------------------------------------


async def test_a_suggestion_is_accounted_for(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        person.insert("\n\ndef half(x: float) -> float:\n    return ")
        model.reply("x / 2")
        assert await person.inline() == ["x / 2"]

        told = await person.why()

        suggestion = told["suggestion"]
        assert told["nothing"] is None
        assert suggestion["place"] == {"path": "shapes.py", "line": 5, "column": 11}
        assert (suggestion["source"], suggestion["cached"], suggestion["text"]) == ("model", False, "x / 2")
        assert (suggestion["host"], suggestion["model"]) == (f"127.0.0.1:{model.port}", model.model)
        assert suggestion["route"]
        assert sum(part["tokens"] for part in suggestion["parts"]) <= suggestion["tokens"] <= 2_048
        assert {part["path"] for part in suggestion["parts"]} == {"shapes.py"}
        assert all(part["why"] for part in suggestion["parts"])
        assert [stage["name"] for stage in suggestion["stages"]] == [
            "waited", "context", "prompt", "first text", "answer",
        ]  # fmt: skip
        assert suggestion["ended"]
        assert told["markdown"].startswith("# Why this suggestion: shapes.py:6\n")

        person.insert("x")
        assert await person.inline() == [" / 2"]
        newest, before = await person.why(), await person.why(index=1)
        assert (newest["suggestion"]["source"], newest["suggestion"]["typed"]) == ("cache", 1)
        assert newest["suggestion"]["cached"] is True
        assert before["suggestion"] == suggestion
        assert "Only 2 suggestions" in (await person.why(index=2))["nothing"]


async def test_without_a_document_the_newest_of_all_is_meant(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        before = await editor.command("qwen.whySuggestion")
        assert (before["suggestion"], before["nothing"].split(":")[0]) == (
            None,
            "Nothing has been asked for yet",
        )
        person.insert("\nx = ")
        model.reply("1")
        await person.inline()
        assert (await editor.command("qwen.whySuggestion"))["suggestion"]["text"] == "1"
        other = await editor.command("qwen.whySuggestion", {"uri": (root / "other.py").as_uri()})
        assert other["suggestion"] is None


@pytest.mark.parametrize(
    ("settings", "typed", "reason"),
    [
        ({"enabled": False}, "x = ", "`completion.enabled`"),
        ({"triggerByGlob": {"**/*.py": "off"}}, "x = ", '`completion.triggerByGlob."**/*.py"`'),
        ({"trigger": "manual"}, "x = ", "`completion.trigger`"),
        ({"inComments": False}, "# so ", "`completion.inComments`"),
        (
            {},
            "x = ",
            "no endpoint is set (`endpoint.baseUrl`), and the embedded default was not sure enough",
        ),
        ({"embedded": False}, "x = ", "the embedded default is off by `completion.embedded`"),
    ],
)
async def test_a_silence_is_explained(root: Path, settings: Json, typed: str, reason: str) -> None:
    async with in_process() as editor:
        person = await begin(editor, root, **settings)
        person.insert(typed)
        assert await person.inline(automatic=True) == []
        told = await person.why()
        assert told["suggestion"] is None
        assert told["nothing"].startswith("Nothing was shown at shapes.py:3, since ")
        assert reason in told["nothing"]
        assert told["nothing"] in told["markdown"]
        assert (await person.completion())["last"]["nothing"] == told["nothing"]


async def test_a_failure_an_empty_answer_and_a_refused_file_are_told_apart(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        person.insert("\nx = ")
        model.reply(status=500)
        await person.inline()
        failed = (await person.why())["nothing"]
        assert "since the endpoint failed (" in failed
        assert "500" in failed

        person.insert("area")
        model.reply("   \n")
        await person.inline()
        assert "had nothing to say" in (await person.why())["nothing"]

        (root / ".env").write_text("A=\n")
        secret = Person(editor, (root / ".env").as_uri(), "A=")
        await secret.inline()
        assert "since the file may not be sent: " in (await secret.why())["nothing"]


async def test_a_cancelled_and_a_superseded_request_are_told_apart(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        person.insert("\nx = ")
        model.reply("never", hang="headers")
        params = {
            "textDocument": {"uri": person.uri},
            "position": place(*person.at),
            "context": {"triggerKind": 1},
        }
        msg_id, reply = editor.ask("textDocument/inlineCompletion", params)
        await model.wait_requests()
        assert "still under way" in (await person.why())["nothing"]
        editor.notify("$/cancelRequest", {"id": msg_id})
        await reply
        assert "the editor cancelled the request" in (await person.why())["nothing"]


async def test_secrets_in_an_answer_are_not_told(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        person.insert("\nTOKEN = ")
        model.reply(f'"{SECRET}"')
        await person.inline()
        told = await person.why()
        assert SECRET not in str(told)
        assert told["answer"]["raw"].startswith('"<redacted: ')
        assert "looks like a real" in told["nothing"]


async def test_the_reasons_can_be_shown(root: Path) -> None:
    async with in_process() as editor:
        person = await begin(editor, root, enabled=False)
        await person.inline()
        await person.why(show=True)
        shown = await editor.notified("window/showMessage")
        assert "`completion.enabled`" in shown["message"]
        with pytest.raises(EditorError, match="index"):
            await person.why(index=-1)


# -- counts --------------------------------------------------------------------------------------------


async def test_what_becomes_of_suggestions_is_counted(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        model.reply("1 + 2")
        person.insert("\nx = ")
        await person.inline()
        person.insert("1")
        await person.inline()
        person.insert(" + 2")  # accepted
        model.reply("area(1, 2)")
        person.insert("\ny = ")
        await person.inline()
        person.insert("area")  # a word of it
        statistics = (await person.completion())["statistics"]
        assert (statistics["shown"], statistics["accepted"], statistics["accepted_in_part"]) == (2, 1, 1)
        assert statistics["requests_avoided"] == 1
        assert statistics["by_source"]["model"]["shown"] == 2
        assert list(statistics["by_language"]) == ["python"]
        assert (statistics["kept"], statistics["kept_of"]) == (0, 0)


async def test_code_that_names_a_setting_is_shown_as_it_is(root: Path) -> None:
    async with ScriptedEndpoint() as model, in_process() as editor:
        person = await begin(editor, root, model)
        person.insert("where = ")
        model.reply("endpoint.base_url")
        assert await person.inline() == ["endpoint.base_url"]
        assert "\nendpoint.base_url\n" in (await person.why())["markdown"]
