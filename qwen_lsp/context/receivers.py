"""Types of what members are asked of, so that the members can be shown.

What a file says about its variables is read from its text (`x = Foo(...)`, `x: Foo`); what it does not say is
looked up: the header of the function that made `x`, or of the attribute that `x` is, in whatever file it
stands.
"""

from __future__ import annotations

from collections.abc import Mapping

from qwen_lsp.context.classes import Hierarchy, types_named
from qwen_lsp.context.declared import declared_type, receiver_types
from qwen_lsp.context.names import Near
from qwen_lsp.context.place import TYPES, Place, shares
from qwen_lsp.context.texts import lines_of
from qwen_lsp.index.sites import Site

_READ_BEFORE = 30_000
_READ_AFTER = 2_000
_ASKED = 16
_LIKELY = 0.15


def receivers(place: Place, around: Mapping[str, Near], text: str, offset: int, hierarchy: Hierarchy) -> None:
    """Add the types of the variables and attributes near `offset` whose members are used or may be."""
    types = receiver_types(text[max(0, offset - _READ_BEFORE) : offset + _READ_AFTER])
    for variable, maker in types.items():
        if (use := around.get(variable)) is not None:
            _made(place, maker, 0.8 * use.weight, f"`{variable}` is a `{maker}`", hierarchy)
    untold = [n for n in around.values() if n.asked and n.name not in types and n.name not in place.aliases]
    for use in sorted(untold, key=lambda n: (-n.weight, n.name))[:_ASKED]:
        for site, share in shares(place, use.name, dotted=use.dotted, limit=2):
            if share > _LIKELY and site.definition.kind not in TYPES:
                _declared(place, site, 0.5 * use.weight * share, hierarchy)


def _made(place: Place, maker: str, score: float, why: str, hierarchy: Hierarchy) -> None:
    for site, share in shares(place, maker, dotted=False, limit=2):
        if site.definition.kind in TYPES:
            hierarchy.add(site, score * share, why)
        else:
            _declared(place, site, score * share, hierarchy)


def _declared(place: Place, site: Site, score: float, hierarchy: Hierarchy) -> None:
    """The type that the header of a function, a property or an attribute gives it."""
    definition = site.definition
    facts = place.snapshot.facts(site.path)
    if facts is None:
        return
    header = "\n".join(lines_of(place.snapshot, site.path)[definition.line : definition.header_end + 1])
    name = declared_type(header, definition.name)
    if not name:
        return
    for found, share in types_named(place, site.path, facts, name):
        hierarchy.add(found, score * share, f"`{definition.name}` is a `{name}`")
