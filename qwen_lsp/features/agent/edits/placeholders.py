"""Lines that stand for code the model did not write out; put into a file they would delete that code."""

from __future__ import annotations

import re
from collections import Counter

_DOTS = r"(?:\.{3,}|\u2026)"
_THING = (
    r"(?:code|file|methods?|functions?|class(?:es)?|implementations?|logic|contents?|lines?|imports?|fields?|"
    r"props|properties|tests?|body|definitions?|stuff|cases|entries|items|options|rules|styles|document|"
    r"page|query|statements?|module|script|component|sections?|columns?|markup|config(?:uration)?|handlers?|routes?|types?|"
    r"variables)"
)
_OLD = (
    r"(?:rest|remainder|remaining|existing|previous|other|unchanged|same|original|omitted|keep|"
    r"snip(?:ped)?|truncated|more code|code (?:here|continues)|as before)"
)
_SAME = (
    r"(?:unchanged|omitted|the same|as (?:is|before|above)|not shown|continues?|follows|"
    r"(?:goes |stays |remains? )?here|intact|untouched|for brevity)"
)
_STAYS = rf"(?:\s+(?:(?:remains?|stays?|is|are|kept)\s+)?{_SAME}(?:\s+for brevity)?|\s+(?:remains?|stays?))"
_HALF = r"(?:\w+\s+){0,2}"
_LEADER = re.compile(r"^\s*(?://+|#+|--+|/\*+|\*|<!--+|\{/\*|;+|%+|'|\"\"\"|REM\b)\s*", re.IGNORECASE)
_TRAILER = re.compile(r"\s*(?:\*/\}?|--+>|\"\"\")\s*$")
_BRACKETS = re.compile(r"^[(\[{<-]+\s*(.*?)\s*[)\]}>-]+$")

_WITH_DOTS = (
    rf"^(?:{_DOTS}\s*[(\[]?\s*(?:and\s+)?(?:the\s+|all\s+|your\s+)?{_OLD}\b.*"
    rf"|(?:the\s+|all\s+|your\s+)?{_OLD}\b[^.;={{}}]*{_DOTS}\s*[)\]]?)$"
)
_CERTAIN = (
    rf"^{_DOTS}?\s*(?:"
    rf"(?:keep\s+)?(?:the\s+)?(?:rest|remainder)\s+of\s+(?:the\s+|this\s+|your\s+)?{_HALF}{_THING}{_STAYS}?"
    rf"|(?:the\s+|all\s+|your\s+)?(?:existing|previous|other|remaining|original|same)\s+{_HALF}{_THING}{_STAYS}"
    rf"|keep\s+(?:the\s+|all\s+|your\s+)?(?:existing|previous|other|remaining|original)\s+{_HALF}{_THING}.*"
    rf"|(?:the\s+)?{_HALF}{_THING}\s+(?:(?:is|are|was)\s+)?(?:omitted|unchanged|not shown)(?:\s+for brevity)?"
    rf"|(?:the\s+)?(?:same\s+)?(?:code|implementation|logic|body)\s+(?:remains?|stays?)\s+{_SAME}"
    rf"|lines?\s+\d+\s*(?:-|to)\s*\d+{_STAYS}"
    rf"|(?:(?:keep|leave)\s+)?(?:everything else|the rest)\s+(?:(?:remains?|stays?|is)\s+)?"
    rf"(?:unchanged|the same|as is)"
    rf"|<?snip(?:ped)?>?|same\s+(?:implementation|code|logic|body)"
    rf"|(?:the\s+|all\s+|your\s+)?(?:existing|previous|other|remaining|original)\s+"
    rf"(?:code|implementation|logic|contents?|body|file|stuff)(?:\s+(?:goes\s+)?here)?"
    rf"|(?:unchanged|no changes?(?: (?:here|below|above))?|same as (?:before|above))(?:\s+{_THING})?"
    rf"|(?:the\s+)?(?:rest|remainder)\s+(?:is\s+|stays\s+|remains\s+)?(?:unchanged|omitted|the same)"
    rf"|(?:(?:其余|剩余|其他|原有|现有|之前)的?(?:代码|部分|内容|方法|逻辑|实现|函数).{{0,4}}?(?:不变|省略|同上|相同)|省略.{{0,8}}代码)"
    rf")\s*{_DOTS}?\.?$"
)
_HEADING = (
    r"^(?:the\s+|all\s+|your\s+)?(?:existing|previous|other|remaining|original)\s+"
    rf"(?:\w+\s+)?{_THING}(?:\s+here)?\.?$"
)
_BETWEEN_DOTS = re.compile(rf"^{_DOTS}\s*(?:\w+\s+){{0,4}}\w+\s*{_DOTS}$")
_ONLY_DOTS = re.compile(rf"^{_DOTS}$")
_BEHIND_CODE = re.compile(rf"(?<=[;{{}}),])\s*(?://|/\*|#)\s*{_DOTS}\s*(?:the\s+)?{_OLD}\b")


def placeholder(new: str, old: str, text: str = "") -> str | None:
    """The first line of `new` that stands for omitted code and is not in `old`; None when there is none.

    `text` is the file, whose line in front of `old` may say that `...` is a body.
    """
    have = Counter(line.strip() for line in old.splitlines())
    lines = [line for line in new.splitlines() if line.strip()]
    for at, line in enumerate(lines):
        said = line.strip()
        if have[said] > 0:
            have[said] -= 1
            continue
        before, behind = (
            lines[at - 1] if at else _line_before(text, old),
            lines[at + 1] if at + 1 < len(lines) else "",
        )
        if stands_for_code(said) and not _may_be_meant(line, before, behind):
            return said
    return None


def _line_before(text: str, old: str) -> str:
    """The line in front of the one place of `old`; empty where there are several or none."""
    quoted = old.strip()
    above = text.partition(quoted)[0] if quoted and text.count(quoted) == 1 else ""
    return above.rstrip().rpartition("\n")[2]


def stands_for_code(line: str) -> bool:
    """Whether a line, without its indentation, reads like one that stands for code."""
    bare = _TRAILER.sub("", _LEADER.sub("", line))
    is_comment = bare != line
    if _ONLY_DOTS.match(bare) or _reads(_WITH_DOTS, bare) or _BEHIND_CODE.search(line):
        return True
    inner = _BRACKETS.sub(r"\1", bare)
    if inner != bare and (_reads(_WITH_DOTS, inner) or _ONLY_DOTS.match(inner) or _reads(_CERTAIN, inner)):
        return True
    if not is_comment:
        return False
    if _BETWEEN_DOTS.match(inner):
        return True
    return bool(_reads(_CERTAIN, inner) or (line[:1] not in "*-" and _reads(_HEADING, inner)))


def _may_be_meant(line: str, before: str, behind: str) -> bool:
    """What Python writes as an empty body, a heading above the code it names."""
    said = line.strip()
    if _ONLY_DOTS.match(said):
        opened = re.sub(r"\s*(?:#.*)?$", "", before).endswith((":", '"""', "'''"))
        return opened and bool(before.strip())
    bare = _BRACKETS.sub(r"\1", _TRAILER.sub("", _LEADER.sub("", said)))
    if _reads(_HEADING, bare) and not _reads(_CERTAIN, bare):
        return _width(behind) >= _width(line) and behind.strip()[:1] not in ("", "}", ")", "]", "<")
    return False


def _reads(pattern: str, line: str) -> bool:
    """Whether a line is one of these, in whatever case. Compiled when it is first asked: that takes long."""
    return re.match(pattern, line, re.IGNORECASE) is not None


def _width(line: str) -> int:
    return len(line) - len(line.lstrip())
