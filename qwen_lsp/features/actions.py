"""The table of code actions: what each one applies to, and how it is carried out.

Adding one is a row in ACTIONS and a file in `prompts/`. Offering asks no model; resolving does.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from qwen_lsp.context.epoch import Held
from qwen_lsp.context.place import TYPES
from qwen_lsp.errors import ConflictError, EndpointMissing, FileUnreadable, UserError
from qwen_lsp.features.markdown import fenced
from qwen_lsp.features.prompting import prompt
from qwen_lsp.features.rewriting import Means, Rewrite, rewrite
from qwen_lsp.features.situation import CALLABLE, Diagnostic, Situation, situation
from qwen_lsp.features.testfile import test_file
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.model.endpoint import Endpoint
from qwen_lsp.settings import ActionSettings
from qwen_lsp.syntax.facts import Definition
from qwen_lsp.text.edits import ChangeSet, FileEdit
from qwen_lsp.text.positions import Span
from qwen_lsp.workspace.paths import RelPath, rel_path
from qwen_lsp.workspace.secrets import Gate

__all__ = ["ACTIONS", "Action", "Diagnostic", "Offer", "edit_selection", "offered", "resolve"]

NO_MODEL = "no model is set: give OPENAI_BASE_URL and OPENAI_MODEL, or run `qwen-lsp doctor`"
EXPLAIN_COMMAND = "qwen.explainFile"
EDIT_COMMAND = "qwen.edit"
_MOST_FIXES = 10
_LARGEST_TEST_FILE = 400


@dataclass(frozen=True, slots=True)
class Offer:
    """One action at one place. `data` is JSON and all that `resolve` needs.

    With a `command` nothing is resolved: the client runs the command with `data`. `disabled` says why the
    action cannot run now.
    """

    id: str
    title: str
    kind: str
    data: Mapping[str, Any] = field(default_factory=dict[str, Any])
    command: str = ""
    disabled: str = ""


@dataclass(frozen=True, slots=True)
class _Found:
    """A place that an action applies to."""

    title: str
    region: Span
    more: Mapping[str, Any] = field(default_factory=dict[str, Any])


Job = Callable[[Situation, Span, Mapping[str, Any]], Rewrite]


@dataclass(frozen=True, slots=True)
class Action:
    """One row: where it applies, and the rewriting that carries it out or the command that does."""

    id: str
    kind: str
    applies: Callable[[Situation], Iterator[_Found]]
    job: Job | None = None
    command: str = ""
    needs_model: bool = True


def offered(
    snapshot: Snapshot,
    path: RelPath,
    span: Span,
    diagnostics: Sequence[Diagnostic] = (),
    *,
    has_endpoint: bool,
) -> list[Offer]:
    """The actions that apply to a selection, from facts alone. Without a model they show as disabled."""
    try:
        here = situation(snapshot, path, span, diagnostics)
    except FileUnreadable:
        return []
    offers: list[Offer] = []
    for action in ACTIONS:
        for number, found in enumerate(action.applies(here)):
            data = {
                "action": action.id,
                "path": path,
                "start": found.region.start,
                "end": found.region.end,
                "digest": _digest(here.text),
                **found.more,
            }
            disabled = NO_MODEL if action.needs_model and not has_endpoint else ""
            offers.append(
                Offer(f"{action.id}:{number}", found.title, action.kind, data, action.command, disabled)
            )
    return offers


async def resolve(
    snapshot: Snapshot,
    offer: Offer,
    *,
    endpoint: Endpoint | None,
    gate: Gate,
    settings: ActionSettings,
    count: Callable[[str], int],
    held: Held | None = None,
) -> ChangeSet:
    """Ask the model and check its answer. Raises ConflictError when the file changed since the offer,
    EditRejected when the answer cannot be used, EndpointError when there is none."""
    if endpoint is None:
        raise EndpointMissing("This code action")
    action = next((a for a in ACTIONS if a.id == offer.data.get("action")), None)
    if action is None or action.job is None:
        raise UserError(f"{offer.title!r} is not an action that changes code by itself.")
    region = Span(int(offer.data["start"]), int(offer.data["end"]))
    here = situation(snapshot, rel_path(str(offer.data["path"])), region)
    if _digest(here.text) != offer.data.get("digest"):
        raise ConflictError(f"{here.path} changed since the action was offered; ask for it again.")
    job = action.job(here, region, offer.data)
    return await _changed(job, Means(endpoint, gate, settings, count, held), offer.title)


async def edit_selection(
    snapshot: Snapshot,
    path: RelPath,
    span: Span,
    instruction: str,
    *,
    endpoint: Endpoint | None,
    gate: Gate,
    settings: ActionSettings,
    count: Callable[[str], int],
    held: Held | None = None,
) -> ChangeSet:
    """Change the selected lines as told; without a selection, the function or line at the place."""
    if endpoint is None:
        raise EndpointMissing("Editing by instruction")
    if not instruction.strip():
        raise UserError("Say what is to be changed.")
    here = situation(snapshot, path, span)
    region = _edit_region(here)
    job = Rewrite(snapshot, path, here.text, region, prompt("edit", instruction=instruction.strip()))
    title = " ".join(instruction.split())
    title = title if len(title) <= 60 else title[:59] + "…"
    return await _changed(job, Means(endpoint, gate, settings, count, held), title)


async def _changed(job: Rewrite, means: Means, title: str) -> ChangeSet:
    after = await rewrite(job, means)
    exists = job.snapshot.has(job.path)
    edit = FileEdit(job.path, job.text if exists else None, after, why=title)
    return ChangeSet((edit,), label=title, description=f"{'Changes' if exists else 'Creates'} {job.path}")


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


# Each row's two halves stand together: where it applies, and what is asked.


def _fixes(here: Situation) -> Iterator[_Found]:
    for problem in here.diagnostics[:_MOST_FIXES]:
        if not problem.span.touches(here.span):
            continue
        line = here.index.line_at(problem.span.start)
        said = " ".join(problem.message.split())
        more = {
            "message": problem.message[:2_000],
            "source": problem.source,
            "code": problem.code,
            "line": line,
        }
        title = f"Fix: {said if len(said) <= 80 else said[:79] + '…'}"
        yield _Found(title, here.region_of_problem(problem), more)


def _fix(here: Situation, region: Span, data: Mapping[str, Any]) -> Rewrite:
    line = int(data["line"])
    source = " ".join(str(data[key]) for key in ("source", "code") if data.get(key)) or "the editor"
    task = prompt(
        "fix",
        source=source,
        line=str(line + 1),
        message=fenced(str(data["message"])),
        code=fenced(here.index.line_text(line), _language(here)),
    )
    return Rewrite(here.snapshot, here.path, here.text, region, task)


def _stubs(here: Situation) -> Iterator[_Found]:
    index = here.target()
    if index is not None and here.is_code and here.stub(index):
        definition = here.facts.definitions[index]
        region = here.span_of(definition.line, definition.end_line)
        yield _Found(f"Implement `{definition.name}`", region, {"index": index})


def _implement(here: Situation, region: Span, data: Mapping[str, Any]) -> Rewrite:
    name = here.facts.qualified_name(int(data["index"]))
    return Rewrite(here.snapshot, here.path, here.text, region, prompt("implement", name=name))


def _undocumented(here: Situation) -> Iterator[_Found]:
    index = here.target()
    if index is not None and here.is_code and not here.is_test and here.undocumented(index):
        definition = here.facts.definitions[index]
        region = here.span_of(definition.line, definition.header_end)
        yield _Found(f"Document `{definition.name}`", region, {"index": index})


def _document(here: Situation, region: Span, data: Mapping[str, Any]) -> Rewrite:
    definition = here.facts.definitions[int(data["index"])]
    name = here.facts.qualified_name(int(data["index"]))
    task = prompt("document", name=name, definition=_shown(here, definition))
    return Rewrite(here.snapshot, here.path, here.text, region, task)


def _testable(here: Situation) -> Iterator[_Found]:
    index = here.target()
    if index is not None and here.is_code and not here.is_test:
        definition = here.facts.definitions[index]
        if definition.kind in CALLABLE | TYPES and not here.stub(index):
            region = here.span_of(definition.line, definition.end_line)
            yield _Found(f"Write tests for `{definition.name}`", region, {"index": index})


def _tests(here: Situation, region: Span, data: Mapping[str, Any]) -> Rewrite:
    index = int(data["index"])
    path = test_file(here.snapshot, here.path)
    exists = here.snapshot.has(path)
    text = here.snapshot.text(path) if exists else ""
    if text and not text.endswith("\n"):
        text += "\n"
    whole = text.count("\n") <= _LARGEST_TEST_FILE
    where = "the end of the file, so answer with the new tests only."
    if not exists:
        where = "the whole new file."
    elif whole:
        where = "the whole file, so answer with all of it: the tests it has, unchanged, and the new ones."
    task = prompt(
        "tests",
        name=here.facts.qualified_name(index),
        tested=here.path,
        definition=_shown(here, here.facts.definitions[index]),
        path=path,
        state="which exists" if exists else "which does not exist yet",
        language=here.language.name if here.language else "this language",
        where=where,
    )
    place = Span(0, len(text)) if whole else Span(len(text), len(text))
    return Rewrite(here.snapshot, path, text, place, task, near=here.path, near_offset=region.start)


def _editable(here: Situation) -> Iterator[_Found]:
    if len(here.span) or (here.is_code and here.target() is not None):
        yield _Found("Change by instruction…", _edit_region(here))


def _edit_region(here: Situation) -> Span:
    index = None if len(here.span) else here.target()
    if index is None:
        return here.span_of(*here.lines)
    definition = here.facts.definitions[index]
    return here.span_of(definition.line, definition.end_line)


def _explainable(here: Situation) -> Iterator[_Found]:
    title = "Explain the selection" if len(here.span) else "Explain this file"
    yield _Found(title, here.span)


def _shown(here: Situation, definition: Definition) -> str:
    return fenced(here.text_of(definition), _language(here))


def _language(here: Situation) -> str:
    return here.language.id if here.language is not None else ""


ACTIONS: tuple[Action, ...] = (
    Action("fix", "quickfix", _fixes, _fix),
    Action("implement", "refactor.rewrite", _stubs, _implement),
    Action("document", "refactor.rewrite", _undocumented, _document),
    Action("tests", "refactor", _testable, _tests),
    Action("edit", "refactor", _editable, command=EDIT_COMMAND),
    Action("explain", "refactor", _explainable, command=EXPLAIN_COMMAND, needs_model=False),
)
