"""Every setting, typed, in one model; the settings page of the docs is generated from it.

Where they come from and which of them lies over which: `layers`. Names are snake_case in TOML and camelCase
from editors; both are accepted everywhere.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator
from pydantic.alias_generators import to_camel

EndpointKind = Literal[
    "auto", "openai", "vllm", "sglang", "llamacpp", "ollama", "lmstudio", "dashscope", "openrouter"
]

Trigger = Literal["auto", "manual", "off"]

ENVIRONMENT: Mapping[str, tuple[str, str]] = {
    "OPENAI_API_KEY": ("endpoint", "api_key"),
    "OPENAI_BASE_URL": ("endpoint", "base_url"),
    "OPENAI_MODEL": ("endpoint", "model"),
}
"""The variables Qwen Code reads, and the setting each one fills."""

AgentMode = Literal["plan", "ask", "allow"]

CheckKind = Literal["test", "lint", "type", "build"]

WhenIdle = Literal["auto", "on", "off"]


class _Group(BaseModel):
    model_config = ConfigDict(
        extra="forbid",
        frozen=True,
        alias_generator=to_camel,
        populate_by_name=True,
        protected_namespaces=(),
    )


class PriceSettings(_Group):
    """What a model costs: money for a million tokens, in a currency of your choice."""

    input: Annotated[float, Field(ge=0)] = 0.0
    """Prompt tokens."""
    output: Annotated[float, Field(ge=0)] = 0.0
    """Reply tokens."""
    cached: Annotated[float, Field(ge=0)] | None = None
    """Prompt tokens that the endpoint had cached. Not set: as any prompt token."""


class EndpointSettings(_Group):
    """The model server. Nothing is sent anywhere else."""

    base_url: str = ""
    """Base URL of an OpenAI-compatible API, such as `http://localhost:8000/v1`. Without one the
    embedded default answers."""
    api_key: SecretStr = SecretStr("")
    """API key; better set by the environment variable OPENAI_API_KEY than written to a file."""
    model: str = ""
    """Model for chat, explaining and agent work. Empty: the only model the endpoint lists."""
    completion_model: str = ""
    """Model for inline completion, when it should be another one. Empty: the same model."""
    kind: EndpointKind = "auto"
    """What server it is; decides how completions are asked for. `auto` looks at the URL and asks the
    server."""
    context_window: Annotated[int, Field(ge=0, le=2_000_000)] = 0
    """Window of the model in tokens. 0: asked from the server, then the table of models."""
    max_output_tokens: Annotated[int, Field(ge=256, le=131_072)] = 16_384
    """Most tokens one chat reply may have."""
    connect_timeout: Annotated[float, Field(gt=0, le=600)] = 5.0
    """Seconds to reach the endpoint."""
    first_byte_timeout: Annotated[float, Field(gt=0, le=3600)] = 120.0
    """Seconds until a chat reply begins; long prompts take long to read."""
    idle_timeout: Annotated[float, Field(gt=0, le=3600)] = 30.0
    """Seconds between two pieces of a reply that has begun."""
    max_retries: Annotated[int, Field(ge=0, le=10)] = 3
    """Tries after a 5xx, a 429 or a lost connection, with growing waits. Completions are never
    retried."""
    extra_body: dict[str, Any] = Field(default_factory=dict)
    """Fields added to every chat request, such as `{"top_k": 20}`."""
    prices: dict[str, PriceSettings] = Field(default_factory=dict[str, PriceSettings])
    """What models cost, by name or by the beginning of it, as money for a million tokens:
    `{"qwen3-coder-plus" = {input = 1.0, output = 5.0, cached = 0.1}}`. Without one money is not mentioned."""

    @field_validator("base_url")
    @classmethod
    def _address(cls, url: str) -> str:
        try:
            _ = urlsplit(url.strip() if "://" in url else f"http://{url.strip()}").port
        except ValueError:
            # What is wrong with it is not quoted: it may be a part of a password.
            raise ValueError("it has no host and port as a URL has them") from None
        return url


class CompletionSettings(_Group):
    """Inline completion."""

    enabled: bool = True
    """Whether completions are offered at all."""
    trigger: Literal["auto", "manual"] = "auto"
    """`manual` answers only when the editor says that the person asked."""
    trigger_by_language: dict[str, Trigger] = Field(default_factory=dict)
    """The same for single languages, by language id, such as `{"markdown": "manual"}`; `off` never
    answers."""
    trigger_by_glob: dict[str, Trigger] = Field(default_factory=dict)
    """The same for single files, such as `{"**/gen/**": "off"}`, as patterns in .gitignore syntax; the last
    one that matches decides, and it counts for more than the file's language."""
    in_comments: bool = True
    """Whether something is offered inside comments without being asked for."""
    in_strings: bool = True
    """Whether something is offered inside strings without being asked for. A docstring is a string."""
    budget_tokens: Annotated[int, Field(ge=256, le=32_768)] = 2_048
    """Prompt size of a completion, in tokens."""
    max_tokens: Annotated[int, Field(ge=8, le=2_048)] = 256
    """Longest completion, in tokens."""
    debounce_ms: Annotated[int, Field(ge=0, le=2_000)] = 200
    """The longest quiet time before an automatic request is sent to the endpoint. How long it really is
    follows from how fast somebody types and how fast the endpoint answers; a known answer, a request that was
    asked for, and the first one after a pause never wait."""
    ranking_ms: Annotated[int, Field(ge=0, le=5_000)] = 60
    """How long a request waits for what other files have to say. What is not ready by then comes into the
    next one."""
    fetch_ahead: WhenIdle = "auto"
    """Whether what follows a shown suggestion is asked for while it is being read, so that it is there once
    the suggestion is accepted. `auto`: at an endpoint on this machine or nearby, where requests are free."""
    warm_up: WhenIdle = "auto"
    """Whether the endpoint is given the beginning of the next prompt to read while nobody types (one token is
    asked for), so that its answer comes sooner. `auto`: as above."""
    first_token_timeout: Annotated[float, Field(gt=0, le=60)] = 2.0
    """Seconds to the first token; after that the embedded default answers."""
    disabled_languages: tuple[str, ...] = ()
    """Language ids without completions; the same as `off` in `trigger_by_language`."""
    disabled_globs: tuple[str, ...] = ()
    """Files without completions, in .gitignore syntax."""
    embedded: bool = True
    """Whether the embedded default completes when no endpoint does."""
    next_edit: bool = False
    """Whether an edit that calls for another one, such as a rename, is followed by an offer of the next place
    and its change."""


