"""A run's folder: who may read it, what is kept, what is left of it in the end."""

from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from qwen_lsp.features.agent.events import Said, Stopped
from qwen_lsp.model.messages import Message, ToolCall
from qwen_lsp.runs.record import EVENTS, KEPT, META, Meta, Record, folder_of, new_name, runs_folder
from qwen_lsp.runs.stored import infos, load
from qwen_lsp.text.edits import FileEdit
from qwen_lsp.workspace.paths import RelPath

A, B = RelPath("a.py"), RelPath("b.py")


def meta(number: int = 0, root: str = "/srv/project") -> Meta:
    name = f"20260102T0304{number:02}-abcdef"
    return Meta(name, root, "Do it.", "qwen", "ask", "2026-01-02T03:04:05+00:00", ({"type": "function"},))


def test_only_its_owner_reads_it() -> None:
    record = Record(meta())
    record.said(Message("user", "secret"))
    record.event(Said("hello"))
    record.close()
    assert stat.S_IMODE(record.folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(path.stat().st_mode) for path in record.folder.iterdir()} == {0o600}


def test_what_is_said_is_on_disk_at_once_and_comes_back_as_it_was() -> None:
    call = ToolCall("edit", {"file_path": "a.py", "n": [1, None, "ü\ud800"]}, "call_1", "why not")
    said = [
        Message("system", "You are.", cache=True),
        Message("user", "Grüße 日本 \ud83d\u2028", marks=(3, 5), joints=(2,)),
        Message("assistant", "", (call,)),
        Message("tool", "Edited.", tool_call_id="call_1", name="edit"),
    ]
    record = Record(meta())
    for message in said:
        record.said(message)
    assert load(record.meta.run).messages == tuple(said)  # while it is open: as a kill would leave it
    record.restarted(said[:2])
    record.said(said[3])
    record.close()
    assert load(record.meta.run).messages == (*said[:2], said[3])


def test_the_fork_is_what_the_calls_left() -> None:
    record = Record(meta())
    record.worked({A: FileEdit(A, "1\n", "2\n"), B: FileEdit(B, None, "new\n")}, {A: "d1"})
    record.worked({A: FileEdit(A, "1\n", "3\n")}, {A: "d2", B: "d3"})
    record.worked({B: None}, {})
    record.close()
    stored = load(record.meta.run)
    assert stored.edits == (FileEdit(A, "1\n", "3\n"),)
    assert stored.seen == {A: "d2", B: "d3"}


def test_events_have_their_time() -> None:
    record = Record(meta())
    record.event(Said("hello"))
    record.event(Stopped("done", "The task is done."))
    record.close()
    first, last = load(record.meta.run).events()
    assert (first["event"], first["text"], last["ended"]) == ("said", "hello", "done")
    assert 0 < first["at"] <= last["at"]


def test_the_newest_runs_are_kept_and_none_that_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("qwen_lsp.runs.record.KEPT", 3)
    going = Record(meta(0))
    for number in range(1, 8):
        Record(meta(number)).close()
    kept = [info.run[13:15] for info in infos()]
    assert kept == ["07", "06", "05", "00"]
    going.close()
    assert KEPT == 50


def test_runs_are_listed_by_workspace_the_latest_first() -> None:
    for number, root in enumerate(("/one", "/two", "/one")):
        Record(meta(number, root)).close()
    assert [info.run for info in infos(Path("/one"))] == [meta(2).run, meta(0).run]
    assert len(infos()) == 3


def test_a_folder_that_is_no_run_is_left_out() -> None:
    Record(meta()).close()
    (runs_folder() / "notes").mkdir()
    broken = runs_folder() / meta(1).run
    broken.mkdir()
    (broken / META).write_text('{"run": ')
    assert [info.run for info in infos()] == [meta().run]


def test_what_a_later_version_wrote_is_read_as_far_as_it_is_known() -> None:
    record = Record(meta())
    record.close()
    file = record.folder / META
    file.write_text(json.dumps(json.loads(file.read_text()) | {"mood": "good"}))
    (record.folder / EVENTS).write_text('{"event": "danced"}\nnot JSON\n')
    stored = load(record.meta.run)
    assert stored.info.meta == record.meta
    assert list(stored.events()) == [{"event": "danced"}]


def test_names_sort_by_time_and_are_names() -> None:
    assert folder_of(new_name()).parent == runs_folder()
    assert new_name() != new_name()
