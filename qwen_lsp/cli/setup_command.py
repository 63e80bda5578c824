"""`qwen-lsp setup`: write other programs' configuration so that they start this one, and take it back."""

from __future__ import annotations

import argparse
import asyncio
import json
from collections.abc import Sequence

from rich.console import Console

from qwen_lsp.cli.places import workspace
from qwen_lsp.cli.setup import changing, program, showing
from qwen_lsp.cli.setup.changing import Change
from qwen_lsp.cli.setup.clients import CLIENTS, Client, Target, snippet
from qwen_lsp.cli.setup.places import Machine
from qwen_lsp.cli.setup.trial import tried
from qwen_lsp.errors import UserError
from qwen_lsp.imports import needed
from qwen_lsp.text.words import number


def run(args: argparse.Namespace) -> int:
    console = Console(highlight=False, soft_wrap=True)
    if args.client is None:
        if args.undo or args.project or args.rules or args.show:
            raise UserError(f"name what to set up: qwen-lsp setup {'|'.join(CLIENTS)}")
        return _overview(console)
    client = CLIENTS[args.client]
    targets = _targets(client, args)
    if args.show:
        return _shown(console, client, targets)
    return _taken_back(console, client, targets) if args.undo else _written(console, client, targets, args)


def _targets(client: Client, args: argparse.Namespace) -> list[Target]:
    # What is taken back depends on where it was written, not on where this program is now.
    command = ["qwen-lsp"] if args.undo else program.command_line()
    if args.project and client.project is None:
        raise UserError(f"{client.title} has no settings of a project; leave out --project.")
    if args.rules and not client.rules:
        raise UserError(f"{client.title} has no model of its own that would read rules; leave out --rules.")
    root = workspace(".")
    if args.project and client.project is not None:
        targets = [client.project(root, command)]
    else:
        targets = client.targets(Machine(), command)
    return [*targets, client.rules_target(root)] if args.rules else targets


# -- writing -----------------------------------------------------------------------------------------


def _written(console: Console, client: Client, targets: Sequence[Target], args: argparse.Namespace) -> int:
    command = [*program.command_line(), client.serves]
    told = _tried(console, client, command)
    if not client.is_here(Machine()):
        _say(console, f"{client.title} was not found on this machine; its settings are written all the same.")
    wrote = failed = 0
    for target in targets:
        try:
            change = changing.planned(target)
            if change.before != change.after:
                changing.written(change)
                wrote += 1
        except UserError as error:
            failed += 1
            _problem(console, str(error))
            continue
        _told(console, target, change)
    if wrote:
        flags = "".join(f" --{name}" for name in ("project", "rules") if getattr(args, name))
        _say(console, f"\n{told}")
        _say(console, f"Next: {client.next_in_project if args.project else client.next}")
        _say(console, f"To take it back: qwen-lsp setup {client.name}{flags} --undo")
    elif not failed:
        _say(console, f"Nothing to do. {told}")
    return 1 if failed else 0


def _tried(console: Console, client: Client, command: Sequence[str]) -> str:
    """Start the server once, so that nothing is written that cannot start. Raises UserError."""
    if client.serves != "mcp":
        return f"Neovim will run: {' '.join(command)}"
    needed("mcp", "mcp", "nothing was written: `qwen-lsp mcp`")
    waiting = Console(stderr=True)
    if waiting.is_terminal:
        with waiting.status("Trying the server …"):
            found = asyncio.run(tried(command))
    else:
        found = asyncio.run(tried(command))
    lent = f"{number(len(found.tools), 'tool')}: {', '.join(found.tools)}"
    return f"Tried: the server answers after {found.seconds:.1f} s and lends {lent}.\n{client.rights}"


def _told(console: Console, target: Target, change: Change) -> None:
    if change.before == change.after:
        _say(console, f"{target.path} has everything already ({target.reader}).")
    else:
        new = " (a new file)" if change.before is None else ""
        _say(console, f"Wrote {target.path}{new}, which {target.reader} reads:")
        _show_difference(console, change)
    for note in change.notes:
        _problem(console, note)


# -- taking back -------------------------------------------------------------------------------------


def _taken_back(console: Console, client: Client, targets: Sequence[Target]) -> int:
    found = failed = 0
    for target in targets:
        try:
            change = changing.undone(target.path)
            if not change.done and change.before == change.after and not change.notes:
                continue
            found += 1
            changing.took_back(change)
        except UserError as error:
            failed += 1
            _problem(console, str(error))
            continue
        if change.after is None and change.before is not None:
            _say(console, f"Removed {target.path}, which setup had made.")
        elif change.before != change.after:
            as_it_was = bool(change.used) and not change.notes
            _say(
                console,
                f"{target.path} is {'as it was before' if as_it_was else 'without what setup wrote'}:",
            )
            _show_difference(console, change)
        else:
            _say(console, f"{target.path} stays as it is.")
        for note in change.notes:
            _problem(console, note)
    if not found and not failed:
        _say(console, f"Setup has written nothing for {client.title} here, so there is nothing to take back.")
    return 1 if failed else 0


# -- only showing ------------------------------------------------------------------------------------


def _shown(console: Console, client: Client, targets: Sequence[Target]) -> int:
    """What would be in each file, for a person to put there: nothing is written, nothing is started."""
    for target in targets:
        _say(console, f"# {target.path} ({target.reader})")
        if target.text is not None:
            print(target.text, end="")
        else:
            print(json.dumps(snippet(target), indent=2, ensure_ascii=False))
    return 0


def _overview(console: Console) -> int:
    """Every client: whether it is here, which files it would have, and how they stand."""
    machine, command = Machine(), program.command_line()
    for client in CLIENTS.values():
        here = client.is_here(machine)
        console.print(f"[bold]{client.title}[/bold]", end="")
        _say(console, f"{'' if here else ': not found on this machine'}")
        if not here:
            continue
        for target in client.targets(machine, command):
            _say(console, f"  {target.path} ({target.reader}): {_standing(target)}")
    _say(
        console,
        f"\nWrite them: qwen-lsp setup {'|'.join(CLIENTS)}. With --print it only shows what it would write.",
    )
    return 0


def _standing(target: Target) -> str:
    try:
        change = changing.planned(target)
    except UserError as error:
        return str(error).splitlines()[0]
    if change.before == change.after:
        return "set up" + "".join(f". {note}" for note in change.notes)
    if change.before is None:
        return "would be made"
    if any(len(put.path) > 2 for put in change.ours):
        return "starts qwen-lsp from another place; setup would correct that"
    return "would get an entry" if change.done else "would be changed"


# -- words -------------------------------------------------------------------------------------------


def _show_difference(console: Console, change: Change) -> None:
    for line in showing.difference(change):
        style = {"+": "green", "-": "red"}.get(line[0], "dim")
        console.print(f"  {line}", style=style, markup=False)


def _say(console: Console, text: str) -> None:
    console.print(text, markup=False)


def _problem(console: Console, text: str) -> None:
    console.print(text, markup=False, style="yellow")
