"""Edits that a model might have meant, and the same edits as it might have written them.

A file, an edit of it whose result is known by construction, and a drift of the quotation: line ends,
punctuation, blanks at line ends, the form of letters, indentation, left-out lines. Whatever reads the
drifted edit must come to that very result, or refuse.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass

STRAIGHT = str.maketrans(
    {"“": '"', "”": '"', "‘": "'", "’": "'", "–": "-", "—": "-", "\u00a0": " ", "…": "..."}
)
CURLY = str.maketrans({'"': "“", "'": "’", "-": "–"})
INVISIBLE = re.compile("[\u200b\u2060\ufe0f]")
UNITS = ("    ", "  ", "\t", "   ", "        ")


@dataclass(frozen=True)
class File:
    lines: tuple[str, ...]
    ends: tuple[str, ...]
    unit: str
    bom: str

    @property
    def text(self) -> str:
        return self.bom + "".join(line + end for line, end in zip(self.lines, self.ends, strict=True))


@dataclass(frozen=True)
class Plan:
    """The lines from `start` to `end` become `want`; each of these knows the old line it comes from."""

    file: File
    start: int
    end: int
    want: tuple[tuple[str, int | None], ...]

    @property
    def old(self) -> tuple[str, ...]:
        return self.file.lines[self.start : self.end]


@dataclass(frozen=True)
class Edit:
    """One edit of one file as it was written down, and the plan behind it."""

    drift: str
    text: str
    old: str
    new: str
    plan: Plan


def _name(rng: random.Random) -> str:
    return rng.choice(
        ("load", "save", "item", "total", "naïve", "café", "größe", "名前", "value", "x")
    ) + str(rng.randrange(1000))


def _statement(rng: random.Random) -> str:
    name, other = _name(rng), _name(rng)
    return rng.choice(
        (
            f"{name} = {other}",
            f"{name}({other})",
            f"return {name}",
            f'say("{name} - it’s {other}")',
            f"note = “{name}” – {other}",
            f"# {name} — “{other}”, and so on…",
            f"{name} = '{other}'  # don't",
            f"{name}[0] += {rng.randrange(9)};",
            "pass",
            "}",
            "return",
            f"⚠\ufe0f {name}\u200b ok",
            f"{name} km\u00a0{other}",
        )
    )


def _file(rng: random.Random) -> File:
    unit = rng.choice(UNITS)
    lines: list[str] = []
    level = 0
    for _ in range(rng.randint(1, 24)):
        if rng.random() < 0.12:
            lines.append("")
            continue
        if level and rng.random() < 0.3:
            level -= rng.randint(1, level)
        if rng.random() < 0.35:
            lines.append(unit * level + f"if {_name(rng)}:")
            level += 1
        else:
            lines.append(unit * level + _statement(rng))
            if rng.random() < 0.05:
                lines.append(unit * level + " " * rng.randint(1, 7) + "+ " + _name(rng))
    kind = rng.choice(("\n", "\n", "\r\n", "mixed"))
    ends = [rng.choice(("\n", "\r\n")) if kind == "mixed" else kind for _ in lines]
    if rng.random() < 0.2 and lines[-1].strip():
        ends[-1] = ""
    if rng.random() < 0.3:
        lines = [line + rng.choice(("", "", " ", "  ", "\t")) for line in lines]
    if rng.random() < 0.15:
        lines = [unicodedata.normalize("NFD", line) for line in lines]
    return File(tuple(lines), tuple(ends), unit, "\ufeff" if rng.random() < 0.1 else "")


def _plan(rng: random.Random, file: File) -> Plan:
    start = rng.randrange(len(file.lines))
    end = min(len(file.lines), start + rng.choice((1, 1, 2, 3, 4, 6)))
    want: list[tuple[str, int | None]] = []
    for at in range(start, end):
        line = file.lines[at]
        blank = line[: len(line) - len(line.lstrip(" \t"))]
        what = rng.random()
        if what < 0.12 and end - start > 1:
            continue
        if what < 0.3 and line.strip():
            want.append((re.sub(r"\w+", "changed", line, count=1), at))
            continue
        want.append((line, at))
        if what > 0.85 and line.strip():
            want.append((blank + f"added{rng.randrange(100)}()", None))
        elif what > 0.78 and line.rstrip().endswith(":"):
            want.append((blank + file.unit + f"deeper{rng.randrange(100)}()", None))
    if not want or [line for line, _ in want] == list(file.lines[start:end]):
        want.append((_indent(file.lines[start]) + "new_line()", None))
    return Plan(file, start, end, tuple(want))


def _indent(line: str) -> str:
    return line[: len(line) - len(line.lstrip(" \t"))] if line.strip() else ""


def right(edit: Edit, result: str) -> bool:
    """Whether this is the file after the edit.

    Free is only what the quotation does not say: the line end of a line that is new in a file that mixes
    them, and on a changed line the characters that the quotation shows in another form.
    """
    if edit.text.count(edit.old) == 1 and edit.text.replace(edit.old, edit.new) == result:
        return True
    text, old, new = (t.replace("\r\n", "\n") for t in (edit.text, edit.old, edit.new))
    if text.count(old) == 1 and result.replace("\r\n", "\n") == text.replace(old, new):
        return True  # quoted exactly after all
    plan = edit.plan
    file = plan.file
    before = file.bom + "".join(
        line + end for line, end in zip(file.lines[: plan.start], file.ends[: plan.start], strict=True)
    )
    after = "".join(
        line + end for line, end in zip(file.lines[plan.end :], file.ends[plan.end :], strict=True)
    )
    if not (result.startswith(before) and result.endswith(after)):
        return False
    middle = result[len(before) : len(result) - len(after)]
    lines = re.findall(r"([^\r\n]*)(\r\n|\r|\n|\Z)", middle)
    if lines[-1] == ("", "") and (len(lines) > len(plan.want)):
        lines.pop()
    if len(lines) != len(plan.want):
        return False
    for number, ((got, end), (want, origin)) in enumerate(zip(lines, plan.want, strict=True)):
        if origin is not None and want == file.lines[origin]:
            if got != want:
                return False
        elif _bare(got) != _bare(want):
            return False
        ends = {e for e in file.ends if e} or {"\n"}
        if number == len(lines) - 1:
            ends = {file.ends[plan.end - 1]}
        elif (
            origin is not None
            and file.ends[origin]
            and plan.old.count(want) == 1
            and want == file.lines[origin]
        ):
            ends = {file.ends[origin]}
        if end not in ends:
            return False
    return True


def _bare(line: str) -> str:
    return unicodedata.normalize("NFC", INVISIBLE.sub("", line.translate(STRAIGHT))).rstrip(" \t")


def _told(lines: Sequence[str], end: str) -> str:
    return "\n".join(lines) + end


# -- what a model does to a quotation -------------------------------------------------------------------


def _plain(line: str) -> str:
    return line


def _straight(line: str) -> str:
    return line.translate(STRAIGHT)


def _curly(line: str) -> str:
    return line.translate(CURLY)


def _trimmed(line: str) -> str:
    return line.rstrip(" \t")


def _padded(line: str) -> str:
    return line + "  " if line.strip() else line


def _composed(line: str) -> str:
    return unicodedata.normalize("NFC", line)


def _decomposed(line: str) -> str:
    return unicodedata.normalize("NFD", line)


def _visible(line: str) -> str:
    return INVISIBLE.sub("", line)


def _all_of_form(line: str) -> str:
    return _composed(_visible(_straight(_trimmed(line))))


FORMS: dict[str, Callable[[str], str]] = {
    "line ends": _plain,
    "straight quotes": _straight,
    "curly quotes": _curly,
    "trimmed": _trimmed,
    "padded": _padded,
    "composed": _composed,
    "decomposed": _decomposed,
    "invisible": _visible,
    "all of form": _all_of_form,
}


def _shallower(lines: Sequence[str], others: Sequence[str], unit: str) -> Callable[[str], str] | None:
    blanks = [_indent(line) for line in [*lines, *others] if line.strip()]
    common = min(blanks, key=len, default="")
    if not common or not all(blank.startswith(common) for blank in blanks):
        return None
    return lambda line: line.removeprefix(common) if line.strip() else line


def _deeper(lines: Sequence[str], others: Sequence[str], unit: str) -> Callable[[str], str] | None:
    return lambda line: unit + line if line.strip() else line


def _less(lines: Sequence[str], others: Sequence[str], unit: str) -> Callable[[str], str] | None:
    blanks = [_indent(line) for line in [*lines, *others] if line.strip()]
    if not blanks or not all(blank.startswith("  ") for blank in blanks):
        return None
    return lambda line: line[2:] if line.strip() else line


def _other_unit(lines: Sequence[str], others: Sequence[str], unit: str) -> Callable[[str], str] | None:
    target = {"\t": "    ", "    ": "\t", "  ": "    ", "   ": "\t", "        ": "  "}[unit]
    blanks = [_indent(line) for line in [*lines, *others] if line.strip()]
    if any(blank.replace(unit, "") for blank in blanks) or not any(blanks):
        return None

    def changed(line: str) -> str:
        blank = _indent(line)
        return target * (len(blank) // len(unit)) + line[len(blank) :]

    return changed


INDENTS = {"dedented": _shallower, "deeper": _deeper, "two less": _less, "another unit": _other_unit}


def made(seed: int) -> Edit | None:
    """The edit of this number; None where the plan comes to nothing."""
    rng = random.Random(seed)  # noqa: S311
    file = _file(rng)
    plan = _plan(rng, file)
    want = [line for line, _ in plan.want]
    name = rng.choice(("exact", *FORMS, *INDENTS, "elided", "elided and dedented", "all at once"))
    both = rng.random() < 0.6
    form: Callable[[str], str] = FORMS.get(name, _plain)
    if name == "all at once":
        form = _all_of_form
    moved = INDENTS.get(name) or (_shallower if name in ("all at once", "elided and dedented") else None)
    if moved is not None:
        shift = moved(plan.old, want, file.unit)
        if shift is None:
            return None
        if all(shift(line) == line for line in plan.old):
            return None
        if not both and plan.want[0][1] != plan.start:
            return None  # whose indentation the new lines have is anybody's guess
        inner = form
        form = lambda line: inner(shift(line))  # noqa: E731
    said = [form(line) for line in plan.old]
    new = [form(line) for line in want] if both else want
    if name.startswith("elided"):
        kept = list(range(plan.start + 1, plan.end - 1))
        spots = {at: number for number, (_, at) in enumerate(plan.want) if at is not None}
        if len(kept) < 1 or any(at not in spots or plan.want[spots[at]][0] != file.lines[at] for at in kept):
            return None
        if [spots[at] for at in kept] != list(range(spots[kept[0]], spots[kept[0]] + len(kept))):
            return None
        first = spots[kept[0]]
        if first == 0 or first + len(kept) >= len(new):
            return None
        said = [said[0], "...", said[-1]]
        new = [*new[:first], "...", *new[first + len(kept) :]]
    end = rng.choice(("", "\n")) if said[-1].strip() and new[-1].strip() else "\n"
    old_text, new_text = _told(said, end), _told(new, end)
    if name == "exact":
        place = "".join(line + end for line, end in zip(plan.old, file.ends[plan.start :], strict=False))
        old_text = place if end else place.removesuffix("\n").removesuffix("\r")
    if not old_text.strip() or old_text == new_text:
        return None
    return Edit(name if both else f"{name}, old only", file.text, old_text, new_text, plan)


def occurrences(edit: Edit) -> int:
    """How often the quotation stands in the file, read as loosely as anyone could."""

    def bare(text: str) -> str:
        text = unicodedata.normalize("NFC", _straight(text.replace("\r\n", "\n").replace("\r", "\n")))
        lines = (INVISIBLE.sub("", line).replace("\ufeff", "").strip() for line in text.split("\n"))
        return "\n".join(lines)

    wanted = bare(edit.old).strip("\n")
    return len(re.findall(f"(?={re.escape(wanted)})", bare(edit.text)))
