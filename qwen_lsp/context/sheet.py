"""Sheet: what is being shown of one file while a pack is made, and what showing more would cost."""

from __future__ import annotations

from collections.abc import Sequence

from qwen_lsp.context.candidates import Candidate, Form
from qwen_lsp.context.desk import Desk
from qwen_lsp.context.page import Page
from qwen_lsp.context.render import heading, piece
from qwen_lsp.syntax.outline import header, split_lines
from qwen_lsp.workspace.paths import RelPath

_RANK: dict[str, int] = {"": 0, "header": 0, "excerpt": 0, "outline": 1, "whole": 2}


class Sheet:
    """One file: headers and excerpts put on it, or the outline or the whole that takes their place."""

    __slots__ = (
        "_chains", "_excerpts", "_forms", "_headers", "_is_made", "_made", "_rank", "_shown", "_spent",
        "desk", "page", "path", "score",
    )  # fmt: skip

    def __init__(self, desk: Desk, path: RelPath) -> None:
        self.desk = desk
        self.path = path
        self.page = Page(desk.snapshot, path, desk.count, desk.gate, check=False)
        self.score = 0.0
        self._headers: dict[int, Candidate] = {}
        self._excerpts: dict[tuple[int, int], Candidate] = {}
        self._forms: dict[Form, Candidate] = {}
        self._rank = 0
        self._spent = 0
        self._shown: set[int] = set()
        self._chains: dict[int, Sequence[int]] = {}
        self._made: tuple[Form, str, int, str] | None = None
        self._is_made = False
        self._note_withheld()

    @property
    def problem(self) -> str:
        return self.page.problem

    @property
    def empty(self) -> bool:
        return not (self._headers or self._excerpts or self._forms)

    @property
    def form(self) -> str:
        return "whole" if "whole" in self._forms else "outline" if self._forms else ""

    def cost(self, candidate: Candidate, step: str) -> int | None:
        """How many more tokens this step takes; None when it adds nothing or cannot be shown."""
        if self._rank > _RANK[step] or self.page.problem or step in self._forms:
            return None
        if step == "whole":
            return self._cost_of_form(self.page.whole_tokens)
        if step == "outline":
            # An excerpt says more than an outline could in its place.
            return None if self._excerpts else self._cost_of_form(self.page.outline_tokens)
        return self._cost_of_lines(candidate)

    def _cost_of_form(self, tokens: int) -> int | None:
        return None if self.problem or not tokens else max(0, tokens - self._spent)

    def _cost_of_lines(self, candidate: Candidate) -> int | None:
        page = self.page
        cost = 0
        if candidate.position >= 0:
            cost = sum([page.header_tokens(i) for i in self._missing(candidate.position)])
        if candidate.lines is not None:
            first, last = candidate.lines
            excerpt = "\n".join(self._lines()[first : last + 1])
            cost += self.desk.counted(f"{excerpt}\n") if excerpt else 0
        if page.problem or not cost:
            return None
        return cost + (self.desk.counted(heading(self.path)) + 1 if self.empty else 0)

    def confirm(self) -> bool:
        """Whether costs were those of what is on disk; if not, ask for them again."""
        if self.page.confirm():
            return True
        self._note_withheld()
        return False

    def _note_withheld(self) -> None:
        for item in self.page.withheld:
            self.desk.note(item)

    def put(self, candidate: Candidate, step: str, cost: int) -> None:
        """Show it for the cost that `cost` gave just before, which `confirm` has confirmed."""
        self._spent += cost
        self._is_made = False
        self.score = max(self.score, candidate.score)
        if step == "header":
            self._headers[candidate.position] = candidate
            self._shown.update(self._missing(candidate.position))
        elif step == "excerpt" and candidate.lines is not None:
            self._excerpts[candidate.lines] = candidate
        elif step in ("outline", "whole"):
            self._forms["whole" if step == "whole" else "outline"] = candidate
            self._rank = _RANK[self.form]

    def take(self, candidate: Candidate, step: str) -> None:
        """Show it no more."""
        self._is_made = False
        if step == "header":
            self._headers.pop(candidate.position, None)
            self._shown = {i for known in self._headers for i in self._chain(known)}
        elif step == "excerpt" and candidate.lines is not None:
            self._excerpts.pop(candidate.lines, None)
        else:
            self._forms.pop("whole" if step == "whole" else "outline", None)
            self._rank = _RANK[self.form]

    def made(self) -> tuple[Form, str, int, str] | None:
        """Kind, text as it passes the gate, tokens and reason; None when nothing passes."""
        if not self._is_made:
            self._made, self._is_made = self._make(), True
        return self._made

    def _make(self) -> tuple[Form, str, int, str] | None:
        form, page = self.form, self.page
        if form == "whole":
            text = page.text
            return None if page.problem else ("whole", text, page.whole_tokens, self._forms["whole"].why)
        if form == "outline":
            text = page.outline
            return ("outline", text, page.outline_tokens, self._forms["outline"].why) if text else None
        if not self._excerpts and page.unchanged:
            return self._made_of_headers()
        facts = page.facts
        covered = [facts.definitions[i] for i in sorted(self._shown) if i < len(facts.definitions)]
        outside = [d for d in covered if not any(a <= d.line <= b for a, b in self._excerpts)]
        raw = page.lines
        pieces = [(d.line, header(raw, d)) for d in outside]
        lines = self._lines()
        pieces += [(first, "\n".join(lines[first : last + 1])) for first, last in self._excerpts]
        pieces = sorted((line, text) for line, text in pieces if text)
        numbers = [line + i for line, text in pieces for i in range(text.count("\n") + 1)]
        text = self.desk.admit(self.path, "\n".join(text for _, text in pieces), numbers)
        if text is None or not text.strip():
            return None
        tokens = self.desk.counted(piece(self.path, text))
        return ("excerpt" if self._excerpts else "header", text, tokens, self._reason())

    def _made_of_headers(self) -> tuple[Form, str, int, str] | None:
        """The signatures alone, of a file in which nothing is secret: their tokens add up."""
        page = self.page
        definitions = page.facts.definitions
        # One statement may define several names; it is shown once.
        statements = {(definitions[i].line, definitions[i].header_end): i for i in sorted(self._shown)}
        shown = [i for _, i in sorted(statements.items()) if page.header_tokens(i)]
        if not shown:
            return None
        texts = [header(page.lines, definitions[i]) for i in shown]
        tokens = self.desk.counted(heading(self.path)) + sum([page.header_tokens(i) for i in shown[:-1]])
        return ("header", "\n".join(texts), tokens + self.desk.counted(f"{texts[-1]}\n\n"), self._reason())

    def _reason(self) -> str:
        shown = [*self._headers.values(), *self._excerpts.values()]
        best = sorted(shown, key=lambda c: (-c.score, c.position))
        more = f"; and {len(best) - 1} more" if len(best) > 1 else ""
        return best[0].why + more

    def _lines(self) -> Sequence[str]:
        return split_lines(self.page.text) if self._excerpts else self.page.lines

    def _chain(self, index: int) -> Sequence[int]:
        """What encloses a definition, innermost first, and at the end the definition."""
        known = self._chains.get(index)
        if known is None:
            definitions = self.page.facts.definitions
            found: list[int] = []
            outer = index
            while 0 <= outer < len(definitions) and (outer := definitions[outer].parent) >= 0:
                found.append(outer)
            known = self._chains[index] = (*found, index)
        return known

    def _missing(self, index: int) -> list[int]:
        return [i for i in self._chain(index) if i not in self._shown] if index >= 0 else []
