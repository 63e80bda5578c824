"""`qwen-lsp acp`: the agent for editors that speak the Agent Client Protocol, over stdio."""

from __future__ import annotations

import argparse

from qwen_lsp.imports import needed


def run(args: argparse.Namespace) -> int:
    needed("acp", "acp", "`qwen-lsp acp`")
    from qwen_lsp.acp_server.app import serve

    return serve()
