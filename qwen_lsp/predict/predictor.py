"""The embedded default as the rest of the server sees it: learn, forget, suggest."""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass

from qwen_lsp.predict import documents
from qwen_lsp.predict.documents import Document
from qwen_lsp.predict.guess import Guess, guess
from qwen_lsp.predict.memory import Memory
from qwen_lsp.predict.scene import Scene
from qwen_lsp.predict.tokens import LONGEST_WORD, TOKEN, Vocabulary
from qwen_lsp.predict.vote import LONGEST_GUESS, Vote, Walk

THRESHOLD = 0.2  # the lowest confidence that is shown
OPEN_TEXTS = 16  # files whose text is kept for line-wise relearning
SWEEP_WORDS = 8192  # the vocabulary may grow by this and by half before unused words are dropped

_WORD_END = re.compile(r" ?\w+$| $")
CLOSERS = ")]}\"'`>:;, "  # what editors put after the cursor by themselves


@dataclass(frozen=True, slots=True)
class Suggestion:
    """The rest of the line, and how often such a suggestion proved to be exactly right."""

    text: str
    confidence: float


class Predictor:
    """Completes lines from what it has learnt; at most `max_tokens` tokens, the oldest dropped first."""

    def __init__(self, max_tokens: int = 1_000_000) -> None:
        self._vocabulary = Vocabulary()
        self._memory = Memory(max_tokens, self._vocabulary.kinds)
        self._documents: dict[str, Document] = {}
        self._open: OrderedDict[str, None] = OrderedDict()
        self._latest = ""  # the file learnt last, whose text is kept until the next one is learnt
        self._sweep_at = SWEEP_WORDS

    def learn(self, path: str, text: str) -> None:
        """Replace what is known of `path`.

        The second time, as when an editor opens a file of the workspace, the file moves to the front, where
        it is found first; from then on a call takes the time of the changed lines only.
        """
        for _ in self.learn_in_slices(path, text):
            pass

    def learn_in_slices(self, path: str, text: str) -> Iterator[None]:
        """`learn`, pausing about every 10 ms; to abandon it half-way leaves the file partly learnt."""
        document = self._documents.get(path)
        if document is not None and document.text is not None:
            self._keep_open(path)
            documents.edit(self._memory, self._vocabulary, document, text)
        else:
            again = document is not None
            if document is not None:
                documents.forget(self._memory, document)
            document = self._documents[path] = Document()
            yield from documents.learn_whole(self._memory, self._vocabulary, document, text)
            document.text = text
            if again:
                self._keep_open(path)
            else:
                self._let_go(self._latest)
                self._latest = path
        self._sweep()

    def forget(self, path: str) -> None:
        """Forget a file; nothing of it is suggested again unless another file says it too."""
        document = self._documents.pop(path, None)
        self._open.pop(path, None)
        if document is not None:
            documents.forget(self._memory, document)

    def suggest(self, path: str, before: str, after: str = "") -> Suggestion | None:
        """The rest of the line at the end of `before`, or None when unsure; `after` starts at the cursor."""
        found = self.guess(path, before, after, THRESHOLD)
        return found and Suggestion(found[0], found[1].confidence)

    def guess(self, path: str, before: str, after: str, floor: float) -> tuple[str, Guess] | None:
        """The likeliest rest of the line whatever its confidence, from `floor` up; for measuring."""
        closing, _, below = after.partition("\n")
        closing = closing.strip()
        if closing.strip(CLOSERS):
            return None
        document = self._documents.get(path)
        word = _WORD_END.search(before[-LONGEST_WORD:])
        text = best = None
        if not before[-1:].isspace():
            best = guess(self._walk(document, before, below), floor)
            text = best and best.text
        if best is None and word and word[0] not in self._vocabulary:  # a known word is taken as finished
            stem = word[0]

            def goes_on(token: str) -> bool:
                return len(token) > len(stem) and token.startswith(stem)

            best = guess(self._walk(document, before[: len(before) - len(stem)], below), floor, goes_on)
            text = best and best.text[len(stem) :]
        if best is None or text is None or not text.endswith(closing):
            return None
        text = text[: len(text) - len(closing)]
        return (text, best) if text.strip() else None

    def _walk(self, document: Document | None, before: str, below: str) -> Walk:
        return Walk(self._memory, document, Scene(self._vocabulary, before, below))

    @property
    def tokens(self) -> int:
        """How many tokens are remembered."""
        return self._memory.live()

    @property
    def words(self) -> int:
        """How many different words are remembered."""
        return len(self._vocabulary)

    def trial(self, path: str, before: str, rest: str, after: str) -> list[tuple[list[Vote], int]]:
        """The votes at each step of the true rest of a line, and the token that is right; to calibrate."""
        walk = self._walk(self._documents.get(path), before, after.partition("\n")[2])
        steps: list[tuple[list[Vote], int]] = []
        for word in [*TOKEN.findall(rest), "\n"][:LONGEST_GUESS]:
            walk.notes = []
            walk.ballot()
            token = walk.scene.number(word)
            steps.append((walk.notes, token))
            walk.take(token)
        return steps

    def _keep_open(self, path: str) -> None:
        self._open[path] = None
        self._open.move_to_end(path)
        if len(self._open) > OPEN_TEXTS:
            self._let_go(self._open.popitem(last=False)[0])

    def _let_go(self, path: str) -> None:
        """Let go of a file's text, unless it is being edited."""
        document = self._documents.get(path)
        if document is not None and path not in self._open:
            documents.close_text(self._memory, self._vocabulary, document)

    def _sweep(self) -> None:
        if len(self._vocabulary) > self._sweep_at:
            self._vocabulary.retain(set(self._memory.tokens))
            self._sweep_at = len(self._vocabulary) * 3 // 2 + SWEEP_WORDS
