"""Sheet: what is being shown of one file while a pack is made, and what showing more would cost."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from qwen_lsp.context.candidates import Candidate, Form
from qwen_lsp.context.render import heading, piece
from qwen_lsp.context.texts import counted_outline, known_text_of, lines_of, outline_of
from qwen_lsp.errors import WorkspaceError
from qwen_lsp.index.snapshot import Snapshot
from qwen_lsp.syntax.facts import FileFacts
from qwen_lsp.syntax.outline import header, split_lines
from qwen_lsp.workspace.paths import RelPath
from qwen_lsp.workspace.secrets import Gate, Withheld

_RANK: dict[str, int] = {"": 0, "header": 0, "excerpt": 0, "outline": 1, "whole": 2}


class Desk:
    """The sheets of one pack, and what they share: the snapshot, the counter, the gate."""

    def __init__(self, snapshot: Snapshot, count: Callable[[str], int], gate: Gate) -> None:
        self.snapshot = snapshot
        self.count = count
        self.gate = gate
        self._sheets: dict[RelPath, Sheet] = {}
        self._withheld: dict[tuple[str, str, int | None], Withheld] = {}
        self._counted: dict[str, int] = {}

    def sheet(self, path: RelPath) -> Sheet:
        found = self._sheets.get(path)
        if found is None:
            found = self._sheets[path] = Sheet(self, path)
        return found

    def sheets(self) -> Sequence[Sheet]:
        return list(self._sheets.values())

    def counted(self, text: str) -> int:
        known = self._counted.get(text)
        if known is None:
            known = self._counted[text] = self.count(text)
        return known

    def tokens(self, sheet: Sheet, text: str) -> int:
        """Tokens of one part under its heading."""
        if text is sheet.raw_text:
            return sheet.whole_tokens()
        if text is sheet.outline_text:
            return sheet.outline_tokens(text)
        return self.counted(piece(sheet.path, text))

    def admit(self, path: RelPath, text: str, lines: Sequence[int] = ()) -> str | None:
        """The text as the gate lets it pass; what is withheld is noted for the receipt.

        `lines` are the lines of the file (zero-based) that the lines of a text made from it stand for.
        """
        admission = self.gate.admit(path, text)
        for item in admission.withheld:
            at = item.line
            if at is not None and lines:
                at = lines[min(at, len(lines)) - 1] + 1
            self._withheld[(item.path, item.reason, at)] = Withheld(item.path, item.reason, at)
        return admission.text

    def bar(self, path: RelPath, reason: str) -> None:
        self._withheld[(path, reason, None)] = Withheld(path, reason)

    def withheld(self) -> tuple[Withheld, ...]:
        return tuple(
            sorted(self._withheld.values(), key=lambda item: (item.path, item.line or 0, item.reason))
        )


class Sheet:
    """One file: headers and excerpts put on it, or the outline or the whole that takes their place."""

    def __init__(self, desk: Desk, path: RelPath) -> None:
        self.desk = desk
        self.path = path
        self.score = 0.0
        self.raw_text: str | None = None
        self._headers: dict[int, Candidate] = {}
        self._excerpts: dict[tuple[int, int], Candidate] = {}
        self._forms: dict[Form, Candidate] = {}
        self._admitted: str | None = None
        self._fits = True
        """Whether the facts are those of the text."""
        self.outline_text: str | None = None
        self._spent = 0
        self._shown: set[int] = set()
        self._known: FileFacts | None = None
        reason = desk.gate.admits_path(path)
        self.problem = reason or ""
        if reason:
            desk.bar(path, reason)

    @property
    def empty(self) -> bool:
        return not (self._headers or self._excerpts or self._forms)

    @property
    def form(self) -> str:
        return max(self._forms, key=lambda form: _RANK[form], default="")

    def cost(self, candidate: Candidate, step: str) -> int | None:
        """How many more tokens this step takes; None when it adds nothing or cannot be shown."""
        if self.problem or _RANK[self.form] > _RANK[step] or step in self._forms:
            return None
        if step == "whole":
            return self._cost_of_form(self.whole_tokens())
        if step == "outline":
            # An excerpt says more than an outline could in its place.
            text = None if self._excerpts else self.outline()
            return None if text is None else self._cost_of_form(self.outline_tokens(text))
        return self._cost_of_lines(candidate)

    def _cost_of_form(self, tokens: int) -> int | None:
        return None if self.problem else max(0, tokens - self._spent)

    def _cost_of_lines(self, candidate: Candidate) -> int | None:
        texts = [self._header(i) for i in self._missing(candidate.index)] if candidate.index >= 0 else []
        if candidate.lines is not None:
            texts.append("\n".join(self._lines()[candidate.lines[0] : candidate.lines[1] + 1]))
        cost = sum(self.desk.counted(text + "\n") for text in texts if text)
        if self.problem or not any(texts):
            return None
        return cost + (self.desk.counted(heading(self.path)) + 1 if self.empty else 0)

    def put(self, candidate: Candidate, step: str) -> None:
        """Show it. The caller has asked for the cost just before."""
        self._spent += self.cost(candidate, step) or 0
        self.score = max(self.score, candidate.score)
        if step == "header":
            self._headers[candidate.index] = candidate
            self._shown.update(self._missing(candidate.index))
        elif step == "excerpt" and candidate.lines is not None:
            self._excerpts[candidate.lines] = candidate
        elif step in ("outline", "whole"):
            self._forms["whole" if step == "whole" else "outline"] = candidate

    def take(self, candidate: Candidate, step: str) -> None:
        """Show it no more."""
        if step == "header":
            self._headers.pop(candidate.index, None)
            self._shown = {i for known in self._headers for i in (*self._ancestors(known), known)}
        elif step == "excerpt" and candidate.lines is not None:
            self._excerpts.pop(candidate.lines, None)
        else:
            self._forms.pop("whole" if step == "whole" else "outline", None)

    def made(self) -> tuple[Form, str, str] | None:
        """The kind, the text as it passes the gate, and the reason; None when nothing passes."""
        form = self.form
        if form == "whole":
            text = self.admitted()
            return None if text is None else ("whole", text, self._forms["whole"].why)
        if form == "outline":
            text = self.outline()
            return None if text is None else ("outline", text, self._forms["outline"].why)
        facts = self._facts()
        covered = [facts.definitions[i] for i in sorted(self._shown) if i < len(facts.definitions)]
        outside = [d for d in covered if not any(a <= d.line <= b for a, b in self._excerpts)]
        raw = lines_of(self.desk.snapshot, self.path)
        pieces = [(d.line, header(raw, d)) for d in outside]
        lines = self._lines()
        pieces += [(first, "\n".join(lines[first : last + 1])) for first, last in self._excerpts]
        pieces = sorted((line, text) for line, text in pieces if text)
        numbers = [line + i for line, text in pieces for i in range(text.count("\n") + 1)]
        text = self.desk.admit(self.path, "\n".join(text for _, text in pieces), numbers)
        if text is None or not text.strip():
            return None
        return ("excerpt" if self._excerpts else "header", text, self._reason())

    def _reason(self) -> str:
        best = sorted([*self._headers.values(), *self._excerpts.values()], key=lambda c: (-c.score, c.index))
        more = f"; and {len(best) - 1} more" if len(best) > 1 else ""
        return best[0].why + more

    def admitted(self) -> str | None:
        """The file's text as the gate lets it pass, None (and `problem` set) when it does not."""
        if self._admitted is None and not self.problem:
            text, self._fits = known_text_of(self.desk.snapshot, self.path)
            if text is None:
                self.problem = "cannot be read"
                return None
            admitted = self.desk.admit(self.path, text)
            if admitted is None:
                self.problem = "withheld"
            else:
                self._admitted = admitted
                self.raw_text = text if self._fits and admitted == text else None
        return self._admitted

    def whole_tokens(self) -> int:
        """Tokens of the whole file under its heading; the index's count where the gate changed nothing."""
        text = self.admitted()
        if text is None:
            return 0
        if self.raw_text is None:
            return self.desk.counted(piece(self.path, text))
        try:
            tokens = self.desk.snapshot.tokens(self.path, self.desk.count)
        except WorkspaceError:
            self.problem = "cannot be read"
            return 0
        return tokens + self.desk.counted(heading(self.path)) + 1

    def outline(self) -> str | None:
        """The file reduced to its signatures, made from the text that passed the gate."""
        if self.outline_text is None:
            text = self.admitted()
            if text is None or not self._fits:
                return None
            unchanged = self.raw_text is not None
            self.outline_text = outline_of(self.desk.snapshot, self.path, text, unchanged=unchanged)
        return self.outline_text or None

    def outline_tokens(self, text: str) -> int:
        shown, unchanged = piece(self.path, text), self.raw_text is not None
        return counted_outline(self.desk.snapshot, self.path, shown, self.desk.count, unchanged=unchanged)

    def _facts(self) -> FileFacts:
        if self._known is None:
            self._known = self.desk.snapshot.facts(self.path) or FileFacts(language="", lines=0)
        return self._known

    def _lines(self) -> Sequence[str]:
        if self._excerpts or self._admitted is not None:
            return split_lines(self.admitted() or "")
        return lines_of(self.desk.snapshot, self.path)

    def _header(self, index: int) -> str:
        definitions = self._facts().definitions
        if index >= len(definitions):
            return ""
        return header(lines_of(self.desk.snapshot, self.path), definitions[index])

    def _ancestors(self, index: int) -> list[int]:
        definitions = self._facts().definitions
        found: list[int] = []
        while 0 <= index < len(definitions) and (index := definitions[index].parent) >= 0:
            found.append(index)
        return found

    def _missing(self, index: int) -> list[int]:
        return [i for i in (*self._ancestors(index), index) if i not in self._shown]