class ExplainSettings(_Group):
    """Explain file or selection."""

    budget_tokens: Annotated[int, Field(ge=1_024, le=1_000_000)] = 32_768
    """Prompt size of an explanation, in tokens; also bounded by the model's window."""
    max_tokens: Annotated[int, Field(ge=64, le=65_536)] = 4_096
    """Longest explanation, in tokens."""


class ActionSettings(_Group):
    """Code actions."""

    budget_tokens: Annotated[int, Field(ge=1_024, le=1_000_000)] = 16_384
    """Prompt size of a code action, in tokens."""
    max_tokens: Annotated[int, Field(ge=64, le=65_536)] = 8_192
    """Longest answer of a code action, in tokens."""


class McpServerSettings(_Group):
    """A program that lends tools to the agent, started over standard input and output."""

    command: Annotated[str, Field(min_length=1)]
    """An absolute path, or a name on PATH."""
    args: tuple[str, ...] = ()
    """Its arguments."""
    env: dict[str, SecretStr] = Field(default_factory=dict)
    """More environment variables with their values."""
    pass_env: tuple[str, ...] = ()
    """Names of variables of the user's own environment that it is given."""
    cwd: str = ""
    """The folder it runs in, an absolute path. Empty: the home folder."""
    timeout_seconds: Annotated[float, Field(gt=0, le=3_600)] = 60.0
    """Longest start, and longest call."""
    trust: bool = False
    """Whether its tools are called without asking, once the server itself is allowed."""


