"""What is done while nobody types: the completion after the one that is shown is fetched ahead, and a model
server nearby is given to read what the next prompt will begin with.

Both are of use to one person at one machine and cost others money or time, so that they are left off where
requests are metered, begin only after a pause, and give way to everything that somebody asked for.
"""

from __future__ import annotations

from contextlib import nullcontext

from qwen_lsp.features.complete.flight import Flight, Landed
from qwen_lsp.features.complete.means import Means
from qwen_lsp.features.complete.prompt import Spot, frame_of, window_of
from qwen_lsp.features.complete.state import Completions
from qwen_lsp.features.complete.window import Window, Windows
from qwen_lsp.settings import WhenIdle
from qwen_lsp.text.edits import common_head

READING = 0.8  # seconds that a suggestion is shown before what follows it is fetched
IDLE = 1.5  # seconds without a key before a prompt is given to read
_RANKING = 5.0
_READ_ALREADY = 0.75
"""The share of a prompt that the server has read already, above which no warm-up is worth it."""


def allowed(when: WhenIdle, means: Means) -> bool:
    """Whether the settings let something be asked that nobody asked for."""
    if means.endpoint is None or when == "off":
        return False
    return when == "on" or not means.endpoint.metered


async def fetch_ahead(spot: Spot, text: str, means: Means, state: Completions) -> None:
    """Ask for what follows once `text` is accepted at a place, so that it is known by then."""
    endpoint, place = means.endpoint, spot.place
    if endpoint is None:
        return
    with state.answers.once(place, text) as after:
        known = state.answers.find(after, spot.snapshot) is not None
    if known or state.is_fetching(after):
        return
    frame = await frame_of(spot, means, state.frames, _RANKING)
    # Windows of its own: the ones of whoever types are to stay as they are.
    window = window_of(Spot(spot.snapshot, after), means, Windows(), frame, state.diagnostics)
    if window is None:
        return
    flight = Flight(after)

    def landed(flight: Flight, landed: Landed) -> None:
        accepted = flight in state.flights  # somebody has come to its place, and waits for it
        state.landed(flight)
        if landed.complete:
            with nullcontext() if accepted else state.answers.once(place, text):
                state.answers.add(after, landed.text, window.reach, window.frame.contents.hold)

    state.last_sent = window
    state.go_ahead(flight)
    flight.begin(endpoint, window.request, landed)


async def warm_up(spot: Spot, means: Means, state: Completions) -> None:
    """Give the server to read what the next prompt at a place begins with, unless it has."""
    if means.endpoint is None:
        return
    frame = await frame_of(spot, means, state.frames, _RANKING)
    window = window_of(spot, means, state.windows, frame, state.diagnostics)
    if window is not None and read_already(state.last_sent, window) < _READ_ALREADY:
        state.last_sent = window
        await means.endpoint.warm(window.request)


def read_already(last: Window | None, window: Window) -> float:
    """The share of a prompt, from its beginning, that the last one begins with too."""
    if last is None:
        return 0.0
    old, new = (
        "".join(f"{path}\n{text}" for path, text in one.request.context) + one.request.prefix
        for one in (last, window)
    )
    return common_head(old, new) / max(1, len(new) + len(window.request.suffix))
