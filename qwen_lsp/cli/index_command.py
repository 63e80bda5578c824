"""`qwen-lsp index`: index a workspace and say what was found."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
from pathlib import Path

from rich.console import Console

from qwen_lsp.cli.opening import indexing_bar
from qwen_lsp.cli.places import workspace
from qwen_lsp.index.build import IndexReport, build
from qwen_lsp.index.store import Store
from qwen_lsp.text.words import number
from qwen_lsp.workspace.user_config import merged


def run(args: argparse.Namespace) -> int:
    report = asyncio.run(_indexed(workspace(args.path)))
    if args.json:
        print(json.dumps(dataclasses.asdict(report)))
        return 0
    print(
        f"{number(report.files, 'file')}, {report.bytes / 1e6:,.1f} MB, "
        f"{number(report.definitions, 'definition')}, {number(report.references, 'reference')} "
        f"in {report.seconds:.2f} s ({report.cpu_seconds:.2f} s CPU)"
    )
    rows = sorted(report.languages.items(), key=lambda item: (-item[1], item[0]))
    if other := report.files - sum(report.languages.values()):
        rows.append(("other text", other))
    rows += [
        (f"left out: {reason}", count)
        for reason, count in sorted(report.skipped.items(), key=lambda item: (-item[1], item[0]))
    ]
    width = max((len(name) for name, _ in rows), default=0)
    for name, count in rows:
        print(f"  {name:<{width}}{count:>10,}")
    if not report.files:
        print("  No file that counts as source: is this the right folder, is everything in .gitignore?")
    return 0


async def _indexed(root: Path) -> IndexReport:
    settings = merged().index
    store = Store.at(root, settings)
    try:
        with indexing_bar(Console(stderr=True)) as progress:
            return await build(store, settings, progress)
    finally:
        store.release()
