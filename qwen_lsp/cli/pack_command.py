"""`qwen-lsp pack`: what would be sent to the model at a place, and why."""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from rich.console import Console

from qwen_lsp.cli.opening import lines_at, opened
from qwen_lsp.cli.places import Place, parse, workspace
from qwen_lsp.context.around import around
from qwen_lsp.context.pack import Pack
from qwen_lsp.context.render import receipt, receipt_text, render
from qwen_lsp.context.webpage import page
from qwen_lsp.errors import QwenLspError, UserError
from qwen_lsp.index.build import refresh
from qwen_lsp.session import Session
from qwen_lsp.workspace.paths import RelPath, inside


def run(args: argparse.Namespace) -> int:
    root = None if args.path is None else workspace(args.path)
    if args.budget < 1:
        raise UserError("--budget: a number of tokens above 0")
    _check_page(args)
    if args.requests:
        return asyncio.run(_requests(root or workspace(".")))
    return asyncio.run(_one(parse(args.at, root), args))


async def _one(place: Place, args: argparse.Namespace) -> int:
    console = Console(stderr=True)
    async with opened(place.root, console) as session:
        _, line, _ = lines_at(session, place, console)
        packed, considered = _packed(session, place.path, line, args.budget)
    if args.html is not None:
        where = f"{place.path}:{line + 1}"
        text = page(packed, workspace=place.root.name, place=where, considered=considered)
        _write(args.html, text)
        if args.html == "-":
            return 0
    if args.json:
        print(json.dumps({**receipt(packed), "text": render(packed)}))
    elif args.html is not None:
        print(f"{args.html}: {packed.tokens:,} of {packed.budget:,} tokens in {len(packed.parts)} files")
    elif packed.parts:
        print(receipt_text(packed).rstrip())
    else:
        print(f"Nothing of the other files belongs to {place.path}:{line + 1} within {args.budget:,} tokens.")
    return 0


def _check_page(args: argparse.Namespace) -> None:
    """Say what cannot work before the workspace is indexed."""
    if args.html is None:
        return
    if args.requests:
        raise UserError("--html shows one place; it goes with --at")
    if args.html == "-":
        if args.json:
            raise UserError("--json and --html - both write to standard output; name a file for the page")
        return
    file = Path(args.html)
    if file.is_dir():
        raise UserError(f"{args.html} is a folder; name the file to write")
    if not file.parent.is_dir():
        raise UserError(f"{args.html}: there is no folder {file.parent}")


def _write(file: str, text: str) -> None:
    """Always UTF-8, whatever the terminal speaks: the page says so of itself."""
    if file == "-":
        sys.stdout.flush()
        sys.stdout.buffer.write(text.encode())
    else:
        Path(file).write_bytes(text.encode())


async def _requests(root: Path) -> int:
    """Answer JSON lines until standard input ends; files are as they are on disk at each moment."""
    async with opened(root) as session:
        while line := await asyncio.to_thread(sys.stdin.readline):
            if not line.strip():
                continue
            try:
                path, number, budget = _request(session, line)
                await refresh(session.store, {path})
                began = time.perf_counter()
                packed, _ = _packed(session, path, number, budget)
                answer: dict[str, Any] = {
                    "text": render(packed),
                    "tokens": packed.tokens,
                    "seconds": round(time.perf_counter() - began, 6),
                    "parts": receipt(packed)["parts"],
                }
            except QwenLspError as error:
                answer = {"error": str(error)}
            print(json.dumps(answer), flush=True)
    return 0


def _request(session: Session, line: str) -> tuple[RelPath, int, int]:
    try:
        asked = json.loads(line)
    except json.JSONDecodeError as error:
        raise UserError(f"not a JSON object: {error}") from None
    if not isinstance(asked, Mapping):
        raise UserError("not a JSON object")
    asked = cast("Mapping[str, Any]", asked)
    file, number, budget = asked.get("file"), asked.get("line"), asked.get("budget")
    if not isinstance(file, str) or type(number) is not int or type(budget) is not int:
        raise UserError('a request is {"file": text, "line": number from 1, "budget": tokens}')
    if number < 1 or budget < 1:
        raise UserError("line and budget count from 1")
    return inside(session.root, file), number - 1, budget


def _packed(session: Session, path: RelPath, line: int, budget: int) -> tuple[Pack, int]:
    """The pack, and how many files there were to choose from."""
    snapshot = session.snapshot
    offset = snapshot.lines(path).start_of(line)
    return around(snapshot, path, offset, budget=budget, count=session.count, gate=session.gate)
