"""`qwen-lsp acp`: the agent for editors that speak the Agent Client Protocol, over stdio."""

from __future__ import annotations

import argparse
import importlib.util

from qwen_lsp.errors import UserError
from qwen_lsp.imports import installing


def run(args: argparse.Namespace) -> int:
    if importlib.util.find_spec("acp") is None:
        raise UserError(f"`qwen-lsp acp` needs the package that speaks the protocol: {installing('acp')}")
    from qwen_lsp.acp_server.app import serve

    return serve()
