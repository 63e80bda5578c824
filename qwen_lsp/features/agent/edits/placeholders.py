"""Lines that stand for code the model did not write out; put into a file they would delete that code."""

from __future__ import annotations

import re

_DOTS = r"(?:\.{3,}|\u2026)"
_THING = (
    r"(?:code|file|methods?|functions?|class(?:es)?|implementation|logic|contents?|lines?|imports?|fields?|"
    r"props|properties|tests?|body|definitions?|stuff|cases|entries|items|options|rules|styles|document)"
)
_OLD = (
    r"(?:rest|remainder|remaining|existing|previous|other|unchanged|same|original|omitted|keep|"
    r"snip(?:ped)?|truncated)"
)
_STAYS = (
    r"(?:\s+(?:here|unchanged|omitted|follows|continues?|as (?:is|before)|goes here|not shown|"
    r"(?:remains?|stays?|is|are)(?:\s+(?:the same|unchanged|as (?:is|before)))?))?"
)
_LEADER = re.compile(r"^\s*(?://+|#+|--|/\*+|\*|<!--|\{/\*|;+|%+|'|\"\"\")\s*")
_TRAILER = re.compile(r"\s*(?:\*/\}?|-->|\"\"\")\s*$")

_WITH_DOTS = re.compile(
    rf"^[(\[]?\s*(?:{_DOTS}\s*[(\[]?\s*(?:the\s+|all\s+)?{_OLD}\b.*|(?:the\s+|all\s+)?{_OLD}\b[^.;={{}}]*{_DOTS}\s*[)\]]?)$",
    re.IGNORECASE,
)
_COMMENT = re.compile(
    rf"^{_DOTS}?\s*(?:"
    rf"(?:keep\s+)?(?:the\s+)?(?:rest|remainder)\s+of\s+(?:the\s+|this\s+|your\s+)?(?:\w+\s+){{0,2}}{_THING}{_STAYS}"
    rf"|(?:the\s+|all\s+|your\s+)?(?:existing|previous|other|remaining|original)\s+(?:\w+\s+)?{_THING}{_STAYS}"
    rf"|(?:unchanged|no changes?|same as (?:before|above))(?:\s+{_THING})?"
    rf"|(?:the\s+)?(?:rest|remainder)\s+(?:is\s+|stays\s+|remains\s+)?(?:unchanged|omitted|the same)"
    rf")\s*{_DOTS}?\.?$",
    re.IGNORECASE,
)
_ONLY_DOTS = re.compile(rf"^{_DOTS}$")


def placeholder(new: str, old: str) -> str | None:
    """The first line of `new` that stands for omitted code and is not in `old`; None when there is none."""
    have = {line.strip() for line in old.splitlines()}
    before = ""
    for line in new.splitlines():
        said = line.strip()
        if said and said not in have and _stands_for_code(said, before):
            return said
        before = said or before
    return None


def _stands_for_code(line: str, before: str) -> bool:
    bare = _TRAILER.sub("", _LEADER.sub("", line))
    is_comment = bare != line
    if _ONLY_DOTS.match(bare):
        # Python writes an empty body so, and a slice or a type may begin a line with it.
        return is_comment or not (before.endswith((":", '"""', "'''")) or before.startswith("@"))
    return bool(_WITH_DOTS.match(bare)) or (is_comment and bool(_COMMENT.match(bare)))
