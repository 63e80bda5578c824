"""The pictures of a page, drawn as SVG: where the tokens went, and how much of the window is used."""

from __future__ import annotations

from collections.abc import Mapping

from qwen_lsp.context.render import Pack, Part
from qwen_lsp.context.treemap import Box, Tile, treemap
from qwen_lsp.context.visible import name, plain

KINDS = ("whole", "outline", "excerpt", "header")
"""In the order in which they are told: what shows most of a file first."""

_WIDTH, _HEIGHT = 1150.0, 460.0
"""The map is laid out for this; narrower windows squeeze it sideways, and its labels end in an ellipsis."""
_MOST_TILES = 2_500
_LABEL_WIDTH, _LABEL_HEIGHT, _TWO_LINES = 34.0, 17.0, 34.0


def share(tokens: int, of: int) -> str:
    """A part of a whole in percent, to one place."""
    percent = 100 * tokens / of if of else 0.0
    return "<0.1%" if 0 < percent < 0.05 else f"{percent:.1f}%"


def number(value: int, one: str, many: str) -> str:
    return f"{value:,} {one if value == 1 else many}"


def sums(pack: Pack) -> dict[str, tuple[int, int]]:
    """Files and tokens of each kind that is there."""
    found: dict[str, tuple[int, int]] = {}
    for part in pack.parts:
        files, tokens = found.get(part.kind, (0, 0))
        found[part.kind] = (files + 1, tokens + part.tokens)
    order = {kind: place for place, kind in enumerate(KINDS)}
    return dict(sorted(found.items(), key=lambda item: (order.get(item[0], len(order)), item[0])))


def window(pack: Pack, kinds: Mapping[str, tuple[int, int]]) -> str:
    """The window as one bar: each kind with its share of what is used, then what is free."""
    counted = sum(tokens for _, tokens in kinds.values())
    said = ", ".join(f"{kind} {share(tokens, pack.budget)}" for kind, (_, tokens) in kinds.items())
    label = f"{share(pack.tokens, pack.budget)} of the window is used: {said or 'nothing'}"
    pieces = [
        f'<div class="window"><svg width="100%" height="26" role="img" aria-label="{label}">',
        '<rect class="fill-free" width="100%" height="26"/>',
    ]
    at = 0.0
    for kind, (_, tokens) in kinds.items():
        wide = 100 * pack.tokens / pack.budget * tokens / counted if counted and pack.budget else 0.0
        title = f"{kind}: {tokens:,} tokens"
        pieces.append(
            f'<rect class="fill-{kind}" x="{at:.3f}%" width="{wide:.3f}%" height="26">'
            f"<title>{title}</title></rect>"
        )
        at += wide
    return "".join(pieces) + "</svg></div>"


def swatch(kind: str) -> str:
    shape = f'<rect class="fill-{kind}" width="12" height="12"/>'
    return f'<svg width="12" height="12" aria-hidden="true">{shape}</svg>'


def bar(tokens: int, most: int) -> str:
    """How large one part is beside the largest."""
    wide = max(1.5, 100 * tokens / most) if most else 0.0
    return (
        '<svg width="100%" height="8" aria-hidden="true">'
        f'<rect class="fill-bar" width="{wide:.1f}%" height="8"/></svg>'
    )


def tree(pack: Pack) -> str:
    """Tokens by folder and file; each rectangle leads to its entry among the parts."""
    drawn = sorted(range(len(pack.parts)), key=lambda i: (-pack.parts[i].tokens, i))[:_MOST_TILES]
    leaves = [(str(pack.parts[i].path), max(1, pack.parts[i].tokens)) for i in sorted(drawn)]
    numbers = sorted(drawn)
    tiles = treemap([*leaves, *_rest(pack, set(drawn))], Box(0.0, 0.0, _WIDTH, _HEIGHT))
    label = 'role="group" aria-label="Tokens by folder and file"'
    pieces = [f'<svg class="map" id="map" width="100%" height="{_HEIGHT:.0f}" {label}>']
    for tile in tiles:
        if tile.leaf is None:
            pieces.append(_frame(tile, pack.tokens))
        elif tile.leaf < len(numbers):
            pieces.append(_leaf(tile, numbers[tile.leaf], pack.parts[numbers[tile.leaf]], pack.tokens))
        else:
            title = f"{tile.path}\n{number(tile.size, 'token', 'tokens')}"
            pieces.append(_linked(tile, "parts", "other", title.replace("\n", "&#10;")))
    return "".join(pieces) + "</svg>"


def _rest(pack: Pack, drawn: set[int]) -> list[tuple[str, int]]:
    """What is too much to be drawn one by one, together for each folder at the top."""
    found: dict[str, list[int]] = {}
    for i, part in enumerate(pack.parts):
        if i not in drawn:
            top, below, _ = part.path.partition("/")
            found.setdefault(f"{top}/" if below else "", []).append(part.tokens)
    return [(f"{top}{len(sizes):,} smaller files", sum(sizes)) for top, sizes in sorted(found.items())]


def _frame(tile: Tile, of: int) -> str:
    title = f"{plain(tile.path)}/&#10;{number(tile.size, 'token', 'tokens')} · {share(tile.size, of)}"
    return f'<rect class="frame" {_place(tile.box)}><title>{title}</title></rect>' + _label(
        Box(tile.box.x, tile.box.y, tile.box.width, 17.0),
        f'<div class="strip"><span>{name(tile.label)}</span></div>',
    )


def _leaf(tile: Tile, at: int, part: Part, of: int) -> str:
    size = number(part.tokens, "token", "tokens")
    lines = (
        plain(part.path),
        f"{size} · {share(part.tokens, of)} of what is sent",
        f"{part.kind} · {plain(part.why)}",
    )
    return _linked(tile, f"p{at + 1}", part.kind, "&#10;".join(lines))


def _linked(tile: Tile, target: str, kind: str, title: str) -> str:
    label = ""
    if tile.box.width >= _LABEL_WIDTH and tile.box.height >= _LABEL_HEIGHT:
        more = f"<small>{tile.size:,}</small>" if tile.box.height >= _TWO_LINES else ""
        label = _label(tile.box, f"<div><span>{name(tile.label)}{more}</span></div>")
    return (
        f'<a href="#{target}"><title>{title}</title>'
        f'<rect class="tile fill-{kind}" {_place(tile.box)}/>{label}</a>\n'
    )


def _label(box: Box, content: str) -> str:
    return f"<foreignObject {_place(box)}>{content}</foreignObject>"


def _place(box: Box) -> str:
    """Sideways in percent, so that the map is as wide as the window; upright in pixels."""
    across = 100 / _WIDTH
    return (
        f'x="{box.x * across:.3f}%" y="{box.y:.2f}" '
        f'width="{box.width * across:.3f}%" height="{box.height:.2f}"'
    )
