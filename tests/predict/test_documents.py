"""Line-wise relearning leaves in memory exactly the lines of the text, whatever was edited in what order."""

from __future__ import annotations

from collections import Counter

from hypothesis import given, settings
from hypothesis import strategies as st

from qwen_lsp.predict import documents
from qwen_lsp.predict.documents import Document
from qwen_lsp.predict.memory import Memory
from qwen_lsp.predict.tokens import GAP, NEWLINE, Vocabulary

_LINE = st.sampled_from(
    ["a = b(c)", "    return a", "", "  ", "if x:", "\tf(a,  b)", "é = 'ñ'\r", "\x0cclass C:"]
)
_TEXT = st.lists(_LINE, max_size=9).map("\n".join)


def remembered(memory: Memory, document: Document) -> Counter[tuple[int, ...]]:
    """The lines that memory holds of a document, forgotten ones left out."""
    lines: Counter[tuple[int, ...]] = Counter()
    for piece in document.pieces:
        line: list[int] = []
        for token in memory.tokens[piece.first : piece.end]:
            if token == NEWLINE:
                if line and GAP not in line:
                    lines[tuple(line)] += 1
                line = []
            else:
                line.append(token)
    return lines


def expected(vocabulary: Vocabulary, document: Document, text: str) -> Counter[tuple[int, ...]]:
    """The lines of a text but the pending one."""
    lines = text.split("\n")
    if document.pending is not None:
        del lines[document.pending[0]]
    return Counter(tuple(vocabulary.look_up(line)) for line in lines if line.strip())


@settings(max_examples=150, deadline=None)
@given(st.lists(_TEXT, min_size=1, max_size=8))
def test_memory_holds_the_lines_of_the_text_but_the_pending_one(texts: list[str]) -> None:
    vocabulary, document = Vocabulary(), Document()
    memory = Memory(100_000, vocabulary.kinds)
    list(documents.learn_whole(memory, vocabulary, document, texts[0]))
    document.text = texts[0]
    for text in texts:
        documents.edit(memory, vocabulary, document, text)
        assert remembered(memory, document) == expected(vocabulary, document, text)
    documents.forget(memory, document)
    assert memory.live() == 0


def test_a_file_of_several_slices_keeps_every_line_in_place() -> None:
    text = "".join(f"name_{number} = make({number}, option=None)\n" for number in range(4_000))
    vocabulary, document = Vocabulary(), Document()
    memory = Memory(400_000, vocabulary.kinds)
    pauses = sum(1 for _ in documents.learn_whole(memory, vocabulary, document, text))
    assert pauses > 1
    document.text = text
    for number in (10, 1_999, 3_999):
        text = text.replace(f"name_{number} = make", f"name_{number} = build")
        documents.edit(memory, vocabulary, document, text)
    assert remembered(memory, document) == expected(vocabulary, document, text)
