"""Standard input and output as a protocol's alone, for whatever speaks one over them."""

from __future__ import annotations

import logging
import os
import stat
import sys


def claim() -> tuple[int, int]:
    """Descriptors of the two streams that nobody else has: to be read from, and to be written to.

    From then on a stray print goes to the log on standard error, and a child process neither reads nor holds
    what the protocol is spoken over.
    """
    source, sink = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    os.dup2(2, 1)
    return source, sink


def is_pipe(descriptor: int) -> bool:
    """Whether the event loop can wait for it. Not on Windows, and neither for files nor for terminals."""
    mode = os.fstat(descriptor).st_mode
    return os.name != "nt" and (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode))


def log_to_stderr(*silent: str) -> None:
    """Our own log at the level of the settings; of libraries only warnings; nothing of the silent ones."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s"
    )
    for name in silent:
        logging.getLogger(name).setLevel(logging.CRITICAL + 1)
    logging.raiseExceptions = False  # an editor may close our stderr
