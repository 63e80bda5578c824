"""`qwen-lsp serve`: the language server over stdio or TCP."""

from __future__ import annotations

import argparse

from qwen_lsp.errors import UserError


def run(args: argparse.Namespace) -> int:
    from qwen_lsp.server.app import serve_stdio, serve_tcp

    if not args.tcp:
        return serve_stdio()
    host, colon, port = str(args.tcp).rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise UserError(f"--tcp {args.tcp}: write it as HOST:PORT, for example 127.0.0.1:7777")
    return serve_tcp(host.strip("[]") or "127.0.0.1", int(port))
