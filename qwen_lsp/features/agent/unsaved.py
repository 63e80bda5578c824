"""What an editor shows and has not saved, put under a run before it looks at a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from qwen_lsp.errors import OutsideWorkspace
from qwen_lsp.features.agent.course import Course, fields_of
from qwen_lsp.index import buffers
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.messages import ToolCall
from qwen_lsp.workspace.paths import RelPath, inside

_MOST = 64
"""Files of one batch of calls that are asked for."""
_LINES = re.compile(r":\d+(-\d*)?$")
_OPEN = 0
"""The version of such a text: its file is on the disk, unlike one that a run makes."""


async def look(course: Course, calls: Sequence[ToolCall]) -> None:
    """Take over the texts of the files that these calls name, as an editor shows them by now.

    They come under the run: they are no change of its own. A file that it has changed stays as it made it;
    that is fitted to the editor's text when it lands.
    """
    if course.means.texts is None:
        return
    fork, base = course.fork, course.base
    named = dict.fromkeys(path for asked in calls for path in _named(fork, asked.arguments))
    paths = [path for path in named if fork.buffers.get(path) is base.buffers.get(path)][:_MOST]
    if paths:
        texts = await course.means.texts(paths)
        course.base = overlaid(base, texts)
        for path in texts:
            course.fork = course.fork.overlaid(path, course.base.buffers.get(path))


def overlaid(snapshot: Snapshot, texts: Mapping[RelPath, str | None]) -> Snapshot:
    """The snapshot with these texts over the disk's, and with the disk's where there is none."""
    for path, text in texts.items():
        before = snapshot.buffers.get(path)
        if (None if before is None else before.text) != text:
            over = None if text is None else buffers.make(path, text, _OPEN)
            snapshot = snapshot.overlaid(path, over)
    return snapshot


def _named(fork: Snapshot, arguments: Mapping[str, Any]) -> Iterator[RelPath]:
    for text in _texts(arguments):
        try:
            path = inside(fork.root, _LINES.sub("", text.strip()))
        except OutsideWorkspace:
            continue
        if fork.has(path):
            yield path


def _texts(arguments: Mapping[str, Any]) -> Iterator[str]:
    """What may be the name of a file in the arguments of our own tools."""
    for key in ("file_path", "source_path", "path"):
        if isinstance(arguments.get(key), str):
            yield arguments[key]
    for key in ("paths", "edits"):
        many = arguments.get(key)
        for one in cast("list[object]", many) if isinstance(many, list) else ():
            name = one if isinstance(one, str) else fields_of(one).get("file_path")
            if isinstance(name, str):
                yield name
