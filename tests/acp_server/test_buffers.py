"""What the client has not saved: seen by the agent, edited where it is, never lost."""

from __future__ import annotations

from pathlib import Path

import pytest
from acp import schema

from tests.acp_server.desk import Desk, capabilities, desk
from tests.support.agent import BEFORE, CALLS, CART, NEW_CART, NEW_PRICES, PRICES, RENAME, mine
from tests.support.endpoint import ScriptedEndpoint

CALLER = CALLS[1]
READ_CART = ("read_file", {"file_path": "cart.py"})
READS_ONLY = schema.FileSystemCapabilities(read_text_file=True)


def link(path: Path, lines: str = "") -> schema.ResourceContentBlock:
    return schema.ResourceContentBlock(type="resource_link", name=path.name, uri=f"{path.as_uri()}{lines}")


async def test_the_agent_sees_what_is_not_saved_of_a_file_it_reads(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py", mine(CART))
    model.reply(tool_calls=[READ_CART])
    model.reply("Done.")

    await at.prompt("Look at it.")

    assert "# mine" in model.requests[-1].prompt
    assert "# mine" not in (at.root / "cart.py").read_text()
    assert at.questions == [], "what the user typed is no change of the agent's"


async def test_and_of_a_file_that_the_prompt_points_at(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py", mine(CART))
    model.reply("I see.")

    await at.prompt("What is in ", link(at.root / "cart.py"), "?")

    assert "What is in cart.py?" in model.requests[-1].prompt
    assert "# mine" in model.requests[-1].prompt


async def test_an_edit_lands_in_the_text_that_is_not_saved(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py", mine(CART))
    at.open("prices.py")
    model.reply(tool_calls=[RENAME, CALLER])
    model.reply("Renamed it.")
    at.answers("apply")

    await at.prompt("Rename net.")

    assert (at.text("cart.py"), at.text("prices.py")) == (mine(NEW_CART), NEW_PRICES)
    assert sorted(at.writes) == ["cart.py", "prices.py"]


async def test_what_is_typed_while_the_question_stands_is_kept(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py")
    model.reply(tool_calls=[CALLER])
    model.reply("Renamed it.")
    at.answers("apply")
    at.meanwhile = lambda: at.open("cart.py", mine(CART))

    await at.prompt("Rename net.")

    assert at.text("cart.py") == mine(NEW_CART)


async def test_nothing_is_written_where_both_changed_the_same_line(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py")
    model.reply(tool_calls=[RENAME, CALLER])
    model.reply("Renamed it.")
    at.answers("apply")
    at.meanwhile = lambda: at.open("cart.py", CART.replace("net(line)", "other(line)"))

    await at.prompt("Rename net.")

    assert at.writes == []
    assert (at.root / "prices.py").read_text() == PRICES
    assert "cart.py" in at.call("Apply")["content"][-1]["content"]["text"]
    assert at.call("Apply")["status"] == "failed"


async def test_what_was_written_is_taken_back_when_one_file_fails(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py")
    at.open("prices.py", f"# typed\n{PRICES}")
    at.broken["prices.py"] = "it is locked"
    model.reply(tool_calls=CALLS)
    model.reply("Renamed it.")
    at.answers("apply")

    await at.prompt("Rename net.")

    assert {path: at.text(path) for path in BEFORE} == {**BEFORE, "prices.py": f"# typed\n{PRICES}"}
    assert "it is locked" in at.words and "Nothing was written" in at.words
    assert at.writes.count("cart.py") == 2, "written, and given back"


async def test_what_did_not_land_is_offered_again(at: Desk, model: ScriptedEndpoint) -> None:
    at.broken["cart.py"] = "it is locked"
    model.reply(tool_calls=[CALLER])
    model.reply("Renamed it.")
    at.answers("apply", "apply")
    await at.prompt("Rename net.")
    at.broken.clear()

    await at.prompt("/apply")

    assert at.text("cart.py") == NEW_CART


async def test_a_client_that_writes_something_else_is_found_out(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py")
    at.given = lambda text: text.replace("before_tax", "BEFORE_TAX")
    model.reply(tool_calls=[CALLER])
    model.reply("Renamed it.")
    at.answers("apply")

    await at.prompt("Rename net.")

    assert "the editor holds another text than it was given" in at.words


@pytest.mark.parametrize("saved", [True, False])
async def test_the_line_ends_of_the_disk_stay(root: Path, model: ScriptedEndpoint, saved: bool) -> None:
    """A client that hands out every text with line feeds, and writes what it is given as it is."""
    windows = CART.replace("\n", "\r\n")
    (root / "cart.py").write_bytes(windows.encode())
    async with desk(root) as at:
        at.given = lambda text: text.replace("\r\n", "\n")
        if not saved:
            at.open("cart.py", mine(CART))
            at.saves = False
        model.reply(tool_calls=[CALLER])
        model.reply("Renamed it.")
        at.answers("apply")

        await at.prompt("Rename net.")

        if saved:
            assert (root / "cart.py").read_bytes() == NEW_CART.replace("\n", "\r\n").encode()
        else:
            assert at.text("cart.py") == mine(NEW_CART)


async def test_a_last_line_end_that_the_client_leaves_out_is_no_change(
    at: Desk, model: ScriptedEndpoint
) -> None:
    at.given = lambda text: text.removesuffix("\n")
    model.reply(tool_calls=[READ_CART, CALLER])
    model.reply("Renamed it.")
    at.answers("apply")

    await at.prompt("Rename net.")

    assert (at.root / "cart.py").read_text() == NEW_CART


async def test_a_client_that_cannot_write_is_asked_to_save_first(root: Path, model: ScriptedEndpoint) -> None:
    async with desk(root, capabilities(READS_ONLY)) as at:
        at.open("cart.py", mine(CART))
        model.reply(tool_calls=[RENAME, CALLER])
        model.reply("Renamed it.")

        await at.prompt("Rename net.")

        assert "cart.py has changes that are not saved" in at.words and "Save first" in at.words
        assert (root / "prices.py").read_text() == PRICES
        (root / "cart.py").write_text(at.texts.pop("cart.py"))
        at.answers("apply")
        await at.prompt("/apply")
        assert (root / "cart.py").read_text() == mine(NEW_CART)


async def test_a_client_that_writes_over_what_is_not_saved_is_not_asked_to(
    root: Path, model: ScriptedEndpoint
) -> None:
    async with desk(root, begin=False) as at:
        client = schema.Implementation(name="CodeCompanion.nvim", version="1.0.0")
        await at.agent.initialize(1, at.can, client)
        await at.begin()
        at.open("cart.py", mine(CART))
        model.reply(tool_calls=[CALLER])
        model.reply("Renamed it.")
        at.answers("apply")

        await at.prompt("Rename net.")

        assert (at.reads, at.writes) == ([], [])
        assert ((root / "cart.py").read_text(), at.text("cart.py")) == (NEW_CART, mine(CART))


async def test_undo_takes_back_the_texts_and_the_files(at: Desk, model: ScriptedEndpoint) -> None:
    at.open("cart.py", mine(CART))
    model.reply(tool_calls=CALLS)
    model.reply("Renamed it.")
    at.answers("apply")
    await at.prompt("Rename net.")
    assert at.text("gone.py") is None

    await at.prompt("/undo")

    assert {path: at.text(path) for path in BEFORE} == {**BEFORE, "cart.py": mine(CART)}
    assert "Taken back: " in at.words
    model.reply("It is as it was.")
    await at.prompt("And now?")
    assert "took your changes of these files back" in model.requests[-1].prompt
    assert len(at.questions) == 1


async def test_undo_takes_back_one_turn_at_a_time(at: Desk, model: ScriptedEndpoint) -> None:
    at.answers("apply", "apply")
    model.reply(tool_calls=[RENAME])
    model.reply("Renamed it.")
    await at.prompt("Rename net.")
    model.reply(tool_calls=[CALLER])
    model.reply("The caller too.")
    await at.prompt("And the caller.")

    await at.prompt("/undo")
    assert (at.text("prices.py"), at.text("cart.py")) == (NEW_PRICES, CART)
    await at.prompt("/undo")
    assert (at.text("prices.py"), at.text("cart.py")) == (PRICES, CART)
    await at.prompt("/undo")
    assert "nothing to take back" in at.words


async def test_undo_leaves_what_somebody_worked_on_since(at: Desk, model: ScriptedEndpoint) -> None:
    at.answers("apply")
    model.reply(tool_calls=[RENAME, CALLER])
    model.reply("Renamed it.")
    await at.prompt("Rename net.")
    at.open("cart.py", mine(NEW_CART))

    await at.prompt("/undo")

    assert (at.text("prices.py"), at.text("cart.py")) == (NEW_PRICES, mine(NEW_CART))
    assert "cart.py changed since" in at.words


async def test_a_protected_file_is_not_written_through_the_client(at: Desk, model: ScriptedEndpoint) -> None:
    model.reply(
        tool_calls=[("write_file", {"file_path": ".vscode/settings.json", "content": "{}"})],
    )
    model.reply("I may not.")

    await at.prompt("Set it.")

    assert at.call("Write")["status"] == "failed"
    assert not (at.root / ".vscode").exists()
