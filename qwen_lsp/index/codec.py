"""FileFacts as bytes and back, and the fingerprint of everything that decides what they contain."""

from __future__ import annotations

import hashlib
import importlib.util
import json
import re
import sys
from array import array
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple, cast

from qwen_lsp.syntax.facts import KINDS, Definition, FileFacts, Import

SCHEMA = 4
"""Raised when the tables or the encoding change; an index of another number is never read."""

_KIND_NUMBER = {kind: number for number, kind in enumerate(KINDS)}
_JSON = json.JSONEncoder(separators=(",", ":"), ensure_ascii=False, check_circular=False)
_SEPARATORS = re.compile(r"[/\\.:]+")
_NAMES_ARE_NO_FILES = frozenset({"javascript", "typescript", "typescriptreact", "go", "c", "cpp"})
_FOLDER_STEMS = frozenset({"__init__", "index", "mod", "init"})

NUMBERS = 7
"""How many numbers are kept of a definition: that of its kind, then the six of a Definition."""
_SIZE = array("i").itemsize
BYTES = NUMBERS * _SIZE


class Encoded(NamedTuple):
    """Facts without their language. `numbers` has BYTES for each definition, so that one can be cut out."""

    numbers: bytes
    data: bytes


def encode(facts: FileFacts) -> Encoded:
    columns = list(zip(*facts.definitions, strict=True)) or [()] * (NUMBERS + 1)
    numbers = array("i", bytes(len(columns[0]) * BYTES))
    numbers[0::NUMBERS] = array("i", map(_KIND_NUMBER.__getitem__, columns[1]))
    for at, column in enumerate(columns[2:], 1):
        numbers[at::NUMBERS] = array("i", column)
    value = (
        facts.lines,
        int(facts.has_errors),
        columns[0],
        dict(facts.references),
        [(i.module, i.names, i.line) for i in facts.imports],
    )
    return Encoded(numbers.tobytes(), _JSON.encode(value).encode("utf-8", "surrogatepass"))


def decode(encoded: Encoded, language: str) -> FileFacts:
    """The facts of an encoded row. Raises ValueError for anything that `encode` did not write."""
    try:
        value: Any = json.loads(encoded.data.decode("utf-8", "surrogatepass"))
        lines, has_errors, names, references, imports = value
        numbers = array("i", encoded.numbers)
        kinds = [KINDS[number] for number in numbers[0::NUMBERS]]
        columns = [numbers[at::NUMBERS] for at in range(1, NUMBERS)]
        return FileFacts(
            language=language,
            lines=int(lines),
            definitions=tuple(map(Definition._make, zip(names, kinds, *columns, strict=True))),
            references=cast("dict[str, int]", references),
            imports=tuple([Import(module, tuple(names), line) for module, names, line in imports]),
            has_errors=bool(has_errors),
        )
    except (TypeError, IndexError, AttributeError) as error:
        raise ValueError("not the facts of a file") from error


def definition(name: str, numbers: bytes) -> Definition:
    """One definition from its BYTES of the numbers of its file."""
    kind, *rest = array("i", numbers)
    return Definition(name, KINDS[kind], *rest)


def import_keys(imports: Iterable[Import], language: str) -> set[str]:
    """Words by which the files that import a file can be found again: too many rather than too few."""
    keys: set[str] = set()
    for imp in imports:
        words = words_in(imp.module)
        keys.update(words[-2:] or ("",))
        if imp.names and language not in _NAMES_ARE_NO_FILES:
            small = language == "python" and words  # there files have lower-case names, classes have not
            keys.update(name for name in imp.names if name != "*" and (not small or name.islower()))
    return keys


def words_in(name: str) -> list[str]:
    """The words of a module's name or of a path, in order."""
    return [word for word in _SEPARATORS.split(name) if word]


def keys_of(path: str) -> set[str]:
    """The words under which an import of `path` may have been kept."""
    folder, _, name = path.rpartition("/")
    words = words_in(name)
    keys = {*words[:1], folder.rpartition("/")[2]}
    return {*keys, ""} if words[:1] and words[0] in _FOLDER_STEMS else keys


@cache
def fingerprint() -> str:
    """Names the state of the code, the queries and the grammars that facts were made with."""
    state = hashlib.blake2b(f"{SCHEMA} {sys.byteorder} {_SIZE}".encode(), digest_size=6)
    package = Path(__file__).parent.parent
    for folder, pattern in (("syntax", "*.py"), ("syntax/queries", "*.scm")):
        for file in sorted((package / folder).glob(pattern)):
            state.update(file.name.encode())
            state.update(file.read_bytes())
    state.update(Path(__file__).read_bytes())
    spec = importlib.util.find_spec("tree_sitter")
    if spec is not None and spec.origin is not None:
        installed = Path(spec.origin).parent.parent.glob("tree_sitter*.dist-info")
        state.update("\n".join(sorted(path.name for path in installed)).encode())
    return state.hexdigest()
