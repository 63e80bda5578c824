"""The project's own checks, found in its own files: tests, linters, type checkers, builds.

A check is a command line that somebody who knows the tool would type. Whether its program is there is asked
inside the sandbox, by running what `needs` says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from qwen_lsp.features.agent.check_rows import MANIFESTS, ROWS, named_targets
from qwen_lsp.features.agent.project import Check, Project, upwards
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.settings import CheckKind
from qwen_lsp.workspace.paths import RelPath, folder_of

_MOST_FOLDERS = 6


def find(
    snapshot: Snapshot,
    changed: Sequence[RelPath],
    paths: Sequence[RelPath],
    settings: Mapping[CheckKind, str],
) -> list[Check]:
    """The checks for changed files, and those of the top folder; `settings` take the place of found ones.

    In each folder from a changed file upwards, the nearest one that a table row knows is where it runs.
    """
    found: dict[tuple[str, str], Check] = {}
    near = paths or changed
    # Each of them itself as well: a path may be a folder.
    chains = {tuple(upwards(path)) for path in near}
    for chain in sorted(chains) if near else [(folder, "") for folder in _manifests(snapshot)]:
        for row in ROWS:
            made = next((m for folder in chain if (m := row(Project(snapshot, folder, tuple(paths))))), ())
            found.update({(check.folder, check.line): check for check in made})
    kinds = {check.kind for check in found.values()}
    for check in named_targets(Project(snapshot, "", tuple(paths))):
        # What a Makefile calls `test` is most often one of those above.
        if check.kind not in kinds:
            found[check.folder, check.line] = check
    kept = [check for check in found.values() if check.kind not in settings]
    return [*(Check(kind, line) for kind, line in settings.items() if line.strip()), *kept]


def _manifests(snapshot: Snapshot) -> list[str]:
    """The folders that a check may begin in where nobody says which: the top, or the first ones below it."""
    top = {path for path in snapshot.paths() if "/" not in path}
    if top & MANIFESTS or not (folders := _with_manifest(snapshot)):
        return [""]
    return ["", *sorted(folders, key=lambda folder: (folder.count("/"), folder))[:_MOST_FOLDERS]]


def _with_manifest(snapshot: Snapshot) -> set[str]:
    return {folder_of(path) for path in snapshot.paths() if path.rpartition("/")[2] in MANIFESTS}
