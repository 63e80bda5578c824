"""Settings of several places put over one another, and which of them may raise a right.

What an editor sends may come from a file of the workspace it has open, and whoever wrote that may not give
the agent more rights than the user did: such a setting is only ever lowered there (`GUARDS`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ValidationError

from qwen_lsp.errors import SettingsError
from qwen_lsp.settings import ENVIRONMENT, Settings
from qwen_lsp.spelling import snake

_VERBATIM = frozenset({"extra_body", "trigger_by_language", "trigger_by_glob", "mcp_servers", "prices"})
"""Tables whose keys are no names of settings; the one of a higher layer replaces the one below it."""


@dataclass(frozen=True, slots=True)
class Layered:
    """The settings in force, and a sentence for each one that was left out because it would raise a right."""

    settings: Settings
    dropped: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Guard:
    """What an editor may make of a setting. `allows` gets the user's own value and the editor's."""

    said: str
    """For the page of settings: a sentence."""
    allows: Callable[[Any, Any], bool]
    adds: bool = False
    """The editor's list is put behind the user's own, never in its place."""


_LOWERS = "An editor can only lower what the user's own configuration says."


def up_to(*values: str) -> Guard:
    """For a setting whose values give more rights the later they stand here."""
    return Guard(_LOWERS, lambda own, asked: values.index(asked) <= values.index(own))


OWN = Guard("Only the user's own configuration sets it.", lambda own, asked: asked == own)
CAP = Guard(_LOWERS, lambda own, asked: asked <= own)
CAP_OR_NONE = Guard(_LOWERS, lambda own, asked: own == 0 or 0 < asked <= own)
"""The same where 0 means that there is no limit."""
SWITCH = Guard("An editor can only turn it off.", lambda own, asked: own or not asked)
MORE = Guard(
    "An editor can only add to what the user's own configuration says.", lambda own, asked: True, True
)

GUARDS: Mapping[str, Guard] = {
    "agent.mode": up_to("plan", "ask", "allow"),
    "agent.network": up_to("never", "ask"),
    "agent.max_turns": CAP,
    "agent.max_total_tokens": CAP,
    "agent.max_seconds": CAP,
    "agent.max_cost": CAP_OR_NONE,
    "endpoint.prices": OWN,
    "agent.allow_commands": OWN,
    "agent.checks": OWN,
    "agent.check_seconds": CAP,
    "agent.check_after_edits": SWITCH,
    "agent.mcp_servers": OWN,
    "secrets.globs": MORE,
    "secrets.patterns": MORE,
}
"""The settings that decide what may be done, spent or shown, by name."""


def load(*layers: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """The settings of `layered`, where nobody needs to be told what was left out."""
    return layered(*layers, environ=environ).settings


def layered(*layers: Mapping[str, Any], environ: Mapping[str, str]) -> Layered:
    """Merge layers, lowest precedence first, over the defaults and the environment, and check them.

    `layers[0]` is the user's file and lies under the environment; the rest are an editor's and lie over it,
    except that they raise no right. An editor that sends null or an empty string for a setting means "not
    set". Raises SettingsError naming the setting.
    """
    user, *editor = layers or ({},)
    merged: dict[str, Any] = {}
    _merge(merged, user)
    for name, (group, field) in ENVIRONMENT.items():
        if environ.get(name):
            _merge(merged, {group: {field: environ[name]}})
    if not editor:
        return Layered(_checked(merged))
    own = _checked(merged)
    dropped: list[str] = []
    for layer in editor:
        asked: dict[str, Any] = {}
        _merge(asked, layer)
        dropped += _lowered(asked, own)
        _merge(merged, asked)
    return Layered(_checked(merged), tuple(dict.fromkeys(dropped)))


def _lowered(asked: dict[str, Any], own: Settings) -> list[str]:
    """Take out of an editor's layer what would raise a right; a sentence for each."""
    said: list[str] = []
    for dotted, guard in GUARDS.items():
        name, _, field = dotted.partition(".")
        group = asked.get(name)
        if not isinstance(group, dict) or field not in group:
            continue
        values = cast("dict[str, Any]", group)
        mine = getattr(getattr(own, name), field)
        if guard.adds and isinstance(values[field], list | tuple):
            values[field] = tuple(dict.fromkeys((*mine, *cast("Sequence[Any]", values[field]))))
        try:
            wanted = getattr(getattr(_checked({name: {field: values[field]}}), name), field)
        except SettingsError:
            continue  # it is told as what it is when all are checked together
        if not guard.allows(mine, wanted):
            del values[field]
            said.append(
                f"setting {dotted!r} was left as it is: it gives rights, which an editor's settings may only "
                "lower, since they may come from the workspace. Set it in your own config.toml"
            )
    return said


def _checked(merged: Mapping[str, Any]) -> Settings:
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting {where!r}: {first['msg'].removeprefix('Value error, ')}") from None


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        name = snake(key)
        if value is None or value == "":
            continue
        if isinstance(value, Mapping) and name not in _VERBATIM:
            group = into.setdefault(name, {})
            if isinstance(group, dict):
                _merge(cast("dict[str, Any]", group), cast("Mapping[str, Any]", value))
                continue
        into[name] = value