class AgentSettings(_Group):
    """Agentic edits."""

    mode: AgentMode = "ask"
    """`plan` only looks and answers with a plan; `ask` asks before commands and other programs; `allow` does
    not. Nothing lands without a preview in any of them, unless it was asked for so."""
    budget_tokens: Annotated[int, Field(ge=4_096, le=1_000_000)] = 65_536
    """Tokens of workspace context put before the task."""
    max_turns: Annotated[int, Field(ge=1, le=500)] = 100
    """Most replies of the model in one run."""
    max_total_tokens: Annotated[int, Field(ge=1_000)] = 5_000_000
    """Most prompt and reply tokens of one run together."""
    max_seconds: Annotated[float, Field(gt=0)] = 1_800.0
    """Longest run, in seconds; the time in which a person is asked something does not count."""
    max_cost: Annotated[float, Field(ge=0)] = 0.0
    """Most money one run may cost, by `endpoint.prices`. 0: no limit."""
    network: Literal["never", "ask"] = "never"
    """Whether a command may ask for the network. `never`: there is none inside the sandbox."""
    checks: dict[CheckKind, str] = Field(default_factory=dict[CheckKind, str])
    """The project's checks as command lines for its top folder, such as `{"test": "make test"}`; those of
    other kinds (`test`, `lint`, `type`, `build`) are found in the project's own files."""
    check_seconds: Annotated[float, Field(gt=0, le=3_600)] = 300.0
    """Longest time of one check, in seconds; the same again for what failed before the run."""
    check_after_edits: bool = False
    """Whether tests, linters and type checkers run by themselves after each turn that edited something."""
    allow_commands: tuple[str, ...] = ()
    """Command lines that run without asking at the root of the workspace, each exactly as it stands here,
    such as `pytest -q`. A line with any sign that a shell acts on is asked for all the same."""
    mcp_servers: dict[str, McpServerSettings] = Field(default_factory=dict)
    """Programs that lend tools, by name: `[agent.mcp_servers.NAME]` with `command`, `args`, `env`,
    `pass_env`, `cwd`, `timeout_seconds`, `trust`; see [approval](approval.md)."""

    @field_validator("mcp_servers")
    @classmethod
    def _named(cls, servers: dict[str, McpServerSettings]) -> dict[str, McpServerSettings]:
        for name in servers:
            if not re.fullmatch(r"[A-Za-z0-9]+([_-][A-Za-z0-9]+)*", name) or len(name) > 32:
                raise ValueError(f"{name!r} is no name for a server: letters, digits, single - and _ between")
        return servers


class ContextSettings(_Group):
    """Context of large prompts: explanations, code actions and agent runs of 32,000 tokens or more."""

    epochs: bool = True
    """Whether each large prompt extends the last one, so that the model server reuses what it has read:
    files as they were when an epoch was cut, then what changed since. Off: the parts of each prompt are
    chosen and ordered anew."""
    tail_percent: Annotated[int, Field(ge=1, le=100)] = 15
    """How large the changes may grow, in percent of the frozen files, before a new epoch is cut."""


class IndexSettings(_Group):
    """The workspace index."""

    exclude: tuple[str, ...] = ()
    """More files to leave out, in .gitignore syntax."""
    max_file_bytes: Annotated[int, Field(ge=1_024, le=64 * 1024 * 1024)] = 1_048_576
    """Larger files are not indexed."""
    workers: Annotated[int, Field(ge=0, le=64)] = 0
    """Worker processes of a cold index. 0: one less than the cores, but two where there are two."""
    references_up_to: Annotated[int, Field(ge=0, le=10_000_000)] = 20_000
    """In a workspace with more files, who uses a name is kept for the open files and what they import;
    elsewhere it is searched for when somebody asks."""
    cache_dir: str = ""
    """Where the index is kept; read when a workspace is opened. Empty: the user's cache folder."""


class SecretSettings(_Group):
    """What never leaves the machine, beyond what is always withheld."""

    globs: tuple[str, ...] = ()
    """More files that no prompt may contain, in .gitignore syntax."""
    patterns: tuple[str, ...] = ()
    """More secrets to redact, as Python regular expressions."""

    @field_validator("patterns")
    @classmethod
    def _compile(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                re.compile(pattern)
            except re.error as error:
                raise ValueError(f"{pattern!r} is not a regular expression: {error}") from None
        return patterns


class Settings(_Group):
    """All settings."""

    endpoint: EndpointSettings = EndpointSettings()
    completion: CompletionSettings = CompletionSettings()
    explain: ExplainSettings = ExplainSettings()
    actions: ActionSettings = ActionSettings()
    agent: AgentSettings = AgentSettings()
    context: ContextSettings = ContextSettings()
    index: IndexSettings = IndexSettings()
    secrets: SecretSettings = SecretSettings()
    log_level: Literal["error", "warning", "info", "debug"] = "warning"
    """What is written to the log."""
