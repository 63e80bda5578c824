"""What editors make of a workspace edit: real habits of real ones, on texts that are open and on the disk."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.editor import Editor, Json

OPERATIONS = ["create", "rename", "delete"]


def capabilities(edit: Json | None, *, asks: bool = False, experimental: Json | None = None) -> Json:
    """A client's capabilities around edits; `edit` None: it takes none of a server's own accord."""
    workspace: Json = {"workspaceFolders": True, "applyEdit": edit is not None}
    if edit is not None:
        workspace["workspaceEdit"] = edit
    window: Json = {"workDoneProgress": True}
    if asks:
        window["showMessage"] = {"messageActionItem": {"additionalPropertiesSupport": False}}
    found: Json = {"general": {"positionEncodings": ["utf-16"]}, "window": window, "workspace": workspace}
    return found if experimental is None else {**found, "experimental": experimental}


VSCODE = capabilities(
    {
        "documentChanges": True,
        "resourceOperations": OPERATIONS,
        "failureHandling": "textOnlyTransactional",
        "changeAnnotationSupport": {"groupsOnLabel": True},
    },
    asks=True,
)
NEOVIM = capabilities({"resourceOperations": OPERATIONS, "changeAnnotationSupport": {}}, asks=True)
"""Applies `documentChanges` and does not say so."""
HELIX = capabilities(
    {"documentChanges": True, "resourceOperations": OPERATIONS, "failureHandling": "abort"}, asks=True
)
"""Opens what it changes or creates, does not save it, and tells a server of its own languages only."""
EGLOT = capabilities({"documentChanges": True})
"""Neither creates nor deletes files, shows no annotations, and tells as little as Helix."""
OLD = capabilities({})
BARE = capabilities(None)
THIN = capabilities(
    {"documentChanges": True, "resourceOperations": OPERATIONS, "changeAnnotationSupport": {}},
    experimental={"qwen": {"approvals": True}},
)
"""A thin client of ours, which has the requests `qwen/approve` and `qwen/ask`."""


@dataclass
class Desk:
    """An editor with open texts, which does what it is asked for the way its kind does."""

    editor: Editor
    root: Path
    skips_old: bool = False
    """As Neovim: a text that is newer than its edit is left out, and the rest is applied."""
    like_helix: bool = False
    """A text opened by an edit is in nobody's sight but the person's, and a deleted one stays open."""
    texts: dict[str, str] = field(default_factory=dict[str, str])
    untold: dict[str, str] = field(default_factory=dict[str, str])
    """Texts that are open for a person and of which the server does not know."""
    versions: dict[str, int] = field(default_factory=dict[str, int])
    asked: list[Json] = field(default_factory=list[Json])
    """The parameters of every `workspace/applyEdit`."""
    unticked: set[str] = field(default_factory=set[str])
    """Labels' words: an annotated change whose label has one of them is not ticked."""
    left_out: set[str] = field(default_factory=set[str])
    """Texts: a change that puts one of them into a file is not ticked, while the rest of the file is."""
    refuses: bool = False
    meanwhile: Callable[[], None] = lambda: None
    """What the person does while the preview stands open; once."""

    def __post_init__(self) -> None:
        self.editor.answers["workspace/applyEdit"] = self.apply

    def uri(self, path: str) -> str:
        return (self.root / path).as_uri()

    def open(self, path: str, text: str | None = None) -> str:
        uri = self.uri(path)
        self.texts[uri] = read(self.root / path) if text is None else text
        self.versions[uri] = 1
        self.editor.open(uri, self.texts[uri])
        return uri

    def close(self, path: str) -> None:
        uri = self.uri(path)
        del self.texts[uri]
        self.editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})

    def save(self, path: str) -> None:
        (self.root / path).write_bytes(self.texts[self.uri(path)].encode())
        self.editor.notify("textDocument/didSave", {"textDocument": {"uri": self.uri(path)}})

    def write(self, path: str, text: str) -> None:
        """The person makes an open text this one."""
        uri = self.uri(path)
        self.texts[uri] = text
        self.versions[uri] += 1
        self.editor.change(uri, self.versions[uri], {"text": text})

    def text(self, path: str) -> str | None:
        """What the person sees of a file: its open text, else what is on disk."""
        uri, file = self.uri(path), self.root / path
        if uri in self.texts or uri in self.untold:
            return self.texts.get(uri, self.untold.get(uri))
        return read(file) if file.exists() else None

    # -- the server's edits --------------------------------------------------------------------------

    def apply(self, params: Json) -> Json:
        self.asked.append(params)
        meanwhile, self.meanwhile = self.meanwhile, lambda: None
        meanwhile()
        if self.refuses:
            return {"applied": False}
        edit = params["edit"]
        steps = edit.get("documentChanges") or [
            {"textDocument": {"uri": uri, "version": None}, "edits": edits}
            for uri, edits in edit.get("changes", {}).items()
        ]
        notes: dict[str, Json] = edit.get("changeAnnotations") or {}
        steps = [step for step in steps if self._ticked(step, notes)]
        old = [step for step in steps if self._is_old(step)]
        if not steps or (old and not self.skips_old):
            return {"applied": False}
        for number, step in enumerate(steps):
            try:
                if step not in old:
                    self._step(step)
            except OSError as error:
                return {"applied": False, "failureReason": str(error), "failedChange": number}
        return {"applied": True}

    def _ticked(self, step: Json, notes: Mapping[str, Json]) -> bool:
        name = step.get("annotationId") or next((e.get("annotationId") for e in step.get("edits", ())), None)
        label = notes[name]["label"] if name else ""
        return not any(word in label for word in self.unticked)

    def _is_old(self, step: Json) -> bool:
        document = step.get("textDocument", {})
        version = document.get("version")
        return version is not None and version != self.versions[document["uri"]]

    def _step(self, step: Json) -> None:
        match step.get("kind"):
            case "create":
                file_of(step["uri"]).parent.mkdir(parents=True, exist_ok=True)
                file_of(step["uri"]).open("x").close()
            case "delete":
                file_of(step["uri"]).unlink()
                if not self.like_helix:
                    self._gone(step["uri"])
            case "rename":
                text = self.texts.get(step["oldUri"])
                file_of(step["newUri"]).parent.mkdir(parents=True, exist_ok=True)
                file_of(step["oldUri"]).rename(file_of(step["newUri"]))
                self._gone(step["oldUri"])
                if text is not None:
                    self._shown(step["newUri"], text)
            case _:
                self._text(step)

    def _text(self, step: Json) -> None:
        uri = step["textDocument"]["uri"]
        text = self.texts[uri] if uri in self.texts else read(file_of(uri))
        for edit in reversed([edit for edit in step["edits"] if edit["newText"] not in self.left_out]):
            start, end = (_offset(text, edit["range"][end]) for end in ("start", "end"))
            text = text[:start] + edit["newText"] + text[end:]
        if uri in self.texts:
            self.texts[uri] = text
            self.versions[uri] += 1
            self.editor.change(uri, self.versions[uri], {"text": text})
        elif self.like_helix:
            self.untold[uri] = text
        else:  # opened to be edited, and not saved
            self._shown(uri, text)

    def _shown(self, uri: str, text: str) -> None:
        self.texts[uri], self.versions[uri] = text, 1
        self.editor.open(uri, text)

    def _gone(self, uri: str) -> None:
        if self.texts.pop(uri, None) is not None:
            self.editor.notify("textDocument/didClose", {"textDocument": {"uri": uri}})


def file_of(uri: str) -> Path:
    return Path(uri.removeprefix("file://"))


def read(file: Path) -> str:
    """A file as an editor shows it that takes every file for UTF-8: what is none cannot be written back."""
    return file.read_bytes().decode("utf-8", errors="replace").removeprefix("\ufeff")


def _offset(text: str, place: Mapping[str, Any]) -> int:
    """The texts of these tests have no character of two code units."""
    lines = text.split("\n")
    return sum(len(line) + 1 for line in lines[: place["line"]]) + place["character"]
