"""Files whose text has the words of a task."""

from __future__ import annotations

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.wording import worded, wording_ranker
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.workspace.paths import RelPath
from tests.support.fixture import workspace

FILLER = "".join(f"#- filler_{number}.py\ndef other_{number}():\n    return open\n" for number in range(12))
SHOP = f'''
#- landing.py
def land(edits):
    """Write all edits."""
    for edit in edits:
        edit.write()

def check_saved(paths):
    """Refuse files that an editor has open with unsaved changes."""
    for path in paths:
        if path.unsaved:
            raise Conflict(path)
#- tests/test_landing.py
def test_unsaved_changes_refuse():
    unsaved = changes = 1
    assert refuse(unsaved, changes)
#- till.py
def ring():
    pass
{FILLER}'''


def best(snapshot: Snapshot, task: str) -> list[Candidate]:
    return sorted(worded(snapshot, task), key=lambda one: -one.score)


def test_the_file_and_the_definition_that_speak_of_the_task_come_first() -> None:
    found = best(workspace(SHOP).snapshot, "Refusing a file that is open with unsaved change")
    assert [(one.path, one.form, one.lines) for one in found[:2]] == [
        ("landing.py", "whole", None),
        ("landing.py", "excerpt", (5, 9)),
    ]
    assert found[0].why == "its text speaks of refusing, unsaved"


def test_a_word_that_is_everywhere_says_nothing() -> None:
    assert worded(workspace(SHOP).snapshot, "return open") == []


def test_a_path_counts_as_its_words_do() -> None:
    assert best(workspace(SHOP).snapshot, "landing")[0].path == "landing.py"


def test_without_words_and_without_files_nothing_is_found() -> None:
    assert worded(workspace(SHOP).snapshot, "?!") == []
    assert worded(workspace("").snapshot, "landing") == []


def test_equal_input_gives_equal_output() -> None:
    made = workspace(SHOP)
    assert worded(made.snapshot, "refuse unsaved") == worded(made.snapshot, "refuse unsaved")


def test_names_and_words_of_a_task_count_as_one() -> None:
    snapshot = workspace(SHOP).snapshot
    ranked = wording_ranker(snapshot, "Let `ring` in till.py refuse unsaved changes")(2_000)

    files = [one for one in ranked if one.form == "whole"]
    assert {"till.py", "landing.py"} <= {one.path for one in files[:3]}
    assert len({one.key for one in ranked}) == len(ranked), "what is found both ways is there once"
    assert [one.key for one in wording_ranker(snapshot, "refuse unsaved")(3)] == [
        one.key for one in wording_ranker(snapshot, "refuse unsaved")(2_000)[:3]
    ]
    given = wording_ranker(snapshot, "refuse unsaved changes", [RelPath("till.py")])(2_000)
    assert given[0].path == "till.py", "what a person points at comes first"
