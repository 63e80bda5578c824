"""What can be said to `qwen-lsp agent` on the command line. Imports nothing but argparse."""

from __future__ import annotations

import argparse
from collections.abc import Callable

WORDS = ("undo", "runs", "show", "page", "apply")
"""What is no folder when it comes right after `agent`; a folder of that name is `./undo`."""

_EPILOG = """
Beside a task:
  qwen-lsp agent undo [PATH]      take back what a run has changed, all of it
  qwen-lsp agent apply [RUN]      apply what a run has on its fork and did not land
  qwen-lsp agent runs [PATH]      list the runs of a workspace
  qwen-lsp agent show [RUN]       what happened in a run
  qwen-lsp agent page [RUN]       the same as a page for a browser

Exit status: 0 done, and applied where there was something to apply; 1 not finished, or nothing applied;
2 wrong usage; 130 interrupted. docs/agent.md has the rest.
"""


def joined(argv: list[str]) -> list[str]:
    """The arguments with `agent undo` and its like as one command's name."""
    if argv[:1] == ["agent"] and len(argv) > 1 and argv[1] in WORDS:
        return [" ".join(argv[:2]), *argv[2:]]
    return argv


def add_agent(add: Callable[[str, str, str], argparse.ArgumentParser]) -> None:
    """Add `agent` and its words; `add` makes a command of a name, a summary and a module."""
    agent = add("agent", "carry out a task across many files", "agent_command")
    agent.formatter_class = argparse.RawDescriptionHelpFormatter
    agent.epilog = _EPILOG
    agent.add_argument("path", nargs="?", default=".", metavar="PATH", help="the workspace")
    agent.add_argument(
        "-p", "--prompt", metavar="TASK", help="what to do; else it is read from standard input"
    )
    agent.add_argument(
        "--file",
        action="append",
        default=[],
        metavar="FILE",
        dest="files",
        help="a file it is about; may be repeated",
    )
    agent.add_argument(
        "--mode", choices=("plan", "ask", "allow"),
        help="plan: only look, and answer with a plan; ask: ask before commands; allow: run them in the "
        "sandbox without asking (default: the setting agent.mode, else ask)",
    )  # fmt: skip
    agent.add_argument(
        "--yes", action="store_true", help="ask nothing: allow what would be asked, apply the result"
    )
    agent.add_argument("--check", action="store_true", help="run the project's checks before the preview")
    agent.add_argument("--json", action="store_true", help="events as JSON lines on standard output")
    agent.add_argument("--html", metavar="FILE", help="also write what happened as a page for a browser")

    limits = agent.add_argument_group("limits")
    limits.add_argument("--max-turns", type=int, metavar="N", help="most replies of the model")
    limits.add_argument("--max-cost", type=float, metavar="MONEY", help="most money, where prices are known")
    limits.add_argument("--max-seconds", type=float, metavar="N", help="longest time")

    other = agent.add_argument_group("other runs").add_mutually_exclusive_group()
    other.add_argument(
        "--resume",
        nargs="?",
        const="",
        metavar="RUN",
        help="go on with a run that stopped (default: the latest)",
    )
    other.add_argument(
        "--undo",
        nargs="?",
        const="",
        metavar="RUN",
        help="take back what a run has applied (default: the latest)",
    )

    undo = add("agent undo", "take back what an agent run has changed, all of it", "agent_runs_command")
    undo.add_argument(
        "which", nargs="?", default=".", metavar="PATH", help="the workspace, or a run by its name"
    )

    runs = add("agent runs", "list the agent runs of a workspace", "agent_runs_command")
    runs.add_argument("path", nargs="?", default=".", metavar="PATH", help="the workspace")
    runs.add_argument("--json", action="store_true", help="one JSON object a run")

    apply = add(
        "agent apply", "apply what an agent run has on its fork and did not land", "agent_runs_command"
    )
    apply.add_argument(
        "which",
        nargs="?",
        default=".",
        metavar="RUN",
        help="a run, or a workspace: its latest (default: here)",
    )
    apply.add_argument("--yes", action="store_true", help="apply all of it without asking")

    show = add("agent show", "show what happened in an agent run", "agent_runs_command")
    page = add("agent page", "show an agent run as a page for a browser", "agent_runs_command")
    for command in (show, page):
        command.add_argument(
            "which",
            nargs="?",
            default=".",
            metavar="RUN",
            help="a run, or a workspace: its latest (default: here)",
        )
    page.add_argument("--html", metavar="FILE", help="write it here (-: standard output)")
    for word, command in zip(WORDS, (undo, runs, show, page, apply), strict=True):
        command.set_defaults(word=word)
    for command in (agent, apply):
        after = command.add_argument_group("afterwards")
        after.add_argument("--commit", action="store_true", help="commit what was applied")
        after.add_argument("--push", action="store_true", help="push that commit; goes with --commit")
