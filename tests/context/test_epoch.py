"""Epochs: each prompt extends the last one, tells what changed, and is cut anew when it must be."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.context.candidates import Candidate
from qwen_lsp.context.epoch import Around, advance
from qwen_lsp.context.kept import frozen_bytes, read, tail_bytes
from qwen_lsp.context.prefix import Base, Epoch, Room, Sight, room_for
from qwen_lsp.context.render import receipt, receipt_text
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.tokens import count
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate
from tests.support.fixture import Workspace, workspace

ROOM = Room(frozen=1_500, tail=600, near=100, own=0)
NOW = 1 << 62
"""After anything was written."""
BASE = Base("main", "qwen3-coder", Gate(None).fingerprint, ROOM)
A, B, C, D = (RelPath(f"app/{name}.py") for name in "abcd")


def module(name: str, imports: str = "") -> str:
    body = "".join(f"def {name}_{i}(value):\n    return value + {i}\n\n" for i in range(8))
    return f"{imports}\n{body}" if imports else body


FILES = "".join(
    f"#- {path}\n{module(path[4], imports)}"
    for path, imports in ((A, "from app.b import b_0"), (B, "from app.c import c_0"), (C, ""), (D, ""))
)


def sight(
    snapshot: Snapshot,
    current: RelPath | None = None,
    wanted: Sequence[RelPath] | None = None,
    gate: Gate | None = None,
) -> Sight:
    paths = list(snapshot.paths()) if wanted is None else wanted
    found = [Candidate(path, "whole", 1.0, "it is there") for path in paths]
    return Sight(snapshot, lambda limit: found[:limit], current, count, gate or Gate(None), NOW)


def begun(place: Workspace, current: RelPath | None = None) -> Around:
    return advance(None, BASE, sight(place.snapshot, current))


def current_texts(around: Around) -> dict[str, str]:
    """What a reader takes for the text of each file: the last that is said under its path."""
    found: dict[str, str] = {}
    for piece in ("\n\n" + around.text).split("\n\n## ")[1:]:
        heading, _, body = piece.partition("\n")
        path, _, said = heading.partition(" (")
        if said.startswith("moved to "):
            found[said.removeprefix("moved to ").partition(",")[0]] = found.pop(path)
        elif said.startswith("no longer"):
            found.pop(path, None)
        else:
            found[path] = body.strip()
    return found


def checked(around: Around) -> Around:
    """What holds of every prompt."""
    epoch = around.epoch
    assert count(epoch.frozen_text) == sum(e.tokens for e in epoch.frozen) <= epoch.base.room.frozen
    assert count(epoch.tail_text) == epoch.tail_tokens <= epoch.base.room.tail
    assert count(around.text + around.near) == around.packed.tokens <= around.packed.budget
    assert around.text.endswith("\n\n") or not around.text
    return around


def test_files_come_whole_and_in_dependency_order() -> None:
    around = checked(begun(workspace(FILES)))
    assert [entry.path for entry in around.epoch.frozen] == [C, B, A, D]
    assert around.epoch.cut == "it is the first"
    assert around.near == ""


def test_an_edited_file_is_said_again_and_the_prompt_grows_only_at_its_end() -> None:
    place = workspace(FILES)
    first = begun(place)
    edited = place.snapshot.edited(C, module("c").replace("+ 3", "+ 33"))
    second = checked(advance(first.epoch, BASE, sight(edited)))
    assert second.text.startswith(first.text)
    assert f"## {C} (as it is now; replaces the text above)\n" in second.text
    assert current_texts(second)[C] == edited.text(C).strip()
    third = checked(advance(second.epoch, BASE, sight(edited)))
    assert third.text == second.text, "nothing changed, nothing is said"
    fourth = checked(advance(third.epoch, BASE, sight(place.snapshot)))
    assert fourth.text.startswith(third.text)
    assert current_texts(fourth)[C] == place.snapshot.text(C).strip(), "taken back is changed once more"


def test_the_file_in_question_is_not_said_until_the_question_is_another() -> None:
    place = workspace(FILES)
    first = checked(begun(place, current=A))
    assert A not in current_texts(first)
    edited = place.snapshot.edited(A, module("a"))
    second = checked(advance(first.epoch, BASE, sight(edited, current=A)))
    assert second.text == first.text
    third = checked(advance(second.epoch, BASE, sight(edited, current=B)))
    assert third.text.startswith(second.text)
    assert current_texts(third)[A] == module("a").strip()


def test_deleted_and_moved_files_are_told(tmp_path: Path) -> None:
    place = workspace(FILES, tmp_path)
    first = begun(place)
    gone = place.snapshot.edited(D, None)
    second = checked(advance(first.epoch, BASE, sight(gone)))
    assert second.text.startswith(first.text)
    assert D not in current_texts(second)
    new = RelPath("lib/e.py")
    (tmp_path / "lib").mkdir()
    (tmp_path / D).rename(tmp_path / new)
    moved = workspace("", tmp_path).snapshot
    third = checked(advance(first.epoch, BASE, sight(moved)))
    assert f"## {D} (moved to {new}, with the text above)\n\n" in third.text
    assert current_texts(third)[new] == module("d").strip()
    assert third.text.count("def d_1(") == 1, "the text is not sent again"
    changed = moved.edited(new, module("d").replace("+ 1", "+ 11"))
    fourth = checked(advance(third.epoch, BASE, sight(changed)))
    assert fourth.text.startswith(third.text)
    assert current_texts(fourth)[new] == changed.text(new).strip()
    back = checked(advance(second.epoch, BASE, sight(place.snapshot.edited(D, "x = 1\n"))))
    assert current_texts(back)[D] == "x = 1"


def test_a_file_that_was_added_is_said_when_it_matters(tmp_path: Path) -> None:
    place = workspace(FILES, tmp_path)
    first = begun(place)
    new = RelPath("app/new.py")
    added = place.snapshot.edited(new, "def new():\n    pass\n")
    second = checked(advance(first.epoch, BASE, sight(added)))
    assert second.text == f"{first.text}## {new}\ndef new():\n    pass\n\n"
    # It is of no use here, and nobody asked about it.
    other = checked(advance(first.epoch, BASE, sight(added, wanted=[A, B, C, D])))
    assert other.text == first.text


def test_what_an_outline_leaves_out_may_change() -> None:
    large = "".join(f"def d_{i}(value):\n    return value + {i} * value - {i}\n\n" for i in range(60))
    place = workspace(f"{FILES}#- app/big.py\n{large}")
    first = begun(place)
    big = RelPath("app/big.py")
    assert {e.path: e.kind for e in first.epoch.frozen}[big] == "outline"
    body = place.snapshot.edited(big, large.replace("- 7\n", "- 77\n"))
    second = checked(advance(first.epoch, BASE, sight(body)))
    assert second.text == first.text
    signature = place.snapshot.edited(big, large.replace("def d_7(value)", "def d_7(value, more)"))
    third = checked(advance(replace(second.epoch, base=replace(BASE, room=replace(ROOM, tail=2_000))),
                            replace(BASE, room=replace(ROOM, tail=2_000)), sight(signature)))  # fmt: skip
    assert third.text.startswith(first.text)
    assert "def d_7(value, more)" in third.epoch.tail_text
    assert "77" not in third.text


def test_a_full_tail_is_written_anew_before_a_new_epoch_is_cut() -> None:
    place = workspace(FILES)
    around = begun(place)
    first, snapshot = around.text, place.snapshot
    rewritten = cut = 0
    for number in range(30):
        path = (C, C, C, D)[number % 4] if number < 12 else (A, B, C, D)[number % 4]
        snapshot = snapshot.edited(path, module("x").replace("+ 3", f"+ {number}"))
        before, around = around, checked(advance(around.epoch, BASE, sight(snapshot)))
        if around.epoch.frozen != before.epoch.frozen:
            cut += 1
            assert around.epoch.cut == "the tail of changes outgrew its share"
            assert around.epoch.tail == ()
        elif not around.text.startswith(before.text):
            rewritten += 1
            assert around.text.startswith(first)
            paths = [entry.path for entry in around.epoch.tail]
            assert len(paths) == len(set(paths))
        assert current_texts(around) == {p: snapshot.text(p).strip() for p in snapshot.paths()}
        if number == 11:
            assert rewritten > 0 == cut
    assert cut > 0


@pytest.mark.parametrize(
    ("base", "why"),
    [
        (replace(BASE, branch="other"), "the branch changed from main to other"),
        (replace(BASE, model="qwen3-coder-plus"), "the model changed"),
        (replace(BASE, room=replace(ROOM, frozen=900)), "the budget changed"),
        (replace(BASE, gate="other rules"), "the rules about secrets changed"),
    ],
)
def test_another_base_is_another_epoch(base: Base, why: str) -> None:
    place = workspace(FILES)
    around = checked(advance(begun(place).epoch, base, sight(place.snapshot)))
    assert around.epoch.cut == why
    assert around.epoch.base == base


def test_a_detached_head_is_no_switch_but_what_comes_after_it_may_be() -> None:
    place = workspace(FILES)
    first = begun(place)
    second = advance(first.epoch, replace(BASE, branch=""), sight(place.snapshot))
    assert second.epoch.cut == first.epoch.cut
    assert second.text == first.text
    third = advance(second.epoch, replace(BASE, branch="other"), sight(place.snapshot))
    assert third.epoch.cut == "the branch changed from main to other"


def test_an_epoch_is_cut_when_the_work_has_moved_away(tmp_path: Path) -> None:
    place = workspace(FILES, tmp_path)
    first = advance(None, BASE, sight(place.snapshot, wanted=[A, B]))
    assert first.epoch.fit == 1.0
    stays = advance(first.epoch, BASE, sight(place.snapshot, wanted=[A, C]))
    assert stays.text == first.text
    assert stays.near.startswith("## app/c.py\n"), "what the prefix lacks is near, as far as there is room"
    around, prompts = first, 0
    while around.text == first.text and prompts < 20:  # a look elsewhere costs no epoch
        around = checked(advance(around.epoch, BASE, sight(place.snapshot, wanted=[C, D])))
        prompts += 1
    assert 4 < prompts < 12
    assert around.epoch.cut == "the work moved to other files"
    assert {A, B, C, D} <= set(current_texts(around)), "what was wanted before is still wanted a little"


def test_what_the_gate_withholds_now_is_not_sent_again(tmp_path: Path) -> None:
    place = workspace(FILES, tmp_path)
    first = begun(place)
    strict = Gate(tmp_path, globs=["app/d.py"], patterns=[r"c_5"])
    base = replace(BASE, gate=strict.fingerprint)
    second = checked(advance(first.epoch, base, sight(place.snapshot, gate=strict)))
    assert "def d_1(" not in second.text
    assert "def c_5(" not in second.text
    assert {(w.path, w.reason) for w in second.packed.withheld} == {
        (D, "withheld by a setting"),
        (C, "withheld by a setting"),
    }
    # A file that became an ignored one leaves the index, and its text the prefix, though no rule changed.
    ignoring = Gate(tmp_path, ignored=lambda path: path == D)
    left = replace(place.snapshot, manifest=place.snapshot.manifest.with_changes({D: None}))
    third = checked(advance(first.epoch, BASE, sight(left, gate=ignoring)))
    assert "def d_1(" not in third.text
    assert third.epoch.cut == f"{D} may no longer be shown (ignored file)"


def test_the_receipt_tells_the_sections_and_why_the_epoch_was_cut() -> None:
    place = workspace(FILES)
    edited = place.snapshot.edited(C, module("x"))
    around = advance(begun(place).epoch, BASE, sight(edited))
    told = receipt(around.packed)
    assert told["epoch"] == {
        "frozen": count(around.epoch.frozen_text),
        "tail": count(around.epoch.tail_text),
        "cut": "it is the first",
    }
    rows = [(part["path"], part["section"], part["why"]) for part in told["parts"]]
    assert (C, "frozen", "it is there; replaced further down") in rows
    assert (C, "tail", "changed since") in rows
    assert "the epoch was cut because it is the first" in receipt_text(around.packed)


# -- what is kept -------------------------------------------------------------------------------------


def kept(epoch: Epoch) -> tuple[bytes, bytes]:
    return frozen_bytes(epoch), tail_bytes(epoch)


def test_what_is_kept_goes_on_byte_for_byte() -> None:
    place = workspace(FILES)
    edited = place.snapshot.edited(C, module("c") + "# \ud800 \u00e9\n").edited(D, None)
    around = advance(begun(place, current=A).epoch, BASE, sight(edited, current=B))
    again = read(*kept(around.epoch))
    assert again == around.epoch
    assert advance(again, BASE, sight(edited, current=B)).text == around.text


def test_a_tail_of_another_frozen_part_is_left_out_and_said_anew() -> None:
    place = workspace(FILES)
    first = begun(place)
    edited = place.snapshot.edited(C, module("x"))
    other = advance(
        advance(None, BASE, sight(place.snapshot, wanted=[C])).epoch, BASE, sight(edited, wanted=[C])
    )
    again = read(frozen_bytes(first.epoch), tail_bytes(other.epoch))
    assert again is not None
    assert (again.frozen, again.tail) == (first.epoch.frozen, ())
    assert current_texts(advance(again, BASE, sight(edited)))[C] == module("x").strip()


@settings(deadline=None, max_examples=200)
@given(st.data())
def test_a_damaged_file_is_no_epoch(data: st.DataObject) -> None:
    place = workspace("#- a.py\nx = 1\n#- b.py\ny = 2\n")
    files = list(kept(advance(None, BASE, sight(place.snapshot)).epoch))
    which = data.draw(st.integers(0, 1))
    damaged = bytearray(files[which])
    at = data.draw(st.integers(0, len(damaged) - 1))
    match data.draw(st.integers(0, 2)):
        case 0:
            damaged[at] ^= 1 + data.draw(st.integers(0, 254))
        case 1:
            del damaged[at:]
        case _:
            damaged[at:at] = data.draw(st.binary(min_size=1, max_size=20))
    files[which] = bytes(damaged)
    again = read(*files)
    assert again is None if which == 0 else again is not None and again.tail == ()


# -- whatever happens ---------------------------------------------------------------------------------

Step = Callable[[Snapshot, random.Random], Snapshot]


def _step(snapshot: Snapshot, rng: random.Random) -> Snapshot:
    paths = sorted(p for p in snapshot.paths())
    path = rng.choice([*paths, RelPath(f"app/n{rng.randrange(4)}.py")])
    text = snapshot.text(path) if snapshot.has(path) else ""
    lines = text.splitlines(keepends=True)
    at = rng.randrange(len(lines) + 1)
    match rng.randrange(6):
        case 0 if len(paths) > 2 and snapshot.has(path):
            return snapshot.edited(path, None)
        case 1:
            del lines[at : at + 3]
        case _:
            lines.insert(at, f"def added_{rng.randrange(99)}():\n    return {rng.randrange(9)}\n")
    return snapshot.edited(path, "".join(lines))


@settings(deadline=None, max_examples=40)
@given(st.integers(0, 10_000))
def test_whatever_is_edited_each_prompt_is_true_exact_and_extends_the_last(seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311
    place = workspace(FILES)
    snapshot, around = place.snapshot, None
    for _ in range(12):
        snapshot = _step(snapshot, rng)
        current = rng.choice([None, *list(snapshot.paths())[:2]])
        before = around.epoch if around is not None else None
        if before is not None and rng.random() < 0.3:
            before = read(*kept(before))  # a restart
        following = checked(advance(before, BASE, sight(snapshot, current)))
        shown = current_texts(following)
        for entry in following.epoch.latest().values():
            if entry.path != current and entry.kind == "whole":
                assert shown[entry.path] == snapshot.text(entry.path).strip()
        assert all(snapshot.has(RelPath(path)) for path in shown if path != current)
        if before is not None and following.epoch.frozen == before.frozen:
            grew = following.text.startswith(before.frozen_text + before.tail_text)
            assert grew or len(following.epoch.tail) == len({e.path for e in following.epoch.tail})
        around = following


def test_the_room_is_divided_without_a_rest() -> None:
    for total in (32_000, 65_536, 262_144, 1_000_000):
        for own in (True, False):
            room = room_for(total, 0.15, own=own)
            assert room.frozen + room.tail + room.near + room.own == total
            assert 0.14 < room.tail / room.frozen < 0.16
            assert (room.own > 0) == own
