"""What every index service answers alike, and a snapshot over one that is not SQLite."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from pathlib import Path

import pytest

from qwen_lsp.index.cache import Cache
from qwen_lsp.index.codec import import_keys
from qwen_lsp.index.graph import dependencies, dependents
from qwen_lsp.index.manifest import Manifest
from qwen_lsp.index.packed import Table
from qwen_lsp.index.search import symbols
from qwen_lsp.index.service import Content, Defined, How, IndexService, Users
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.index.store import Store
from qwen_lsp.index.tables import Scanned
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.languages import by_id
from qwen_lsp.syntax.parse import parse
from qwen_lsp.syntax.tags import extract
from qwen_lsp.text.edits import TextEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace import disk
from qwen_lsp.workspace.paths import RelPath

TEXTS = {
    "a.py": "from pkg.b import g\ndef f(): return g()\ndef f(): return 2\n",
    "pkg/b.py": "def g(): ...\ndef get_Page(): ...\n",
    "c.py": "import a\ndef f(): return a.f()\nclass GetPages: ...\n",
}
Contents = dict[Content, FileFacts]


class InMemory:
    """An index service of some forty lines: what a shared one would answer over the network."""

    def __init__(self, contents: Contents) -> None:
        self._contents = contents
        self._tokens: dict[str, int] = {}

    def facts(self, digest: str, language: str) -> FileFacts | None:
        return self._contents.get((digest, language))

    def definitions(
        self, name: str, limit: int, among: Collection[Content] | None = None
    ) -> Sequence[Defined]:
        chosen = [key for key in self._contents if among is None or key in among]
        return [
            Defined(*key, position, definition)
            for key in chosen
            for position, definition in enumerate(self._contents[key].definitions)
            if definition.name == name
        ][:limit]

    def using(self, name: str, limit: int) -> Users:
        found = [key for key, facts in self._contents.items() if name in facts.references]
        return Users(found[:limit], len(found) < limit)

    def importing(self, words: Iterable[str]) -> Sequence[Content]:
        wanted = set(words)
        return [
            key
            for key, facts in self._contents.items()
            if import_keys(facts.imports, facts.language) & wanted
        ]

    def names(self, letters: str, how: How, limit: int) -> Sequence[str]:
        small = letters.lower()
        fits: dict[How, Callable[[str], bool]] = {
            "begin": lambda name: name.startswith(small),
            "hold": lambda name: small in name,
            "order": lambda name: _in_order(small, name),
        }
        found = [name for name in self._names() if fits[how](name.lower())]
        return sorted(found, key=lambda name: (len(name), name))[:limit]

    def tokens(self, digest: str) -> int | None:
        return self._tokens.get(digest)

    def keep_tokens(self, digest: str, tokens: int) -> None:
        self._tokens[digest] = tokens

    def _names(self) -> set[str]:
        return {d.name for facts in self._contents.values() for d in facts.definitions}


def _in_order(letters: str, name: str) -> bool:
    at = -1
    return all((at := name.find(letter, at + 1)) >= 0 for letter in letters)


def content(text: str) -> Content:
    return (disk.digest(text.encode()), "python")


def contents(texts: Mapping[str, str] = TEXTS) -> Contents:
    python = by_id("python")
    assert python is not None
    return {content(text): extract(parse(text, python)) for text in texts.values()}


def in_sqlite(found: Contents) -> IndexService:
    cache = Cache(None)
    cache.write(
        [
            Scanned(
                RelPath(f"{n}.py"), 1, 1, *key, None, len(facts.definitions), len(facts.references), facts
            )
            for n, (key, facts) in enumerate(found.items())
        ]
    )
    return cache


KINDS: list[Callable[[Contents], IndexService]] = [in_sqlite, InMemory]


@pytest.fixture(params=KINDS)
def service(request: pytest.FixtureRequest) -> IndexService:
    make: Callable[[Contents], IndexService] = request.param
    return make(contents())


A, B, C = (content(text) for text in TEXTS.values())


def test_contents_are_known_by_digest_and_language(service: IndexService) -> None:
    found = service.facts(*A)
    assert found is not None
    assert [d.name for d in found.definitions] == ["f", "f"]
    assert service.facts(A[0], "c") is None
    assert service.facts("ff" * 16, "python") is None


def test_definitions_are_found_by_name_and_bounded(service: IndexService) -> None:
    assert sorted((d[:2], d.position) for d in service.definitions("f", 9)) == sorted(
        [(A, 0), (A, 1), (C, 0)]
    )
    assert len(service.definitions("f", 2)) == 2
    assert [d.definition.name_line for d in service.definitions("g", 9)] == [0]
    assert [d[:2] for d in service.definitions("f", 9, {C, B})] == [C]
    assert list(service.definitions("f", 9, [])) == list(service.definitions("F", 9)) == []


def test_who_uses_a_name_is_told_with_whether_that_is_all(service: IndexService) -> None:
    assert service.using("g", 9) == ([A], True)
    assert service.using("f", 9) == ([C], True)
    assert service.using("g", 1).complete is False
    assert service.using("nowhere", 1) == ([], True)
    assert list(service.using("", 9).contents) == []


def test_imports_are_found_by_their_words(service: IndexService) -> None:
    assert list(service.importing(["b"])) == [A]
    assert sorted(service.importing(["b", "a"])) == sorted([A, C])
    assert list(service.importing([])) == []


def test_names_are_found_by_their_letters(service: IndexService) -> None:
    assert list(service.names("G", "begin", 9)) == ["g", "GetPages", "get_Page"]
    assert list(service.names("get", "begin", 1)) == ["GetPages"]
    assert list(service.names("page", "hold", 9)) == ["GetPages", "get_Page"]
    assert list(service.names("_p", "hold", 9)) == ["get_Page"]
    assert list(service.names("GPG", "order", 9)) == ["GetPages", "get_Page"]
    assert list(service.names("_p", "order", 9)) == ["get_Page"]
    assert list(service.names("%", "order", 9)) == []


def test_token_counts_are_kept(service: IndexService) -> None:
    assert service.tokens(A[0]) is None
    service.keep_tokens(A[0], 7)
    assert service.tokens(A[0]) == 7


def snapshot(service: IndexService, root: Path, texts: Mapping[str, str] = TEXTS) -> Snapshot:
    rows = [(RelPath(p), len(t), 1, content(t)[0], "python", None) for p, t in sorted(texts.items())]
    return Snapshot(root, service, Manifest(Table(rows)), complete=True)


def test_edited_buffers_lie_over_whatever_keeps_the_index(service: IndexService) -> None:
    """No file is on disk here: every answer about a closed one comes from the service."""
    store = Store(Path("/nowhere"), Cache(None))
    store.current = snapshot(service, Path("/nowhere"))
    a, b, c = (RelPath(path) for path in TEXTS)
    assert [s.path for s in store.current.definitions("f")] == [a, a, c]
    assert dependencies(store.current, a) == [b]
    assert dependents(store.current, a) == [c]

    store.open(a, TEXTS[a], 1)
    at = TEXTS[a].index("f():")
    store.change(a, [TextEdit(Span(at, at + 1), "fresh")], 2)
    now = store.current
    assert [s.path for s in now.definitions("fresh")] == [a]
    assert [(s.path, s.definition.line) for s in now.definitions("f")] == [(a, 2), (c, 1)]
    assert now.using("g") == [a]
    assert [s.definition.name for s in symbols(now, "fre")] == ["fresh"]
    assert [s.definition.name for s in symbols(now, "page", 9)] == ["GetPages", "get_Page"]
    gone = now.edited(b, None)
    assert (gone.definitions("g"), gone.has(b), dependencies(gone, a)) == ([], False, [])


class Recording(InMemory):
    """Takes note of the contents that it is asked to look among."""

    def __init__(self, contents: Contents) -> None:
        super().__init__(contents)
        self.asked: list[list[Content]] = []

    def definitions(
        self, name: str, limit: int, among: Collection[Content] | None = None
    ) -> Sequence[Defined]:
        if among is not None:
            self.asked.append(list(among))
        return super().definitions(name, limit, among)


def test_what_is_left_of_too_many_definitions_is_the_same_in_every_process() -> None:
    texts = {f"pkg/m{n:02}.py": f"x = {n}\ndef f(): ...\n" for n in range(30)}
    service = Recording(contents(texts))
    here = RelPath("pkg/m20.py")
    snapshot(service, Path("/nowhere"), texts).definitions("f", near=(here,), limit=10, check=False)
    others = [content(text) for path, text in texts.items() if path != here]
    assert service.asked == [[content(texts[here]), *others]]
