"""`qwen-lsp index`: index a workspace and say what was found."""

from __future__ import annotations

import argparse
import asyncio
import dataclasses
import json
from pathlib import Path

from qwen_lsp.cli.places import workspace
from qwen_lsp.index.build import IndexReport, build
from qwen_lsp.index.store import Store
from qwen_lsp.server.configuration import merged


def run(args: argparse.Namespace) -> int:
    report = asyncio.run(_indexed(workspace(args.path)))
    if args.json:
        print(json.dumps(dataclasses.asdict(report)))
        return 0
    print(
        f"{report.files:,} files, {report.bytes / 1e6:,.1f} MB, {report.definitions:,} definitions, "
        f"{report.references:,} references in {report.seconds:.2f} s ({report.cpu_seconds:.2f} s CPU)"
    )
    for name, number in sorted(report.languages.items(), key=lambda item: -item[1]):
        print(f"  {name:<16}{number:>8,}")
    for reason, number in sorted(report.skipped.items(), key=lambda item: -item[1]):
        print(f"  left out: {reason:<30}{number:>8,}")
    return 0


async def _indexed(root: Path) -> IndexReport:
    settings = merged().index
    store = Store.at(root, settings)
    try:
        return await build(store, settings)
    finally:
        store.release()
