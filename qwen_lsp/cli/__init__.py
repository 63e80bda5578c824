"""The command line: every feature without an editor, and the start of the server itself.

May import: everything. **Invariant:** a subcommand's module is imported only when that subcommand runs,
so that `serve` starts as light as it can (tests/cli/test_main.py).
"""

from __future__ import annotations

import argparse
import errno
import gc
import importlib
import os
import sys
from collections.abc import Sequence
from typing import Protocol, cast

from qwen_lsp import __version__
from qwen_lsp.cli.agent_arguments import add_agent, joined
from qwen_lsp.errors import AuthenticationFailed, EndpointError, QwenLspError

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EIO)


class _Command(Protocol):
    def run(self, args: argparse.Namespace) -> int: ...


def main(argv: Sequence[str] | None = None) -> int:
    """Run one subcommand. Exit status: 0 done, 1 an error that was told, 2 wrong usage, 130 interrupted."""
    try:
        args = _parser().parse_args(joined(list(sys.argv[1:] if argv is None else argv)))
        command = _command(args.module)
        status = command.run(args)
        # Here and not at the interpreter's exit, where a full disk could not be told in a sentence.
        if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]  # closed: `>&-`
            sys.stdout.flush()
        return status
    except EndpointError as error:
        said = str(error)
        if "doctor" in said or isinstance(error, AuthenticationFailed):
            return _failed(said)
        return _failed(
            f"{said}{'' if said.endswith(('.', '?')) else '.'} `qwen-lsp doctor` looks at the endpoint."
        )
    except QwenLspError as error:
        return _failed(str(error))
    except KeyboardInterrupt:
        return 130
    except BrokenPipeError:
        _let_go_of_output()
        return 1
    except OSError as error:
        _let_go_of_output()
        where = f"{error.filename}: " if error.filename else "output: " if error.errno in _FULL else ""
        return _failed(f"{where}{error.strerror or error}")


def _command(module: str) -> _Command:
    """A subcommand's module, imported out of the garbage collector's way: nothing in it is ever garbage."""
    name = f"qwen_lsp.cli.{module}"
    if name not in sys.modules and gc.isenabled():
        gc.disable()
        try:
            importlib.import_module(name)
        finally:
            gc.freeze()
            gc.enable()
    return cast(_Command, importlib.import_module(name))


def _failed(sentence: str) -> int:
    print(f"qwen-lsp: {sentence}", file=sys.stderr)
    return 1


def _let_go_of_output() -> None:
    """Point stdout elsewhere when its reader left (`| head`) or its disk is full.

    Otherwise the interpreter's own flush at exit complains about it again.
    """
    if sys.stdout is not None:  # pyright: ignore[reportUnnecessaryComparison]  # closed: `>&-`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="qwen-lsp",
        description="An AI language server: Qwen3-Coder behind every editor.",
        epilog="Endpoint: OPENAI_BASE_URL, OPENAI_MODEL and OPENAI_API_KEY, or the user's config.toml. "
        "Without one, an embedded default answers what it can.",
    )
    parser.add_argument("--version", action="version", version=f"qwen-lsp {__version__}")
    commands = parser.add_subparsers(metavar="COMMAND", required=True)

    def add(name: str, summary: str, module: str | None = None) -> argparse.ArgumentParser:
        command = commands.add_parser(name, help=summary, description=summary[0].upper() + summary[1:] + ".")
        command.set_defaults(module=module or name)
        return command

    serve = add("serve", "run the language server (stdio unless told otherwise)")
    transport = serve.add_mutually_exclusive_group()
    transport.add_argument("--stdio", action="store_true", help="speak over standard input and output")
    transport.add_argument("--tcp", metavar="HOST:PORT", help="listen on a TCP address")

    add("acp", "run the agent for editors that speak the Agent Client Protocol (stdio)", "acp_command")

    tour = add("tour", "show everything working on a real workspace", "tour")
    tour.add_argument("path", nargs="?", default=".", metavar="PATH", help="the workspace")
    tour.add_argument("--record", metavar="FILE", help="also write what was shown as an SVG picture")
    tour.add_argument("--log", metavar="FILE", help="append what the server logs to this file")
    tour.add_argument("--no-questions", action="store_true", help="never ask; use what is configured")

    index = add("index", "index a workspace and say what was found", "index_command")
    index.add_argument("path", nargs="?", default=".", metavar="PATH", help="the workspace")
    index.add_argument("--json", action="store_true", help="one JSON object")

    pack = add("pack", "show what would be sent to the model at a place, and why", "pack_command")
    pack.add_argument("path", nargs="?", metavar="PATH", help="the workspace (default: the one around FILE)")
    what = pack.add_mutually_exclusive_group(required=True)
    what.add_argument("--at", metavar="FILE:LINE", help="the place; LINE counts from 1")
    what.add_argument("--requests", action="store_true", help="read JSON lines, answer with JSON lines")
    pack.add_argument("--budget", type=int, default=8_192, metavar="N", help="tokens (default 8192)")
    pack.add_argument("--json", action="store_true", help="one JSON object")
    pack.add_argument("--html", metavar="FILE", help="write it as a page for a browser (-: standard output)")

    complete = add("complete", "complete the code at a place", "complete_command")
    complete.add_argument(
        "place", metavar="FILE:LINE[:COLUMN]", help="both count from 1; no column: end of line"
    )
    complete.add_argument("--json", action="store_true", help="one JSON object")
    complete.add_argument("--why", action="store_true", help="where it came from, or why there is nothing")

    explain = add("explain", "explain a file, or some lines of it", "explain_command")
    explain.add_argument("place", metavar="FILE[:LINE[-LINE]]", help="lines count from 1")

    action = add("action", "list the code actions at some lines, or do one", "action_command")
    action.add_argument("place", metavar="FILE:LINE[-LINE]", help="lines count from 1")
    action.add_argument("--do", metavar="ID", help="the action to do; prints its diff")
    action.add_argument("--instruction", metavar="TEXT", help="what `--do edit` is to change")
    action.add_argument("--apply", action="store_true", help="write the change instead of printing it")

    add_agent(add)

    mcp = add(
        "mcp", "lend the tools of docs/mcp.md to another agent (Cline, Qwen Code) over MCP", "mcp_command"
    )
    mcp.add_argument(
        "path", nargs="?", metavar="PATH", help="the workspace (default: what the client names, else here)"
    )

    setup = add("setup", "write the configuration of Cline, Qwen Code or Neovim", "setup_command")
    setup.add_argument(
        "client", nargs="?", choices=("cline", "qwen-code", "neovim"), metavar="CLIENT",
        help="cline, qwen-code or neovim; without it: what is here and what each would get",
    )  # fmt: skip
    setup.add_argument("--project", action="store_true", help="settings of this project, not the user's")
    setup.add_argument("--rules", action="store_true", help="also rules for the model, in this project")
    only = setup.add_mutually_exclusive_group()
    only.add_argument("--print", action="store_true", dest="show", help="only show what would be written")
    only.add_argument("--undo", action="store_true", help="take back what was written")

    doctor = add("doctor", "check endpoint, model, completions, index, and say what to do")
    doctor.add_argument("path", nargs="?", default=".", metavar="PATH", help="the workspace")
    doctor.add_argument("--json", action="store_true", help="one JSON object")
    return parser
