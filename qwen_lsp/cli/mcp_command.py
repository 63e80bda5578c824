"""`qwen-lsp mcp`: the tools of docs/mcp.md for other agents, over standard input and output."""

from __future__ import annotations

import argparse
from pathlib import Path

from qwen_lsp.errors import UserError
from qwen_lsp.imports import needed


def run(args: argparse.Namespace) -> int:
    needed("mcp", "mcp", "`qwen-lsp mcp`")
    from qwen_lsp.mcp_server.app import serve

    return serve(None if args.path is None else _folder(args.path))


def _folder(text: str) -> Path:
    from qwen_lsp.cli.places import workspace
    from qwen_lsp.mcp_server.rooms import refusal

    root = workspace(text)
    if reason := refusal(root):
        raise UserError(reason)
    return root
