"""The part of tsconfig.json that says where a module is: `baseUrl` and `paths`."""

from __future__ import annotations

import json
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

# A string is matched first, so that what looks like a comment inside one stays.
_COMMENT = re.compile(r'("(?:\\.|[^"\\])*")|//[^\n]*|/\*.*?\*/', re.DOTALL)
_TRAILING_COMMA = re.compile(r'("(?:\\.|[^"\\])*")|,(?=\s*[}\]])')


@dataclass(frozen=True, slots=True)
class Aliases:
    """`paths` as pattern and targets, in the order of the file; `base` None: `baseUrl` is not set."""

    base: str | None
    patterns: tuple[tuple[str, tuple[str, ...]], ...]

    def targets(self, folder: str, module: str) -> Iterator[str]:
        """Places below the root where a module may be; `folder` is that of the tsconfig.json."""
        start = posixpath.join(folder, self.base or "")
        for pattern, targets in self.patterns:
            before, star, after = pattern.partition("*")
            if star:
                fits = module.startswith(before) and module.endswith(after)
                middle = module[len(before) : len(module) - len(after)]
            else:
                fits, middle = module == pattern, ""
            if fits:
                for target in targets:
                    yield posixpath.normpath(posixpath.join(start, target.replace("*", middle)))
        if self.base is not None:
            yield posixpath.normpath(posixpath.join(start, module))


def parse_aliases(text: str) -> Aliases:
    """Read a tsconfig.json, comments and trailing commas included; nonsense has no aliases."""
    plain = _TRAILING_COMMA.sub(lambda m: m.group(1) or "", _COMMENT.sub(lambda m: m.group(1) or "", text))
    try:
        value: Any = json.loads(plain)
    except (ValueError, RecursionError):
        return Aliases(None, ())
    options = _mapping(_mapping(value).get("compilerOptions"))
    base = options.get("baseUrl")
    patterns = tuple(
        (pattern, tuple(t for t in cast("list[object]", targets) if isinstance(t, str)))
        for pattern, targets in _mapping(options.get("paths")).items()
        if isinstance(targets, list)
    )
    return Aliases(base if isinstance(base, str) else None, patterns)


def _mapping(value: object) -> dict[str, object]:
    return cast("dict[str, object]", value) if isinstance(value, dict) else {}
