"""A pack as one HTML page that needs nothing but itself: what is sent, how much, why, and what is not."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence

from qwen_lsp.context.render import Pack, Part
from qwen_lsp.context.visible import markup, name, plain, prose
from qwen_lsp.context.webpage_map import bar, number, share, sums, swatch, tree, window
from qwen_lsp.context.webpage_shell import Theme, document
from qwen_lsp.context.webpage_style import SCRIPT, STYLE

_MOST_TEXT = 8_000_000
"""Characters of all parts together; what is longer is cut, the longest texts first."""


def page(
    pack: Pack,
    *,
    workspace: str,
    place: str,
    considered: int,
    mark: Callable[[Part], str] | None = None,
    most_text: int = _MOST_TEXT,
    theme: Theme | None = None,
) -> str:
    """The page, the same bytes for the same pack. It loads nothing and works without its script.

    `place` is as a person types it, `considered` how many files there were to choose from. `mark` gives a
    word for a part, shown in a column of its own where any has one. Whatever comes from the workspace is
    escaped.
    """
    kinds = sums(pack)
    shown = _cut_at([len(part.text) for part in pack.parts], most_text)
    sections = [
        _head(pack, workspace, place, considered),
        _window(pack, kinds),
        _map(pack),
        _parts(pack, [mark(part) if mark else "" for part in pack.parts], shown),
        _withheld(pack),
        _left_out(pack),
    ]
    title = f"{plain(place)} · {plain(workspace)} · context"
    body = "\n".join(section for section in sections if section)
    return document(title, body, style=STYLE, script=SCRIPT, theme=theme)


def _head(pack: Pack, workspace: str, place: str, considered: int) -> str:
    chosen = f" <small>of {considered:,} considered</small>" if considered else ""
    facts = [
        ("Tokens", f"{pack.tokens:,} <small>of {pack.budget:,}</small>"),
        ("Window used", share(pack.tokens, pack.budget)),
        ("Files", f"{len(pack.parts):,}{chosen}"),
        ("Withheld", f"{len(pack.withheld):,}"),
    ]
    told = "".join(f"<div><dt>{label}</dt><dd>{value}</dd></div>" for label, value in facts)
    return (
        f'<header>\n<h1><small>What the model is shown around</small><span class="path">{name(place)}</span>'
        f'<small>in the workspace {name(workspace)}</small></h1>\n<dl class="facts">{told}</dl>\n</header>'
    )


def _window(pack: Pack, kinds: Mapping[str, tuple[int, int]]) -> str:
    said = [
        (kind, f"{tokens:,}", f"{share(tokens, pack.budget)} · {number(files, 'file', 'files')}")
        for kind, (files, tokens) in kinds.items()
    ]
    free = max(0, pack.budget - pack.tokens)
    said.append(("free", f"{free:,}", share(free, pack.budget)))
    legend = "".join(
        f"<div><dt>{swatch(kind)}{kind}</dt><dd>{tokens} <small>{more}</small></dd></div>"
        for kind, tokens, more in said
    )
    counted = sum(tokens for _, tokens in kinds.values())
    note = (
        '\n<p class="soft">Tokens of parts are counted one by one; joined as they are sent, '
        f"{counted:,} become {pack.tokens:,}.</p>"
        if counted != pack.tokens
        else ""
    )
    return (
        f'<section aria-labelledby="h-window">\n<h2 id="h-window">The window</h2>\n{window(pack, kinds)}\n'
        f'<dl class="facts legend">{legend}</dl>{note}\n</section>'
    )


def _map(pack: Pack) -> str:
    if not pack.parts:
        return ""
    return (
        '<section aria-labelledby="h-map">\n<h2 id="h-map">Where the tokens are</h2>\n'
        f'<a class="skip" href="#parts">Skip the map</a>\n{tree(pack)}\n'
        '<p class="told soft" id="told">Each rectangle is a file; within a folder its area is its tokens. '
        "It leads to the text.</p>\n</section>"
    )


def _parts(pack: Pack, marks: Sequence[str], shown: int) -> str:
    if not pack.parts:
        said = "Nothing of the other files belongs to this place within the budget."
        return f'<section id="parts"><h2>What is sent</h2><p>{said}</p></section>'
    most = max(part.tokens for part in pack.parts)
    marked = any(marks)
    rows = "\n".join(
        _part(at, part, most, marks[at - 1] if marked else None, shown)
        for at, part in enumerate(pack.parts, 1)
    )
    heads = ["", "tokens", "", "shown as", *([""] if marked else []), "file", "why"]
    head = "".join(f"<span{_right(i)}>{text}</span>" for i, text in enumerate(heads))
    return (
        '<section id="parts" aria-labelledby="h-parts">\n<h2 id="h-parts">What is sent, in this order</h2>\n'
        '<div class="tools" id="tools" hidden><label>Filter <input id="filter" type="search"></label>'
        '<label>Order <select id="order"><option value="sent">as sent</option>'
        '<option value="tokens">most tokens first</option></select></label>'
        '<span class="soft" id="count" role="status"></span></div>\n'
        f'<div class="{"marked" if marked else "plain"}"><div class="row" aria-hidden="true">{head}</div>\n'
        f'<ol class="parts" id="list">\n{rows}\n</ol></div>\n</section>'
    )


def _right(column: int) -> str:
    return ' class="n"' if column < 2 else ""


def _part(at: int, part: Part, most: int, mark: str | None, shown: int) -> str:
    """One part as a line that opens to its text. The first line end in `pre` is not part of its text.

    What a link names is the text: a browser opens what is folded around it, even without the script.
    """
    folder, slash, base = part.path.rpartition("/")
    path = (f'<span class="folder">{name(folder + slash)}</span>' if slash else "") + name(base)
    column = "" if mark is None else f'<span class="soft">{name(mark)}</span>'
    body = f'<pre id="p{at}" tabindex="0">\n{markup(part.text[:shown])}</pre>'
    if not part.text.strip():
        body = f'<p id="p{at}" class="cut">The file is empty.</p>'
    elif len(part.text) > shown:
        body += (
            f'<p class="cut">Cut here: this page shows the first {shown:,} of {len(part.text):,} '
            "characters. The model gets all of it.</p>"
        )
    return (
        f'<li data-tokens="{part.tokens}"><details><summary><span class="n">{at}</span>'
        f'<span class="n">{part.tokens:,}</span>{bar(part.tokens, most)}'
        f'<span class="kind {part.kind}">{part.kind}</span>{column}'
        f'<span class="path">{path}</span><span class="why">{prose(part.why)}</span></summary>'
        f"{body}</details></li>"
    )


def _withheld(pack: Pack) -> str:
    if not pack.withheld:
        return ""
    rows = "".join(
        f'<tr><td class="path">{name(item.path)}</td>'
        f'<td class="number">{"" if item.line is None else f"{item.line:,}"}</td>'
        f"<td>{name(item.reason)}</td></tr>"
        for item in pack.withheld
    )
    return (
        '<section aria-labelledby="h-withheld">\n<h2 id="h-withheld">What was withheld</h2>\n'
        "<p>Secrets never leave: a file that is one is not sent, and a single one is replaced where it "
        "stands.</p>\n"
        '<table><thead><tr><th>file</th><th class="number">line</th><th>reason</th></tr></thead>'
        f"<tbody>{rows}</tbody></table>\n</section>"
    )


def _left_out(pack: Pack) -> str:
    if not pack.left_out:
        return ""
    by_reason = Counter(reason for _, reason in pack.left_out)
    groups = "".join(
        f"<details{' open' if len(pack.left_out) <= 12 else ''}><summary>{name(reason)}: "
        f"{number(files, 'file', 'files')}</summary>"
        f'<ul class="paths">{_items([path for path, why in pack.left_out if why == reason])}</ul></details>\n'
        for reason, files in by_reason.most_common()
    )
    return (
        '<section aria-labelledby="h-left">\n<h2 id="h-left">What was left out</h2>\n'
        f"<p>Considered and not shown, best first.</p>\n{groups}</section>"
    )


def _items(paths: Sequence[str]) -> str:
    return "".join(f'<li class="path">{name(path)}</li>' for path in paths)


def _cut_at(lengths: Sequence[int], most: int) -> int:
    """The length above which texts are cut, so that all together are no longer than `most`."""
    left, count = most, len(lengths)
    for length in sorted(lengths):
        if length * count > left:
            return left // count
        left -= length
        count -= 1
    return max(lengths, default=0)
