"""`qwen.act`: a code action carried out for an editor that cannot have one resolved, as eglot of Emacs 28."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, cast

from lsprotocol import types as lsp

from qwen_lsp.errors import UserError
from qwen_lsp.server.agent_keeping import answered, landed_and_kept
from qwen_lsp.server.arguments import Token
from qwen_lsp.server.host import Place, Server
from qwen_lsp.server.progress import progress

if TYPE_CHECKING:
    from qwen_lsp.features.actions import Offer
    from qwen_lsp.text.edits import ChangeSet

COMMAND = "qwen.act"
STALE = "This action did not come from here; ask for the actions again."


def resolves(ls: Server) -> bool:
    """Whether the client asks for the edit of an action when it is chosen.

    One that tells nothing about code actions is asked to, as it always was.
    """
    known = ls.client.text_document.code_action if ls.client.text_document else None
    return known is None or known.resolve_support is not None


def command_of(title: str, data: Mapping[str, Any]) -> lsp.Command:
    """The command of an action, answered at once: such clients lock the keyboard while they wait."""
    return lsp.Command(title=title, command=COMMAND, arguments=[{**data, "wait": False}])


def field(data: object, name: str) -> object:
    """A field of what came back as the data of an action; None for none."""
    return cast("Mapping[str, object]", data).get(name) if isinstance(data, Mapping) else None


def offer_of(data: object) -> tuple[str, Offer]:
    """The document and the offer that an action was made of. Raises UserError for anything else."""
    from qwen_lsp.features.actions import Offer

    uri, offer = field(data, "uri"), field(data, "offer")
    try:
        return str(uri), Offer(**cast("Mapping[str, Any]", offer))
    except TypeError:
        raise UserError(STALE) from None


async def changed(place: Place, offer: Offer) -> ChangeSet:
    """What an action changes, for the document as it is now."""
    from qwen_lsp.features.actions import resolve

    session = place.session
    return await resolve(
        place.snapshot,
        offer,
        endpoint=session.endpoint,
        gate=session.gate,
        settings=session.settings.actions,
        count=session.count,
        held=await session.held("action"),
    )


async def act(ls: Server, arguments: Mapping[str, Any], token: Token) -> dict[str, Any]:
    """Carry out an action that was chosen; what the editor cannot do is written to disk."""
    uri, offer = offer_of(arguments)
    place = ls.place(uri)
    with progress(ls, offer.title, token):
        changes = await changed(place, offer)
    made = await landed_and_kept(
        ls,
        place.session,
        None,
        changes.edits,
        title=changes.label,
        reason=changes.description,
        confirm=False,
        unasked=True,
        wait=True,
    )
    return answered(ls, place.session, made)
