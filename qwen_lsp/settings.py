"""Every setting, typed, in one model; the settings page of the docs is generated from it.

Precedence, lowest first: defaults, the user's `config.toml`, the environment, what the editor sends.
Names are snake_case in TOML and camelCase from editors; both are accepted everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, cast

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError
from pydantic.alias_generators import to_camel

from qwen_lsp.errors import SettingsError

EndpointKind = Literal[
    "auto", "openai", "vllm", "sglang", "llamacpp", "ollama", "lmstudio", "dashscope", "openrouter"
]

ENVIRONMENT: Mapping[str, tuple[str, str]] = {
    "OPENAI_API_KEY": ("endpoint", "api_key"),
    "OPENAI_BASE_URL": ("endpoint", "base_url"),
    "OPENAI_MODEL": ("endpoint", "model"),
}
"""The variables Qwen Code reads, and the setting each one fills."""


class _Group(BaseModel):
    model_config = ConfigDict(
        extra="forbid", frozen=True, alias_generator=to_camel, populate_by_name=True, protected_namespaces=()
    )


class EndpointSettings(_Group):
    """The model server. Nothing is sent anywhere else."""

    base_url: str = Field(
        "",
        description="Base URL of an OpenAI-compatible API, such as http://localhost:8000/v1. Empty: no endpoint, the embedded default answers.",
    )
    api_key: SecretStr = Field(
        SecretStr(""),
        description="API key; better set by the environment variable OPENAI_API_KEY than written to a file.",
    )
    model: str = Field(
        "", description="Model for chat, explaining and agent work. Empty: the only model the endpoint lists."
    )
    completion_model: str = Field(
        "", description="Model for inline completion, when it should be another one. Empty: the same model."
    )
    kind: EndpointKind = Field(
        "auto",
        description="What server it is; decides how completions are asked for. `auto` looks at the URL and asks the server.",
    )
    context_window: Annotated[int, Field(ge=0, le=2_000_000)] = Field(
        0, description="Window of the model in tokens. 0: asked from the server, then the table of models."
    )
    max_output_tokens: Annotated[int, Field(ge=256, le=131_072)] = Field(
        16_384, description="Most tokens one chat reply may have."
    )
    connect_timeout: Annotated[float, Field(gt=0, le=600)] = Field(
        5.0, description="Seconds to reach the endpoint."
    )
    first_byte_timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        120.0, description="Seconds until a chat reply begins; long prompts take long to read."
    )
    idle_timeout: Annotated[float, Field(gt=0, le=3600)] = Field(
        30.0, description="Seconds between two pieces of a reply that has begun."
    )
    max_retries: Annotated[int, Field(ge=0, le=10)] = Field(
        3,
        description="Tries after a 5xx, a 429 or a lost connection, with growing waits. Completions are never retried.",
    )
    extra_body: dict[str, Any] = Field(
        default_factory=dict, description='Fields added to every chat request, such as {"top_k": 20}.'
    )


class CompletionSettings(_Group):
    """Inline completion."""

    enabled: bool = Field(True, description="Whether completions are offered at all.")
    trigger: Literal["auto", "manual"] = Field(
        "auto", description="`manual` answers only when the editor says that the person asked."
    )
    budget_tokens: Annotated[int, Field(ge=256, le=32_768)] = Field(
        2_048, description="Prompt size of a completion, in tokens."
    )
    max_tokens: Annotated[int, Field(ge=8, le=2_048)] = Field(
        256, description="Longest completion, in tokens."
    )
    debounce_ms: Annotated[int, Field(ge=0, le=2_000)] = Field(
        60,
        description="Quiet time before an automatic request is sent to the endpoint. An answer from the cache or an asked-for one never waits.",
    )
    first_token_timeout: Annotated[float, Field(gt=0, le=60)] = Field(
        2.0, description="Seconds to the first token; after that the embedded default answers."
    )
    disabled_languages: tuple[str, ...] = Field((), description="Language ids without completions.")
    disabled_globs: tuple[str, ...] = Field(
        (), description="Files without completions, as glob patterns below the workspace folder."
    )
    embedded: bool = Field(True, description="Whether the embedded default completes when no endpoint does.")


class ExplainSettings(_Group):
    """Explain file or selection."""

    budget_tokens: Annotated[int, Field(ge=1_024, le=1_000_000)] = Field(
        32_768, description="Prompt size of an explanation, in tokens; also bounded by the model's window."
    )
    max_tokens: Annotated[int, Field(ge=64, le=65_536)] = Field(
        4_096, description="Longest explanation, in tokens."
    )


class ActionSettings(_Group):
    """Code actions."""

    budget_tokens: Annotated[int, Field(ge=1_024, le=1_000_000)] = Field(
        16_384, description="Prompt size of a code action, in tokens."
    )
    max_tokens: Annotated[int, Field(ge=64, le=65_536)] = Field(
        8_192, description="Longest answer of a code action, in tokens."
    )


class AgentSettings(_Group):
    """Agentic edits."""

    budget_tokens: Annotated[int, Field(ge=4_096, le=1_000_000)] = Field(
        65_536, description="Tokens of workspace context put before the task."
    )
    max_turns: Annotated[int, Field(ge=1, le=500)] = Field(
        100, description="Most replies of the model in one run."
    )
    max_total_tokens: Annotated[int, Field(ge=1_000)] = Field(
        5_000_000, description="Most prompt and reply tokens of one run together."
    )
    max_seconds: Annotated[float, Field(gt=0)] = Field(1_800.0, description="Longest run, in seconds.")


class IndexSettings(_Group):
    """The workspace index."""

    exclude: tuple[str, ...] = Field((), description="More files to leave out, in .gitignore syntax.")
    max_file_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024 * 1024)] = Field(
        1_048_576, description="Larger files are not indexed."
    )
    workers: Annotated[int, Field(ge=0, le=64)] = Field(
        0, description="Worker processes of a cold index. 0: one less than the cores, at least one."
    )
    cache_dir: str = Field("", description="Where the index is kept. Empty: the user's cache folder.")


class SecretSettings(_Group):
    """What never leaves the machine, beyond what is always withheld."""

    globs: tuple[str, ...] = Field(
        (), description="More files that no prompt may contain, in .gitignore syntax."
    )
    patterns: tuple[str, ...] = Field(
        (), description="More secrets to redact, as Python regular expressions."
    )


class Settings(_Group):
    """All settings."""

    endpoint: EndpointSettings = Field(default_factory=lambda: EndpointSettings())
    completion: CompletionSettings = Field(default_factory=lambda: CompletionSettings())
    explain: ExplainSettings = Field(default_factory=lambda: ExplainSettings())
    actions: ActionSettings = Field(default_factory=lambda: ActionSettings())
    agent: AgentSettings = Field(default_factory=lambda: AgentSettings())
    index: IndexSettings = Field(default_factory=lambda: IndexSettings())
    secrets: SecretSettings = Field(default_factory=lambda: SecretSettings())
    log_level: Literal["error", "warning", "info", "debug"] = Field(
        "warning", description="What is written to the log."
    )


def load(*layers: Mapping[str, Any], environ: Mapping[str, str]) -> Settings:
    """Merge layers, lowest precedence first, over the defaults and the environment, and check them.

    `layers[0]` is the user's file and lies under the environment; the rest lie over it. An editor that
    sends null or an empty string for a setting means "not set". Raises SettingsError naming the setting.
    """
    user, *editor = layers or ({},)
    merged: dict[str, Any] = {}
    _merge(merged, user)
    for name, (group, field) in ENVIRONMENT.items():
        if environ.get(name):
            _merge(merged, {group: {field: environ[name]}})
    for layer in editor:
        _merge(merged, layer)
    try:
        return Settings.model_validate(merged)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        raise SettingsError(f"setting {where!r}: {first['msg']}") from None


def _merge(into: dict[str, Any], layer: Mapping[str, Any]) -> None:
    for key, value in layer.items():
        name = _snake(key)
        if value is None or value == "":
            continue
        if isinstance(value, Mapping) and name != "extra_body":
            group = into.setdefault(name, {})
            if isinstance(group, dict):
                _merge(cast("dict[str, Any]", group), cast("Mapping[str, Any]", value))
                continue
        into[name] = value


def _snake(key: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in key)
